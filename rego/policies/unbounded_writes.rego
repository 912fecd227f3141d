# METADATA
# title: A change says which rows it means
# description: >-
#   UPDATE and DELETE without WHERE, and TRUNCATE, are denied on production.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.unbounded_writes

import data.postern.command
import data.postern.resource

deny contains {
	"code": "unbounded_write",
	"message": "this changes every row of a table",
	"remedy": "say in a WHERE clause which rows are meant",
} if {
	command.changes_data
	input.action.name in ["update", "delete"]
	resource.production
	not input.action.sql.has_where
}

deny contains {
	"code": "unbounded_write",
	"message": "this empties a table",
	"remedy": "delete the rows that are meant, with a WHERE clause",
} if {
	input.action.name == "truncate"
	resource.production
}
