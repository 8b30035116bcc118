package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// queryReach reads the roles named and all whose rights they may have, with
// what makes policies not hold for them. $1: JSON role names.
const queryReach = `WITH RECURSIVE up(oid) AS (
	SELECT oid FROM pg_catalog.pg_roles WHERE rolname::text IN (SELECT pg_catalog.json_array_elements_text($1::json))
	UNION SELECT m.roleid FROM up JOIN pg_catalog.pg_auth_members m ON m.member = up.oid)
SELECT r.rolname, r.rolsuper, r.rolbypassrls,
	(SELECT json_agg(json_build_array(g.rolname, coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit),
		coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)))
	FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid)
FROM up JOIN pg_catalog.pg_roles r ON r.oid = up.oid`

// queryFuzzy reads the columns of tables that take different texts for equal.
// $1: JSON [{"schema","name"}].
const queryFuzzy = `SELECT n.nspname, c.relname, a.attname
FROM json_to_recordset($1::json) AS t(schema text, name text)
	JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
	JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
	JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation AND NOT o.collisdeterministic`

// readRoles reads who has the rights of whom, as far as it can matter to the
// tables.
func (a *accessReader) readRoles(ctx context.Context, conn *pgx.Conn) error {
	names := map[string]bool{}
	for h := range a.live.Grants {
		if !h.Grantee.Public {
			names[h.Grantee.Role] = true
		}
	}
	for id := range a.live.Roles {
		names[id.Name] = true
	}
	for key := range a.live.Memberships {
		names[key.Member], names[key.Role] = true, true
	}
	for _, t := range a.live.Tables {
		names[t.Owner] = true
	}
	for _, p := range a.live.Policies {
		for _, g := range p.To {
			if !g.Public {
				names[g.Role] = true
			}
		}
	}
	a.roles, a.fuzzy = newRoleGraph(), map[ObjectID]map[string]bool{}
	err := newReader(conn.PgConn()).run(ctx, &catalogQuery{
		name: "roles", sql: queryReach, args: [][]byte{jsonArg(slices.Sorted(maps.Keys(names)))}, each: a.reached,
	}, &catalogQuery{
		name: "collations", sql: queryFuzzy, args: [][]byte{jsonArg(ScopeOf(a.want).Tables)},
		each: func(r row) error {
			id := TableID(r.text(0), r.text(1))
			if a.fuzzy[id] == nil {
				a.fuzzy[id] = map[string]bool{}
			}
			a.fuzzy[id][r.text(2)] = true
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("reading who may do what: %w", err)
	}
	return nil
}

func (a *accessReader) reached(r row) error {
	name := r.text(0)
	a.roles.powers[name] = rolePowers{super: r.bool(1), bypass: r.bool(2)}
	var list [][3]any
	if err := fromJSON(r[3], &list); err != nil {
		return err
	}
	for _, m := range list {
		role, _ := m[0].(string)
		inherit, _ := m[1].(bool)
		set, _ := m[2].(bool)
		a.roles.add(&Membership{MembershipKey: MembershipKey{Role: role, Member: name}, Inherit: inherit, Set: set})
	}
	return nil
}
