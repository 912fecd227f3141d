package tests.agent_masks

import data.examples
import data.postern

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

masked(decision) := {mask.column: mask.method | some mask in decision.masks}

test_an_agent_reads_customers_with_masked_email if {
	decision := decide(examples.robot, examples.read_customers)
	decision.effect == "allow"
	masked(decision)["public.customers.email"] == "partial"
}

test_an_agent_sees_no_class_of_customer_data if {
	masked(decide(examples.robot, examples.read_customers)) == {
		"public.customers.card_number": "partial",
		"public.customers.email": "partial",
		"public.customers.phone": "redact",
		"public.customers.ssn": "redact",
	}
}

test_an_agent_at_a_persons_keyboard_sees_no_more if {
	masked(decide(examples.assisted, examples.read_customers)) == masked(decide(examples.robot, examples.read_customers))
}

test_a_person_sees_the_email if {
	not masked(decide(examples.alice, examples.read_customers))["public.customers.email"]
}

test_what_is_not_classified_is_not_masked if decide(examples.robot, examples.read_orders).masks == []

test_a_class_without_a_method_is_null if {
	decision := postern.decision with input as examples.asks(examples.robot, examples.read_customers)
		with data.catalog.shop as {"public.customers": {"name": "something new"}}
	masked(decision) == {"public.customers.name": "null"}
}

test_an_agent_that_is_not_sealed_may_not_filter_by_what_it_may_not_see if {
	decision := postern.decision with input as examples.asks(examples.robot, examples.filtered("public.customers.email"))
		with data.settings.sealed as {}
	decision.effect == "deny"
	examples.code(decision) == "protected_predicate"
}

test_an_agent_may_filter_by_anything_else if {
	decide(examples.robot, examples.filtered("public.customers.city")).effect == "allow"
}

test_a_fetch_is_masked_whatever_it_fetches if {
	command := object.union(examples.select([]), {"name": "fetch"})
	masked(decide(examples.robot, command))["public.employees.salary"] == "null"
}
