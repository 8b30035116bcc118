package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// View is a generated view. It runs with the rights of its owner, under the
// policies that name the owner; the options are as pg_class stores them.
type View struct {
	ID      ObjectID
	Table   ObjectID // that it reads; of a desired one
	Owner   string
	Columns []ViewColumn
	Body    sqltext.SQL // the query; as pg_get_viewdef prints it when live
	Options []string    // reloptions: "security_barrier=true"
	// Role is the role of the account whose clients read the view, "" for one
	// that conditions read.
	Role    string
	Sources []Origin // of a desired one
}

// ViewColumn is a column of a view, in order. Type is format_type of it; in a
// desired state "" stands for the type that the table's column has.
type ViewColumn struct{ Name, Type string }

// Grantable is the view as grants name it.
func (v *View) Grantable() ObjectID { return v.ID.Table() }

// ViewsName is the name of the role that owns the views of an account, and of
// the schema that they stand in.
func ViewsName(role string) string { return shortName(role + "_views") }

// barrier keeps functions of a client's WHERE from rows that the view hides. A
// view that hides none goes without, since it keeps indexes from joins too: the
// rows are those that the table's policies show, which Postgres tests before
// anything of the client's, and what of a column is not to be seen is in no
// expression that the client can name.
const barrier = "security_barrier=true"

// viewHash is the SHA-256, in hexadecimal, of a view's query.
func viewHash(body sqltext.SQL) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// liveViewHash is viewHash of what the catalogs show, in SQL: c is the
// pg_class row.
const liveViewHash sqltext.SQL = `encode(sha256(convert_to(pg_get_viewdef(c.oid), 'UTF8')), 'hex')`

// recordViews writes down, for views that were just made, what was desired and
// what Postgres made of it.
func recordViews(table ObjectID, views []*View) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("INSERT INTO ").Qualified(table.Schema, table.Name)
		b.Raw(" (kind, schema, name, sub, desired, live)\nSELECT 'view', w.schema, w.name, '', w.desired, ", liveViewHash)
		b.Raw("\nFROM (VALUES")
		b.Each(len(views), ",", func(i int) {
			v := views[i]
			b.Raw("\n\t(").Literal(v.ID.Schema).Raw(", ").Literal(v.ID.Name).Raw(", ").Literal(viewHash(v.Body)).Raw(")")
		})
		b.Raw("\n) AS w(schema, name, desired)\n\tJOIN pg_namespace n ON n.nspname = w.schema",
			"\n\tJOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind = 'v'", replaceRecord)
	})
}

// describeView shows a view, a line for each part.
func describeView(v *View) string {
	return "WITH (" + strings.Join(v.Options, ", ") + ") OWNER TO " + v.Owner + "\n" + string(v.Body)
}

// quotedPath is a search_path as the catalogs store a role's setting.
func quotedPath(schemas ...string) (string, error) {
	parts := make([]string, len(schemas))
	for i, s := range schemas {
		text, err := sqltext.Print(sqltext.Column{Name: s})
		if err != nil {
			return "", err
		}
		parts[i] = string(text)
	}
	return strings.Join(parts, ", "), nil
}
