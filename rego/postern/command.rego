# METADATA
# title: Questions about the command
# description: For policies. Every permission here is narrow, so that what nobody thought of is not permitted by accident.
# scope: package
# schemas:
#   - input: schema.input
package postern.command

# At least one effect, and none beyond those listed.
only_effects(allowed) if {
	count(input.action.effects) > 0
	every effect in input.action.effects {
		effect in allowed
	}
}

any_effect(named) if {
	some effect in input.action.effects
	effect in named
}

default changes_data := false

changes_data if any_effect(["write", "delete"])

default changes_schema := false

changes_schema if any_effect(["define", "grant"])

# Only what the session itself notices: settings, transactions, cursors.
default session_only := false

session_only if only_effects(["session"])

# Session commands that answer with no rows of a relation.
quiet if {
	session_only
	not input.action.name in ["execute", "fetch", "move"]
}

touches(kind, name) if {
	some object in input.action.objects
	object.kind == kind
	object.name == name
}

reads contains object.name if {
	some object in input.action.objects
	object.access == "read"
}

writes contains object.name if {
	some object in input.action.objects
	object.access == "write"
}

# Tables, views and what else holds rows.
relation(object) if object.kind in relations

relations := ["table", "view", "materialized_view", "foreign_table", "sequence"]

# The schema of `schema.name`, or "" when the name has none.
schema_of(name) := split(name, ".")[0] if contains(name, ".")

else := ""

connects if {
	input.phase == "connect"
	input.action.name == "connect"
}

runs if input.phase == "command"
