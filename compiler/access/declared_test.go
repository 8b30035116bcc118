package access_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// declaredProgram declares column c of a table in some way, with a condition on
// it.
func declaredProgram(column, when string) string {
	return fmt.Sprintf(`
postern { project = "a" }
identity {
  attribute "id" { type = string }
}
datasource "db" { type = "postgres" }
table "db" "t" {
  column "id" { type = int }
  column "c" {
%s
  }
  primary_key = ["id"]
}
policy "p" {
  on = [table.db.t]
  to = [everyone]
  allow = [view]
  when = %s
}
`, column, when)
}

// TestDeclaredOtherwise compares programs that declare a column differently: the
// values that either could hold are tried, and what differs there has to be
// among the changes.
func TestDeclaredOtherwise(t *testing.T) {
	t.Parallel()
	families := []struct {
		columns, conds []string
		values         []any
	}{
		{
			columns: []string{
				"type = int", "type = int\nnull = true", "type = int\nnative = \"smallint\"", "type = int\nnative = \"integer\"", "type = number", "type = number\nnull = true",
			},
			conds:  []string{"record.c < 40000", "record.c < 50000", "record.c != 3", "record.c == null", "!(record.c == null)", "record.c * 2 == 3", "true"},
			values: []any{nil, json.Number("1"), json.Number("3"), json.Number("1.5"), json.Number("45000"), json.Number("3000000000"), "NaN"},
		},
		{
			columns: []string{
				"type = string", "type = string\nnull = true", "type = string\nnative = \"character varying(2)\"", `type = enum("a", "b")` + "\nnative = \"e\"", `type = enum("b", "a")` + "\nnative = \"e\"",
				`type = enum("a", "b", "c")` + "\nnative = \"e\"", `type = enum("a", "b", "ccc")` + "\nnative = \"e\"\nnull = true",
			},
			conds:  []string{`record.c == "a"`, `record.c != "a"`, `record.c != "b"`, "record.c != user.id", `contains(["a", "b"], record.c)`, "record.c != null", "true"},
			values: []any{nil, "a", "b", "c", "ccc", "dddd"},
		},
	}
	for _, f := range families {
		programs := map[[2]string]*model.Program{}
		for _, column := range f.columns {
			for _, when := range f.conds {
				programs[[2]string{column, when}] = tryCompile(t, declaredProgram(column, when))
			}
		}
		for x, before := range programs {
			for y, after := range programs {
				if before != nil && after != nil {
					declared(t, before, after, f.values, fmt.Sprint(x, y))
				}
			}
		}
	}
}

func declared(t *testing.T, before, after *model.Program, values []any, what string) {
	t.Helper()
	d, err := access.Compare(t.Context(), before, after, access.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var gained, lost bool
	for _, v := range values {
		for _, id := range []any{nil, "a", "zz"} {
			b, a := &asker{before, map[string]any{"id": id}}, &asker{after, map[string]any{"id": id}}
			if !stores(before, v) && !stores(after, v) {
				continue
			}
			q := eval.Query{Action: model.View, Old: model.Document{"id": json.Number("1"), "c": v}}
			had, has := b.allows(q), a.allows(q)
			gained, lost = gained || has && !had, lost || had && !has
		}
	}
	g, l := outcomes(d)
	if gained && g == "unsat" || lost && l == "unsat" {
		t.Errorf("%s: gained %t, lost %t, but\n%s", what, gained, lost, report(d))
		return
	}
	if g == "unknown" || l == "unknown" {
		t.Errorf("%s is undecided: gained %t, lost %t", what, gained, lost)
	}
}

// stores reports whether the column, as a program declares it, can hold a value.
func stores(p *model.Program, v any) bool {
	c := p.Tables[0].Column("c")
	s, text := v.(string)
	switch {
	case v == nil:
		return c.Null
	case c.Type.Kind == model.KindEnum:
		return text && slices.Contains(c.Type.Enum, s)
	case c.Type.Kind == model.KindString:
		return text && (c.Native != "character varying(2)" || len(s) <= 2)
	case c.Type.Kind == model.KindNumber:
		return true
	}
	n, ok := new(big.Int).SetString(fmt.Sprint(v), 10)
	bits := map[string]int{"smallint": 16, "integer": 32}[c.Native]
	return ok && (bits == 0 || n.BitLen() < bits)
}
