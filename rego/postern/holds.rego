# METADATA
# title: Holds, combined
# description: >-
#   Every hold must be satisfied by the same votes, so only groups that may answer all of them are asked, and the most votes, the
#   narrowest binding and the shortest times win. A hold that nobody could answer is listed as `malformed`.
# scope: package
# schemas:
#   - input: schema.input
package postern.holds

import data.postern.masks
import data.postern.members

all := array.concat(members.holds, [said | some said in masks.held_by])

# The terms of each hold that somebody could answer.
list := [terms |
	some said in all
	terms := terms_of(said.member)
]

malformed contains said.rule if {
	some said in all
	not terms_of(said.member)
}

# No group may answer all holds: one set of votes cannot satisfy them.
apart if {
	count(list) > 1
	count(approvers) == 0
}

approvers := intersection({terms.approvers | some terms in list})

# What the command waits for; undefined where somebody could not answer, so that no command runs without it.
hold := {
	"approvers": sort(approvers),
	"min_approvals": max([terms.min_approvals | some terms in list]),
	"bind": bind,
	"ttl_s": min([terms.ttl_s | some terms in list]),
	"wait_s": min([terms.wait_s | some terms in list]),
} if {
	count(list) == count(all)
	count(approvers) > 0
}

# The narrowest.
bind := "exact" if {
	some terms in list
	terms.bind == "exact"
} else := "shape" if {
	some terms in list
	terms.bind == "shape"
} else := "session"

terms_of(member) := {
	"approvers": approvers,
	"min_approvals": number(member, "min_approvals", 1),
	"ttl_s": number(member, "ttl_s", 900),
	"wait_s": number(member, "wait_s", 60),
	"bind": bind,
} if {
	approvers := groups(member)
	count(approvers) > 0
	bind := object.get(member, "bind", "exact")
	bind in ["exact", "shape", "session"]
}

groups(member) := {group |
	some group in member.approvers
	is_string(group)
	group != ""
}

number(member, key, fallback) := value if {
	value := object.get(member, key, fallback)
	members.whole(value, 1)
}
