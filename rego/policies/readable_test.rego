package tests.readable

import data.examples
import data.postern

effect(subject, action) := decision.effect if {
	decision := postern.decision with input as examples.asks(subject, action)
}

reads(kind, name) := examples.select([{"kind": kind, "name": name, "access": "read", "columns": ["id"]}])

test_an_engineer_reads_orders if effect(examples.alice, examples.read_orders) == "allow"

test_an_agent_reads_orders if effect(examples.robot, examples.read_orders) == "allow"

test_a_stranger_reads_nothing if effect(examples.stranger, examples.read_orders) == "deny"

test_a_view_is_read_with_what_is_below_it if {
	view := {"kind": "view", "name": "public.customer_directory", "access": "read", "columns": ["email"]}
	below := examples.table("public.customers", "read", ["email"])
	effect(examples.robot, examples.select([view, below])) == "allow"
	unlisted := examples.table("internal.notes", "read", ["id"])
	effect(examples.robot, examples.select([view, unlisted])) == "deny"
}

test_a_table_nobody_listed_is_not_readable if effect(examples.alice, reads("table", "internal.notes")) == "deny"

test_what_psql_asks_the_catalogue_is_readable if {
	effect(examples.alice, reads("table", "pg_catalog.pg_class")) == "allow"
	effect(examples.alice, reads("view", "information_schema.columns")) == "allow"
}

test_what_the_server_keeps_to_itself_is_not if {
	every name in ["pg_catalog.pg_authid", "pg_catalog.pg_stats", "pg_catalog.pg_stat_activity"] {
		effect(examples.alice, reads("table", name)) == "deny"
	}
}

calls(functions) := {
	"name": "select", "effects": ["read", "execute"], "text": "select ...", "predicates": [],
	"objects": [{"kind": "function", "name": "public.order_total", "access": "read"}],
	"sql": {"dialect": "postgres", "kinds": ["select"], "functions": functions, "has_where": false, "has_limit": false},
}

listed := {"name": "public.order_total", "class": "user:sql"}

test_a_listed_function_may_be_called if {
	effect(examples.alice, calls([listed, {"name": "pg_catalog.count", "class": "pure"}])) == "allow"
}

test_another_function_may_not if {
	effect(examples.alice, calls([listed, {"name": "public.purge", "class": "user:plpgsql"}])) == "deny"
	effect(examples.alice, calls([listed, {"name": "pg_catalog.pg_sleep", "class": "unlisted"}])) == "deny"
}

# A gate names such a function among the objects too, which are counted: a lost list of functions permits nothing.
test_an_unlisted_function_of_the_server_may_not_whatever_the_list_of_functions_says if {
	sleeps := object.union(calls([]), {"objects": [{"kind": "function", "name": "pg_catalog.pg_sleep", "access": "read"}]})
	effect(examples.alice, sleeps) == "deny"
	effect(examples.alice, object.union(sleeps, {"sql": {"functions": [{"name": "pg_catalog.pg_sleep", "class": "unlisted"}]}})) == "deny"
}

test_code_without_a_name_may_not_run if {
	effect(examples.alice, object.union(calls([listed]), {"objects": []})) == "deny"
	effect(examples.alice, object.remove(calls([listed]), ["sql"])) == "deny"
}

test_functions_that_only_compute_are_part_of_reading if {
	pure := object.union(examples.read_orders, {"sql": {"functions": [{"name": "pg_catalog.count", "class": "pure"}]}})
	effect(examples.robot, pure) == "allow"
}

test_a_command_that_writes_is_not_reading if {
	effect(examples.alice, examples.select([examples.table("public.orders", "write", ["id"])])) == "deny"
}

test_an_incomplete_command_is_never_readable if {
	decision := postern.decision with input as examples.asks(examples.alice, object.union(examples.read_orders, {"incomplete": "why"}))
	examples.code(decision) == "incomplete_command"
}

test_a_resource_without_a_catalogue_has_nothing_readable if {
	decision := postern.decision with input as examples.asks(examples.alice, examples.read_orders) with data.catalog as {}
	decision.effect == "deny"
}

test_preparing_and_declaring_a_read_is_reading if {
	every name in ["prepare", "declare", "explain"] {
		command := object.union(examples.read_orders, {"name": name, "effects": ["read", "session"]})
		effect(examples.alice, command) == "allow"
	}
}

test_settings_and_channels_may_be_listened_to if {
	channel := {"kind": "channel", "name": "orders", "access": "read"}
	command := object.union(examples.session("listen", [channel]), {"effects": ["read", "session"]})
	effect(examples.alice, command) == "allow"
	speaking := object.union(command, {"name": "notify", "effects": ["write"], "objects": [object.union(channel, {"access": "write"})]})
	effect(examples.alice, speaking) == "deny"
}

sets(name) := object.union(
	examples.select([{"kind": "setting", "name": name, "access": "write"}]),
	{"effects": ["read", "session"]},
)

test_a_query_may_set_what_only_its_session_notices if {
	effect(examples.robot, sets("TimeZone")) == "allow"
	effect(examples.alice, sets("search_path")) == "allow"
	effect(examples.alice, sets("role")) == "deny"
	effect(examples.alice, sets("*")) == "deny"
}
