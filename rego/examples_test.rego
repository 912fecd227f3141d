# METADATA
# title: Questions for tests
# description: People, agents and commands of the demo's shop, and how to put them together into a whole question.
package examples

alice := person("alice", ["engineers"])

bob := person("bob", ["engineers", "data-owners", "security"])

carol := person("carol", ["engineers", "on-call"])

dave := person("dave", ["engineers", "privacy"])

stranger := person("mallory", ["marketing"])

# An emergency with a reason, and one without.
erin := object.union(person("erin", ["break-glass"]), {"claims": {"break_glass_reason": "incident 4711, checkout is down"}})

frank := person("frank", ["break-glass"])

robot := object.union(person("support-bot", ["agents"]), {"type": "agent"})

# Alice, with an agent at her keyboard.
assisted := object.union(alice, {"actor": actor("code-assistant", null)})

person(id, groups) := {
	"id": id,
	"type": "human",
	"issuer": "https://id.example.org",
	"groups": groups,
	"claims": {"email": concat("", [id, "@example.org"])},
	"actor": null,
}

actor(id, next) := {"id": id, "type": "agent", "run": "run-1", "attested": true, "actor": next}

table(name, access, columns) := {"kind": "table", "name": name, "access": access, "columns": columns}

select(objects) := {
	"name": "select",
	"effects": ["read"],
	"objects": objects,
	"predicates": [],
	"text": "select ...",
	"sql": {
		"dialect": "postgres", "kinds": ["select"], "functions": [],
		"has_where": false, "has_limit": false, "locking": false, "triggers": false,
	},
}

read_customers := select([table("public.customers", "read", ["id", "name", "email"])])

read_orders := select([table("public.orders", "read", ["id", "item"])])

filtered(column) := object.union(read_customers, {"predicates": [column], "sql": {"has_where": true}})

change(name, effect, relation) := {
	"name": name,
	"effects": ["read", effect],
	"objects": [table(relation, "write", ["id"])],
	"predicates": [concat(".", [relation, "id"])],
	"text": "...",
	"sql": {
		"dialect": "postgres", "kinds": [name], "functions": [],
		"has_where": true, "has_limit": false, "locking": false, "triggers": false,
	},
}

delete_order := change("delete", "delete", "public.orders")

drop_table := {
	"name": "drop_table", "effects": ["define"], "predicates": [],
	"objects": [{"kind": "table", "name": "public.customers", "access": "write"}],
	"text": "drop table customers",
	"sql": {"dialect": "postgres", "kinds": ["drop_table"], "functions": [], "has_where": false, "has_limit": false},
}

session(name, objects) := {
	"name": name, "effects": ["session"], "objects": objects, "predicates": [], "text": name,
	"sql": {"dialect": "postgres", "kinds": [name], "functions": [], "has_where": false, "has_limit": false},
}

connect := {"name": "connect", "effects": ["session"], "objects": []}

capabilities := [
	"hold", "limit:rows", "mask:hash", "mask:null", "mask:partial", "mask:redact", "mask:tokenize",
	"obligation:notify", "obligation:outlive_token", "obligation:profile", "quota",
]

# The whole question: this subject, this command, on the shop's production database.
asks(subject, action) := asked_of("production", subject, action)

asked_of(env, subject, action) := counted({
	"v": 1,
	"phase": phase(action),
	"subject": subject,
	"resource": {"id": "shop", "protocol": "postgres", "labels": {"env": env}},
	"action": action,
	"context": {
		"peer": "127.0.0.1", "tls": true, "database": "shop", "user": "app", "application": "psql",
		"state": {}, "grants": [], "capabilities": capabilities,
	},
})

phase(action) := "connect" if action.name == "connect"

phase(action) := "command" if action.name != "connect"

# With the counts that the gate would have taken.
counted(question) := object.union(question, {"counts": {
	"groups": count(question.subject.groups),
	"claims": count(question.subject.claims),
	"labels": count(question.resource.labels),
	"effects": count(question.action.effects),
	"objects": count(question.action.objects),
	"columns": sum([count(object.columns) | some object in question.action.objects]),
	"outputs": count(object.get(question.action, "outputs", [])),
	"predicates": count(object.get(question.action, "predicates", [])),
	"grants": count(question.context.grants),
	"incomplete": count([why | why := question.action.incomplete]),
}})

without(question, path) := json.remove(question, [path])

code(decision) := decision.reasons[0].code

rule(decision) := decision.reasons[0].rule
