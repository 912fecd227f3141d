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

import data.postern.agent
import data.postern.catalog
import data.postern.subject

mask contains {
	"column": concat(".", [relation, column]),
	"method": how.method,
	"args": how.args,
	"on_predicate": "hold",
	"approvers": data.settings.approvers.personal_data,
	"code": "personal_data_filter",
	"message": concat("", ["filtering by ", relation, ".", column, " waits for approval"]),
} if {
	not agent.acts
	not subject.in_any(data.settings.groups.personal_data)
	some relation, columns in catalog.touched
	some column, class in columns
	how := data.settings.masks.people[class]
}
