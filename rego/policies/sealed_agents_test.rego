package tests.sealed_agents

import data.examples
import data.postern

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

sealed := [{"name": "profile", "args": {"name": "sealed"}}]

test_an_agent_connects_sealed if decide(examples.robot, examples.connect).obligations == sealed

test_every_command_of_an_agent_is_sealed if decide(examples.robot, examples.read_customers).obligations == sealed

test_an_agent_at_a_persons_keyboard_is_sealed if decide(examples.assisted, examples.connect).obligations == sealed

test_a_person_is_not if decide(examples.alice, examples.connect).obligations == []

test_a_sealed_agent_may_filter_by_anything_for_it_filters_constants if {
	decide(examples.robot, examples.filtered("public.customers.email")).effect == "allow"
}

test_elsewhere_agents_are_masked if {
	decision := postern.decision with input as examples.asks(examples.robot, examples.connect)
		with data.settings.sealed as {}
	decision.effect == "allow"
	decision.obligations == []
}

test_a_gate_that_cannot_seal_lets_no_agent_in if {
	unable := {"context": {"capabilities": [able | some able in examples.capabilities; able != "obligation:profile"]}}
	decision := postern.decision with input as object.union(examples.asks(examples.robot, examples.connect), unable)
	examples.code(decision) == "unsupported_obligation"
}
