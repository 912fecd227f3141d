# METADATA
# title: A change says which rows it means
# description: >-
#   On production, rows are changed under a WHERE or added by an INSERT or COPY of its own; everything else could mean the whole table.
# scope: package
# schemas:
#   - input: schema.input
package policies.unbounded_writes

import data.postern.command
import data.postern.resource

deny contains {
	"code": "unbounded_write",
	"message": concat("", ["this could change every row of ", object.name]),
	"remedy": "say in a WHERE clause which rows are meant; send an INSERT as a statement of its own",
} if {
	command.changes_data
	resource.production
	some object in input.action.objects
	object.access == "write"
	object.kind in ["table", "view", "foreign_table"]
	not bounded
}

bounded if input.action.sql.has_where

bounded if {
	input.action.name in ["insert", "copy_from"]
	command.only_effects(["read", "write", "execute", "session"])
}
