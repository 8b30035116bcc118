package rego

import "github.com/postern-dev/postern/lang/diag"

// What Rego cannot carry exactly.
const (
	CodeProjectName diag.Code = "rego-project-name" // a project whose name cannot be a bundle's root
	CodeKeyType     diag.Code = "rego-key-type"     // a key that the directory cannot be looked up by
	CodeOrder       diag.Code = "rego-order"        // an order that Rego does not have
	CodeFilter      diag.Code = "rego-filter"       // what a data filter cannot carry
)
