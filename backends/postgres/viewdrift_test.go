package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
)

// described is a plan in words, with its statements.
func described(p *plan.Plan) string {
	var out strings.Builder
	for _, c := range p.Changes {
		before, after := plan.Texts(c)
		out.WriteString(string(plan.ActionOf(c)) + " " + c.What().Object.String() + " " + c.What().Reason + "\n" + before + "\n" + after + "\n")
	}
	for _, s := range p.Statements {
		out.WriteString(s.Text() + "\n")
	}
	return out.String()
}

// heal applies the plan that a program makes of a database, and makes sure
// that nothing is left to do.
func heal(t *testing.T, d *database, p *model.Program) string {
	t.Helper()
	made := planFor(t, d.admin, p, p.Datasources[0])
	if err := postgres.Apply(ctx, d.admin, made, postgres.ApplyOptions{Secrets: secrets}); err != nil {
		t.Fatal(err)
	}
	requireNothing(t, planFor(t, d.admin, p, p.Datasources[0]))
	return described(made)
}

func TestViewDriftIsFoundAndHealed(t *testing.T) {
	t.Parallel()
	d, p := staffed(t, "viewdrift")
	execute(t, d.admin, "CREATE ROLE viewdrift_x")
	t.Cleanup(func() { execute(t, d.admin, "DROP OWNED BY viewdrift_x; DROP ROLE viewdrift_x") })
	for _, c := range []struct{ name, sql, want string }{
		{"unmasked", `CREATE OR REPLACE VIEW V.people AS SELECT id, team, name, ssn, salary, born FROM people`, `change view "viewdrift_role_views"."people" ` + plan.ReasonDrift},
		{"dropped", `DROP VIEW V.people`, "add view"},
		{"with a barrier, as earlier versions made them", `ALTER VIEW V.people SET (security_barrier = true)`, `RESET ("security_barrier")`},
		{"another option", `ALTER VIEW V.people SET (check_option = local)`, "RESET"},
		{"column renamed", `ALTER VIEW V.people RENAME COLUMN ssn TO number`, "DROP VIEW"},
		{"given away", `ALTER VIEW V.people OWNER TO viewdrift_x`, "OWNER TO"},
		{"grant to another", `GRANT SELECT ON V.people TO viewdrift_x`, "REVOKE"},
		{"grant on the table", `GRANT SELECT ON people TO viewdrift_role`, "REVOKE"},
		{"more for the account", `GRANT UPDATE (id, born) ON V.people TO viewdrift_role`, "REVOKE"},
		{"less for the owner", `REVOKE SELECT (ssn) ON people FROM viewdrift_role_views`, "GRANT"},
		{"member of the owner", `GRANT viewdrift_role_views TO viewdrift_role`, "REVOKE"},
		{"owner logs in", `ALTER ROLE viewdrift_role_views LOGIN`, "NOLOGIN"},
		{"schema opened", `GRANT CREATE ON SCHEMA V TO viewdrift_role`, "REVOKE"},
		{"schema given away", `ALTER SCHEMA V OWNER TO viewdrift_x`, "change schema"},
		{"path changed", `ALTER ROLE viewdrift_role_a SET search_path = public`, "search_path"},
		{"policy to the account", `CREATE POLICY x ON people TO viewdrift_role USING (true)`, "remove policy"},
		{"record lost", `DELETE FROM postern.objects WHERE kind IN ('view', 'schema')`, "record"},
	} {
		execute(t, d.admin, strings.NewReplacer("V.", "viewdrift_role_views.", "SCHEMA V ", "SCHEMA viewdrift_role_views ").Replace(c.sql))
		if got := heal(t, d, p); !strings.Contains(got, c.want) {
			t.Errorf("%s: the plan lacks %q:\n%s", c.name, c.want, got)
		}
	}
}

// A view goes when nothing needs it any more, with its schema and its owner,
// and the account holds its rights on the table itself.
func TestViewNoLongerNeeded(t *testing.T) {
	t.Parallel()
	d, p := staffed(t, "viewgone")
	heal(t, d, unmasked(t, "viewgone"))
	conn := loginOf(t, d, "viewgone_role")
	if got := values(t, conn, claimsUser, "SELECT name FROM people WHERE id = 1"); got != "Ada" {
		t.Errorf("sees %q", got)
	}
	var left []string
	if err := d.admin.QueryRow(ctx, `SELECT array(SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'viewgone\_%' UNION ALL
		SELECT nspname FROM pg_namespace WHERE nspname LIKE 'viewgone%' UNION ALL SELECT kind || ' ' || name FROM postern.objects WHERE kind IN ('view', 'schema')
		ORDER BY 1)`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(left, []string{"viewgone_role", "viewgone_role_a", "viewgone_role_b"}) {
		t.Errorf("left are %q", left)
	}
	heal(t, d, p)
	if got := values(t, loginOf(t, d, "viewgone_role"), claimsUser, "SELECT name FROM people WHERE id = 1"); got != "A…" {
		t.Errorf("sees %q", got)
	}
}

// The script makes the same views.
func TestViewScript(t *testing.T) {
	t.Parallel()
	p := compile(t, project(staff, "viewscript"))
	d := applied(t, p, staffTables)
	for _, c := range planFor(t, d.admin, p, p.Datasources[0]).Changes {
		if c.What().Object.Kind != "record" {
			t.Errorf("the plan after the script:\n%s", described(planFor(t, d.admin, p, p.Datasources[0])))
			break
		}
	}
}

// Through an adopted role the views are there, and found by their schema.
func TestViewOfAdoptedRole(t *testing.T) {
	t.Parallel()
	p := compile(t, strings.Replace(project(staff, "viewadopt"), `role        = "viewadopt_role"`, `role        = "viewadopt_role"
  managed     = false`, 1))
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	execute(t, d.admin, staffTables+"CREATE ROLE viewadopt_role")
	t.Cleanup(func() { execute(t, d.admin, "DROP OWNED BY viewadopt_role; DROP ROLE viewadopt_role") })
	applyTo(t, d.admin, p)
	execute(t, d.admin, "SET ROLE viewadopt_role")
	if got := values(t, d.admin, claimsUser, "SELECT name FROM viewadopt_role_views.people WHERE id = 1"); got != "A…" {
		t.Errorf("sees %q", got)
	}
	execute(t, d.admin, "RESET ROLE")
}

// A role that is no superuser can make the views, change them and drop them.
func TestViewsWithoutSuperuser(t *testing.T) {
	t.Parallel()
	p := compile(t, project(staff, "viewplain"))
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	d.name = d.admin.Config().Database
	execute(t, d.admin, staffTables+"CREATE ROLE viewplain_admin LOGIN CREATEROLE PASSWORD 'x'; ALTER DATABASE "+d.name+" OWNER TO viewplain_admin;"+
		"ALTER SCHEMA public OWNER TO viewplain_admin; ALTER TABLE people OWNER TO viewplain_admin")
	root := d.admin
	d.admin = connect(t, pgtest.Server(t).RoleURL("viewplain_admin", "x", d.name))
	applyTo(t, d.admin, p)
	requireNothing(t, planFor(t, root, p, p.Datasources[0]))
	if got := values(t, loginOf(t, d, "viewplain_role"), claimsUser, "SELECT name FROM people WHERE id = 1"); got != "A…" {
		t.Errorf("sees %q", got)
	}
	execute(t, d.admin, "CREATE OR REPLACE VIEW viewplain_role_views.people AS SELECT id, team, name, ssn, salary, born FROM people")
	heal(t, d, p)
	plain := compile(t, project(staff, "viewplain"))
	table := plain.Datasources[0].Tables[0]
	table.Masks = nil
	for _, target := range table.Policies {
		if target.Allows(model.View) {
			target.Columns = table.Columns[:3]
		}
	}
	heal(t, d, plain)
	execute(t, root, "ALTER DATABASE "+d.name+" OWNER TO CURRENT_USER; REASSIGN OWNED BY viewplain_admin TO CURRENT_USER")
}
