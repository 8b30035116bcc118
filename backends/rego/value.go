package rego

import (
	"encoding/json"
	"regexp"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
)

// unreadable stands for a value that JSON or the engine cannot carry. No type
// has it: a string with NUL is unknown everywhere.
const unreadable = ast.String("\x00")

// value is a JSON value, as encoding/json decodes it with UseNumber, as the
// engine's own.
func value(v any) ast.Value {
	switch x := v.(type) {
	case nil:
		return ast.Null{}
	case bool:
		return ast.Boolean(x)
	case string:
		return stringValue(x)
	case json.Number:
		return numberValue(x)
	case []any:
		list := make([]*ast.Term, len(x))
		for i, e := range x {
			list[i] = ast.NewTerm(value(e))
		}
		return ast.NewArray(list...)
	case map[string]any:
		members := make([][2]*ast.Term, 0, len(x))
		for k, e := range x {
			members = append(members, [2]*ast.Term{ast.NewTerm(ast.String(k)), ast.NewTerm(value(e))})
		}
		return ast.NewObject(members...)
	default:
		return unreadable
	}
}

func stringValue(s string) ast.Value {
	if !utf8.ValidString(s) {
		return unreadable
	}
	return ast.String(s)
}

// numeral is how a number may be written, as in policy/values.rego. It is asked
// here too, for the engine remembers results of functions by a number's value,
// whatever its text.
var numeral = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][+-]?[0-9]{1,2})?$`)

func numberValue(n json.Number) ast.Value {
	if !numeral.MatchString(string(n)) {
		return unreadable
	}
	return ast.Number(n)
}
