package document

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Marshal writes the document in the canonical form of RFC 8785: members
// sorted, no white space, shortest escapes.
func Marshal(d *Document) ([]byte, error) {
	data, err := encode(d)
	if err != nil {
		return nil, fmt.Errorf("write the JSON document: %w", err)
	}
	return data, nil
}

// encode is canonical for values whose structs declare their fields in order
// of their JSON names and which hold no maps and no fractions.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return unescapeSeparators(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// unescapeSeparators writes U+2028 and U+2029 out, which encoding/json always
// escapes and RFC 8785 (section 3.2.2.2) does not.
func unescapeSeparators(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u202`)) {
		return data
	}
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			out = append(out, data[i])
			continue
		}
		rest := data[i:]
		switch {
		case bytes.HasPrefix(rest, []byte(`\u2028`)):
			out = append(out, "\u2028"...)
			i += 5
		case bytes.HasPrefix(rest, []byte(`\u2029`)):
			out = append(out, "\u2029"...)
			i += 5
		default:
			out = append(out, rest[0], rest[1])
			i++
		}
	}
	return out
}
