# METADATA
# title: An agent works masked
# description: >-
#   It reads and writes every relation and sees no protected value. The masks are constants, so that two databases which
#   differ in nothing but protected values must look the same.
# scope: package
# schemas:
#   - input: schema.input
package policies.agent

import data.postern.command

allow contains {"code": "may_connect"} if command.connects

allow contains {"code": "masked_work"} if {
	command.runs
	command.only_effects(["read", "write", "delete", "session", "execute"])
	every function in input.action.sql.functions {
		harmless(function)
	}
}

obligation contains {"name": "profile", "args": {"name": "sealed"}} if input.resource.id == "sealed"

# Rows of others, which differ between the databases, too.
obligation contains {"name": "row_filter", "args": {
	"relation": "public.cases",
	# Dearer to work out than what a statement may ask of a row.
	"where": {"any_of": [{"column": "owner", "op": "eq", "value": owner} | some owner in ["me", "us"]]},
}} if { 	some object in input.action.objects
	object.name == "public.cases"
}

default on_predicate := "deny"

# Filtering by constants tells nothing.
on_predicate := "allow" if input.resource.id == "sealed"

# Two policies, so that a column has a method of its own.
mask contains {"column": column, "method": "redact", "on_predicate": on_predicate} if {
	some column in {
		"public.customers.email",
		"public.customers.card_number",
		"public.customers.phone",
		"public.secrets.value",
	}
}

mask contains {"column": column, "method": "null", "on_predicate": on_predicate} if {
	some column in {"public.customers.ssn", "public.employees.salary"}
}

harmless(function) if function.class in ["pure", "listed", "acting"]

harmless(function) if function.name in {"public.trg_audit", "public.trg_fill", "public.pure_add"}
