# METADATA
# title: Agents read masked
# description: >-
#   Every column of the resource that data.catalog classifies, whatever the command says it touches; a class without a method is null.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.agent_masks

import data.policies.sessions
import data.postern.agent
import data.postern.command

mask contains object.union(how(class), {
	"column": concat(".", [relation, column]),
	"on_predicate": "deny",
}) if {
	agent.acts
	command.runs
	not sessions.harmless
	some relation, columns in data.catalog[input.resource.id]
	some column, class in columns
}

how(class) := data.settings.masks.agents[class]

how(class) := {"method": "null"} if not data.settings.masks.agents[class]
