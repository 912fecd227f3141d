# METADATA
# title: Why the answer is no
# description: >-
#   What policies deny, then what the library denies by itself and no policy can take back.
# scope: package
# schemas:
#   - input: schema.input
package postern.refusals

import data.postern.bounds
import data.postern.holds
import data.postern.masks
import data.postern.members
import data.postern.question

list := array.concat(
	sort([members.reason(said, "denied", "policy denies this") | some said in members.denies]),
	[reason | some reasons in [unread, predicate, malformed, unanswerable, unable, nobody]; some reason in reasons],
)

unsupported_input := {
	"rule": "postern",
	"code": "unsupported_input",
	"message": concat("", [
		"the question is incomplete or inconsistent: ",
		concat(", ", sort(question.missing)),
	]),
	"remedy": "this is a fault of the gate or its sidecar, not of the command: report it with the decision id",
}

failed := {
	"rule": "postern",
	"code": "policy_failed",
	"message": "the policy gave no usable answer",
	"remedy": "report it with the decision id",
}

# Each of these is a list of no or one reason, in the order in which they are shown.
unread := [{
	"rule": "postern",
	"code": "incomplete_command",
	"message": concat("", ["the command could not be read to the end: ", why_unread]),
	"remedy": "send one plain command whose effects are visible in its text",
} |
	not read
]

# To the end, or an allow that matches does without.
read if {
	not incomplete
} else if {
	accepted
}

incomplete if is_string(input.action.incomplete)

incomplete if "unknown" in input.action.effects

why_unread := input.action.incomplete

default why_unread := "its effects are unknown"

accepted if {
	some said in members.allows
	said.member.accept_incomplete == true
}

predicate := [{
	"rule": "postern",
	"code": "protected_predicate",
	"message": concat("", ["masked columns may not decide which rows come back: ", columns]),
	"remedy": concat("", ["leave ", columns, " out of WHERE, JOIN, GROUP BY, ORDER BY and the like"]),
} |
	count(masks.protected) > 0
	columns := concat(", ", sort(masks.protected))
]

malformed := [{
	"rule": "postern",
	"code": "unsupported_obligation",
	"message": concat("", [
		"a mask, limit, quota, hold or obligation is not well-formed in policy ",
		concat(", ", sort(rules)),
	]),
	"remedy": "correct the policy: docs/policy.md lists the fields of each member",
} |
	rules := (masks.malformed | bounds.malformed) | holds.malformed
	count(rules) > 0
]

unanswerable := [{
	"rule": "postern",
	"code": "unsupported_obligation",
	"message": "several policies hold this, and no group may approve for all of them",
	"remedy": "name a group in all of the policies that hold this",
} |
	holds.apart
]

unable := [{
	"rule": "postern",
	"code": "unsupported_obligation",
	"message": concat("", [
		"policy asks for what this gate cannot enforce: ",
		concat(", ", sort(names)),
	]),
	"remedy": "use a gate that can enforce it, or change the policy",
} |
	names := lacking(bounds.proper_limits, bounds.proper_quotas, bounds.proper_obligations, holds.list)
	count(names) > 0
]

# What it takes to carry this out, and the gate has not.
lacking(limits, quotas, obligations, waits) := {name |
	some names in [
		[concat(":", ["mask", method]) | some method in {mask.method | some mask in masks.list}],
		[concat(":", ["limit", limit.metric]) | some limit in limits],
		["quota" | count(quotas) > 0],
		["hold" | count(waits) > 0],
		[concat(":", ["obligation", owed.name]) | some owed in obligations],
	]
	some name in names
	not name in input.context.capabilities
}

nobody := [{
	"rule": "postern",
	"code": "no_matching_allow",
	"message": "no policy allows this",
	"remedy": "ask the owners of the policy for access",
} |
	count(members.allows) == 0
]
