# METADATA
# title: Writes to production wait for a second person
# description: >-
#   Engineers change rows of the relations in data.settings.writable; on production a data owner approves first.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.production_writes

import data.policies.break_glass
import data.policies.readable
import data.postern.command
import data.postern.resource
import data.postern.subject

allow contains {"code": "may_write", "message": "engineers change rows of these relations"} if {
	command.changes_data
	command.runs
	subject.in_any(data.settings.groups.write)
	command.only_effects(["read", "write", "delete", "execute", "session"])
	count(command.writes) > 0
	readable.explained
	every object in input.action.objects {
		permitted(object)
	}
}

hold contains {
	"code": "production_write",
	"message": "a data owner approves changes of production data",
	"approvers": data.settings.approvers.production_writes,
	"bind": "exact",
	"ttl_s": 900,
	"wait_s": 120,
} if {
	command.changes_data
	resource.production
	not break_glass.active
}

permitted(object) if readable.permitted(object)

permitted(object) if {
	command.relation(object)
	data.settings.writable[input.resource.id][object.name]
}
