# METADATA
# title: An agent works on the corpus, sealed
# description: >-
#   Its sessions log in with a role without rights on protected columns, and its statements read constants in their place. So
#   protected columns may be used for anything: nothing follows from them.
# scope: package
# schemas:
#   - input: schema.input
package policies.agent

import data.postern.command

allow contains {"code": "may_connect"} if command.connects

obligation contains {"name": "profile", "args": {"name": "sealed"}}

allow contains {"code": "sealed_work", "message": "agents work on sealed data"} if {
	command.runs
	command.only_effects(["read", "write", "delete", "session", "execute"])
	every function in input.action.sql.functions {
		function.class in ["pure", "listed", "acting"]
	}
}

mask contains {"column": column, "method": "redact", "on_predicate": "allow"} if {
	command.runs
	some column in {
		"public.customers.email",
		"public.customers.ssn",
		"public.customers.card_number",
		"public.customers.phone",
		"public.secrets.value",
		"public.employees.salary",
	}
}
