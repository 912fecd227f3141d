# METADATA
# title: Who asks
# description: For policies. Absent groups are no groups.
# scope: package
# schemas:
#   - input: schema.input
package postern.subject

in_group(group) if group in input.subject.groups

in_any(groups) if {
	some group in input.subject.groups
	group in groups
}

# Nobody acts for a person but that person.
default person := false

person if {
	input.subject.type == "human"
	is_null(input.subject.actor)
}
