# METADATA
# title: An agent works on the corpus, masked
# description: >-
#   It reads and writes every relation of the attacks' schema and sees no protected value. It defines nothing and runs no
#   code but built-in functions that only compute, what looks at the catalogue, and what triggers and rules of the schema run.
# scope: package
# schemas:
#   - input: schema.input
package policies.agent

import data.postern.catalog
import data.postern.command

allow contains {"code": "may_connect"} if command.connects

allow contains {"code": "masked_work", "message": "agents work on masked data"} if {
	command.runs
	command.only_effects(["read", "write", "delete", "session", "execute"])
	every function in input.action.sql.functions {
		harmless(function)
	}
	every object in input.action.objects {
		permitted(object)
	}
}

mask contains {"column": concat(".", [relation, column]), "method": "redact", "on_predicate": "deny"} if {
	some relation, columns in catalog.touched
	some column, _ in columns
}

harmless(function) if function.class in ["pure", "listed", "acting", "standing", "trigger"]

harmless(function) if known_functions[function.name]

# Triggers of the schema, a function that only adds, and one that cannot be read unless the bundle says what it does.
known_functions := {"public.trg_audit": true, "public.pure_add": true, "public.run_sql": true}

permitted(object) if {
	command.relation(object)
	object.access == "read"
	command.schema_of(object.name) in ["public", "crm", "pg_catalog", "information_schema"]
}

permitted(object) if {
	command.relation(object)
	object.kind != "sequence"
	object.access == "write"
	command.schema_of(object.name) in ["public", "crm"]
}

permitted(object) if {
	object.kind == "function"
	known_functions[object.name]
}

permitted(object) if object.kind in ["channel", "cursor", "prepared_statement"]

permitted(object) if {
	object.kind == "setting"
	object.access == "read"
}

permitted(object) if {
	object.kind == "setting"
	lower(object.name) in [
		"*",
		"application_name",
		"client_encoding",
		"datestyle",
		"extra_float_digits",
		"intervalstyle",
		"search_path",
		"timezone",
		"transaction",
	]
}
