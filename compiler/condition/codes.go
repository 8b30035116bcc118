package condition

import "github.com/postern-dev/postern/lang/diag"

// The diagnostics of conditions, types and constants.
const (
	CodeName         diag.Code = "name-unknown"        // no such column, relation, attribute, group or variable
	CodeFunction     diag.Code = "function-unknown"    // no such function
	CodeArguments    diag.Code = "function-arguments"  // too many or too few arguments, or one of the wrong sort
	CodeType         diag.Code = "type-mismatch"       // an operand of another type than its place wants
	CodeValue        diag.Code = "value-invalid"       // a constant that is no value of the type beside it
	CodeRange        diag.Code = "value-range"         // a number, time or length outside what the language can hold
	CodeNever        diag.Code = "comparison-constant" // a comparison with a value that the other side never has
	CodeNull         diag.Code = "null-misplaced"      // null anywhere but in == and != beside a record's column
	CodePresence     diag.Code = "presence-misplaced"  // is_empty, coalesce or known on the wrong kind of name
	CodeColumn       diag.Code = "column-refused"      // a column whose native type engines compare differently
	CodeRelation     diag.Code = "relation-misused"    // a to-many relation used as one record, or a record as a value
	CodeLoop         diag.Code = "loop-invalid"        // a for expression of another form than conditions have
	CodeUnsupported  diag.Code = "expression-refused"  // an expression of HCL that conditions do not have
	CodeEvaluation   diag.Code = "expression-invalid"  // HCL cannot parse or evaluate a constant
	CodeSensitive    diag.Code = "value-sensitive"     // a sensitive value in what becomes an artifact
	CodeUnknownValue diag.Code = "value-not-known"     // a value that is not known while compiling
	CodeSize         diag.Code = "condition-too-large" // a condition beyond the largest size or depth
	CodeConstant     diag.Code = "condition-never"     // (warning) a condition that can never be true
	CodeGroup        diag.Code = "group-undeclared"    // (warning) a group name that the project does not declare
	CodeTypeInvalid  diag.Code = "type-invalid"        // no type of the language
)
