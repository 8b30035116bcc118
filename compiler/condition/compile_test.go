package condition_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

func compile(t testing.TB, src string) (model.Condition, diag.List) {
	t.Helper()
	return compileIn(t, src, scope())
}

func compileIn(t testing.TB, src string, sc *condition.Scope) (model.Condition, diag.List) {
	t.Helper()
	expr, parsed := hclsyntax.ParseExpression([]byte(src), "c.hcl", hcl.InitialPos)
	if parsed.HasErrors() {
		t.Fatal(parsed)
	}
	var diags diag.List
	return condition.Compile(expr, sc, &diags), diags
}

func TestNothingWrittenHolds(t *testing.T) {
	t.Parallel()
	var diags diag.List
	c := condition.Compile(nil, scope(), &diags)
	if show(c.Holds) != "true" || show(c.Fails) != "false" || len(diags) != 0 {
		t.Errorf("got %s, %s, %v", show(c.Holds), show(c.Fails), diags)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`{"when": "${record.title == \"x\"}"}`: `record.title == string(x)`,
		`{"when": "record.stage > 1"}`:         `record.stage > int(1)`,
		`{"when": true}`:                       `true`,
		`{"when": "${record.ownr_id == 1}"}`:   `c.hcl.json:1: crm.deals has nothing named "ownr_id"`,
		`{"when": 5}`:                          `c.hcl.json:1: A condition wants a bool, and 5 is an int`,
		`{"when": "record.title =="}`:          `c.hcl.json:1: A condition wants a bool, and "record.title ==" is a string`,
		`{"when": "${record.title ==}"}`:       `c.hcl.json:1: Invalid expression`,
		`{"when": ["${record.done}"]}`:         `c.hcl.json:1: A condition is one expression and not a list`,
	}
	for src, want := range cases {
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			file, parsed := hcljson.Parse([]byte(src), "c.hcl.json")
			if parsed.HasErrors() {
				t.Fatal(parsed)
			}
			attrs, _ := file.Body.JustAttributes()
			var diags diag.List
			c := condition.Compile(attrs["when"].Expr, scope(), &diags)
			got := show(c.Holds)
			if diags.HasErrors() {
				got, _, _ = strings.Cut(diags.Error(), "\n")
			}
			if !strings.HasPrefix(got, want) {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	}
}

// TestEmptyScope compiles every case where nothing is declared.
func TestEmptyScope(t *testing.T) {
	t.Parallel()
	for _, src := range seeds(t) {
		expr, _ := hclsyntax.ParseExpression([]byte(src), "c.hcl", hcl.InitialPos)
		var diags diag.List
		c := condition.Compile(expr, &condition.Scope{}, &diags)
		if strings.Contains(src, "record.") && show(c.Holds) != "false" {
			t.Errorf("%s: holds without a record: %s", src, show(c.Holds))
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, src, want string }{
		{"long chain", strings.Repeat("record.done || ", 9000) + "record.hidden", ""},
		{"long list", "contains(" + bigList(50_000) + ", record.stage)", ""},
		{"too long chain", strings.Repeat("record.done || ", 70_000) + "record.hidden", "This condition is too large"},
		{"nested chain", strings.Repeat("(", 150) + "record.done" + strings.Repeat(" || record.hidden)", 150), ""},
		{"too deep", strings.Repeat("!", 300) + "record.done", "This condition nests too deep"},
		{"too deep parentheses", "record.stage > " + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000), "This condition nests too deep"},
		{"too deep sum", "record.stage > 1" + strings.Repeat(" + record.stage", 5000), "This condition nests too deep"},
		{"choices multiply", strings.Repeat("(record.done ? 1 : record.stage) + ", 40) + "1 == 1", "This condition is too large"},
		{"conditions multiply", strings.Repeat("(record.done == ", 60) + "record.hidden" + strings.Repeat(")", 60), "This condition is too large"},
		{"unrolled", "anytrue([for a in " + bigList(200) + " : anytrue([for b in " + bigList(200) + " : record.stage == a + b])])", "This condition is too large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, diags := compile(t, c.src)
			switch {
			case c.want == "" && diags.HasErrors():
				t.Errorf("unexpected: %v", diags)
			case c.want != "" && (len(diags) != 1 || diags[0].Summary != c.want || diags[0].Code != condition.CodeSize):
				t.Errorf("want one %q, got %v", c.want, diags)
			case c.want != "" && show(got.Holds) != "false":
				t.Error("a condition with an error must never hold")
			}
		})
	}
}

func bigList(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d, ", i)
	}
	return "[" + b.String() + "]"
}

func TestParseType(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`bool`: "bool", `int`: "int", `number`: "number", `string`: "string", `uuid`: "uuid", `date`: "date", `timestamp`: "timestamp", `ip`: "ip",
		`set(uuid)`: "set(uuid)", `enum("a", "b")`: `enum("a", "b")`, `set(enum("a"))`: `set(enum("a"))`, `(int)`: "int",
		`strng`:           `1-6 There is no type "strng" Did you mean "string"?`,
		`list(string)`:    `1-5 There is no type "list" Types are`,
		`duration`:        "1-9 A duration is not a type of columns or attributes",
		`enum`:            `1-5 The type "enum" wants arguments`,
		`enum()`:          "1-7 An enum has at least one value",
		`enum("a", "a")`:  `11-14 The enum has the value "a" twice`,
		`enum(var.x)`:     "6-11 A value of an enum must be a plain string",
		`enum("\u0000")`:  "6-14 This string has a character that no database stores",
		`set()`:           "1-6 A set has one element type",
		`set(set(int))`:   "5-13 A set cannot hold sets",
		`"int"`:           "1-6 This is not a type",
		`string.x`:        `1-9 There is no type "string"`,
		`5`:               "1-2 This is not a type",
		`set(duration)`:   "5-13 A duration is not a type of columns or attributes",
		`set(string...)`:  "set(string)",
		`upper("string")`: `1-6 There is no type "upper"`,
	}
	for src, want := range cases {
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			expr, parsed := hclsyntax.ParseExpression([]byte(src), "t.hcl", hcl.InitialPos)
			if parsed.HasErrors() {
				t.Fatal(parsed)
			}
			var diags diag.List
			typ, ok := condition.ParseType(expr, &diags)
			got := typ.String()
			if !ok {
				if len(diags) != 1 {
					t.Fatalf("want one diagnostic, got %v", diags)
				}
				d := diags[0]
				got = fmt.Sprintf("%d-%d %s %s", d.Span.Start.Column, d.Span.End.Column, d.Summary, d.Detail)
			}
			if !strings.HasPrefix(got, want) {
				t.Errorf("got %s\nwant %s", got, want)
			}
		})
	}
}

func TestConstant(t *testing.T) {
	t.Parallel()
	number := func(s string) cty.Value { return cty.MustParseNumberVal(s) }
	strs := func(s ...cty.Value) cty.Value { return cty.TupleVal(s) }
	a := cty.StringVal("a")
	cases := []struct {
		name string
		v    cty.Value
		t    model.Type
		want string
	}{
		{"bool", cty.True, model.Bool, "true"},
		{"int", number("-9223372036854775808"), model.Int, "-9223372036854775808"},
		{"number", number("1.1"), model.Number, "1.1"},
		{"number sum", number("1.1").Add(number("2.2")), model.Number, "3.3"},
		{"number decimals", number("0.000000000000000001"), model.Number, "0.000000000000000001"},
		{"number digits", number("99999999999999999999999999999999999999.999999999999999999"), model.Number, "99999999999999999999999999999999999999.999999999999999999"},
		{"string", cty.StringVal("é"), model.String, "é"},
		{"uuid", cty.StringVal("7B0E1F2A-0000-4000-8000-000000000001"), model.UUIDType, "7b0e1f2a-0000-4000-8000-000000000001"},
		{"set", strs(cty.StringVal("b"), a, a, cty.NullVal(cty.String)), model.StringSet, "[a b]"},
		{"null", cty.NullVal(cty.DynamicPseudoType), model.Int, "<nil>"},
		{"null int", cty.NullVal(cty.Number), model.Int, "<nil>"},
		{"int overflow", number("9223372036854775808"), model.Int, "error: value-range"},
		{"int fraction", number("1.5"), model.Int, "error: type-mismatch"},
		{"number as string", cty.NumberIntVal(1), model.String, "error: type-mismatch"},
		{"string as number", cty.StringVal("1"), model.Int, "error: type-mismatch"},
		{"string as bool", cty.StringVal("true"), model.Bool, "error: type-mismatch"},
		{"too many decimals", number("0.0000000000000000001"), model.Number, "error: value-range"},
		{"too large", number("1e38"), model.Number, "error: value-range"},
		{"vast", number("1e1000000"), model.Number, "error: value-range"},
		{"tiny", number("1e-1000000"), model.Number, "error: value-range"},
		{"infinite", cty.PositiveInfinity, model.Number, "error: value-range"},
		{"sensitive", a.Mark("s"), model.String, "error: value-sensitive"},
		{"sensitive inside", strs(a.Mark("s")), model.StringSet, "error: value-sensitive"},
		{"unknown", cty.UnknownVal(cty.String), model.String, "error: value-not-known"},
		{"unknown inside", strs(cty.UnknownVal(cty.String)), model.StringSet, "error: value-not-known"},
		{"nested set", strs(strs(a)), model.StringSet, "error: type-mismatch"},
		{"object", cty.EmptyObjectVal, model.String, "error: type-mismatch"},
		{"capsule", cty.CapsuleVal(cty.Capsule("x", reflect.TypeFor[int]()), new(int)), model.String, "error: type-mismatch"},
		{"enum", cty.StringVal("c"), model.EnumOf("a"), "error: value-invalid"},
		{"ip", cty.StringVal("10.0.0.1%eth0"), model.IP, "error: value-invalid"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var diags diag.List
			v, ok := condition.Constant(c.v, c.t, source.Span{File: "x.hcl"}, &diags)
			got := fmt.Sprint(model.JSON(v, c.t, ""))
			if !ok {
				if len(diags) != 1 || strings.Contains(diags.Error(), "hunter2") {
					t.Fatalf("want one diagnostic, got %v", diags)
				}
				got = "error: " + string(diags[0].Code)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff, diags)
			}
		})
	}
}

// FuzzCompile wants an answer for any text: a condition or errors, never a
// panic, and never a condition that holds beside an error.
func FuzzCompile(f *testing.F) {
	for _, src := range seeds(f) {
		f.Add(src)
	}
	sc := scope()
	f.Fuzz(func(t *testing.T, src string) {
		if strings.Count(src, "(")+strings.Count(src, "[")+strings.Count(src, "{") > 1000 {
			return // deeper than what the parser can take
		}
		expr, _ := hclsyntax.ParseExpression([]byte(src), "c.hcl", hcl.InitialPos)
		if expr == nil {
			return
		}
		var diags diag.List
		c := condition.Compile(expr, sc, &diags)
		if _, never := c.Holds.(model.False); diags.HasErrors() && !never {
			t.Errorf("holds beside %v", diags)
		}
		if c.Source == nil || c.Holds == nil || c.Fails == nil {
			t.Errorf("no condition, with %v", diags)
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	sc := scope()
	src := `record.owner_id == user.id || (record.region == user.region && record.stage >= 3 && contains(["open", "won"], record.status))`
	expr, _ := hclsyntax.ParseExpression([]byte(src), "c.hcl", hcl.InitialPos)
	for b.Loop() {
		var diags diag.List
		condition.Compile(expr, sc, &diags)
	}
}
