package deparsed

import (
	"reflect"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

func TestParse(t *testing.T) {
	t.Parallel()
	text := sqltext.Builtin("text")
	s := Column{Name: "s"}
	a := Cast{X: Literal{Kind: Text, Text: "a"}, Type: text}
	for in, want := range map[string]Expr{
		`true`:                              Literal{Kind: True},
		`(s = 'a'::text)`:                   Op{Op: "=", L: s, R: a},
		`(NOT (s IS NOT NULL))`:             Not{X: Is{X: s, What: IsNull, Not: true}},
		`((s = 'a'::text) AND b)`:           And{Terms: []Expr{Op{Op: "=", L: s, R: a}, Column{Name: "b"}}},
		`(s COLLATE "C")`:                   Collate{X: s, Name: "C"},
		`( SELECT p.f() AS f)`:              Select{X: Call{Schema: "p", Name: "f"}},
		`E'a\\b''c'::text`:                  Cast{X: Literal{Kind: Text, Text: `a\b'c`}, Type: text},
		`("S"."t u" IS NULL)`:               Is{X: Column{Table: "S", Name: "t u"}, What: IsNull},
		`(s = ANY (ARRAY[s]))`:              Quantified{L: s, Op: "=", R: Array{Elems: []Expr{s}}},
		`(EXISTS ( SELECT 1 ))`:             Unread{Text: "(EXISTS ( SELECT 1 ))"},
		`((s = 'a'::text) OR (s ->> s, s))`: Or{Terms: []Expr{Op{Op: "=", L: s, R: a}, Unread{Text: "(s ->> s, s)"}}},
		// Precedence is never guessed: all this is none of Postgres' own form.
		`(a AND b OR c)`:        Unread{Text: "(a AND b OR c)"},
		`(a = b = c)`:           Unread{Text: "(a = b = c)"},
		`(s = 'a'::text AND b)`: Unread{Text: "(s = 'a'::text AND b)"},
	} {
		got, err := Parse(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nread as %#v, %v\nand not %#v", in, got, err, want)
		}
	}
	for _, in := range []string{``, `s = 'a'`, `(s`, `s)`, `'a`, `S`, `f(s`, `x -- y`, "s\x00", `E'a\n'`, `"a`, `1e5`, `$1`, `(s) (s)`, `CASE END`} {
		if x, err := Parse(in); err == nil {
			t.Errorf("%s was read as %#v", in, x)
		}
	}
	if x, err := Parse(strings.Repeat("(", 100_000)); err == nil {
		t.Errorf("too deep: %T", x)
	}
}

// FuzzParse looks for text that ends the program, or that is read otherwise with
// spaces between its parts.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`((owner_id = ( SELECT postern.user_id() AS user_id)) OR (region = ANY (ARRAY['a'::text, 'b'::text])))`, `(NOT (x IS DISTINCT FROM 'a''b'::text))`,
		`(CASE WHEN a THEN b ELSE NULL::timestamp(3) without time zone END IS NULL)`, `(x IN ( SELECT x.x FROM unnest(f()) x(x)))`, `E'\\'::text`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := Parse(s)
		again, errAgain := Parse(" \n" + s + "\t")
		if (err == nil) != (errAgain == nil) || err == nil && !reflect.DeepEqual(x, again) {
			t.Errorf("%q is read as %#v, and as %#v", s, x, again)
		}
	})
}
