package postern

# Decides by the text of the command in every way a policy can, by input.action.name.

base := {"reasons": [], "masks": [], "limits": [], "quotas": [], "obligations": []}

because(code, message) := [{"rule": "policies.glance", "code": code, "message": message}]

say(effect, code, message) := object.union(base, {
	"effect": effect,
	"reasons": because(code, message),
})

kind := regex.replace(input.action.name, `\d+$`, "")

text := input.action.text

looked if {
	kind == "equal"
	text == "select 1"
}

looked if {
	kind == "prefix"
	startswith(text, "sel")
}

looked if {
	kind == "contains"
	contains(text, "rop")
}

looked if {
	kind == "matches"
	regex.match(`^s.*1$`, text)
}

looked if {
	kind == "globs"
	glob.match("sel*", [], text)
}

looked if {
	kind == "counts"
	count(text) > 4
}

looked if {
	kind == "typed"
	is_string(text)
	text > ""
}

looked if {
	kind == "member"
	text in ["drop", "select 1"]
}

looked if {
	kind == "json"
	contains(json.marshal(input.action), "drop")
}

looked if {
	kind == "hashes"
	startswith(crypto.sha256(text), "a")
}

looked if {
	kind == "set"
	count({"drop", text}) == 1
}

looked if {
	kind == "sprintf"
	sprintf("%s!", [text]) == "drop!"
}

looked if {
	kind == "walks"
	some value
	walk(input, [_, value])
	value == "drop"
}

looked if {
	kind == "compares"
	input.action == object.union(input.action, {"text": "drop"})
}

looked if {
	kind == "true"
	text
	{"drop": true}[text]
}

looked if {
	kind == "union"
	object.union(input.action, {}).text == "drop"
}

looked if {
	kind == "keyed"
	{text: 1}.drop == 1
}

looked if {
	kind == "present"
	text
}

looked if {
	kind == "names"
	"text" in object.keys(input.action)
}

looked if kind == "ignores"

default decision := {
	"effect": "deny",
	"reasons": [{"rule": "postern", "code": "no_matching_allow", "message": "no policy allows this"}],
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [],
}

decision := say("allow", kind, concat(" ", ["it said", text])) if {
	kind == "says"
} else := object.union(base, {
	"effect": "allow",
	"reasons": because(kind, "all of it"),
	"obligations": [{"name": "all", "args": input.action}],
}) if {
	kind == "says_all"
} else := say("allow", kind, "it did") if {
	looked
} else := say("deny", kind, "it did not") if {
	kind != "present"
	kind != "none"
}
