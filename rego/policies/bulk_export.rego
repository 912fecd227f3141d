# METADATA
# title: Answers have a size, and agents do not export
# description: >-
#   Agents read a bounded number of rows, cut off without an error, and no COPY; people are refused what is larger than a report.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.bulk_export

import data.policies.sessions
import data.postern.agent
import data.postern.command

limit contains {
	"metric": "rows",
	"max": data.settings.limits.agents.rows,
	"on_exceed": "truncate",
} if {
	agent.acts
	command.runs
	not sessions.harmless
}

limit contains {
	"metric": "rows",
	"max": data.settings.limits.people.rows,
	"on_exceed": "deny",
} if {
	not agent.acts
	command.runs
	not sessions.harmless
}

deny contains {
	"code": "bulk_export",
	"message": "agents do not export tables",
	"remedy": "select the columns and rows that the task needs",
} if {
	agent.acts
	copies_out
}

copies_out if input.action.name == "copy_to"

copies_out if "copy_to" in input.action.sql.kinds
