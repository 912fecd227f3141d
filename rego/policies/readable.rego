# METADATA
# title: Only catalogued relations and known functions may be read
# description: >-
#   What is readable is listed in data.settings.readable, by resource; a resource without a catalogue of classes has nothing readable.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.readable

import data.postern.command
import data.postern.subject

allow contains {"code": "readable", "message": "everything this reads is readable"} if {
	command.runs
	subject.in_any(data.settings.groups.connect)
	command.only_effects(["read", "execute", "session"])
	command.any_effect(["read"])
	explained
	every object in input.action.objects {
		permitted(object)
	}
}

# Code that runs has a name, and all of it is known: built-in functions that only compute or describe, and those listed.
explained if not command.any_effect(["execute"])

explained if {
	some object in input.action.objects
	object.kind == "function"
	every function in input.action.sql.functions {
		harmless(function)
	}
}

harmless(function) if function.class in ["pure", "listed"]

harmless(function) if data.settings.readable[input.resource.id].functions[function.name]

permitted(object) if {
	command.relation(object)
	object.access == "read"
	data.catalog[input.resource.id]
	listed(object.name)
	not data.settings.secret[input.resource.id][object.name]
}

permitted(object) if {
	object.kind == "function"
	data.settings.readable[input.resource.id].functions[object.name]
}

permitted(object) if {
	object.kind in ["setting", "channel"]
	object.access == "read"
}

# set_config(), as drivers call it; what the value is made of counts as read.
permitted(object) if {
	object.kind == "setting"
	data.settings.client_settings[lower(object.name)]
}

listed(name) if {
	data.settings.readable[input.resource.id].relations[name]
} else if {
	data.settings.readable[input.resource.id].schemas[command.schema_of(name)]
}
