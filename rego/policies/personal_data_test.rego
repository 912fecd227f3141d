package tests.personal_data

import data.examples
import data.postern

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

masked(decision) := {mask.column: mask.method | some mask in decision.masks}

test_people_see_card_and_identity_numbers_in_part if {
	masked(decide(examples.alice, examples.read_customers)) == {
		"public.customers.card_number": "partial",
		"public.customers.ssn": "redact",
	}
}

test_people_see_no_salaries if {
	command := examples.select([examples.table("public.employees", "read", ["name", "salary"])])
	masked(decide(examples.alice, command))["public.employees.salary"] == "null"
}

test_the_privacy_team_sees_everything if decide(examples.dave, examples.read_customers).masks == []

test_an_agent_of_the_privacy_team_does_not if {
	assisted := object.union(examples.dave, {"actor": examples.actor("code-assistant", null)})
	masked(decide(assisted, examples.read_customers))["public.customers.ssn"] == "redact"
}

test_looking_somebody_up_by_card_number_waits_for_approval if {
	decision := decide(examples.alice, examples.filtered("public.customers.card_number"))
	decision.effect == "hold"
	decision.hold.approvers == ["data-owners"]
	examples.code(decision) == "personal_data_filter"
	decision.reasons[0].message == "filtering by public.customers.card_number waits for approval"
}

test_looking_somebody_up_by_email_does_not if {
	decide(examples.alice, examples.filtered("public.customers.email")).effect == "allow"
}
