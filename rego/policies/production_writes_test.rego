package tests.production_writes

import data.examples
import data.postern

decide(env, subject, action) := decision if {
	decision := postern.decision with input as examples.asked_of(env, subject, action)
}

test_a_production_delete_waits_for_a_data_owner if {
	decision := decide("production", examples.alice, examples.delete_order)
	decision.effect == "hold"
	decision.hold == {"approvers": ["data-owners"], "min_approvals": 1, "bind": "exact", "ttl_s": 900, "wait_s": 120}
	examples.code(decision) == "production_write"
}

test_the_same_delete_in_staging_does_not if decide("staging", examples.alice, examples.delete_order).effect == "allow"

test_a_data_owner_waits_like_everybody_else if decide("production", examples.bob, examples.delete_order).effect == "hold"

test_an_agent_for_an_engineer_waits_too if decide("production", examples.assisted, examples.delete_order).effect == "hold"

test_an_agent_by_itself_changes_nothing if decide("production", examples.robot, examples.delete_order).effect == "deny"

test_a_write_inside_a_query_waits_too if {
	command := object.union(examples.delete_order, {"name": "select"})
	decide("production", examples.alice, command).effect == "hold"
}

test_a_write_that_does_not_say_where_is_denied if {
	command := object.union(examples.read_orders, {"effects": ["read", "write"]})
	decide("production", examples.alice, command).effect == "deny"
}

test_a_table_nobody_listed_is_not_written if {
	decide("production", examples.alice, examples.change("insert", "write", "internal.notes")).effect == "deny"
}

test_a_write_that_runs_unlisted_code_is_denied if {
	command := object.union(examples.delete_order, {
		"effects": ["read", "delete", "execute"],
		"sql": {"functions": [{"name": "public.trigger", "class": "user:plpgsql"}]},
	})
	decide("production", examples.alice, command).effect == "deny"
}

test_a_write_may_read_what_is_readable if {
	command := object.union(examples.delete_order, {"objects": [
		examples.table("public.orders", "write", ["id"]), examples.table("public.customers", "read", ["id"]),
	]})
	decide("production", examples.alice, command).effect == "hold"
}
