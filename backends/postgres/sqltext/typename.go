package sqltext

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// TypeName is a type as format_type prints it under search_path "pg_catalog".
type TypeName struct {
	Schema string // "" for the types of pg_catalog
	Name   string // "text", "character varying", "timestamp with time zone", "st"
	Args   []int  // numeric(12,2), character(5), timestamp(3)
	Array  bool
}

// ErrType says that a text is no type name.
var ErrType = errors.New("not a type as format_type prints it")

// builtin are the types that format_type spells in its own way, by words.
var builtin = []string{
	"bigint", "boolean", "character varying", "character", "date", "double precision", "inet", "cidr", "integer",
	"numeric", "real", "smallint", "text", "name", "uuid", "json", "jsonb", "bpchar", "bytea",
	"timestamp with time zone", "timestamp without time zone", "time with time zone", "time without time zone", "interval",
}

// Builtin makes the name of a type of pg_catalog; name is a constant.
func Builtin(name string) TypeName { return TypeName{Name: name} }

// ArrayOf is the array type of t.
func ArrayOf(t TypeName) TypeName { t.Array = true; return t }

// Elem is the element type of an array type.
func (t TypeName) Elem() TypeName { t.Array = false; return t }

// ParseType reads a type as format_type prints it; names of other schemas are
// qualified, and quoted where they have to be.
func ParseType(s string) (TypeName, error) {
	fail := func() (TypeName, error) { return TypeName{}, fmt.Errorf("%q: %w", s, ErrType) }
	var t TypeName
	rest := s
	if before, ok := strings.CutSuffix(rest, "[]"); ok {
		t.Array, rest = true, before
	}
	if open := strings.IndexByte(rest, '('); open >= 0 && !strings.Contains(rest, `"`) {
		end := strings.IndexByte(rest, ')')
		if end < open {
			return fail()
		}
		for _, a := range strings.Split(rest[open+1:end], ",") {
			n, err := strconv.Atoi(a)
			if err != nil {
				return fail()
			}
			t.Args = append(t.Args, n)
		}
		rest = rest[:open] + rest[end+1:]
	}
	for _, b := range builtin {
		if rest == b {
			t.Name = b
			return t, nil
		}
	}
	if t.Args != nil {
		return fail()
	}
	first, rest, ok := cutIdent(rest)
	if !ok {
		return fail()
	}
	t.Name = first
	if rest == "" {
		return t, nil
	}
	second, rest, ok := cutIdent(strings.TrimPrefix(rest, "."))
	if !ok || rest != "" {
		return fail()
	}
	t.Schema, t.Name = first, second
	return t, nil
}

// cutIdent reads one name, quoted or not, from the start of s.
func cutIdent(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexByte(s, '.')
		if end < 0 {
			end = len(s)
		}
		name = s[:end]
		return name, s[end:], CheckIdent(name) == nil && !strings.HasPrefix(string(bareIdent(name)), `"`)
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		default:
			return b.String(), s[i+1:], CheckIdent(b.String()) == nil
		}
	}
	return "", "", false
}

// SQL is the name as format_type prints it.
func (t TypeName) SQL() SQL {
	var b strings.Builder
	words := t.Name
	if t.Schema != "" {
		b.WriteString(string(bareIdent(t.Schema)) + ".")
		words = string(bareIdent(t.Name))
	} else if !isBuiltin(t.Name) {
		words = string(bareIdent(t.Name))
	}
	args := ""
	if len(t.Args) > 0 {
		parts := make([]string, len(t.Args))
		for i, a := range t.Args {
			parts[i] = strconv.Itoa(a)
		}
		args = "(" + strings.Join(parts, ",") + ")"
	}
	// "timestamp(3) with time zone": the precision stands after the first word.
	if head, tail, ok := strings.Cut(words, " with"); ok && args != "" && t.Schema == "" {
		b.WriteString(head + args + " with" + tail)
	} else {
		b.WriteString(words + args)
	}
	if t.Array {
		b.WriteString("[]")
	}
	return SQL(b.String())
}

func isBuiltin(name string) bool {
	for _, b := range builtin {
		if b == name {
			return true
		}
	}
	return false
}
