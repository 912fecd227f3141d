package postern

# Builds every kind of value from what the command brings.

names := {name | some name in input.action.list}

keyed := {name: 1 | some name in input.action.list}

pairs := {[name, 1] | some name in input.action.list}

numbers := [number | some number in input.action.list; is_number(number)]

facts := {
	"names": count(names),
	"keyed": count(keyed),
	"pairs": count(pairs),
	"numbers": count(numbers),
	"greater": count([number | some number in numbers; number + 1 > number]),
	"members": count(object.keys(input.action.facts)),
	"walked": count([path | walk(input.action, [path, _])]),
	"text": count(json.marshal(input.action)) > 0,
	"union": count(object.union(input.action.facts, {"more": 1})),
	"proto": object.get(input.action.facts, "__proto__", "none"),
	"share": object.get(input.action.facts, "part", 1) / object.get(input.action.facts, "whole", 1),
	"upper": count(upper(input.action.text)),
}

decision := {
	"effect": "allow",
	"reasons": [{"rule": "policies.hostile", "code": "counted", "message": "as the test asked"}],
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [{"name": "facts", "args": facts}],
} if {
	facts
} else := {
	"effect": "deny",
	"reasons": [{"rule": "policies.hostile", "code": "odd", "message": "as the test asked"}],
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}
