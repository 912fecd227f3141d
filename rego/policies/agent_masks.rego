# METADATA
# title: Agents read masked
# description: >-
#   Every column that data.catalog classifies, of every relation the command touches. A class without a method of its own is null.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.agent_masks

import data.postern.agent
import data.postern.catalog

mask contains {
	"column": concat(".", [relation, column]),
	"method": how.method,
	"args": how.args,
	"on_predicate": "deny",
} if {
	agent.acts
	some relation, columns in catalog.touched
	some column, class in columns
	how := object.get(data.settings.masks.agents, class, unnamed)
}

unnamed := {"method": "null", "args": {}}
