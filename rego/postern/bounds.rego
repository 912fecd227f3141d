# METADATA
# title: Limits, quotas and obligations, combined
# description: >-
#   Per metric the smallest limit, with the policy it is from, and the strictest on_exceed; every quota and every obligation. Members
#   that no gate could enforce are listed as `malformed`.
# scope: package
# schemas:
#   - input: schema.input
package postern.bounds

import data.postern.members

# Each of these is undefined where a member is not well-formed, so that no command runs without it.
limits(said) := [{"rule": least[1], "metric": metric, "max": least[0], "on_exceed": on_exceed(all)} |
	some metric in sort({one.member.metric | some one in said})
	all := [one.member | some one in said; one.member.metric == metric]
	least := min([[one.member.max, one.rule] | some one in said; one.member.metric == metric])
] if {
	every one in said {
		limit(one.member)
	}
}

quotas(said) := sort({object.filter(one.member, ["name", "per", "metric", "max", "window_s"]) | some one in said}) if {
	every one in said {
		counted(one.member)
	}
}

obligations(said) := sort({object.filter(one.member, ["name", "args"]) | some one in said}) if {
	every one in said {
		owed(one.member)
	}
}

limit(member) if {
	member.metric in ["bytes", "duration_ms", "rows"]
	members.whole(member.max, 0)
}

on_exceed(all) := "truncate" if {
	every member in all {
		member.on_exceed == "truncate"
	}
} else := "deny"

counted(member) if {
	is_string(member.name)
	member.name != ""
	member.per in ["subject", "actor", "run", "session", "resource"]
	member.metric in ["commands", "rows", "bytes"]
	members.whole(member.max, 0)
	members.whole(member.window_s, 1)
}

owed(member) if {
	is_string(member.name)
	member.name != ""
	not odd_args(member)
}

odd_args(member) if not is_object(member.args)

# To say what is wrong: the members that are well-formed, and the policies of those that are not.
proper_limits := limits([said | some said in members.limits; limit(said.member)])

proper_quotas := quotas([said | some said in members.quotas; counted(said.member)])

proper_obligations := obligations([said | some said in members.obligations; owed(said.member)])

malformed contains said.rule if {
	some said in members.limits
	not limit(said.member)
}

malformed contains said.rule if {
	some said in members.quotas
	not counted(said.member)
}

malformed contains said.rule if {
	some said in members.obligations
	not owed(said.member)
}
