package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
)

// queryBoundBy lists what goes by the rights of the owners of some tables, or
// copies these tables: views with their owner's rights and materialized views
// that read them, however indirectly; functions with their owner's rights,
// whose bodies cannot be searched; publications; and subscriptions that write
// to them. $1: array of table oids.
const queryBoundBy = `WITH RECURSIVE bound AS (SELECT oid, relnamespace, relname, relowner FROM pg_class WHERE oid = ANY ($1::oid[])),
reads(oid, owner) AS (
	SELECT oid, relowner FROM bound
	UNION SELECT w.ev_class, r.owner FROM reads r
		JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.classid = 'pg_rewrite'::regclass
		JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_class <> r.oid)
SELECT pg_get_userbyid(r.owner), CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, n.nspname, v.relname
FROM reads r JOIN pg_class v ON v.oid = r.oid AND v.relowner = r.owner AND v.relkind IN ('v', 'm') JOIN pg_namespace n ON n.oid = v.relnamespace
WHERE NOT coalesce((SELECT bool_or(option_value::boolean) FROM pg_options_to_table(v.reloptions) WHERE option_name = 'security_invoker'), false)
UNION SELECT pg_get_userbyid(f.proowner), 'function', n.nspname, f.proname
FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE f.prosecdef AND f.proowner IN (SELECT relowner FROM bound) AND n.nspname NOT IN ('pg_catalog', 'information_schema')
UNION SELECT pg_get_userbyid(b.relowner), 'publication', '', p.pubname
FROM bound b JOIN pg_namespace n ON n.oid = b.relnamespace JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = b.relname
UNION SELECT pg_get_userbyid(b.relowner), 'subscription', '', s.subname
FROM bound b JOIN pg_subscription_rel r ON r.srrelid = b.oid JOIN pg_subscription s ON s.oid = r.srsubid`

// nameBound completes the hazards of owners that become bound with what is
// there that goes by their rights.
func nameBound(ctx context.Context, conn *pgx.Conn, live *Live, p *plan.Plan) error {
	hazards := map[string]int{} // owner, as printed -> index
	var oids []string
	for i, h := range p.Hazards {
		if binds, ok := h.(plan.BindsOwner); ok {
			hazards[binds.Owner] = i
			for id, facts := range live.Facts {
				if slices.Contains(binds.Tables, printed(id)) {
					oids = append(oids, facts.oid)
				}
			}
		}
	}
	if len(oids) == 0 {
		return nil
	}
	found := map[string][]string{}
	err := newReader(conn.PgConn()).run(ctx, &catalogQuery{
		name: "what goes by the owners' rights", sql: queryBoundBy, args: [][]byte{oidArray(oids)},
		each: func(r row) error {
			name := printed(TableID(r.text(2), r.text(3)))
			if r.text(2) == "" {
				name = printed(RoleID(r.text(3)))
			}
			owner := printed(RoleID(r.text(0)))
			found[owner] = append(found[owner], r.text(1)+" "+name)
			return nil
		},
	})
	if err != nil {
		return err
	}
	for owner, i := range hazards {
		binds, ok := p.Hazards[i].(plan.BindsOwner)
		if !ok {
			continue
		}
		binds.Affects = found[owner]
		slices.Sort(binds.Affects)
		p.Hazards[i] = binds
	}
	return nil
}
