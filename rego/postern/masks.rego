# METADATA
# title: Masks, combined
# description: >-
#   One mask per target: the strongest method wins, and the strictest on_predicate. Members that no gate could apply are kept apart,
#   as `malformed`.
# scope: package
# schemas:
#   - input: schema.input
package postern.masks

import data.postern.members

# By what is left of the value: nothing, a constant, something to compare by, something to read.
strength := {"null": 5, "redact": 4, "hash": 3, "tokenize": 2, "partial": 1}

# Keyed by target, so that the work grows with the members and not with their square.
# Their places in members.masks stand for them: a member would be hashed whole, again and again.
by_target[kind][name] contains at if {
	some at, said in members.masks
	kind := kind_of(said.member)
	name := name_of(kind, said)
}

malformed contains rule if some rule, _ in by_target.malformed

list := [mask |
	some kind in ["column", "entity", "path"]
	some name in sort(object.keys(by_target[kind]))
	mask := combined(kind, name, said_at(by_target[kind][name]))
]

said_at(places) := [members.masks[at] | some at in places]

# The masks that make a command wait where their column decides which rows come back.
held_by contains said if {
	some column in input.action.predicates
	all := said_at(by_target.column[column])
	strictest(all) == "hold"
	some said in all
	on_predicate(said.member) == "hold"
}

# Columns that may not decide which rows come back, and do.
protected contains column if {
	some column in input.action.predicates
	strictest(said_at(by_target.column[column])) == "deny"
}

kind_of(member) := "column" if {
	proper(member)
	named(member.column)
	not member.entity
	not member.path
} else := "entity" if {
	proper(member)
	named(member.entity)
	not member.column
	not member.path
} else := "path" if {
	proper(member)
	named(member.path)
	not member.column
	not member.entity
} else := "malformed"

name_of(kind, said) := said.rule if {
	kind == "malformed"
} else := said.member[kind]

proper(member) if {
	strength[member.method]
	not odd_args(member)
}

odd_args(member) if not is_object(member.args)

named(text) if {
	is_string(text)
	text != ""
}

combined(kind, name, all) := mask(kind, name, said, on_predicate(said.member)) if {
	count(all) == 1
	some said in all
} else := mask(kind, name, strongest(all), strictest(all)) if {
	not disputed(all)
} else := {
	kind: name,
	"rule": strongest(all).rule,
	"method": "redact",
	"on_predicate": strictest(all),
}

mask(kind, name, said, predicate) := {
	kind: name,
	"rule": said.rule,
	"method": said.member.method,
	"args": said.member.args,
	"on_predicate": predicate,
} if {
	said.member.args
} else := {
	kind: name,
	"rule": said.rule,
	"method": said.member.method,
	"on_predicate": predicate,
}

strongest(all) := sort(winners(all))[0]

winners(all) := {said |
	top := max([strength[said.member.method] | some said in all])
	some said in all
	strength[said.member.method] == top
}

# Two partial masks with different arguments: nobody can say which shows less, so neither is used.
disputed(all) if {
	count({object.get(said.member, "args", {}) | some said in winners(all)}) > 1
	strongest(all).member.method == "partial"
}

strictest(all) := "deny" if {
	some said in all
	on_predicate(said.member) == "deny"
} else := "hold" if {
	some said in all
	on_predicate(said.member) == "hold"
} else := "allow"

on_predicate(member) := "allow" if {
	member.on_predicate == "allow"
} else := "hold" if {
	member.on_predicate == "hold"
} else := "deny"
