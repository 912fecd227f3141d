# METADATA
# title: Thirteen rules with patterns
# description: What decisions cost that match globs and a regular expression, apart from the policies of rego/.
package postern

# METADATA
# entrypoint: true
decision := {
	"effect": effect,
	"reasons": sort([reason | some reason in reasons]),
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}

default effect := "deny"

effect := "allow" if {
	count(deny) == 0
	count(allow) > 0
}

reasons := deny if count(deny) > 0

reasons := allow if {
	count(deny) == 0
	count(allow) > 0
}

reasons := {reason("none", "no rule allows this")} if {
	count(deny) == 0
	count(allow) == 0
}

reason(code, message) := {"rule": "patterns", "code": code, "message": message}

deny contains reason("internal", "internal tables stay internal") if {
	some object in input.action.objects
	glob.match("internal.*", ["."], object.name)
}

deny contains reason("archive", "archives are read only") if {
	some object in input.action.objects
	object.access == "write"
	glob.match("*.archive_*", ["."], object.name)
}

deny contains reason("system", "the catalogue of the server is not written") if {
	some object in input.action.objects
	object.access == "write"
	glob.match("pg_*.*", ["."], object.name)
}

deny contains reason("comment", "say which ticket this is for") if {
	"write" in input.action.effects
	not regex.match(`(?i)\bticket[ :#]+[A-Z]{2,8}-[0-9]{1,6}\b`, input.action.text)
}

allow contains reason("own", "a table of your team") if {
	some group in input.subject.groups
	some pattern in data.readable[group]
	every object in input.action.objects {
		glob.match(pattern, ["."], object.name)
	}
}

allow contains reason("service", "services read reports") if {
	input.subject.type == "service"
	every object in input.action.objects {
		glob.match("reports.*", ["."], object.name)
	}
}
