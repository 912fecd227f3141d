# METADATA
# title: The schema of production changes by migration
# description: >-
#   Definitions and grants are denied on production and allowed to engineers elsewhere.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.production_schema

import data.policies.break_glass
import data.postern.command
import data.postern.resource
import data.postern.subject

deny contains {
	"code": "schema_change",
	"message": "the schema and the grants of production are not changed by hand",
	"remedy": "put the change into a migration and have it reviewed",
} if {
	command.changes_schema
	resource.production
	not break_glass.active
}

allow contains {"code": "schema_elsewhere", "message": "engineers change schemas outside production"} if {
	command.changes_schema
	command.runs
	not resource.production
	subject.in_any(data.settings.groups.write)
	command.only_effects(["read", "write", "delete", "define", "session"])
	every object in input.action.objects {
		not data.settings.secret[input.resource.id][object.name]
	}
}
