package postern.subject_test

import data.examples
import data.postern.subject

test_a_member_is_in_the_group if {
	subject.in_group("engineers") with input.subject as examples.alice
	not subject.in_group("security") with input.subject as examples.alice
}

test_one_group_of_many_is_enough if {
	subject.in_any(["security", "engineers"]) with input.subject as examples.alice
	not subject.in_any(["security"]) with input.subject as examples.alice
	not subject.in_any([]) with input.subject as examples.alice
}

test_without_groups_nobody_is_in_any if {
	not subject.in_any(["engineers"]) with input.subject as {"groups": []}
	not subject.in_any(["engineers"]) with input.subject as {}
}

test_a_person_acts_alone if {
	subject.person with input.subject as examples.alice
	not subject.person with input.subject as examples.assisted
	not subject.person with input.subject as examples.robot
	not subject.person with input.subject as {"type": "human"}
}
