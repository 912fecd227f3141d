package postern_test

import data.examples
import data.postern

read := examples.asks(examples.alice, examples.read_orders)

permits := {"allow": {{"code": "ok", "message": "fine"}}}

test_nothing_said_means_no if {
	postern.decision == {
		"effect": "deny",
		"reasons": [{
			"rule": "postern",
			"code": "no_matching_allow",
			"message": "no policy allows this",
			"remedy": "ask the owners of the policy for access",
		}],
		"masks": [], "limits": [], "quotas": [], "obligations": [],
	} with input as read with data.policies as {"silent": {}}
}

test_an_allow_is_enough_when_nobody_objects if {
	postern.decision == {
		"effect": "allow",
		"reasons": [{"rule": "a", "code": "ok", "message": "fine"}],
		"masks": [], "limits": [], "quotas": [], "obligations": [],
	} with input as read with data.policies as {"a": permits}
}

test_a_deny_beats_a_hold_and_an_allow if {
	decision := postern.decision with input as read
		with data.policies as {"a": permits, "b": {"hold": {{"approvers": ["dba"]}}}, "c": {"deny": {{"code": "no"}}}}
	decision.effect == "deny"
	decision.reasons == [{"rule": "c", "code": "no", "message": "policy denies this"}]
	not decision.hold
}

test_a_hold_beats_an_allow if {
	decision := postern.decision with input as read
		with data.policies as {"a": permits, "b": {"hold": {{"code": "wait", "message": "why", "approvers": ["dba"]}}}}
	decision.effect == "hold"
	decision.reasons == [{"rule": "b", "code": "wait", "message": "why"}]
	decision.hold == {"approvers": ["dba"], "min_approvals": 1, "bind": "exact", "ttl_s": 900, "wait_s": 60}
}

test_a_hold_alone_permits_nothing if {
	decision := postern.decision with input as read
		with data.policies as {"b": {"hold": {{"approvers": ["dba"]}}}}
	decision.effect == "deny"
	examples.code(decision) == "no_matching_allow"
}

test_what_policies_deny_is_shown_before_what_the_library_denies if {
	decision := postern.decision with input as read
		with data.policies as {"b": {"deny": {{"code": "z"}}}, "a": {"deny": {{"code": "y"}}}}
	[reason.code | some reason in decision.reasons] == ["y", "z", "no_matching_allow"]
}

test_a_remedy_reaches_the_reader if {
	decision := postern.decision with input as read
		with data.policies as {"a": {"deny": {{"code": "no", "remedy": "ask"}}}}
	decision.reasons[0].remedy == "ask"
}

test_a_malformed_deny_still_denies if {
	every member in {"text", "", 7, false, null, [], {}, {"code": 7}} {
		decision := postern.decision with input as read
			with data.policies as {"a": permits, "b": {"deny": {member}}}
		decision.effect == "deny"
		decision.reasons == [{"rule": "b", "code": "denied", "message": "policy denies this"}]
	}
}

test_a_deny_that_is_no_set_still_denies if {
	every said in [true, false, "x", ["x"], {"code": "x"}] {
		decision := postern.decision with input as read
			with data.policies as {"a": permits, "b": {"deny": said}}
		decision.effect == "deny"
	}
}

test_an_allow_that_is_no_object_permits_nothing if {
	every said in [{true}, {"yes"}, [{"code": "yes"}], {"code": {"code": "yes"}}, true] {
		decision := postern.decision with input as read with data.policies as {"a": {"allow": said}}
		decision.effect == "deny"
	}
}

test_an_incomplete_command_is_refused if {
	asked := examples.asks(examples.alice, object.union(examples.read_orders, {"incomplete": "a DO block"}))
	decision := postern.decision with input as asked with data.policies as {"a": permits}
	examples.code(decision) == "incomplete_command"
	decision.reasons[0].message == "the command could not be read to the end: a DO block"
}

test_an_allow_can_accept_an_incomplete_command if {
	asked := examples.asks(examples.alice, object.union(examples.read_orders, {"incomplete": "a DO block"}))
	decision := postern.decision with input as asked
		with data.policies as {"a": {"allow": {{"code": "ok", "accept_incomplete": true}}}}
	decision.effect == "allow"
}

test_only_true_accepts_an_incomplete_command if {
	asked := examples.asks(examples.alice, object.union(examples.read_orders, {"incomplete": "a DO block"}))
	every value in ["true", 1, {}, null] {
		decision := postern.decision with input as asked
			with data.policies as {"a": {"allow": {{"code": "ok", "accept_incomplete": value}}}}
		decision.effect == "deny"
	}
}

test_an_unknown_effect_counts_as_incomplete if {
	asked := examples.asks(examples.alice, object.union(examples.read_orders, {"effects": ["read", "unknown"]}))
	decision := postern.decision with input as asked with data.policies as {"a": permits}
	decision.reasons[0].message == "the command could not be read to the end: its effects are unknown"
}

test_a_gate_that_cannot_do_what_policy_asks_lets_nothing_pass if {
	asked := object.union(read, {"context": {"capabilities": []}})
	every said in [
		{"mask": {{"column": "public.t.c", "method": "redact"}}},
		{"limit": {{"metric": "rows", "max": 1}}},
		{"quota": {{"name": "q", "per": "subject", "metric": "rows", "max": 1, "window_s": 60}}},
		{"hold": {{"approvers": ["dba"]}}},
		{"obligation": {{"name": "notify"}}},
	] {
		decision := postern.decision with input as asked with data.policies as {"a": permits, "b": said}
		decision.effect == "deny"
		examples.code(decision) == "unsupported_obligation"
	}
}

test_the_reason_names_what_the_gate_cannot_do if {
	asked := object.union(read, {"context": {"capabilities": ["mask:null"]}})
	decision := postern.decision with input as asked with data.policies as {"a": permits, "b": {
		"mask": {{"column": "public.t.c", "method": "redact"}, {"column": "public.t.d", "method": "null"}},
		"limit": {{"metric": "rows", "max": 1}},
	}}
	decision.reasons[0].message == "policy asks for what this gate cannot enforce: limit:rows, mask:redact"
}

test_a_duty_that_is_not_wellformed_denies_and_names_the_policy if {
	every said in [
		{"mask": {"email"}}, {"limit": {7}}, {"quota": {{}}}, {"hold": {{"approvers": "dba"}}}, {"obligation": {{"name": 1}}},
	] {
		decision := postern.decision with input as read with data.policies as {"a": permits, "odd": said}
		examples.code(decision) == "unsupported_obligation"
		endswith(decision.reasons[0].message, "in policy odd")
	}
}

test_an_empty_question_is_refused if {
	decision := postern.decision with input as {}
	decision.effect == "deny"
	examples.code(decision) == "unsupported_input"
}

test_holds_that_come_to_nothing_do_not_become_an_allow if {
	decision := postern.decision with input as read
		with data.policies as {"a": permits, "b": {"hold": {{"approvers": ["dba"]}}}}
		with data.postern.holds.list as []
	decision.effect == "deny"
	examples.code(decision) == "policy_failed"
}
