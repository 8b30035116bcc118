package authzen

import (
	"bytes"
	"encoding/json"
)

// ID is a primary key as an id: its one value, or a JSON array of its values,
// such as ["acme","7"].
func ID(key []string) string {
	if len(key) == 1 {
		return key[0]
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(key); err != nil {
		return "" // texts are always written
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// Key is the values of a primary key of that many columns; false when the id is
// no such key.
func Key(id string, columns int) ([]string, bool) {
	if columns == 1 {
		return []string{id}, true
	}
	var values []*string
	if json.Unmarshal([]byte(id), &values) != nil || len(values) != columns || columns == 0 {
		return nil, false
	}
	out := make([]string, columns)
	for i, v := range values {
		if v == nil {
			return nil, false
		}
		out[i] = *v
	}
	return out, true
}
