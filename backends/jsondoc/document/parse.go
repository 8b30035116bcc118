package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The limits of a document. A reader refuses what is beyond them.
const (
	// MaxBytes is the size of the largest document.
	MaxBytes = 64 << 20
	// MaxDepth is how deep conditions and operands may be nested.
	MaxDepth = 200
	// MaxLoops is how deep loops over related records may be nested.
	MaxLoops = 8
)

// ErrNotCanonical says that a document's bytes are not those that Marshal
// writes for its content.
var ErrNotCanonical = errors.New("not in the canonical form (RFC 8785) of this schema version: it was reformatted, " +
	"has unknown or repeated members, or was changed by hand")

// Parse reads a document strictly: of a version from OldestSchemaVersion to
// SchemaVersion, in canonical form
// (so without unknown, repeated or misspelt members), within the limits, with
// every name it uses declared once and every condition node complete. What a
// condition's operands may be depends on types; the engine's Load checks them.
func Parse(data []byte) (*Document, error) {
	d, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("read the JSON document: %w", err)
	}
	return d, nil
}

func parse(data []byte) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("it has %d bytes, more than the limit of %d", len(data), MaxBytes)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	if err := checkDepth(data); err != nil {
		return nil, err
	}
	var version struct {
		SchemaVersion int `json:"schema_version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return nil, err
	}
	if v := version.SchemaVersion; v < OldestSchemaVersion || v > SchemaVersion {
		return nil, &VersionError{Version: v}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	d := new(Document)
	if err := dec.Decode(d); err != nil {
		return nil, err
	}
	again, err := encode(d)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, ErrNotCanonical
	}
	if err := d.validate(); err != nil {
		return nil, err
	}
	return d, nil
}

// checkDepth bounds the nesting of brackets before anything recursive reads
// the data. A condition node takes at most two brackets (an object in a list).
func checkDepth(data []byte) error {
	depth, text := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > 2*MaxDepth+20 {
				return fmt.Errorf("it is nested more than %d deep", 2*MaxDepth+20)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
