package postern.command_test

import data.examples
import data.postern.command

test_only_effects_means_all_of_them if {
	command.only_effects(["read"]) with input.action.effects as ["read"]
	command.only_effects(["read", "session"]) with input.action.effects as ["read"]
	not command.only_effects(["read"]) with input.action.effects as ["read", "write"]
}

test_no_effects_are_not_only_harmless_effects if {
	not command.only_effects(["read"]) with input.action.effects as []
	not command.only_effects(["read"]) with input as {"action": {}}
}

test_any_effect_means_one_of_them if {
	command.any_effect(["write", "delete"]) with input.action.effects as ["read", "delete"]
	not command.any_effect(["write", "delete"]) with input.action.effects as ["read"]
}

test_writing_and_deleting_change_data if {
	command.changes_data with input.action.effects as ["write"]
	command.changes_data with input.action.effects as ["read", "delete"]
	not command.changes_data with input.action.effects as ["define"]
}

test_defining_and_granting_change_the_schema if {
	command.changes_schema with input.action.effects as ["define"]
	command.changes_schema with input.action.effects as ["grant"]
	not command.changes_schema with input.action.effects as ["write"]
}

test_a_fetch_is_never_quiet if {
	command.quiet with input.action as examples.session("begin", [])
	not command.quiet with input.action as examples.session("fetch", [])
	not command.quiet with input.action as examples.read_orders
}

test_touching_means_kind_and_name if {
	command.touches("table", "public.orders") with input.action as examples.read_orders
	not command.touches("view", "public.orders") with input.action as examples.read_orders
	not command.touches("table", "orders") with input.action as examples.read_orders
}

test_reads_and_writes_are_told_apart if {
	command.reads == {"public.orders"} with input.action as examples.read_orders
	command.writes == set() with input.action as examples.read_orders
	command.writes == {"public.orders"} with input.action as examples.delete_order
}

test_the_schema_is_before_the_dot if {
	command.schema_of("pg_catalog.pg_class") == "pg_catalog"
	command.schema_of("orders") == ""
}

test_connecting_is_no_command if {
	command.connects with input as examples.asks(examples.alice, examples.connect)
	not command.runs with input as examples.asks(examples.alice, examples.connect)
	command.runs with input as examples.asks(examples.alice, examples.read_orders)
}
