package tests.secrets

import data.examples
import data.postern

import data.policies.secrets

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

peek := examples.select([examples.table("public.secrets", "read", ["name", "value"])])

test_nobody_reads_secrets if {
	every subject in [examples.alice, examples.robot, examples.erin, examples.stranger] {
		decision := decide(subject, peek)
		decision.effect == "deny"
		examples.rule(decision) == "secrets"
		examples.code(decision) == "secret"
	}
}

test_the_security_team_reads_secrets if decide(examples.bob, peek).effect == "allow"

test_the_security_team_joins_secrets_with_what_is_readable if {
	joined := examples.select([examples.table("public.secrets", "read", ["name"]), examples.table("public.orders", "read", ["id"])])
	decide(examples.bob, joined).effect == "allow"
}

test_an_agent_of_the_security_team_does_not if {
	assisted := object.union(examples.bob, {"actor": examples.actor("code-assistant", null)})
	decide(assisted, peek).effect == "deny"
	not secrets.trusted with input as examples.asks(assisted, peek)
}

test_the_security_team_does_not_write_them if {
	decide(examples.bob, examples.change("update", "write", "public.secrets")).effect == "deny"
}

test_a_secret_is_found_behind_a_view if {
	view := {"kind": "view", "name": "public.customer_directory", "access": "read", "columns": ["email"]}
	behind := examples.select([view, examples.table("public.secrets", "read", ["value"])])
	examples.code(decide(examples.alice, behind)) == "secret"
}
