package access

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// Witness is one request and the records that it is about, in the forms of
// model.Request and model.Document. Columns and attributes that do not matter
// are left out.
type Witness struct {
	User    map[string]any `json:"user"` // the claims; null: anonymous
	App     string         `json:"app,omitempty"`
	Request map[string]any `json:"request,omitempty"`
	Now     string         `json:"now,omitempty"` // RFC 3339; empty where the time does not matter
	// Record is the record as it stands; null for a create.
	Record model.Document `json:"record,omitempty"`
	// NewRecord is what a create or an edit makes.
	NewRecord model.Document `json:"new_record,omitempty"`
}

// String is the witness as text: user {id: "u1"}, record {owner_id: "u2"}.
func (w *Witness) String() string {
	if w == nil {
		return ""
	}
	parts := []string{"an anonymous user"}
	if w.User != nil {
		parts[0] = "user " + object(w.User)
	}
	if w.App != "" {
		parts = append(parts, "app "+w.App)
	}
	if len(w.Request) > 0 {
		parts = append(parts, "request "+object(w.Request))
	}
	if w.Now != "" {
		parts = append(parts, "now "+w.Now)
	}
	if w.Record != nil {
		parts = append(parts, "record "+object(w.Record))
	}
	if w.NewRecord != nil {
		parts = append(parts, "new record "+object(w.NewRecord))
	}
	return strings.Join(parts, ", ")
}

func object(m map[string]any) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+": "+shown(m[k]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func shown(v any) string {
	switch x := v.(type) {
	case map[string]any:
		return object(x)
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = shown(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case json.Number:
		return x.String()
	case nil:
		return "null"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
