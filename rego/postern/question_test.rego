package postern.question_test

import data.examples
import data.postern
import data.postern.question

whole := examples.asks(examples.assisted, object.union(examples.read_customers, {"outputs": [{"name": "a", "sources": [], "exact": true}]}))

refused(asked) if {
	decision := postern.decision with input as asked
	decision.effect == "deny"
	decision.reasons[0].code == "unsupported_input"
	decision.reasons[0].rule == "postern"
}

test_a_whole_question_is_complete if question.complete with input as whole

test_what_is_missing_is_named if {
	every path in [
		"v", "phase", "subject.id", "subject.issuer", "subject.groups", "subject.claims", "subject.actor",
		"resource.id", "resource.protocol", "resource.labels", "action.name", "action.effects", "action.objects",
		"context.peer", "context.tls", "context.database", "context.user", "context.application",
		"context.state", "context.grants", "context.capabilities", "counts",
	] {
		asked := examples.without(whole, concat("", ["/", replace(path, ".", "/")]))
		refused(asked)
		missing := question.missing with input as asked
		path in missing
	}
}

test_nothing_within_may_be_missing_either if {
	every path in [
		"/subject/type", "/subject/actor/id", "/subject/actor/type", "/subject/actor/attested",
		"/subject/actor/actor", "/action/objects/0/kind", "/action/objects/0/name", "/action/objects/0/access",
		"/counts/groups", "/counts/claims", "/counts/labels", "/counts/effects", "/counts/objects",
		"/counts/columns", "/counts/outputs", "/counts/predicates", "/counts/grants", "/counts/incomplete",
	] {
		refused(examples.without(whole, path))
	}
}

test_a_lost_element_is_noticed if {
	every path in [
		"/subject/groups/0", "/subject/claims/email", "/resource/labels/env", "/action/effects/0",
		"/action/objects/0", "/action/objects/0/columns", "/action/objects/0/columns/1", "/action/outputs",
		"/action/outputs/0",
	] {
		refused(examples.without(whole, path))
	}
}

test_a_lost_reason_for_incompleteness_is_noticed if {
	asked := examples.asks(examples.alice, object.union(examples.read_orders, {"incomplete": "why"}))
	refused(examples.without(asked, "/action/incomplete"))
}

test_another_version_or_phase_is_refused if {
	refused(object.union(whole, {"v": 2}))
	refused(object.union(whole, {"v": "1"}))
	refused(object.union(whole, {"phase": "request"}))
}

test_an_empty_identity_is_refused if {
	refused(object.union(whole, {"subject": {"id": ""}}))
	refused(object.union(whole, {"subject": {"issuer": ""}}))
	refused(object.union(whole, {"subject": {"id": null}}))
}

test_a_command_without_effects_is_refused if {
	refused(examples.asks(examples.alice, object.union(examples.read_orders, {"effects": []})))
}

test_words_outside_the_contract_are_refused if {
	refused(examples.asks(examples.alice, object.union(examples.read_orders, {"effects": ["READ"]})))
	refused(object.union(whole, {"subject": {"type": "robot"}}))
	refused(examples.asks(examples.alice, examples.select([examples.table("public.orders", "rw", ["id"])])))
}

test_actors_may_be_three_deep_and_no_more if {
	three := examples.actor("a", examples.actor("b", examples.actor("c", null)))
	question.complete with input as examples.asks(object.union(examples.alice, {"actor": three}), examples.read_orders)
	four := examples.actor("z", three)
	refused(examples.asks(object.union(examples.alice, {"actor": four}), examples.read_orders))
}

test_an_actor_that_is_no_object_is_refused if {
	every actor in ["bot", 7, false, {}, []] {
		refused(json.patch(whole, [{"op": "replace", "path": "/subject/actor", "value": actor}]))
	}
}

test_a_reason_for_incompleteness_that_is_no_text_is_refused if {
	every reason in [null, false, 7, {}, ["why"]] {
		refused(json.patch(whole, [{"op": "add", "path": "/action/incomplete", "value": reason}]))
	}
}
