package tests.sessions

import data.examples
import data.postern

effect(subject, action) := decision.effect if {
	decision := postern.decision with input as examples.asks(subject, action)
}

test_engineers_and_agents_may_connect if {
	effect(examples.alice, examples.connect) == "allow"
	effect(examples.robot, examples.connect) == "allow"
}

test_a_stranger_may_not_connect if {
	decision := postern.decision with input as examples.asks(examples.stranger, examples.connect)
	decision.effect == "deny"
	examples.code(decision) == "no_matching_allow"
}

test_transactions_are_nobodys_business_but_the_sessions if {
	every name in ["begin", "commit", "rollback", "savepoint", "show", "deallocate"] {
		effect(examples.robot, examples.session(name, [])) == "allow"
	}
}

test_a_stranger_may_not_even_begin if effect(examples.stranger, examples.session("begin", [])) == "deny"

setting(name, access) := {"kind": "setting", "name": name, "access": access}

test_harmless_settings_may_be_set if {
	effect(examples.alice, examples.session("set", [setting("timezone", "write")])) == "allow"
	effect(examples.alice, examples.session("set", [setting("TimeZone", "write")])) == "allow"
	effect(examples.alice, examples.session("set", [setting("search_path", "write")])) == "allow"
}

test_settings_that_change_what_a_statement_means_may_not if {
	every name in ["row_security", "role", "session_authorization", "*"] {
		effect(examples.alice, examples.session("set", [setting(name, "write")])) == "deny"
	}
}

test_all_settings_may_go_back_to_what_the_session_began_with if {
	effect(examples.alice, examples.session("reset", [setting("*", "write")])) == "allow"
	effect(examples.alice, examples.session("discard", [setting("*", "write")])) == "allow"
	effect(examples.alice, examples.session("reset", [setting("role", "write")])) == "deny"
}

test_a_ping_is_allowed if effect(examples.robot, examples.session("empty", [])) == "allow"

test_a_set_of_nobody_knows_what_may_not if effect(examples.alice, examples.session("set", [])) == "deny"

test_every_setting_may_be_shown if {
	effect(examples.alice, examples.session("show", [setting("search_path", "read")])) == "allow"
}

test_cursors_may_be_closed if {
	cursor := {"kind": "cursor", "name": "c", "access": "write"}
	effect(examples.alice, examples.session("close", [cursor])) == "allow"
}

test_a_command_that_only_claims_to_be_one_of_the_session_is_not if {
	command := object.union(examples.session("begin", []), {"effects": ["session", "write"]})
	effect(examples.alice, command) == "deny"
}

test_a_session_command_nobody_listed_is_denied if effect(examples.alice, examples.session("load", [])) == "deny"
