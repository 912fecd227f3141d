package postern.catalog_test

import data.examples
import data.postern.catalog

classes := {"shop": {"public.customers": {"email": "email"}, "public.payments": {"card_number": "card"}}}

test_a_command_touches_the_classes_of_its_relations if {
	catalog.touched == {"public.customers": {"email": "email"}} with input as examples.asks(examples.alice, examples.read_customers)
		with data.catalog as classes
}

test_a_relation_without_classes_touches_none if {
	catalog.touched == {} with input as examples.asks(examples.alice, examples.read_orders)
		with data.catalog as classes
}

test_a_command_that_names_no_relation_may_touch_all if {
	catalog.touched == classes.shop with input as examples.asks(examples.alice, examples.select([]))
		with data.catalog as classes
	catalog.touched == classes.shop with input as examples.asks(examples.alice, examples.session("fetch", []))
		with data.catalog as classes
}

test_the_session_and_the_login_touch_none if {
	catalog.touched == {} with input as examples.asks(examples.alice, examples.session("begin", []))
		with data.catalog as classes
	catalog.touched == {} with input as examples.asks(examples.alice, examples.connect) with data.catalog as classes
}
