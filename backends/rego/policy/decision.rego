package postern.datasource

import data.postern.lib
import data.postern.lib.model.datasources.here as model

# METADATA
# scope: document
# title: allow
# description: Whether the request may do input.action to input.record, or make input.new of it.
# entrypoint: true
default allow := false

allow if {
	entered
	decide(input.table, input.action, old, new)
	settable
}

# METADATA
# scope: document
# title: filter
# description: The positions in input.records of the records that the request may do the action to.
# entrypoint: true
filter contains i if {
	entered
	some i, raw in input.records
	record := lib.plain(raw, json.marshal(raw))
	decide(input.table, input.action, record, record)
}

# METADATA
# scope: document
# title: columns
# description: The columns of input.record that the user sees, as they are stored or masked.
# entrypoint: true
columns contains column if {
	entered
	decide(input.table, "view", old, old)
	some policy in policies(input.table, "view")
	when(input.table, policy, old)
	some column in model.tables[input.table].policies[policy].columns
}

# METADATA
# scope: document
# title: mask
# description: What the masked ones of these columns show in place of what input.record holds.
# entrypoint: true
mask[column] := masked_value(masks(input.table, column)[0], object.get(old, column, null)) if {
	some column in columns
	masked(column)
}

# METADATA
# scope: document
# title: why
# description: The policies that grant the action, and the guards that the record (new_guards - what an edit makes of it) fails.
# entrypoint: true
why := {
	"allowed": allow,
	"may_enter": may_enter,
	"policies": granting,
	"guards": failing(input.table, subject_record),
	"new_guards": failing(input.table, new),
}

# METADATA
# scope: document
# title: may_enter
# description: Whether the request may come in at all.
default may_enter := false

may_enter if entered

# METADATA
# scope: document
# title: old
# description: The record as it stands; null when there is none.
default old := null

old := lib.plain(input.record, json.marshal(input.record))

# METADATA
# scope: document
# title: new
# description: The record that the request makes; null when it makes none. An edit without one changes nothing.
default new := null

# An edit without a new record asks for one that changes nothing.
new := old if {
	input.action == "edit"
	object.get(input, "new", null) == null
}

new := lib.plain(input.new, json.marshal(input.new)) if input.new != null

# METADATA
# scope: document
# title: subject_record
# description: The record that a decision is first about.
default subject_record := null

subject_record := new if input.action == "create"

subject_record := old if input.action != "create"

# METADATA
# scope: document
# title: granting
# description: The policies that grant the action.
granting contains policy if {
	entered
	input.action != "create"
	some policy in policies(input.table, input.action)
	when(input.table, policy, old)
}

granting contains policy if {
	entered
	input.action == "create"
	some policy in policies(input.table, "create")
	fits(input.table, policy, new)
}

# METADATA
# scope: document
# title: failing
# description: The guards that a record fails.
failing(table, record) := {g | some g in model.tables[table].guards} - {g |
	is_object(record)
	some g in model.tables[table].guards
	guard(table, g, record)
} if {
	record != null
}

failing(_, null) := set()

# METADATA
# title: when
# description: Whether what a policy asks of a record as it stands holds; the conditions stand in the files beside this one.
default when(_, _, _) := false # regal ignore:argument-always-wildcard

# METADATA
# title: check
# description: Whether what a policy asks of a new record holds, where that is something else.
default check(_, _, _) := false # regal ignore:argument-always-wildcard

# METADATA
# title: guard
# description: Whether a guard lets a record pass.
default guard(_, _, _) := false # regal ignore:argument-always-wildcard

# METADATA
# scope: document
# title: decide
# description: >-
#   A decision on one record: as it stands, and as a write leaves it.
decide(table, action, before, _) if {
	not action in {"create", "edit", "delete"}
	granted(table, action, before)
	guarded(table, before)
}

decide(table, "delete", before, _) if {
	granted(table, "delete", before)
	granted(table, "view", before)
	guarded(table, before)
}

decide(table, "edit", before, after) if {
	granted(table, "edit", before)
	granted(table, "view", before)
	guarded(table, before)
	checked(table, "edit", after)
	granted(table, "view", after)
	guarded(table, after)
}

decide(table, "create", _, after) if {
	checked(table, "create", after)
	guarded(table, after)
}

# METADATA
# title: granted
# description: Whether a policy grants the action on a record as it stands.
granted(table, action, record) if {
	is_object(record)
	some policy in policies(table, action)
	when(table, policy, record)
}

# METADATA
# title: checked
# description: Whether a policy accepts a new record.
checked(table, action, record) if {
	is_object(record)
	some policy in policies(table, action)
	fits(table, policy, record)
}

# METADATA
# scope: document
# title: fits
# description: What a policy asks of a new record.
fits(table, policy, record) if {
	model.tables[table].policies[policy].check == "when"
	when(table, policy, record)
}

fits(table, policy, record) if {
	model.tables[table].policies[policy].check == "check"
	check(table, policy, record)
}

# METADATA
# title: guarded
# description: Whether all guards let a record pass.
guarded(table, record) if {
	is_object(record)
	every name in model.tables[table].guards {
		guard(table, name, record)
	}
}

# METADATA
# title: policies
# description: The policies that grant the action to the request's user, whatever the record.
policies(table, action) := {grant.policy |
	some subject in subjects
	some grant in model.tables[table].grants[action][subject]
	through(grant)
}

# METADATA
# scope: document
# title: settable
# description: >-
#   What a write may set: columns that a policy for it lists and that are not masked, of those that an edit's user
#   sees.
settable if object.get(input, "set", null) == null

settable if {
	input.action == "create"
	every column in input.set {
		column in listed
		column in model.tables[input.table].columns
		not masked(column)
	}
}

settable if {
	input.action == "edit"
	every column in input.set {
		column in listed
		column in columns
		not masked(column)
	}
}

settable if {
	is_array(input.set)
	action := input.action
	not action in {"create", "edit"}
}

# METADATA
# title: listed
# description: The columns that the policies for the action list.
listed contains column if {
	some policy in policies(input.table, input.action)
	some column in model.tables[input.table].policies[policy].columns
}

# METADATA
# title: masks
# description: >-
#   The masks on a column that apply: all but those that the user is surely left out of. Those that show null come
#   first; the others show the same.
masks(table, column) := [m |
	some m in model.tables[table].masks[column]
	not exempt(m)
]

# METADATA
# title: exempt
# description: Whether the user is surely among those that a mask leaves out.
exempt(m) if {
	some subject in m.unless
	subject in subjects
}

# METADATA
# title: masked
# description: Whether a mask on the column applies.
masked(column) if masks(input.table, column)[0]

# METADATA
# scope: document
# title: masked_value
# description: What a mask shows in place of what is stored.
masked_value(m, _) := m.value if m.fn == "constant"

masked_value(m, raw) := kept(m, stored(m, raw)) if m.fn in {"last", "first"}

masked_value(m, raw) := lib.hashed(stored(m, raw)) if m.fn == "hash"

# METADATA
# scope: document
# title: stored
# description: The stored string that a mask keeps a part of or hashes; null for what is no string.
default stored(_, _) := null

stored(m, raw) := lib.padded(raw) if m.padded

stored(m, raw) := lib.text(raw) if not m.padded

# METADATA
# scope: document
# title: kept
# description: A part of a string; nothing of one that the part would be all of.
kept(_, null) := null

kept(m, text) := "…" if {
	is_string(text)
	count(text) <= m.n
}

kept(m, text) := concat("", ["…", substring(text, count(text) - m.n, -1)]) if {
	m.fn == "last"
	is_string(text)
	count(text) > m.n
}

kept(m, text) := concat("", [substring(text, 0, m.n), "…"]) if {
	m.fn == "first"
	is_string(text)
	count(text) > m.n
}
