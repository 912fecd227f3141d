package postern

# A decision with everything in it, steered by input.action.name.

base := {"reasons": [], "masks": [], "limits": [], "quotas": [], "obligations": []}

because(code) := [{"rule": "policies.basic", "code": code, "message": "as the test asked"}]

default decision := {
	"effect": "deny",
	"reasons": [{"rule": "postern", "code": "no_matching_allow", "message": "no policy allows this"}],
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}

decision := object.union(base, {
	"effect": "allow",
	"reasons": because("read_only"),
	"masks": [{"rule": "policies.basic", "column": c, "method": "redact", "on_predicate": "deny"} |
		some object in input.action.objects
		some c in object.columns
		regex.match(`^[a-z.]*\.(email|ssn)$`, c)
	],
	"limits": [{"metric": "rows", "max": 1000, "on_exceed": "deny"}],
}) if {
	input.action.name == "select"
	glob.match("*@example.com", [], input.subject.id)
}

decision := object.union(base, {
	"effect": "hold",
	"reasons": because("needs_a_person"),
	"hold": {"approvers": ["dba"], "min_approvals": 1, "bind": "exact", "ttl_s": 60, "wait_s": 10},
}) if {
	input.action.name == "delete"
}

decision := object.union(base, {"effect": "allow", "reasons": because(sprintf("%d", [time.now_ns()]))}) if {
	input.action.name == "clock"
}
