# METADATA
# title: Secrets are for the security team alone
# description: >-
#   Nobody else reads or writes the relations listed in data.settings.secret, and no agent does, whoever it acts for.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.secrets

import data.policies.readable
import data.postern.agent
import data.postern.command
import data.postern.subject

deny contains {
	"code": "secret",
	"message": concat("", [object.name, " is for the security team alone"]),
	"remedy": "ask the security team to look it up or to rotate it",
} if {
	some object in input.action.objects
	secret(object.name)
	not trusted
}

allow contains {"code": "security_team", "message": "the security team reads secrets"} if {
	trusted
	command.runs
	command.only_effects(["read"])
	every object in input.action.objects {
		visible(object)
	}
}

visible(object) if readable.permitted(object)

visible(object) if {
	object.access == "read"
	secret(object.name)
}

secret(name) if data.settings.secret[input.resource.id][name]

trusted if {
	subject.person
	subject.in_any(data.settings.groups.secrets)
	not agent.acts
}
