# METADATA
# title: Agents run a bounded number of commands
# description: >-
#   Counted per subject, so that several sessions of one agent share it.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.agent_quota

import data.postern.agent
import data.postern.command

quota contains {
	"name": "agent_commands",
	"per": "subject",
	"metric": "commands",
	"max": data.settings.quotas.agent_commands_per_minute,
	"window_s": 60,
} if {
	agent.acts
	command.runs
}
