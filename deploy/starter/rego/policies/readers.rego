# METADATA
# title: Who may read what
# description: >-
#   Groups in data.settings.readers connect, and read the tables that data.settings.tables lists for the resource.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
package policies.readers

import data.postern.command
import data.postern.subject

allow contains {"code": "may_connect", "message": "readers may connect"} if {
	command.connects
	subject.in_any(data.settings.readers)
}

allow contains {"code": "transaction", "message": "transactions change nothing by themselves"} if {
	command.runs
	subject.in_any(data.settings.readers)
	command.only_effects(["session"])
	input.action.name in ["begin", "commit", "rollback"]
}

allow contains {"code": "may_read", "message": "readers read these tables"} if {
	command.runs
	subject.in_any(data.settings.readers)
	command.only_effects(["read"])
	count(input.action.objects) > 0
	every object in input.action.objects {
		command.relation(object)
		object.access == "read"
		data.settings.tables[input.resource.id][object.name]
	}
}
