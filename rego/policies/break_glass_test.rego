package tests.break_glass

import data.examples
import data.postern

import data.policies.break_glass

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

test_an_emergency_needs_no_second_person if {
	decision := decide(examples.erin, examples.delete_order)
	decision.effect == "allow"
	examples.code(decision) == "break_glass"
}

test_the_reason_is_on_record if {
	decision := decide(examples.erin, examples.delete_order)
	decision.reasons[0].message == "break-glass: incident 4711, checkout is down"
}

test_an_emergency_without_a_reason_is_none if decide(examples.frank, examples.delete_order).effect == "deny"

test_a_reason_says_something if {
	every reason in ["", "short", "                ", 4711] {
		subject := object.union(examples.frank, {"claims": {"break_glass_reason": reason}})
		not break_glass.active with input as examples.asks(subject, examples.delete_order)
	}
}

test_a_reason_alone_is_no_membership if {
	subject := object.union(examples.alice, {"claims": {"break_glass_reason": "incident 4711, checkout is down"}})
	not break_glass.active with input as examples.asks(subject, examples.delete_order)
}

test_an_agent_has_no_emergencies if {
	subject := object.union(examples.erin, {"actor": examples.actor("code-assistant", null)})
	not break_glass.active with input as examples.asks(subject, examples.delete_order)
	decide(subject, examples.drop_table).effect == "deny"
}

test_an_emergency_grants_nothing if {
	decide(examples.erin, object.union(examples.drop_table, {"effects": ["grant"]})).effect == "deny"
}
