# METADATA
# title: Agents are sealed
# description: >-
#   On the resources of data.settings.sealed an agent's session logs in with a role without rights on protected columns, and its
#   statements read constants in their place. A gate that cannot do so lets it not connect at all.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.sealed_agents

import data.postern.agent

obligation contains {"name": "profile", "args": {"name": "sealed"}} if {
	agent.acts
	data.settings.sealed[input.resource.id]
}
