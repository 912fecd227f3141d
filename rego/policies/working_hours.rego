# METADATA
# title: Payments and payroll change in working hours
# description: >-
#   At any other time only people on call change the relations in data.settings.working_hours.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.working_hours

import data.policies.break_glass
import data.postern.clock
import data.postern.command
import data.postern.subject

deny contains {
	"code": "outside_working_hours",
	"message": concat("", [name, " changes in working hours only"]),
	"remedy": "wait for the next working day, or ask the person on call",
} if {
	command.changes_data
	hours := data.settings.working_hours[input.resource.id]
	some name in command.writes
	hours.relations[name]
	not subject.in_any(data.settings.groups.on_call)
	not break_glass.active
	not clock.within(hours)
}
