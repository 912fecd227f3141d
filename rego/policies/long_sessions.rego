# METADATA
# title: Some service accounts keep their session
# description: >-
#   A session ends when its token expires. Services of data.settings.groups.long_sessions, which is nobody until somebody is named, work on;
#   agents and whoever acts for somebody else never do. A gate that cannot do so lets them not connect at all.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.long_sessions

import data.postern.command
import data.postern.subject

obligation contains {"name": "outlive_token"} if {
	command.connects
	input.subject.type == "service"
	is_null(input.subject.actor)
	subject.in_any(data.settings.groups.long_sessions)
}
