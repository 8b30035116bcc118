package main

import "github.com/postern-dev/postern/lang/diag"

// The codes of what goes wrong in running a command.
const (
	// CodeApplyBusy is a plan that other sessions kept from its locks.
	CodeApplyBusy diag.Code = "apply-busy"
	// CodeApplyDeclined is an apply that nobody said yes to.
	CodeApplyDeclined diag.Code = "apply-declined"
	// CodeApplyFailed is a plan that failed; nothing of it stays.
	CodeApplyFailed diag.Code = "apply-failed"
	// CodeApplyStale is a plan for a database that has changed since.
	CodeApplyStale diag.Code = "apply-stale"
	// CodeApplyWrongDatabase is a plan that was made for another database.
	CodeApplyWrongDatabase diag.Code = "apply-wrong-database"
	// CodeDatabaseUnreachable is a database that is not connected to.
	CodeDatabaseUnreachable diag.Code = "database-unreachable"
	// CodeDemoNoPostgres is a machine where Postgres is neither found nor fetched.
	CodeDemoNoPostgres diag.Code = "demo-no-postgres"
	// CodeFormatUnknown is a file that has no canonical form.
	CodeFormatUnknown diag.Code = "format-unknown"
	// CodeInitExists is a folder that holds files of the template already.
	CodeInitExists diag.Code = "init-exists"
	// CodeKeyFailed is a database that did not register, list or remove a key.
	CodeKeyFailed diag.Code = "key-failed"
	// CodeProjectEmpty is a folder without a project.
	CodeProjectEmpty diag.Code = "project-empty"
	// CodePullEmpty is a database without tables in the schemas.
	CodePullEmpty diag.Code = "pull-empty"
	// CodePullExists is a file that pull would overwrite.
	CodePullExists diag.Code = "pull-exists"
	// CodePullLeftOut (warning) is what a table block cannot state.
	CodePullLeftOut diag.Code = "pull-left-out"
	// CodeRunFailed is any other reason why a command ends.
	CodeRunFailed diag.Code = "run-failed"
	// CodeRunInterrupted is a command that was interrupted.
	CodeRunInterrupted diag.Code = "run-interrupted"
	// CodeTestNone is a project without tests.
	CodeTestNone diag.Code = "test-none"
	// CodeTokenApp is an app that carries no user.
	CodeTokenApp diag.Code = "token-app"
	// CodeTokenNotSigned is a datasource that takes no tokens.
	CodeTokenNotSigned diag.Code = "token-not-signed"
)
