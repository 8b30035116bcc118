package document

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// SchemaID is the identifier of the JSON Schema of this SchemaVersion.
const SchemaID = "urn:postern:policy:2"

// Schema is the JSON Schema (2020-12) of the document.
func Schema() []byte { return slices.Clone(schema) }
