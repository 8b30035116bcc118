package view

import _ "embed"

// PlanSchema is the JSON Schema of what plan prints as JSON.
//
//go:embed plan.schema.json
var PlanSchema string
