package postern.holds_test

import data.examples
import data.postern

read := examples.asks(examples.alice, examples.read_orders)

decide(holds) := decision if {
	policies := {name: {"hold": {hold}} | some name, hold in holds}
	decision := postern.decision with input as read
		with data.policies as object.union({"a": {"allow": {{"code": "ok"}}}}, policies)
}

test_the_defaults_are_narrow if {
	decide({"b": {"approvers": ["dba"]}}).hold == {
		"approvers": ["dba"], "min_approvals": 1, "bind": "exact", "ttl_s": 900, "wait_s": 60,
	}
}

test_a_hold_can_say_everything if {
	said := {"approvers": ["dba", "ops"], "min_approvals": 2, "bind": "session", "ttl_s": 60, "wait_s": 5}
	decide({"b": said}).hold == said
}

test_only_groups_that_may_answer_every_hold_are_asked if {
	decision := decide({"b": {"approvers": ["dba", "security"]}, "c": {"approvers": ["security", "ops"]}})
	decision.hold.approvers == ["security"]
	[reason.rule | some reason in decision.reasons] == ["b", "c"]
}

test_holds_without_a_group_in_common_deny if {
	decision := decide({"b": {"approvers": ["dba"]}, "c": {"approvers": ["security"]}})
	decision.effect == "deny"
	decision.reasons[0].message == "several policies hold this, and no group may approve for all of them"
}

test_the_most_votes_the_narrowest_binding_and_the_shortest_times_win if {
	decide({
		"b": {"approvers": ["dba"], "min_approvals": 2, "bind": "shape", "ttl_s": 60, "wait_s": 30},
		"c": {"approvers": ["dba"], "min_approvals": 1, "bind": "session", "ttl_s": 600, "wait_s": 10},
	}).hold == {"approvers": ["dba"], "min_approvals": 2, "bind": "shape", "ttl_s": 60, "wait_s": 10}
}

test_a_hold_nobody_can_answer_denies if {
	every hold in [{}, "dba", 7, {"approvers": []}, {"approvers": [""]}, {"approvers": "dba"}, {"approvers": ["dba"], "bind": "any"}, {"approvers": ["dba"], "ttl_s": 0}, {"approvers": ["dba"], "min_approvals": "2"}] {
		examples.code(decide({"b": hold})) == "unsupported_obligation"
	}
}

test_masks_and_limits_come_with_a_hold if {
	decision := postern.decision with input as read with data.policies as {"a": {
		"allow": {{"code": "ok"}},
		"hold": {{"approvers": ["dba"]}},
		"mask": {{"column": "t.c", "method": "null"}},
		"limit": {{"metric": "rows", "max": 5}},
	}}
	decision.effect == "hold"
	count(decision.masks) == 1
	count(decision.limits) == 1
}
