package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// gone changes everything that a project may change about objects that stay.
func (f fixture) gone(s *State) {
	login := s.Roles[RoleID(f.login)]
	login.ConnectionLimit = 7
	table := TableID(f.schema, f.table)
	delete(s.Grants, Holder{Object: SchemaID("postern"), Grantee: ToRole(f.account)})
	s.Grants.Add(GrantKey{Object: ColumnID(table, "amount"), Grantee: ToRole(f.account), Privilege: PrivilegeUpdate})
	me := s.Functions[FunctionID("postern", "me", "")]
	me.Body = "SELECT current_setting('postern.other', true)"
	three, name := "3", "new"
	groups := s.Generated[TableID("postern", "groups")]
	groups.Rows = append(slices.Clone(groups.Rows), []*string{&three, &name})
	s.Tables[table].Force = false
}

// While the source says something new, what was changed by hand is still told
// apart from it, object by object.
func TestHandChangesBesidePendingOnes(t *testing.T) {
	t.Parallel()
	const hand, pending = true, false
	cases := map[string]struct {
		sql  string // as in TestDriftIsFoundAndHealed
		want map[string]bool
	}{
		"nothing by hand": {"", map[string]bool{
			"role L": pending, "row postern.groups": pending, "function postern.me": pending, "grant schema postern": pending,
			"grant table public.deals": pending, "row security public.deals": pending,
		}},
		"role limit":        {`ALTER ROLE L CONNECTION LIMIT 99`, map[string]bool{"role L": hand, "function postern.me": pending}},
		"role setting":      {`ALTER ROLE L SET work_mem = '1GB'`, map[string]bool{"role L": hand}},
		"role dropped":      {`DROP ROLE L`, map[string]bool{"role L": hand, "membership L": hand}},
		"grant revoked":     {`REVOKE INSERT ON deals FROM A`, map[string]bool{"grant table public.deals": hand, "grant schema postern": pending}},
		"column revoked":    {`REVOKE SELECT (id) ON deals FROM A`, map[string]bool{"grant table public.deals": hand}},
		"more for account":  {`GRANT DELETE ON deals TO A`, map[string]bool{"grant table public.deals": hand}},
		"usage revoked":     {`REVOKE USAGE ON SCHEMA public FROM A`, map[string]bool{"grant schema public": hand, "grant table public.deals": pending}},
		"execute revoked":   {`REVOKE EXECUTE ON FUNCTION postern.me() FROM A`, map[string]bool{"grant function postern.me": hand, "function postern.me": pending}},
		"sequence revoked":  {`REVOKE USAGE ON SEQUENCE deals_id_seq FROM A`, map[string]bool{"grant sequence public.deals_id_seq": hand}},
		"granted elsewhere": {`CREATE TABLE other (id int); GRANT SELECT ON other TO A`, map[string]bool{"grant table public.other": hand}},
		"password":          {`ALTER ROLE L PASSWORD 'other'`, map[string]bool{"password L": hand, "role L": pending}},
		"function":          {`CREATE OR REPLACE FUNCTION postern.me() RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$SELECT 'x'$$`, map[string]bool{"function postern.me": hand, "role L": pending}},
		"row":               {`UPDATE postern.groups SET name = 'y'`, map[string]bool{"row postern.groups": hand}},
		"row security":      {`ALTER TABLE deals DISABLE ROW LEVEL SECURITY`, map[string]bool{"row security public.deals": hand}},
		"member revoked":    {`REVOKE A FROM L`, map[string]bool{"membership L": hand}},
		"policy":            {`ALTER POLICY "create" ON deals WITH CHECK (true)`, map[string]bool{"policy create": hand, "role L": pending}},
		"owner":             {`ALTER TABLE deals OWNER TO X`, map[string]bool{"owner public.deals": hand}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := plainFixture("pending " + name)
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, f.ddl())
			outside := "pending " + name + " x"
			execute(t, conn, "CREATE ROLE "+quoted(t, outside))
			apply(t, conn, makePlan(t, conn, f.state()))
			execute(t, conn, forRoles(t, f, outside, c.sql))
			want := f.state()
			f.gone(want)
			p := makePlan(t, conn, want)
			got := map[string]bool{}
			for _, change := range p.Changes {
				about := change.What()
				text := strings.ReplaceAll(strings.ReplaceAll(about.Object.String(), `"`, ""), f.login, "L")
				for object := range c.want {
					if strings.HasPrefix(text, object) {
						got[object] = got[object] || about.Drift
					}
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("by hand %v, want %v\n%s", got, c.want, describe(p))
			}
			apply(t, conn, p)
			requireEmpty(t, conn, want)
			execute(t, conn, "DROP OWNED BY "+quoted(t, outside))
		})
	}
}

// A password that the source has changed is no drift.
func TestNewPasswordIsNoDrift(t *testing.T) {
	t.Parallel()
	f := plainFixture("new password")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl())
	want := f.state()
	apply(t, conn, makePlan(t, conn, want))
	p, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: testDatasource(), Created: time.Unix(0, 0), Secrets: testSecrets("another")})
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	for _, c := range p.Changes {
		if about := c.What(); about.Object.Kind == "password" && !about.Drift {
			return
		}
	}
	t.Errorf("the plan has no new password that is not drift:\n%s", describe(p))
}

// A new owner is told, is no statement, and is on record afterwards.
func TestOwnerChangeIsTold(t *testing.T) {
	t.Parallel()
	f := plainFixture("new owner")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl())
	want := f.state()
	apply(t, conn, makePlan(t, conn, want))
	execute(t, conn, `CREATE ROLE "next owner"; ALTER TABLE deals OWNER TO "next owner"`)
	p := makePlan(t, conn, want)
	if len(p.Changes) != 1 || p.Changes[0].What().Object != (plan.Object{Kind: "owner", Name: `"public"."deals"`}) || !p.Changes[0].What().Drift {
		t.Errorf("the plan is not the owner alone:\n%s", describe(p))
	}
	apply(t, conn, p)
	requireEmpty(t, conn, want)
	if owner := rows(t, conn, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'deals'::regclass"); owner[0] != "next owner" {
		t.Errorf("the owner is %s", owner)
	}
}
