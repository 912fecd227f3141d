package postern.resource_test

import data.postern.resource

test_production_is_what_does_not_say_otherwise if {
	resource.production with input.resource.labels as {"env": "production"}
	resource.production with input.resource.labels as {"env": "prod-eu"}
	resource.production with input.resource.labels as {}
	not resource.production with input.resource.labels as {"env": "staging"}
	not resource.production with input.resource.labels as {"env": "test"}
}
