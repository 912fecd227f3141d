# METADATA
# title: People see personal data in part
# description: >-
#   Card numbers, identity numbers and salaries are masked for everybody outside the privacy team; filtering by them waits for approval.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.personal_data

import data.policies.sessions
import data.postern.agent
import data.postern.command
import data.postern.subject

mask contains object.union(data.settings.masks.people[class], {
	"column": concat(".", [relation, column]),
	"on_predicate": "hold",
	"approvers": data.settings.approvers.personal_data,
	"code": "personal_data_filter",
	"message": concat("", ["filtering by ", relation, ".", column, " waits for approval"]),
}) if {
	command.runs
	not agent.acts
	not sessions.harmless
	not subject.in_any(data.settings.groups.personal_data)
	some relation, columns in data.catalog[input.resource.id]
	some column, class in columns
}
