# METADATA
# title: What the policies said
# description: >-
#   Every policy is a package `policies.<name>` that adds members to the partial sets allow, deny, hold, mask, limit, quota and obligation.
#   Each member is kept with the name of its package. What is no partial set counts as well, as malformed members.
# scope: package
# schemas:
#   - input: schema.input
package postern.members

# An allow has to be an object: anything else permits nothing.
allows := [{"rule": name, "member": member} |
	some name
	said := data.policies[name].allow
	is_set(said)
	some member in said
	is_object(member)
]

denies := [{"rule": name, "member": member} |
	some name
	some member in spread(data.policies[name].deny)
]

holds := [{"rule": name, "member": member} |
	some name
	some member in spread(data.policies[name].hold)
]

masks := [{"rule": name, "member": member} |
	some name
	some member in spread(data.policies[name].mask)
]

limits := [{"rule": name, "member": member} |
	some name
	some member in spread(data.policies[name].limit)
]

quotas := [{"rule": name, "member": member} |
	some name
	some member in spread(data.policies[name].quota)
]

obligations := [{"rule": name, "member": member} |
	some name
	some member in spread(data.policies[name].obligation)
]

# Whatever it is: what an array or an object holds counts one by one, anything else is one member.
spread(said) := said if {
	is_set(said)
} else := [member | some member in said] if {
	type_name(said) in ["array", "object"]
} else := [said]

# The member's own text under a key, or the fallback: never undefined, whatever the member is.
text(member, key, fallback) := value if {
	value := member[key]
	is_string(value)
	value != ""
} else := fallback

# A number that counts something.
whole(value, least) if {
	is_number(value)
	value >= least
	value <= 9007199254740991
	floor(value) == value
}

# One reason in the decision. A member that says nothing about itself still counts, under the fallbacks.
reason(said, code, message) := {
	"rule": said.rule,
	"code": text(said.member, "code", code),
	"message": text(said.member, "message", message),
	"remedy": said.member.remedy,
} if {
	is_string(said.member.remedy)
	said.member.remedy != ""
} else := {
	"rule": said.rule,
	"code": text(said.member, "code", code),
	"message": text(said.member, "message", message),
}
