package resolve

import "github.com/postern-dev/postern/lang/diag"

// The codes of this package.
const (
	// CodeVariable: a variable's value is missing, of the wrong type, or refused by its validation.
	CodeVariable diag.Code = "variable-value"
	// CodeVariableUndeclared: a value is given for a variable that is not declared.
	CodeVariableUndeclared diag.Code = "variable-undeclared"
	// CodeCycle: values, groups or access levels are defined by themselves.
	CodeCycle diag.Code = "name-cycle"
	// CodeDuplicate: two blocks define the same thing.
	CodeDuplicate diag.Code = "name-duplicate"
	// CodeUnknown: a name does not stand for anything.
	CodeUnknown diag.Code = "name-unknown"
	// CodeInvalidName: a name is empty, too long, reserved, or holds what a name may not hold.
	CodeInvalidName diag.Code = "name-invalid"
	// CodeReference: a reference has the wrong form, or leads to the wrong kind of thing.
	CodeReference diag.Code = "reference-invalid"
	// CodeRepeated: a list names the same thing twice.
	CodeRepeated diag.Code = "list-repeated"
	// CodeEmpty: a list that must name something is empty.
	CodeEmpty diag.Code = "list-empty"
	// CodeValue: an argument's value cannot be computed or is not of the kind the argument takes.
	CodeValue diag.Code = "value-invalid"
	// CodeSensitive: a sensitive value stands where it would become visible.
	CodeSensitive diag.Code = "value-sensitive"
	// CodeSecret: a secret is not a reference to one.
	CodeSecret diag.Code = "secret-invalid"
	// CodeForEach: the value of for_each cannot be repeated over.
	CodeForEach diag.Code = "for-each-invalid"
	// CodeProject: the `postern` block is missing or says something wrong.
	CodeProject diag.Code = "project-invalid"
	// CodeNotify: a notify block is wrong.
	CodeNotify diag.Code = "notify-invalid"
	// CodePublish: a publish block is wrong.
	CodePublish diag.Code = "publish-invalid"
	// CodeModule: a module cannot be read, or holds what it may not hold.
	CodeModule diag.Code = "module-invalid"
	// CodeIdentity: the identity or request block is wrong.
	CodeIdentity diag.Code = "identity-invalid"
	// CodeLookupWritable: (warning) a policy lets users write what an attribute of theirs is looked up in.
	CodeLookupWritable diag.Code = "identity-lookup-writable"
	// CodeUser: a directory entry is wrong.
	CodeUser diag.Code = "user-invalid"
	// CodeDatasource: a datasource is wrong.
	CodeDatasource diag.Code = "datasource-invalid"
	// CodeColumn: a column's types do not fit together.
	CodeColumn diag.Code = "column-invalid"
	// CodeKey: a primary key is wrong.
	CodeKey diag.Code = "key-invalid"
	// CodeRelation: a relation does not join what it says.
	CodeRelation diag.Code = "relation-invalid"
	// CodeAccount: a service account is wrong.
	CodeAccount diag.Code = "account-invalid"
	// CodeAccountShared: one account is used in two places.
	CodeAccountShared diag.Code = "account-shared"
	// CodeApp: an app or one of its connections is wrong.
	CodeApp diag.Code = "app-invalid"
	// CodeUntrusted: untrusted SQL reaches a database where it could choose its own user.
	CodeUntrusted diag.Code = "app-untrusted-setting"
	// CodeVia: a policy names an app that does not reach its records.
	CodeVia diag.Code = "policy-via"
	// CodeAction: an action is not one of the table's.
	CodeAction diag.Code = "policy-action"
	// CodeReadOnly: a policy grants a write through an account that may only read.
	CodeReadOnly diag.Code = "policy-read-only"
	// CodeColumnsDiffer: two policies let different columns be written through one account.
	CodeColumnsDiffer diag.Code = "policy-columns-differ"
	// CodeCheckUnused: a policy has a check and grants no write that it could stop.
	CodeCheckUnused diag.Code = "policy-check-unused"
	// CodeMask: a mask hides nothing, or shows what its columns cannot hold.
	CodeMask diag.Code = "mask-invalid"
	// CodeReport: a report is from what has no views.
	CodeReport diag.Code = "report-invalid"
	// CodeMaskConflict: two masks show different values of one column.
	CodeMaskConflict diag.Code = "mask-conflict"
	// CodeTest: a test is wrong.
	CodeTest diag.Code = "test-invalid"
)
