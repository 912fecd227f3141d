# METADATA
# title: In an emergency a person may do more, and says why
# description: >-
#   Members of the break-glass group whose token carries the claim break_glass_reason change production without a second person; secrets and unbounded writes stay denied.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.break_glass

import data.postern.command
import data.postern.subject

reason_chars_min := 10

allow contains {
	"code": "break_glass",
	"message": concat("", ["break-glass: ", input.subject.claims.break_glass_reason]),
} if {
	active
	command.runs
	command.only_effects(["read", "write", "delete", "define", "session"])
}

# Other policies step back when this holds. Never for an agent: an emergency is a person's call.
default active := false

active if {
	subject.person
	subject.in_any(data.settings.groups.break_glass)
	is_string(input.subject.claims.break_glass_reason)
	count(trim_space(input.subject.claims.break_glass_reason)) >= reason_chars_min
}
