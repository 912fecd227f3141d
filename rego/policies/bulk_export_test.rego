package tests.bulk_export

import data.examples
import data.postern

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

copy := object.union(examples.read_orders, {"name": "copy_to", "sql": {"kinds": ["copy_to"]}})

test_an_agent_reads_a_thousand_rows_and_no_more if {
	decide(examples.robot, examples.read_orders).limits == [{"rule": "bulk_export", "metric": "rows", "max": 1000, "on_exceed": "truncate"}]
}

test_a_person_is_refused_more_than_a_report if {
	decide(examples.alice, examples.read_orders).limits == [{"rule": "bulk_export", "metric": "rows", "max": 100000, "on_exceed": "deny"}]
}

test_an_agent_does_not_export if {
	decision := decide(examples.robot, copy)
	decision.effect == "deny"
	examples.code(decision) == "bulk_export"
}

test_an_export_inside_another_command_is_one_too if {
	command := object.union(copy, {"name": "execute"})
	examples.code(decide(examples.assisted, command)) == "bulk_export"
}

test_a_person_exports if decide(examples.alice, copy).effect == "allow"

test_a_begin_has_no_limit if decide(examples.robot, examples.session("begin", [])).limits == []
