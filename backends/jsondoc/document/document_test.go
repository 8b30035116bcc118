package document

import (
	"bytes"
	"errors"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// TestFieldsAreSorted holds what canonical output rests on.
func TestFieldsAreSorted(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var visit func(reflect.Type)
	visit = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice:
			visit(typ.Elem())
			return
		case reflect.Map, reflect.Interface, reflect.Float64:
			t.Errorf("%s has no canonical form here", typ)
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[typ] {
			return
		}
		seen[typ] = true
		var names []string
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			names = append(names, name)
			visit(typ.Field(i).Type)
		}
		if !sort.StringsAreSorted(names) {
			t.Errorf("the members of %s are not sorted: %v", typ, names)
		}
	}
	visit(reflect.TypeFor[Document]())
	if len(seen) < 20 {
		t.Errorf("only %d structs were found", len(seen))
	}
}

func TestTextIsCanonical(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("\\u2028\u2028\u2029\"\x00\x1f\x7f<>&\b\f\n/\U0001F600")))).Draw(rt, "text")
		got, err := encode(&Group{Name: text, Closure: []string{text}})
		if err != nil {
			rt.Fatal(err)
		}
		want, err := jcs.Transform(got)
		if err != nil || !bytes.Equal(got, want) {
			rt.Fatalf("%q is written %s, want %s (%v)", text, got, want, err)
		}
	})
}

func TestParseNeedsCanonicalBytes(t *testing.T) {
	t.Parallel()
	_, err := Parse([]byte(`{"schema_version": 2}`))
	if !errors.Is(err, ErrNotCanonical) {
		t.Errorf("error %v, want %v", err, ErrNotCanonical)
	}
	if !strings.Contains(string(Schema()), SchemaID) {
		t.Errorf("the schema has not the id %s", SchemaID)
	}
}
