# METADATA
# title: Personal data is masked
# description: >-
#   Classified columns are redacted for everybody outside data.settings.privacy, and for every agent; filtering by them is denied.
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
#   - data.catalog: schema.catalog
package policies.personal_data

import data.postern.agent
import data.postern.catalog
import data.postern.subject

mask contains {
	"column": concat(".", [relation, column]),
	"method": "redact",
	"on_predicate": "deny",
} if {
	not trusted
	some relation, columns in catalog.touched
	some column, _ in columns
}

default trusted := false

trusted if {
	not agent.acts
	subject.in_any(data.settings.privacy)
}
