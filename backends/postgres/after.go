package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// After is what a database holds once the statements of a plan have run, inside
// the transaction that ran them; l is what was read when that began. Only what
// an audit goes by is read again: records, the functions of generated schemas,
// keys that to-one relations need, and policies that others have changed in the
// meantime. Of the policies that this transaction made it wrote the records, of
// what the catalog showed: these count as applied.
func (l *Live) After(ctx context.Context, conn *pgx.Conn) (*Live, error) {
	state, live := *l.State, *l
	state.Functions, state.Tables, state.Policies = map[ObjectID]*Function{}, maps.Clone(l.Tables), maps.Clone(l.Policies)
	live.State, live.Records, live.written = &state, nil, map[ObjectID]bool{}
	live.Facts, live.Keys = maps.Clone(l.Facts), map[ObjectID][]UniqueKey{}
	in := &inspection{reader: newReader(conn.PgConn()), scope: l.Scope, live: &live, oids: map[string]ObjectID{}}
	if err := in.rereadRecords(ctx); err != nil {
		return nil, err
	}
	for id, facts := range l.Facts {
		in.oids[facts.oid] = id
	}
	err := in.run(ctx,
		&catalogQuery{name: "functions", sql: queryFunctions, args: [][]byte{jsonArg(live.generatedSchemas())}, each: in.function},
		&catalogQuery{name: "tables of relations", sql: queryRelations, args: [][]byte{jsonArg(l.Scope.Keyed)}, each: in.relation},
		&catalogQuery{name: "policies", sql: queryPoliciesSince, args: [][]byte{[]byte(l.horizon)}, each: func(r row) error {
			if _, known := in.oids[r.text(0)]; !known {
				return nil
			}
			return in.policy(r)
		}},
	)
	if err != nil {
		return nil, err
	}
	return &live, in.run(ctx, &catalogQuery{name: "unique keys", sql: queryKeys, args: [][]byte{oidArray(in.keyed())}, each: in.uniqueKey})
}

// rereadRecords reads the table postern.objects where there is one that may be
// read.
func (in *inspection) rereadRecords(ctx context.Context) error {
	at := slices.IndexFunc(in.scope.Generated, func(g plan.GeneratedName) bool { return g.Name == tableObjects })
	if at < 0 {
		return nil
	}
	table := TableID(in.scope.Generated[at].Schema, tableObjects)
	name, err := build(func(b *sqltext.Builder) { b.Qualified(table.Schema, table.Name) })
	if err != nil {
		return err
	}
	readable := false
	err = in.run(ctx, &catalogQuery{
		name: "the right to read records", args: [][]byte{[]byte(name)},
		sql: `SELECT coalesce(has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(c.relnamespace, 'USAGE'), false)
			FROM pg_class c WHERE c.oid = to_regclass($1::text)`,
		each: func(r row) error { readable = r.bool(0); return nil },
	})
	if err != nil || !readable {
		return err
	}
	query, err := build(func(b *sqltext.Builder) {
		b.Raw("SELECT kind, schema, name, sub, desired, live, xmin IS NOT DISTINCT FROM pg_current_xact_id_if_assigned()::xid FROM ").Qualified(table.Schema, table.Name)
	})
	if err != nil {
		return err
	}
	in.live.Records = map[ObjectID]Record{}
	return in.run(ctx, &catalogQuery{name: "records", sql: string(query), each: func(r row) error {
		if r.bool(6) {
			in.live.written[recordID(r)] = true
		}
		return in.record(r)
	}})
}
