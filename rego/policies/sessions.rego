# METADATA
# title: Who may connect, and what a session may do to itself
# description: >-
#   Transactions, cursors and settings that change nothing for anybody else. Who may connect is said in data.settings.groups.connect.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.sessions

import data.postern.command
import data.postern.subject

allow contains {"code": "may_connect", "message": "this group may connect"} if {
	command.connects
	known
}

allow contains {"code": "session_command", "message": "this changes nothing but the session"} if {
	known
	harmless
}

default known := false

known if subject.in_any(data.settings.groups.connect)

default harmless := false

harmless if {
	command.runs
	command.session_only
	data.settings.session_commands[input.action.name]
	named
	every object in input.action.objects {
		own(object)
	}
}

# A SET that does not say what it sets is not harmless.
named if input.action.name != "set"

named if count(input.action.objects) > 0

own(object) if {
	object.kind == "setting"
	object.access == "read"
}

own(object) if {
	object.kind == "setting"
	data.settings.client_settings[lower(object.name)]
}

# RESET ALL and DISCARD ALL go back to what the session began with.
own(object) if {
	object.kind == "setting"
	object.name == "*"
	input.action.name in ["discard", "reset"]
}

own(object) if object.kind in ["channel", "cursor", "prepared_statement"]
