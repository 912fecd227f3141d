package postern

# A decision with everything in it, steered by input.action.name.

base := {"reasons": [], "masks": [], "limits": [], "quotas": [], "obligations": []}

because(code) := [{"rule": "policies.basic", "code": code, "message": "as the test asked"}]

allowed(code) := object.union(base, {"effect": "allow", "reasons": because(code)})

default decision := {
	"effect": "deny",
	"reasons": [{"rule": "postern", "code": "no_matching_allow", "message": "no policy allows this"}],
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}

decision := object.union(allowed("read_only"), {
	"masks": [mask |
		some object in input.action.objects
		some column in object.columns
		regex.match(`\.(email|ssn)$`, column)
		mask := {
			"rule": "policies.basic",
			"column": column,
			"method": "redact",
			"on_predicate": "deny",
		}
	],
	"limits": [{"metric": "rows", "max": 1000, "on_exceed": "deny"}],
}) if {
	input.action.name == "select"
	glob.match("*@example.com", [], input.subject.id)
}

decision := object.union(allowed("needs_a_person"), {
	"effect": "hold",
	"hold": {"approvers": ["dba"], "min_approvals": 1, "bind": "exact", "ttl_s": 60, "wait_s": 10},
}) if {
	input.action.name == "delete"
}

decision := allowed(sprintf("%d", [time.now_ns()])) if input.action.name == "clock"

decision := allowed(input.action.answer) if input.action.name == "say"

decision := input.action.answer if input.action.name == "answer"

decision := allowed("parsed") if {
	input.action.name == "parse"
	time.parse_rfc3339_ns(input.action.text) > 0
}

decision := allowed("split") if {
	input.action.name == "split"
	count(regex.split(input.action.pattern, input.action.text)) > 0
}

decision := allowed("huge") if {
	input.action.name == "number"
	to_number(input.action.text) + 1 > 0
}

decision := allowed("conflict") if input.action.name in {"conflict", "select_twice"}

decision := allowed("another") if input.action.name == "conflict"
