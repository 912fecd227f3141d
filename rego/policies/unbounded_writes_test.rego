package tests.unbounded_writes

import data.examples
import data.postern

decide(env, subject, action) := decision if {
	decision := postern.decision with input as examples.asked_of(env, subject, action)
}

everything(name, effect) := object.union(examples.change(name, effect, "public.orders"), {"sql": {"has_where": false}})

test_a_change_of_every_row_is_denied if {
	every command in [everything("update", "write"), everything("delete", "delete")] {
		decision := decide("production", examples.alice, command)
		decision.effect == "deny"
		examples.code(decision) == "unbounded_write"
	}
}

test_a_change_nobody_knows_the_rows_of_is_denied if {
	command := object.remove(examples.delete_order, ["sql"])
	examples.code(decide("production", examples.alice, command)) == "unbounded_write"
}

test_an_emptied_table_is_denied if {
	examples.code(decide("production", examples.alice, everything("truncate", "delete"))) == "unbounded_write"
}

test_not_even_break_glass_changes_every_row if {
	decide("production", examples.erin, everything("delete", "delete")).effect == "deny"
}

test_staging_may_be_emptied if decide("staging", examples.alice, everything("delete", "delete")).effect == "allow"

test_a_change_inside_a_query_is_one_too if {
	examples.code(decide("production", examples.alice, object.union(everything("delete", "delete"), {"name": "select"}))) == "unbounded_write"
}

test_an_insert_needs_no_where if decide("production", examples.alice, everything("insert", "write")).effect == "hold"
