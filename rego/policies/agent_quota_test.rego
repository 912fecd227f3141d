package tests.agent_quota

import data.examples
import data.postern

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

quota := {"name": "agent_commands", "per": "subject", "metric": "commands", "max": 120, "window_s": 60}

test_an_agent_runs_so_many_commands_a_minute if decide(examples.robot, examples.read_orders).quotas == [quota]

test_a_begin_counts_too if decide(examples.robot, examples.session("begin", [])).quotas == [quota]

test_an_agent_for_somebody_shares_the_quota_of_that_subject if {
	decide(examples.assisted, examples.read_orders).quotas == [quota]
}

test_people_have_no_quota if decide(examples.alice, examples.read_orders).quotas == []

test_connecting_is_not_counted if decide(examples.robot, examples.connect).quotas == []
