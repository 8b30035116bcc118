package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// TestOwnTypes: a type of the database's own is compared by its text only
// where that is the same in every session; else a client's settings, such as
// the time zone, would decide what the client sees.
func TestOwnTypes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]diag.Code{
		"label":     nil, // a domain over a domain over text
		"mood":      nil, // an enum
		"span":      {postgres.CodeColumnType},
		"price":     {postgres.CodeColumnType},
		"pair":      {postgres.CodeColumnType},
		"Odd \"one": {postgres.CodeColumnType},
		"padded":    {postgres.CodeColumnType},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := compile(t, project(crm, "own_types"))
			table := p.Tables[0]
			native := `public."` + strings.ReplaceAll(name, `"`, `""`) + `"`
			if name == strings.ToLower(name) {
				native = "public." + name
			}
			table.Column("region").Native = native
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, `CREATE DOMAIN public.words AS text; CREATE DOMAIN public.label AS public.words;
				CREATE TYPE public.mood AS ENUM ('public', 'other'); CREATE DOMAIN public.span AS tstzrange;
				CREATE DOMAIN public.price AS money; CREATE TYPE public.pair AS (a timestamptz, b text);
				CREATE TYPE public."Odd ""one" AS RANGE (subtype = float8); CREATE DOMAIN public.padded AS character(5)`)
			execute(t, conn, tableOf(table))
			state, list := postgres.Desired(p, p.Datasources[0])
			if list.HasErrors() {
				t.Fatal(list)
			}
			_, list, err := postgres.MakePlan(t.Context(), conn, state, postgres.PlanOptions{Datasource: p.Datasources[0]})
			if err != nil {
				t.Fatal(err)
			}
			var got []diag.Code
			for _, d := range list {
				if d.Code == postgres.CodeColumnType {
					got = append(got, d.Code)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("codes (-want +got):\n%s\n%v", diff, list)
			}
		})
	}
}

// tableOf makes the table that a program declares.
func tableOf(t *model.Table) string {
	usual := map[model.Kind]string{
		model.KindString: "text", model.KindInt: "bigint", model.KindNumber: "numeric", model.KindBool: "boolean",
		model.KindUUID: "uuid", model.KindTimestamp: "timestamptz", model.KindDate: "date", model.KindIP: "inet",
	}
	var columns []string
	for _, c := range t.Columns {
		native := c.Native
		switch {
		case native != "":
		case c.Type.Kind == model.KindSet:
			native = usual[c.Type.Elem.Kind] + "[]"
		default:
			native = usual[c.Type.Kind]
		}
		columns = append(columns, `"`+c.Name+`" `+native)
	}
	return "CREATE TABLE " + t.Schema + "." + t.SQLName + " (" + strings.Join(columns, ", ") + ")"
}
