# METADATA
# title: What the columns hold
# description: >-
#   For policies. The classified columns of the relations a command touches, from data.catalog. A command that may answer with rows
#   and names no relation could read from any of them.
# scope: package
# schemas:
#   - input: schema.input
package postern.catalog

import data.postern.command

# Classes by column, by relation.
touched := {object.name: columns |
	some object in input.action.objects
	columns := data.catalog[input.resource.id][object.name]
} if {
	named
} else := data.catalog[input.resource.id] if {
	command.runs
	not command.quiet
} else := {}

named if {
	some object in input.action.objects
	command.relation(object)
}
