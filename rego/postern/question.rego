# METADATA
# title: Whether the question is whole
# description: >-
#   A key or an element that got lost would silence whatever rule looks at it, so an input that is not whole is refused
#   before any policy is asked. `complete` is one pass; `missing` is only worked out to say what is wrong.
# scope: package
# schemas:
#   - input: schema.input
package postern.question

complete if {
	input.v == 1
	input.phase in ["connect", "command"]
	whole_subject(input.subject)
	named(input.resource.id)
	named(input.resource.protocol)
	whole_action(input.action)
	whole_context(input.context)
	whole_counts(input.counts)
}

whole_subject(subject) if {
	named(subject.id)
	named(subject.issuer)
	subject.type in ["human", "agent", "service"]
	first_actor(subject.actor)
}

# Rego does not recurse: three in a row is the most a question may carry.
first_actor(actor) if actor == null

first_actor(actor) if {
	whole_actor(actor)
	second_actor(actor.actor)
}

second_actor(actor) if actor == null

second_actor(actor) if {
	whole_actor(actor)
	third_actor(actor.actor)
}

third_actor(actor) if actor == null

third_actor(actor) if {
	whole_actor(actor)
	actor.actor == null
}

whole_actor(actor) if {
	named(actor.id)
	actor.type in ["human", "agent", "service"]
	is_boolean(actor.attested)
}

whole_action(action) if {
	named(action.name)
	not odd_reason(action)
	every effect in action.effects {
		known(effect)
	}
	every object in action.objects {
		named(object.kind)
		named(object.name)
		usable(object.access)
	}
}

odd_reason(action) if not is_string(action.incomplete)

# Equality by rule is cheaper than a set that is built for every question.
known("read")

known("write")

known("delete")

known("define")

known("grant")

known("execute")

known("session")

known("unknown")

usable("read")

usable("write")

whole_context(context) if {
	is_string(context.peer)
	is_boolean(context.tls)
	is_string(context.database)
	is_string(context.user)
	is_string(context.application)
	is_object(context.state)
	is_array(context.capabilities)
	is_array(context.grants)
}

whole_counts(counts) if {
	length(input.subject.groups) == counts.groups
	count(input.subject.claims) == counts.claims
	count(input.resource.labels) == counts.labels
	length(input.action.effects) == counts.effects
	counts.effects > 0
	length(input.action.objects) == counts.objects
	sum([length(object.columns) | some object in input.action.objects]) == counts.columns
	optional("outputs") == counts.outputs
	optional("predicates") == counts.predicates
	length(input.context.grants) == counts.grants
	incomplete(input.action) == counts.incomplete
}

incomplete(action) := 1 if {
	is_string(action.incomplete)
} else := 0

length(list) := count(list) if is_array(list)

# A list that is absent counts as empty: the counts notice one that had elements.
optional(key) := length(object.get(input.action, key, []))

named(text) if {
	is_string(text)
	text != ""
}

# What is missing or wrong, for the message alone. Always through object.get: a call on an absent path is undefined, not false.
missing contains concat(".", path) if {
	some path in [
		["subject", "id"], ["subject", "issuer"], ["resource", "id"], ["resource", "protocol"],
		["action", "name"],
	]
	not named(object.get(input, path, null))
}

missing contains concat(".", path) if {
	some path in [
		["context", "peer"], ["context", "database"], ["context", "user"],
		["context", "application"],
	]
	not is_string(object.get(input, path, null))
}

missing contains concat(".", path) if {
	some path in [
		["subject", "groups"], ["action", "effects"], ["action", "objects"],
		["context", "grants"], ["context", "capabilities"],
	]
	not is_array(object.get(input, path, null))
}

missing contains concat(".", path) if {
	some path in [["subject", "claims"], ["resource", "labels"], ["context", "state"], ["counts"]]
	not is_object(object.get(input, path, null))
}

missing contains "v" if object.get(input, "v", null) != 1

missing contains "phase" if not object.get(input, "phase", null) in ["connect", "command"]

missing contains "context.tls" if not is_boolean(object.get(input, ["context", "tls"], null))

missing contains "subject.actor" if not actor_given

missing contains "subject.type or subject.actor" if not whole_subject(object.get(input, "subject", null))

missing contains "an effect or object of action" if not whole_action(object.get(input, "action", null))

missing contains "a list as long as its count" if not whole_counts(object.get(input, "counts", null))

actor_given if first_actor(input.subject.actor)
