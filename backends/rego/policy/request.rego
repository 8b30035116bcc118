package postern.lib

import data.postern.lib.model

# METADATA
# title: well_formed
# description: The input has the shape that a decision needs; nothing is allowed without it.
well_formed if {
	is_number(now)
	type_name(object.get(given, "user", null)) in {"null", "object"}
	type_name(object.get(given, "app", null)) in {"null", "string"}
	type_name(object.get(given, "request", null)) in {"null", "object"}
	type_name(object.get(given, "set", null)) in {"null", "array"}
}

# METADATA
# title: given
# description: >-
#   What the input states beside records. Nothing reads the input as a whole: where its record is unknown, all that did
#   would be unknown as well.
given := object.union_n([
	{"user": value | value := input.user},
	{"app": value | value := input.app},
	{"request": value | value := input.request},
	{"set": value | value := input.set},
	{"now": value | value := input.now},
])

# METADATA
# scope: document
# title: now
# description: The start of the request, in nanoseconds from 1970 to the microsecond.
now := clock - (clock % 1000) if {
	object.get(given, "now", null) == null
	clock := time.now_ns()
}

now := instant(input.now)

# METADATA
# scope: document
# title: claims
# description: What the request says of its user.
default claims := {}

claims := plain(input.user, json.marshal(input.user)) if is_object(input.user)

# METADATA
# scope: document
# title: context
# description: What else the request tells.
default context := {}

context := plain(input.request, json.marshal(input.request)) if is_object(input.request)

# METADATA
# scope: document
# title: entry
# description: What the directory states of the user with this key.
default entry := {}

entry := member(key)

# METADATA
# title: member
# description: The user of the directory that has this key.
member(name) := model.users[name]

# METADATA
# scope: document
# title: stated_attributes
# description: The attributes that the directory states.
default stated_attributes := {}

stated_attributes := entry.attributes

# METADATA
# scope: document
# title: keyed
# description: Whether the user has a key.
default keyed := false

keyed if is_string(key)

# METADATA
# title: stated
# description: >-
#   The raw value of an attribute: what the directory states, else the claim.
stated(name, path) := object.get(stated_attributes, name, object.get(claims, path, null))

# METADATA
# title: claimed_level
# description: The access level that is stated, by the directory or by the claims; null when it is not.
claimed_level := object.get(entry, "access_level", object.get(claims, "access_level", null))

# METADATA
# scope: document
# title: level
# description: >-
#   The access level. One that the project does not have is unknown; without one it follows from whether the user
#   has a key.
level := claimed_level if model.levels[claimed_level]

level := "user" if {
	claimed_level == null
	keyed
}

level := "anonymous" if {
	claimed_level == null
	not keyed
}

# METADATA
# scope: document
# title: anonymous
# description: Whether nobody in particular asks.
default anonymous := false

anonymous if level == "anonymous"

# METADATA
# title: groups
# description: The groups stated, and all groups that they are nested in.
groups := direct | {above | some group in direct; some above in model.groups[group]} if {
	not anonymous
	direct := text_set(object.get(entry, "groups", object.get(claims, "groups", null)))
}

# METADATA
# title: user
# description: What is known of the user; what is unknown has no member.
user := object.union_n([
	{name: value | not anonymous; some name, value in attribute},
	{"groups": known | known := groups},
	{"access_level": known | known := level},
])

# METADATA
# scope: document
# title: subjects
# description: What policies may name in "to" and the user is.
subjects contains "everyone"

subjects contains concat(".", ["group", group]) if some group in user.groups

subjects contains concat(".", ["access_level", reached]) if some reached in model.levels[user.access_level]

subjects contains concat(".", ["user", member(user_key).name])

# METADATA
# scope: document
# title: may_use
# description: Whether the user may use the app that the input names, wherever it connects to.
# entrypoint: true
default may_use := false

may_use if {
	well_formed
	mine := subjects | {concat(".", ["app", input.app])}
	some subject in model.apps[input.app]
	subject in mine
}

# METADATA
# scope: document
# title: hashed
# description: >-
#   The HMAC-SHA256 of a string in hexadecimal, under the key in the engine's environment; null for what is no string,
#   and where there is no key of at least 32 characters.
default hashed(_) := null

hashed(x) := crypto.hmac.sha256(x, key) if {
	is_string(x)
	key := opa.runtime().env[model.hash_key]
	count(key) >= 32
}
