package resolve

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// instance is one of the objects that a block stands for: with for_each, one
// for each key.
type instance[T any] struct {
	key    string
	keyed  bool
	object T
}

// family is all objects of one block.
type family[T any] struct {
	span  source.Span
	keyed bool // has for_each
	// foreign says that a variable stands for objects of another module.
	foreign bool
	all     []instance[T]
}

// names finds objects by what references call them.
type names struct {
	groups      map[string]*model.Group
	levels      map[string]*model.Level
	users       map[string]*model.User
	datasources map[string]*family[*model.Datasource]
	tables      map[[2]string]*family[*model.Table] // by labels; instances over datasources and keys
	accounts    map[string]*family[*model.ServiceAccount]
	apps        map[string]*family[*model.App]
}

func newNames() *names {
	return &names{
		groups:      map[string]*model.Group{},
		levels:      map[string]*model.Level{},
		users:       map[string]*model.User{},
		datasources: map[string]*family[*model.Datasource]{},
		tables:      map[[2]string]*family[*model.Table]{},
		accounts:    map[string]*family[*model.ServiceAccount]{},
		apps:        map[string]*family[*model.App]{},
	}
}

// address is the name of an instance: label, or label["key"].
func address(label, key string, keyed bool) string {
	if !keyed {
		return label
	}
	return fmt.Sprintf("%s[%q]", label, key)
}

// nearest is the candidate that a misspelt name most likely means, or "".
func nearest(name string, candidates []string) string {
	best, distance := "", max(2, utf8.RuneCountInString(name)/3)+1
	for _, c := range candidates {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(c), nil); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// unknown reports a name that stands for nothing.
func (r *resolver) unknown(span source.Span, kind, name string, candidates []string, prefix string) {
	slices.Sort(candidates)
	candidates = slices.Compact(candidates)
	d := diag.Diagnostic{Code: CodeUnknown, Span: span, Summary: fmt.Sprintf("There is no %s %q", kind, name)}
	switch near := nearest(name, candidates); {
	case near != "":
		d.Detail = fmt.Sprintf("Did you mean %s%s?", prefix, near)
		text := near
		if span.End.Byte-span.Start.Byte == len(name)+2 {
			text = fmt.Sprintf("%q", near) // the name stands in quotes
		}
		if width := span.End.Byte - span.Start.Byte; width == len(name) || width == len(name)+2 {
			d.Fix = &diag.Fix{Span: span, Text: text}
		}
	case len(candidates) == 0:
		d.Detail = "The project declares none."
	case len(candidates) <= 8:
		d.Detail = "There is " + strings.Join(candidates, ", ") + "."
	}
	r.diags.Add(d)
}

// duplicate reports the second definition of something, with both places.
func (r *resolver) duplicate(span, first source.Span, summary string) {
	r.diags.Add(diag.Diagnostic{
		Code: CodeDuplicate, Span: span, Summary: summary,
		Detail:  fmt.Sprintf("The first one stands at %s. Remove or rename one of the two.", first),
		Related: []diag.Related{{Span: first, Message: "first defined here"}},
	})
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// maxName is the longest name of a Postgres object in bytes (NAMEDATALEN - 1).
const maxName = 63

// validName checks a name that may become one of the database's. Any text is
// a name there, so long as it is not empty, too long or without a NUL.
func (r *resolver) validName(what, name string, span source.Span) bool {
	problem := ""
	switch {
	case name == "":
		problem = "is empty"
	case len(name) > maxName:
		problem = fmt.Sprintf("has %d bytes, and a name has at most %d", len(name), maxName)
	case strings.ContainsRune(name, 0):
		problem = "holds a NUL character"
	case !utf8.ValidString(name):
		problem = "is not valid UTF-8"
	default:
		return true
	}
	r.diags.Fail(CodeInvalidName, span, "The name of the "+what+" "+problem, "Choose another name: Postgres would cut or refuse this one.")
	return false
}
