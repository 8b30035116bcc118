package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
)

// Outside is what somebody has put over or on a declared table besides policies
// and grants: a view that reads it with its owner's rights, a function that acts
// with the rights of somebody whom policies do not hold for, a trigger, a rule.
// The project neither makes nor drops these. What stood when a plan was applied
// last is on record; what came or changed since is drift.
type Outside struct {
	ID    ObjectID // Sub: its kind, for a function with its arguments
	Kind  string   // view, materialized view, function, trigger, rule, event trigger
	Text  string   // what it is over and whose rights it has, for the plan
	Owner string
	Name  string // as the plan names it
	hash  string // of its definition, its owner and who may use it
}

// kindOutside is the kind of the records. One without a name says that there are
// records of this kind at all: an earlier version made none.
const kindOutside Kind = "outside"

// queryOutside lists them. Views are found through others, and left out where
// they ask with the rights of who reads them; functions by what their owner may
// do, since their text tells only half of what they read. What belongs to an
// extension came with it. $1: array of table oids, $2: JSON names of generated
// schemas.
const queryOutside = `WITH RECURSIVE rels AS MATERIALIZED (SELECT unnest($1::oid[]) AS oid),
made AS MATERIALIZED (
	SELECT oid FROM pg_namespace WHERE nspname::text IN (SELECT json_array_elements_text($2::json))),
over(oid, base) AS (
	SELECT oid, oid FROM rels
	UNION SELECT w.ev_class, over.base FROM over
		JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = over.oid AND d.classid = 'pg_rewrite'::regclass
		JOIN pg_rewrite w ON w.oid = d.objid AND w.rulename = '_RETURN' AND w.ev_class <> over.oid),
views AS (
	SELECT over.oid, string_agg(format('%I.%I', bn.nspname, b.relname), ', ' ORDER BY bn.nspname, b.relname) AS bases
	FROM over JOIN pg_class b ON b.oid = over.base JOIN pg_namespace bn ON bn.oid = b.relnamespace
	WHERE over.oid <> over.base GROUP BY over.oid),
keepers AS MATERIALIZED (
	SELECT r.oid FROM pg_roles r WHERE r.rolsuper OR r.rolbypassrls OR EXISTS (
		SELECT FROM (SELECT DISTINCT relowner FROM pg_class WHERE oid IN (SELECT oid FROM rels)) AS o
		WHERE pg_has_role(r.oid, o.relowner, 'USAGE')))
SELECT CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, n.nspname, c.relname, '', pg_get_userbyid(c.relowner), v.bases,
	md5(concat_ws(' ', pg_get_viewdef(c.oid), c.relowner, c.reloptions::text, c.relacl::text))
FROM views v JOIN pg_class c ON c.oid = v.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.oid NOT IN (SELECT oid FROM made) AND n.nspname !~ '^pg_'
	AND NOT coalesce(c.reloptions, '{}') && '{security_invoker=true,security_invoker=on,security_invoker=1,security_invoker=yes}'
UNION ALL
SELECT 'function', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_userbyid(p.proowner), '',
	md5(concat_ws(' ', p.prosrc, p.proowner, p.proconfig::text, p.proacl::text, p.prolang, to_jsonb(p) ->> 'prosqlbody'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND p.proowner IN (SELECT oid FROM keepers) AND n.oid NOT IN (SELECT oid FROM made)
	AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT 'trigger', n.nspname, c.relname, t.tgname, pg_get_userbyid(p.proowner),
	format('%I.%I(%s)', fn.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
	md5(concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled, p.prosrc, p.proowner, p.prosecdef, p.proconfig::text))
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace fn ON fn.oid = p.pronamespace
WHERE t.tgrelid IN (SELECT oid FROM rels) AND NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
SELECT 'rule', n.nspname, c.relname, w.rulename, pg_get_userbyid(c.relowner), '',
	md5(concat_ws(' ', pg_get_ruledef(w.oid), w.ev_enabled))
FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE w.ev_class IN (SELECT oid FROM rels) AND w.rulename <> '_RETURN'
UNION ALL
SELECT 'event trigger', '', e.evtname, '', pg_get_userbyid(e.evtowner),
	format('%I.%I(%s)', fn.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
	md5(concat_ws(' ', e.evtevent, e.evtenabled, e.evttags::text, e.evtfoid, p.prosrc, p.proowner, p.prosecdef, p.proconfig::text))
FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace fn ON fn.oid = p.pronamespace
WHERE NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_event_trigger'::regclass AND x.objid = e.oid AND x.deptype = 'e')`

// readOutside reads what stands over and on the tables in scope. It is no part
// of the fingerprint: a plan changes none of it.
func readOutside(ctx context.Context, conn *pgconn.PgConn, live *Live) error {
	live.Outside = map[ObjectID]*Outside{}
	var tables []string
	for _, facts := range live.Facts {
		tables = append(tables, facts.oid)
	}
	return newReader(conn).run(ctx, &catalogQuery{
		name: "what stands over the tables", sql: queryOutside, args: [][]byte{oidArray(tables), jsonArg(live.generatedSchemas())},
		each: func(r row) error {
			o := &Outside{Kind: r.text(0), Owner: r.text(4), hash: r.text(6)}
			o.ID = ObjectID{Kind: kindOutside, Schema: r.text(1), Name: r.text(2), Sub: strings.TrimSpace(o.Kind + " " + r.text(3))}
			owned := "owned by " + printed(RoleID(o.Owner))
			switch o.Kind {
			case "view", "materialized view":
				o.Name, o.Text = printed(TableID(r.text(1), r.text(2))), "over "+r.text(5)+", "+owned
			case "function":
				o.Name, o.Text = printed(FunctionID(r.text(1), r.text(2), r.text(3))), "SECURITY DEFINER, "+owned
			case "trigger":
				o.Name, o.Text = printed(PolicyID(TableID(r.text(1), r.text(2)), r.text(3))), "calls "+r.text(5)
			case "rule":
				o.Name, o.Text = printed(PolicyID(TableID(r.text(1), r.text(2)), r.text(3))), owned
			default:
				o.Name, o.Text = printed(RoleID(r.text(2))), "calls "+r.text(5)+", "+owned
			}
			live.Outside[o.ID] = o
			return nil
		},
	})
}

// compareOutside tells what has come or changed since a plan was applied last.
// It stays: apply writes down that it is there, and audit says what to do.
func (d *differ) compareOutside() {
	if _, kept := d.live.Records[ObjectID{Kind: kindOutside}]; !kept {
		return
	}
	ids := sortedIDs(d.live.Outside)
	for _, id := range ids {
		o, record := d.live.Outside[id], d.live.Records[id]
		if record.Desired == o.hash {
			continue
		}
		was := "not there when a plan was applied last"
		if record.Desired != "" {
			was = "another one when a plan was applied last"
		}
		d.add(item{phase: phaseRecord, id: id, change: plan.Modify{
			About: plan.About{
				Object: plan.Object{Kind: plan.Kind("outside " + o.Kind), Name: o.Name}, Span: d.place(),
				Reason: "made outside this project; apply leaves it as it is", Drift: true,
			},
			Before: o.Text, After: was,
		}})
	}
}

// recordOutside adds to the records what stands there.
func (d *differ) recordOutside(records map[ObjectID]Record) {
	if d.live.Outside == nil {
		return
	}
	records[ObjectID{Kind: kindOutside}] = Record{Desired: fmt.Sprint(len(d.live.Outside))}
	for id, o := range d.live.Outside {
		records[id] = Record{Desired: o.hash}
	}
}

// goneOutside are the records of what is there no more.
func (d *differ) goneOutside() []ObjectID {
	var out []ObjectID
	for id := range d.live.Records {
		if id.Kind == kindOutside && id.Name != "" && d.live.Outside[id] == nil {
			out = append(out, id)
		}
	}
	return slices.SortedFunc(slices.Values(out), ObjectID.Compare)
}
