package tests.production_schema

import data.examples
import data.postern

decide(env, subject, action) := decision if {
	decision := postern.decision with input as examples.asked_of(env, subject, action)
}

grants := object.union(examples.drop_table, {"name": "grant", "effects": ["grant"]})

test_nobody_drops_a_table_of_production if {
	every subject in [examples.alice, examples.bob, examples.robot] {
		decision := decide("production", subject, examples.drop_table)
		decision.effect == "deny"
		examples.rule(decision) == "production_schema"
		decision.reasons[0].remedy == "put the change into a migration and have it reviewed"
	}
}

test_nobody_grants_on_production if {
	examples.code(decide("production", examples.alice, grants)) == "schema_change"
}

test_an_engineer_drops_a_table_of_staging if {
	decide("staging", examples.alice, examples.drop_table).effect == "allow"
}

test_nobody_grants_anywhere if decide("staging", examples.alice, grants).effect == "deny"

test_an_agent_drops_nothing_anywhere if decide("staging", examples.robot, examples.drop_table).effect == "deny"

test_break_glass_may_change_the_schema if decide("production", examples.erin, examples.drop_table).effect == "allow"

test_a_definition_within_a_query_is_one_too if {
	command := object.union(examples.read_orders, {"effects": ["read", "define"]})
	examples.code(decide("production", examples.alice, command)) == "schema_change"
}
