# METADATA
# title: Limits, quotas and obligations, combined
# description: >-
#   Per metric the smallest limit and the strictest on_exceed; every quota and every obligation. Members that no gate could enforce
#   are listed as `malformed`.
# scope: package
# schemas:
#   - input: schema.input
package postern.bounds

import data.postern.members

metrics := ["bytes", "duration_ms", "rows"]

limits := [{"metric": metric, "max": least, "on_exceed": on_exceed(all)} |
	some metric in metrics
	all := by_metric[metric]
	least := min([member.max | some member in all])
]

by_metric[said.member.metric] contains said.member if {
	some said in members.limits
	limit(said.member)
}

limit(member) if {
	member.metric in metrics
	members.whole(member.max, 0)
}

on_exceed(all) := "truncate" if {
	every member in all {
		member.on_exceed == "truncate"
	}
} else := "deny"

quotas := sort({quota |
	some said in members.quotas
	counted(said.member)
	quota := object.filter(said.member, ["name", "per", "metric", "max", "window_s"])
})

counted(member) if {
	is_string(member.name)
	member.name != ""
	member.per in ["subject", "actor", "run", "session", "resource"]
	member.metric in ["commands", "rows", "bytes"]
	members.whole(member.max, 0)
	members.whole(member.window_s, 1)
}

obligations := sort({obligation |
	some said in members.obligations
	owed(said.member)
	obligation := object.filter(said.member, ["name", "args"])
})

owed(member) if {
	is_string(member.name)
	member.name != ""
	not odd_args(member)
}

odd_args(member) if not is_object(member.args)

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
