package postern

# Uses much of the language and of the builtins, so that three engines can be compared on it.

default decision := {
	"effect": "deny",
	"reasons": [{"rule": "postern", "code": "no_matching_allow", "message": "no policy allows this"}],
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}

decision := {
	"effect": effect,
	"reasons": sort(reasons),
	"masks": sort(masks),
	"limits": [{"metric": "rows", "max": smallest, "on_exceed": "truncate"}],
	"quotas": [],
	"obligations": [{"name": "facts", "args": facts}],
} if {
	count(reasons) > 0
}

effect := "deny" if {
	some reason in reasons
	startswith(reason.code, "deny_")
} else := "allow"

reasons contains {"rule": "policies.readers", "code": "read_only", "message": message} if {
	every found in input.action.effects {
		found in {"read", "session"}
	}
	"analysts" in input.subject.groups
	message := sprintf("%s reads %d things in %s", [
		input.subject.id,
		count(input.action.objects),
		input.resource.labels.env,
	])
}

reasons contains {"rule": "policies.tables", "code": code, "message": concat(", ", names)} if {
	names := sort({object.name |
		some object in input.action.objects
		glob.match("public.*", ["."], object.name)
	})
	count(names) > 0
	code := replace(lower(concat("-", ["deny", "Public"])), "-", "_")
	input.resource.labels.env != "test"
}

reasons contains {"rule": "policies.text", "code": "matched", "message": part} if {
	some part in regex.split(`[\s,;]+`, input.action.text)
	regex.match(`^(?i:[a-z_]+)$`, part)
	not startswith(part, "x")
}

reasons contains {"rule": "policies.numbers", "code": format_int(number, 10), "message": "is large"} if {
	some number in input.action.numbers
	is_number(number)
	number > 100
	floor(number) == number
	number < 1000000
}

reasons contains {"rule": "policies.net", "code": "inside", "message": ip} if {
	ip := split(input.context.peer, ":")[0]
	net.cidr_contains("10.0.0.0/8", ip)
}

masks contains {
	"rule": "policies.masks",
	"column": column,
	"method": method,
	"on_predicate": "deny",
} if {
	some object in input.action.objects
	some column in object.columns
	some suffix, method in {".email": "partial", ".ssn": "null", ".name": "redact"}
	endswith(column, suffix)
}

smallest := min({1000} | {limit |
	some group in input.subject.groups
	limit := data.limits[group]
})

facts := {
	"walked": count([path | walk(input.action.facts, [path, _])]),
	"keys": sort(object.keys(input.action.facts)),
	"nested": object.get(input.action.facts, ["a", "b"], "none"),
	"merged": object.union(input.action.facts, {"merged": true}),
	"sum": sum([number | some number in input.action.numbers; is_number(number)]),
	"json": json.unmarshal(json.marshal(input.action.facts)),
	"types": sort({type_name(value) | some value in input.action.facts}),
	"subset": object.subset(input.action.facts, {"a": {}}),
	"upper": upper(input.action.text),
	"trimmed": trim(input.action.text, " x"),
	"reversed": strings.reverse(input.action.text),
	"sliced": array.slice(input.action.numbers, 1, 3),
	"encoded": base64.encode(input.action.text),
	"bits": bits.xor(count(input.action.numbers), 5),
	"hash": crypto.sha256(input.action.text),
	"quoted": sprintf("%q %v", [input.action.text, input.action.numbers]),
	"versions": semver.compare("1.2.3", "1.10.0"),
	"day": time.weekday(input.action.at),
	"date": time.date([input.action.at, "Europe/Berlin"]),
	"replaced": regex.replace(input.action.text, `(\w)(\w)`, "$2$1"),
	"count": strings.count(input.action.text, "e"),
	"query": urlquery.encode(input.action.text),
}
