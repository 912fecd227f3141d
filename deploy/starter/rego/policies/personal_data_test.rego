package tests.personal_data

import data.examples
import data.postern

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

masked(decision) := {mask.column | some mask in decision.masks}

test_readers_see_no_personal_data if {
	decision := decide(examples.alice, examples.read_customers)
	decision.effect == "allow"
	masked(decision) == {"public.customers.email", "public.customers.phone"}
}

test_nobody_filters_by_it if {
	decision := decide(examples.alice, examples.filtered("public.customers.email"))
	decision.effect == "deny"
	examples.code(decision) == "protected_predicate"
}

test_the_privacy_team_sees_it if decide(examples.dave, examples.read_customers).masks == []

test_an_agent_of_the_privacy_team_does_not if {
	assisted := object.union(examples.dave, {"actor": examples.actor("code-assistant", null)})
	count(decide(assisted, examples.read_customers).masks) == 2
}

test_other_tables_have_none if decide(examples.alice, examples.read_orders).masks == []
