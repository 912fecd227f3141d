# METADATA
# title: Whether an agent is at work
# description: >-
#   For policies. An agent anywhere in the chain of actors counts: who acts through three hands is still an agent. A question whose
#   chain is longer never gets here.
# scope: package
# schemas:
#   - input: schema.input
package postern.agent

default acts := false

acts if input.subject.type == "agent"

acts if input.subject.actor.type == "agent"

acts if input.subject.actor.actor.type == "agent"

acts if input.subject.actor.actor.actor.type == "agent"

# Who is at the keyboard: the outermost actor, else the subject itself.
id := input.subject.actor.id if {
	is_object(input.subject.actor)
} else := input.subject.id
