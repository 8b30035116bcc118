package main

import "github.com/postern-dev/postern/lang/diag"

// Codes of what goes wrong in running a command.
const (
	CodeApplyBusy          diag.Code = "apply-busy"           // a plan that other sessions kept from its locks
	CodeApplyDeclined      diag.Code = "apply-declined"       // an apply that nobody said yes to
	CodeApplyFailed        diag.Code = "apply-failed"         // a plan that failed; nothing of it stays
	CodeApplyFindings      diag.Code = "apply-findings"       // a critical finding of audit that stands after a plan was applied
	CodeApplyStale         diag.Code = "apply-stale"          // a plan for a database that has changed since
	CodeApplyWrongDatabase diag.Code = "apply-wrong-database" // a plan that was made for another database
	CodeDatabaseURL        diag.Code = "database-url"         // a datasource of which nobody says where its database is
	CodeDemoNoPostgres     diag.Code = "demo-no-postgres"     // a machine where Postgres is neither found nor fetched
	CodeFormatUnknown      diag.Code = "format-unknown"       // a file that has no canonical form
	CodeInitExists         diag.Code = "init-exists"          // a folder that holds files of the template already
	CodeGateRefused        diag.Code = "gate-refused"         // changes in access that nobody approved
	CodeKeyFailed          diag.Code = "key-failed"           // a database that did not register, list or remove a key
	CodeNotifyUndelivered  diag.Code = "notify-undelivered"   // (warning) an event that a notify block's address did not take
	CodeProjectEmpty       diag.Code = "project-empty"        // a folder without a project
	CodePublishDiffers     diag.Code = "publish-differs"      // a plan of other artifacts than the project builds
	CodePublishFailed      diag.Code = "publish-failed"       // a place that did not take what was to be published, or cannot be read
	CodePublishNotServed   diag.Code = "publish-not-served"   // an OPA that does not serve what was published
	CodePublishStale       diag.Code = "publish-stale"        // a place that somebody has published to since
	CodePullEmpty          diag.Code = "pull-empty"           // a database without tables in the schemas
	CodePullExists         diag.Code = "pull-exists"          // a file that pull would overwrite
	CodePullLeftOut        diag.Code = "pull-left-out"        // (warning) what a table block cannot state
	CodeRunFailed          diag.Code = "run-failed"           // any other reason why a command ends
	CodeRunInterrupted     diag.Code = "run-interrupted"      // a command that was interrupted
	CodeTestNone           diag.Code = "test-none"            // a project without tests
	CodeTokenApp           diag.Code = "token-app"            // an app that carries no user
	CodeTokenNotSigned     diag.Code = "token-not-signed"     // a datasource that takes no tokens
)
