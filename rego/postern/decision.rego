# METADATA
# title: The decision
# description: >-
#   Combines every policy. Deny beats hold, hold beats allow, and nothing said means no.
#   The only rule a gate asks for is `postern.decision`.
# scope: package
# schemas:
#   - input: schema.input
package postern

import data.postern.bounds
import data.postern.holds
import data.postern.masks
import data.postern.members
import data.postern.question
import data.postern.refusals

# METADATA
# entrypoint: true
decision := denied([refusals.unsupported_input]) if {
	not question.complete
} else := denied(refusals.list) if {
	count(refusals.list) > 0
} else := object.union(
	permitted("hold", [members.reason(said, "held", "this waits for approval") |
		some said in holds.list
	]),
	{"hold": holds.hold},
) if {
	count(holds.list) > 0
} else := permitted("allow", [members.reason(said, "allowed", "policy allows this") |
	some said in members.allows
]) if {
	# Said once more, and positively: what went wrong above must not end here.
	count(members.allows) > 0
	count(holds.all) == 0
	count(refusals.list) == 0
} else := denied([refusals.failed])

denied(reasons) := {
	"effect": "deny",
	"reasons": reasons,
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}

permitted(effect, reasons) := {
	"effect": effect,
	"reasons": sort(reasons),
	"masks": masks.list,
	"limits": bounds.limits,
	"quotas": bounds.quotas,
	"obligations": bounds.obligations,
}
