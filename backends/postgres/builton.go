package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/lang/source"
)

// BuiltOn is an object that needs a generated one, which therefore cannot be
// dropped.
type BuiltOn struct {
	ID    ObjectID // of a policy, view, table or function; only Kind of others
	Text  string   // as Postgres describes it, such as view public.v
	Owner string
}

// queryBuiltOn lists what needs the objects of schemas: by a rule that is the
// view that it is of. What belongs to its object, as a row type to its view,
// goes with it, and counts only where something else needs it. Of policies that
// call a function those on $2 do not count: there are many, and none outlives
// it. $1: JSON names of generated schemas, $2: JSON [{"schema","name"}] of tables
// on which the project has the last word.
const queryBuiltOn = `WITH made AS MATERIALIZED (
	SELECT oid, nspname FROM pg_namespace WHERE nspname::text IN (SELECT json_array_elements_text($1::json))),
governed AS MATERIALIZED (
	SELECT c.oid FROM json_to_recordset($2::json) AS t(schema text, name text)
		JOIN pg_namespace n ON n.nspname = t.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name),
rels AS MATERIALIZED (
	SELECT c.oid, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END AS kind, n.nspname, c.relname, c.reltype
	FROM pg_class c JOIN made n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'r', 'p')),
objects(class, oid, kind, schema, name, sub) AS (
	SELECT 'pg_class'::regclass::oid, oid, kind, nspname, relname, '' FROM rels
	UNION ALL SELECT 'pg_type'::regclass, t.oid, kind, nspname, relname, ''
		FROM rels JOIN pg_type t ON rels.reltype IN (t.oid, t.typelem) AND t.oid <> 0
	UNION ALL SELECT 'pg_proc'::regclass, p.oid, 'function', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)
		FROM pg_proc p JOIN made n ON n.oid = p.pronamespace
	UNION ALL SELECT 'pg_namespace'::regclass, oid, 'schema', '', nspname, '' FROM made)
SELECT DISTINCT o.kind, o.schema, o.name, o.sub, i.type, coalesce(i.schema, ''), coalesce(i.name, ''), i.identity,
	coalesce(pg_get_userbyid(coalesce(u.relowner, p.proowner)), ''), coalesce(y.polname, ''), coalesce(yn.nspname, ''), coalesce(yc.relname, ''),
	coalesce(p.proname, ''), coalesce(pg_get_function_identity_arguments(p.oid), '')
FROM objects o JOIN pg_depend d ON d.refclassid = o.class AND d.refobjid = o.oid AND d.deptype = 'n'
	LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
	LEFT JOIN pg_class u ON u.oid = coalesce(w.ev_class, CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END)
	LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
	LEFT JOIN pg_policy y ON d.classid = 'pg_policy'::regclass AND y.oid = d.objid
	LEFT JOIN pg_class yc ON yc.oid = y.polrelid LEFT JOIN pg_namespace yn ON yn.oid = yc.relnamespace,
	LATERAL pg_identify_object(CASE WHEN w.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass END,
		coalesce(w.ev_class, d.objid), CASE WHEN w.oid IS NULL THEN d.objsubid ELSE 0 END) AS i
WHERE (o.kind <> 'function' OR y.oid IS NULL OR y.polrelid NOT IN (SELECT oid FROM governed))
	AND u.oid IS DISTINCT FROM o.oid AND i.type <> 'type' AND (o.kind = 'schema' OR u.oid IS NULL OR u.oid NOT IN (SELECT oid FROM rels WHERE kind = 'table'))`

// readBuiltOn reads what cannot stay when generated objects are dropped.
func readBuiltOn(ctx context.Context, conn *pgx.Conn, want *State, live *Live) error {
	live.BuiltOn = map[ObjectID][]BuiltOn{}
	var governed []plan.TableName
	for id, scope := range want.Scope.Tables {
		if !scope.Additive {
			governed = append(governed, plan.TableName{Schema: id.Schema, Name: id.Name})
		}
	}
	return newReader(conn.PgConn()).run(ctx, &catalogQuery{
		name: "what is built on generated objects", sql: queryBuiltOn, args: [][]byte{jsonArg(live.generatedSchemas()), jsonArg(governed)},
		each: func(r row) error {
			on := ObjectID{Kind: Kind(r.text(0)), Schema: r.text(1), Name: r.text(2), Sub: r.text(3)}
			b := BuiltOn{ID: ObjectID{Kind: Kind(r.text(4)), Schema: r.text(5), Name: r.text(6)}, Text: r.text(4) + " " + r.text(7), Owner: r.text(8)}
			switch {
			case r.text(9) != "":
				b.ID = PolicyID(TableID(r.text(10), r.text(11)), r.text(9))
			case r.text(12) != "":
				b.ID = FunctionID(r.text(5), r.text(12), r.text(13))
			}
			live.BuiltOn[on] = append(live.BuiltOn[on], b)
			return nil
		},
	})
}

// generatedSchemas are the schemas that hold what the project generates, or
// did when a plan was applied last.
func (l *Live) generatedSchemas() []string {
	out := generatedSchemas(l.Scope)
	for id := range l.Records {
		if id.Kind == KindSchema {
			out = append(out, id.Name)
		}
	}
	return sortedUnique(out, strings.Compare)
}

// hold says what keeps a generated object from being dropped: early, before
// policies are made anew, or when nothing of the project needs it any more.
func (d *differ) hold(id ObjectID, span source.Span, early bool) {
	var names []string
	for _, b := range d.live.BuiltOn[id] {
		if !d.goes(b.ID, early) {
			text := b.Text
			if b.Owner != "" {
				text += " (owner " + printed(RoleID(b.Owner)) + ")"
			}
			names = append(names, text)
		}
	}
	if len(names) == 0 {
		return
	}
	if span.IsZero() {
		span = d.place()
	}
	slices.Sort(names)
	d.diags.Fail(CodeBuiltOn, span, fmt.Sprintf("%s %s has to be dropped, and %s needs it", id.Kind, printed(id), strings.Join(names, ", ")),
		"Postgres drops nothing that something else needs, and Postern nothing that is not the project's. Keep its definition, drop it, apply, and make it again: best over the table itself.")
}

// goes reports whether the plan itself drops what is built on an object, before
// the object is dropped.
func (d *differ) goes(id ObjectID, early bool) bool {
	_, recorded := d.live.Records[id]
	switch id.Kind { //nolint:exhaustive // everything else is somebody else's
	case KindPolicy:
		if early {
			return false
		}
		table := d.want.Scope.Tables[id.Table()]
		return recorded || table != nil && !table.Additive
	case KindView, KindFunction:
		return recorded && !early
	}
	return false
}
