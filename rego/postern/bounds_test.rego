package postern.bounds_test

import data.examples
import data.postern

read := object.union(
	examples.asks(examples.alice, examples.read_orders),
	{"context": {"capabilities": ["limit:rows", "limit:bytes", "limit:duration_ms", "quota", "obligation:notify", "obligation:tag"]}},
)

decide(said) := decision if {
	decision := postern.decision with input as read
		with data.policies as object.union({"a": {"allow": {{"code": "ok"}}}}, said)
}

limits(said) := [object.remove(limit, ["rule"]) | some limit in decide(said).limits]

rows(max, on_exceed) := {"metric": "rows", "max": max, "on_exceed": on_exceed}

test_the_smallest_limit_wins if {
	limits({"b": {"limit": {rows(100, "truncate")}}, "c": {"limit": {rows(10, "truncate")}}}) == [rows(10, "truncate")]
}

test_the_strictest_on_exceed_wins if {
	limits({"b": {"limit": {rows(100, "deny")}}, "c": {"limit": {rows(10, "truncate")}}}) == [rows(10, "deny")]
}

test_a_limit_names_the_policy_whose_maximum_it_is if {
	decide({"b": {"limit": {rows(100, "deny")}}, "c": {"limit": {rows(10, "truncate"), rows(11, "deny")}}}).limits[0].rule == "c"
	decide({"c": {"limit": {rows(10, "deny")}}, "b": {"limit": {rows(10, "truncate")}}}).limits[0].rule == "b"
}

test_without_on_exceed_it_is_deny if {
	limits({"b": {"limit": {{"metric": "rows", "max": 5}}}}) == [rows(5, "deny")]
	limits({"b": {"limit": {rows(5, "shrug")}}}) == [rows(5, "deny")]
}

test_every_metric_has_its_own_limit if {
	found := decide({"b": {"limit": {
		rows(1, "deny"),
		{"metric": "duration_ms", "max": 2, "on_exceed": "deny"},
		{"metric": "bytes", "max": 3, "on_exceed": "deny"},
	}}}).limits
	[limit.metric | some limit in found] == ["bytes", "duration_ms", "rows"]
}

test_no_rows_at_all_is_a_limit_too if limits({"b": {"limit": {rows(0, "deny")}}}) == [rows(0, "deny")]

test_every_quota_is_kept if {
	quota := {"name": "q", "per": "subject", "metric": "commands", "max": 5, "window_s": 60}
	other := object.union(quota, {"max": 7})
	decide({"b": {"quota": {quota}}, "c": {"quota": {other}}, "d": {"quota": {quota}}}).quotas == [quota, other]
}

test_what_a_quota_says_besides_is_left_out if {
	quota := {"name": "q", "per": "run", "metric": "rows", "max": 5, "window_s": 60}
	decide({"b": {"quota": {object.union(quota, {"message": "slow down"})}}}).quotas == [quota]
}

test_every_obligation_is_kept_once if {
	found := decide({"b": {"obligation": {{"name": "notify"}, {"name": "tag", "args": {"x": 1}}}}, "c": {"obligation": {{"name": "notify"}}}})
	count(found.obligations) == 2
	{"name": "notify"} in found.obligations
	{"name": "tag", "args": {"x": 1}} in found.obligations
}

test_what_cannot_be_counted_denies if {
	every said in [
		{"limit": {{"metric": "cells", "max": 1}}}, {"limit": {rows("1", "deny")}}, {"limit": {rows(-1, "deny")}},
		{"limit": {rows(0.5, "deny")}}, {"quota": {{"name": "", "per": "run", "metric": "rows", "max": 5, "window_s": 60}}},
		{"quota": {{"name": "q", "per": "run", "metric": "rows", "max": 5, "window_s": 0}}},
		{"quota": {{"name": "q", "per": "team", "metric": "rows", "max": 5, "window_s": 1}}},
		{"obligation": {{"name": "notify", "args": 1}}},
	] {
		examples.code(decide({"b": said})) == "unsupported_obligation"
	}
}
