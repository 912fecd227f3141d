package tests.long_sessions

import data.examples
import data.postern

nightly := object.union(examples.person("nightly", ["engineers", "batch"]), {"type": "service"})

obligations(subject, action, groups) := decision.obligations if {
	decision := postern.decision with input as examples.asks(subject, action)
		with data.settings.groups.long_sessions as groups
		with data.settings.sealed as {}
}

kept := [{"name": "outlive_token"}]

test_a_service_of_the_group_keeps_its_session if obligations(nightly, examples.connect, ["batch"]) == kept

test_nobody_is_in_the_group_unless_somebody_is_named if {
	decision := postern.decision with input as examples.asks(nightly, examples.connect)
	decision.effect == "allow"
	decision.obligations == []
}

test_a_service_outside_the_group_does_not if obligations(nightly, examples.connect, ["other"]) == []

test_a_person_never_does if {
	anna := object.union(nightly, {"type": "human"})
	obligations(anna, examples.connect, ["batch"]) == []
}

test_an_agent_never_does if {
	bot := object.union(nightly, {"type": "agent"})
	obligations(bot, examples.connect, ["batch", "agents"]) == []
}

test_whoever_acts_for_a_service_does_not if {
	assisted := object.union(nightly, {"actor": examples.actor("code-assistant", null)})
	obligations(assisted, examples.connect, ["batch"]) == []
}

test_only_the_login_is_asked if obligations(nightly, examples.read_orders, ["batch"]) == []

test_a_gate_that_cannot_do_so_lets_nobody_in_on_these_terms if {
	asked := object.union(examples.asks(nightly, examples.connect), {"context": {"capabilities": ["hold", "quota"]}})
	decision := postern.decision with input as asked with data.settings.groups.long_sessions as ["batch"]
	examples.code(decision) == "unsupported_obligation"
}

test_who_may_not_connect_keeps_nothing if {
	outsider := object.union(examples.person("cron", ["batch"]), {"type": "service"})
	decision := postern.decision with input as examples.asks(outsider, examples.connect)
		with data.settings.groups.long_sessions as ["batch"]
	decision.effect == "deny"
	decision.obligations == []
}
