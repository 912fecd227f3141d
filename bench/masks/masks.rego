# METADATA
# title: Masks that a connection asks for
# description: For measuring only. The application's name says by which method how many columns of people are masked, as in partial/2.
package postern

# METADATA
# entrypoint: true
decision := {
	"effect": "allow",
	"reasons": [{"rule": "masks", "code": "allowed", "message": "this is a measurement"}],
	"masks": [mask |
		some place, column in ["email", "phone", "name", "street"]
		place < to_number(wanted[1])
		mask := {
			"rule": "masks",
			"column": sprintf("public.people.%s", [column]),
			"method": wanted[0],
			"on_predicate": "allow",
		}
	],
	"limits": [],
	"quotas": [],
	"obligations": [],
}

wanted := split(input.context.application, "/")
