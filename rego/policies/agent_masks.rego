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
	"on_predicate": on_predicate,
} if {
	agent.acts
	some relation, columns in catalog.touched
	some column, class in columns
	how := object.get(data.settings.masks.agents, class, unnamed)
}

default on_predicate := "deny"

# A sealed agent filters, joins and sorts by constants.
on_predicate := "allow" if data.settings.sealed[input.resource.id]

unnamed := {"method": "null", "args": {}}
