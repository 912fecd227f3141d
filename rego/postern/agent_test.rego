package postern.agent_test

import data.examples
import data.postern.agent

test_a_person_is_no_agent if not agent.acts with input.subject as examples.alice

test_an_agent_by_itself_acts if agent.acts with input.subject as examples.robot

test_an_agent_for_somebody_acts if agent.acts with input.subject as examples.assisted

test_an_agent_far_down_the_chain_acts if {
	service := {"id": "s", "type": "service", "attested": true}
	agents := examples.actor("a", null)
	two := object.union(service, {"actor": agents})
	three := object.union(service, {"actor": two})
	agent.acts with input.subject as object.union(examples.alice, {"actor": two})
	agent.acts with input.subject as object.union(examples.alice, {"actor": three})
}

test_a_service_for_somebody_is_no_agent if {
	service := {"id": "s", "type": "service", "attested": true, "actor": null}
	not agent.acts with input.subject as object.union(examples.alice, {"actor": service})
}

test_whoever_is_at_the_keyboard_is_named if {
	agent.id == "code-assistant" with input.subject as examples.assisted
	agent.id == "support-bot" with input.subject as examples.robot
}
