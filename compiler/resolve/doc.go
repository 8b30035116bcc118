// Package resolve turns the syntax of a project into its model, in numbered
// phases: variables, locals, who there is, where records live, accounts and
// apps, policies and guards, checks across objects, tests. Every phase goes
// on as far as it can after an error, so that all errors of a run are found.
package resolve
