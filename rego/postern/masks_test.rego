package postern.masks_test

import data.examples
import data.postern

read := examples.asks(examples.alice, examples.filtered("public.customers.email"))

unfiltered := examples.asks(examples.alice, examples.read_customers)

policies(masks) := object.union({"a": {"allow": {{"code": "ok"}}}}, masks)

masks_of(said) := decision.masks if {
	decision := postern.decision with input as unfiltered with data.policies as policies(said)
	decision.effect == "allow"
}

column(name, method) := {"column": name, "method": method}

test_one_mask_is_passed_on_with_the_rule_that_asked if {
	masks_of({"b": {"mask": {{"column": "t.c", "method": "partial", "args": {"keep_last": 4}, "on_predicate": "allow"}}}}) == [{
		"rule": "b", "column": "t.c", "method": "partial", "args": {"keep_last": 4}, "on_predicate": "allow",
	}]
}

test_without_on_predicate_it_is_deny if {
	masks_of({"b": {"mask": {column("t.c", "null")}}}) == [{"rule": "b", "column": "t.c", "method": "null", "on_predicate": "deny"}]
}

test_an_on_predicate_nobody_knows_is_deny if {
	said := object.union(column("t.c", "null"), {"on_predicate": "maybe"})
	masks_of({"b": {"mask": {said}}})[0].on_predicate == "deny"
}

test_masks_are_sorted_by_kind_and_target if {
	found := masks_of({"b": {"mask": {
		column("t.z", "null"), column("t.a", "null"),
		{"entity": "email", "method": "redact"}, {"path": "$.a", "method": "redact"},
	}}})
	[object.remove(mask, ["rule", "method", "on_predicate"]) | some mask in found] == [
		{"column": "t.a"}, {"column": "t.z"}, {"entity": "email"}, {"path": "$.a"},
	]
}

test_the_strongest_method_wins if {
	methods := ["partial", "tokenize", "hash", "redact", "null"]
	every at, method in methods {
		every weaker in array.slice(methods, 0, at) {
			found := masks_of({"b": {"mask": {column("t.c", weaker)}}, "c": {"mask": {column("t.c", method)}}})
			found == [{"rule": "c", "column": "t.c", "method": method, "on_predicate": "deny"}]
		}
	}
}

test_the_strictest_on_predicate_wins if {
	lenient := object.union(column("t.c", "null"), {"on_predicate": "allow"})
	held := object.union(column("t.c", "partial"), {"on_predicate": "hold", "approvers": ["dba"]})
	strict := object.union(column("t.c", "partial"), {"on_predicate": "deny"})
	masks_of({"b": {"mask": {lenient}}, "c": {"mask": {held}}})[0].on_predicate == "hold"
	masks_of({"b": {"mask": {lenient}}, "c": {"mask": {held, strict}}})[0].on_predicate == "deny"
	masks_of({"b": {"mask": {lenient}}})[0].on_predicate == "allow"
}

test_two_ways_to_show_a_part_show_nothing if {
	first := object.union(column("t.c", "partial"), {"args": {"keep_first": 4}})
	last := object.union(column("t.c", "partial"), {"args": {"keep_last": 4}})
	masks_of({"b": {"mask": {first}}, "c": {"mask": {last}}}) == [{"rule": "b", "column": "t.c", "method": "redact", "on_predicate": "deny"}]
}

test_two_policies_that_agree_show_a_part if {
	said := object.union(column("t.c", "partial"), {"args": {"keep_last": 4}})
	found := masks_of({"b": {"mask": {said}}, "c": {"mask": {said}}})
	found[0].method == "partial"
	found[0].args == {"keep_last": 4}
}

test_a_masked_column_may_not_decide_which_rows_come_back if {
	decision := postern.decision with input as read
		with data.policies as policies({"b": {"mask": {column("public.customers.email", "partial")}}})
	decision.effect == "deny"
	decision.reasons == [{
		"rule": "postern",
		"code": "protected_predicate",
		"message": "masked columns may not decide which rows come back: public.customers.email",
		"remedy": "leave public.customers.email out of WHERE, JOIN, GROUP BY, ORDER BY and the like",
	}]
}

test_another_column_may if {
	decision := postern.decision with input as read
		with data.policies as policies({"b": {"mask": {column("public.customers.ssn", "partial")}}})
	decision.effect == "allow"
}

test_a_mask_can_leave_its_column_free if {
	said := object.union(column("public.customers.email", "partial"), {"on_predicate": "allow"})
	decision := postern.decision with input as read with data.policies as policies({"b": {"mask": {said}}})
	decision.effect == "allow"
}

test_a_mask_can_make_the_command_wait if {
	said := object.union(column("public.customers.email", "partial"), {
		"on_predicate": "hold", "approvers": ["dba"], "message": "asks by e-mail", "ttl_s": 60,
	})
	decision := postern.decision with input as read with data.policies as policies({"b": {"mask": {said}}})
	decision.effect == "hold"
	decision.reasons == [{"rule": "b", "code": "held", "message": "asks by e-mail"}]
	decision.hold.approvers == ["dba"]
	decision.hold.ttl_s == 60
	decision.masks[0].method == "partial"
}

test_a_mask_that_waits_for_nobody_denies if {
	said := object.union(column("public.customers.email", "partial"), {"on_predicate": "hold"})
	decision := postern.decision with input as read with data.policies as policies({"b": {"mask": {said}}})
	examples.code(decision) == "unsupported_obligation"
}

test_a_mask_that_is_none_denies if {
	every said in {"t.c", {}, {"method": "null"}, column("", "null"), column("t.c", "blur"), {"column": "c", "path": "p", "method": "null"}, {"column": "c", "method": "null", "args": "x"}} {
		decision := postern.decision with input as unfiltered with data.policies as policies({"b": {"mask": {said}}})
		examples.code(decision) == "unsupported_obligation"
	}
}
