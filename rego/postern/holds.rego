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

looseness := {"exact": 0, "shape": 1, "session": 2}

all := array.concat(members.holds, [said | some said in masks.held_by])

list := [said |
	some said in all
	answerable(said.member)
]

malformed contains said.rule if {
	some said in all
	not answerable(said.member)
}

# No group may answer all holds: one set of votes cannot satisfy them.
apart if {
	count(list) > 1
	count(approvers) == 0
}

approvers := intersection({groups(said.member) | some said in list})

# What the command waits for; undefined where somebody could not answer, so that no command runs without it.
hold := {
	"approvers": sort(approvers),
	"min_approvals": max([number(said.member, "min_approvals", 1) | some said in list]),
	"bind": bind,
	"ttl_s": min([number(said.member, "ttl_s", 900) | some said in list]),
	"wait_s": min([number(said.member, "wait_s", 60) | some said in list]),
} if {
	count(list) == count(all)
	count(approvers) > 0
}

bind := [name |
	least := min([looseness[object.get(said.member, "bind", "exact")] | some said in list])
	some name, rank in looseness
	rank == least
][0]

answerable(member) if {
	is_object(member)
	count(groups(member)) > 0
	number(member, "min_approvals", 1)
	number(member, "ttl_s", 900)
	number(member, "wait_s", 60)
	not odd_bind(member)
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

odd_bind(member) if not bindable(member.bind)

bindable(bind) if looseness[bind] >= 0
