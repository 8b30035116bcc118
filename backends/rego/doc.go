// Package rego writes a program as Rego for Open Policy Agent, and decides
// with the library of that engine.
//
// What is emitted has three parts. Conditions are code: one function rule
// `when`, `check` or `guard` for each policy or guard on a table, found by rule
// indexing on the comparisons that it begins with. Who a policy is for, what it allows and
// which columns it includes are data: a decision looks up the policies of the
// table, the action and each of the user's subjects, so that its cost does not
// grow with the number of policies. The rest is written by hand once: the folder
// policy holds the decision and the typed readers of values.
//
// # Input
//
// A decision is `data.postern.PROJECT.DATASOURCE.allow` with the input
//
//	user     the claims document, see model.Request; null or missing: anonymous
//	app      the name of the app; null or missing: none
//	request  what else the request tells; null or missing: nothing
//	now      the time of the request as RFC 3339 text; missing: the engine's clock
//	table    the name of the table or resource
//	action   the action
//	record   the record as it stands, see model.Document; nothing for a create
//	new      the record that a create or an edit makes; missing for an edit: no change
//	set      the names of the columns that a write sets; missing: not asked
//
// Beside allow stand `filter` (the positions in input.records of the records
// that allow the action), `columns` (those of the record the user sees), `mask`
// (what the masked ones of these show instead of what is stored) and `why` (the policies that grant and the guards that fail).
//
// Values are compared in a normal form: UUIDs in lower case, instants as
// nanoseconds from 1970, dates as their midnight UTC, addresses in canonical
// text. A reader is undefined when a value is missing or not of its type, and
// an undefined operand satisfies no condition.
package rego
