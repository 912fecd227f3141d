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
} else := permitted(limits, quotas, obligations) if {
	# Said positively, part by part: what cannot be worked out ends below, and not in an allow.
	count(members.denies) == 0
	count(members.allows) > 0
	refusals.read
	not masks.by_target.malformed
	count(masks.protected) == 0
	limits := bounds.limits(members.limits)
	quotas := bounds.quotas(members.quotas)
	obligations := bounds.obligations(members.obligations)
	count(refusals.lacking(limits, quotas, obligations, holds.all)) == 0
} else := denied(refusals.list) if {
	count(refusals.list) > 0
} else := denied([refusals.failed])

permitted(limits, quotas, obligations) := {
	"effect": "allow",
	"reasons": sort([members.reason(said, "allowed", "policy allows this") | some said in members.allows]),
	"masks": masks.list,
	"limits": limits,
	"quotas": quotas,
	"obligations": obligations,
} if {
	count(holds.all) == 0
} else := {
	"effect": "hold",
	"reasons": sort([members.reason(said, "held", "this waits for approval") | some said in holds.all]),
	"masks": masks.list,
	"limits": limits,
	"quotas": quotas,
	"hold": holds.hold,
	"obligations": obligations,
}

denied(reasons) := {
	"effect": "deny",
	"reasons": reasons,
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}
