package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/audit"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// Each way past the protection is made, found, and gone once the statements
// that are given against it have run. N is the test's name, which its roles
// begin with: @owner owns the tables, @app is the account, @login its login,
// @x a role outside and @y a login that is a member of it.
func TestWaysPast(t *testing.T) {
	t.Parallel()
	for _, c := range ways {
		if c.name == "invoker inside" && old(t) {
			continue // views of an invoker came with PostgreSQL 15
		}
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			name := strings.NewReplacer("-", "_", " ", "_", ",", "").Replace("a_" + c.rule + "_" + c.name)
			if len(name) > 50 {
				t.Fatalf("%s is too long for a role's name", name)
			}
			g := apply(t, name)
			here := strings.NewReplacer("N_", name+"_", "postern_N", "postern_"+name, "database D", "database "+g.conn.Config().Database, " in D", " in "+g.conn.Config().Database)
			object := here.Replace(c.object)
			if c.untrusted {
				g.want.Scope.Denied = append(g.want.Scope.Denied, postgres.GrantRule{Object: postgres.DatabaseID(), Grantee: postgres.Public(), Privilege: postgres.PrivilegeTemporary})
			}
			if f, there := find(g.audit(t), c.rule, object); there {
				t.Fatalf("it is found before it is made: %+v", f)
			}
			after := g.beside(t)
			g.run(t, c.sql)
			report := g.audit(t)
			after(report)
			f, there := find(report, c.rule, object)
			if !there {
				t.Fatalf("not found: %s on %s, but %s", c.rule, object, summary(report))
			}
			who := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(c.who, "N_", name+"_"), "*", strings.Join(f.Who, " ")))
			if f.Severity != c.severity || !slices.Equal(f.Who, who) {
				t.Errorf("%s %v (%s), want %s %v", f.Severity, f.Who, f.Effect, c.severity, who)
			}
			if c.effect != "" && !strings.Contains(f.Effect, strings.ReplaceAll(c.effect, "N_", name+"_")) {
				t.Errorf("effect %q, want %q", f.Effect, c.effect)
			}
			if f.Effect == "" || len(f.Fix) == 0 && c.rule != "key-oracle" {
				t.Errorf("it does not say what it lets do, or what ends it: %+v", f)
			}
			if f.Declared && f.Object.Kind == "table" && f.Span.IsZero() && !strings.Contains(object, "postern.") {
				t.Errorf("no place: %+v", f)
			}
			if closed[c.rule+"/"+c.name] {
				g.statement(t, "BEGIN")
				g.end(t, f)
				again, err := audit.In(t.Context(), g.conn, g.want)
				if err != nil {
					t.Fatal(err)
				}
				g.statement(t, "ROLLBACK")
				if f, there := find(again, c.rule, object); there {
					t.Errorf("it is still there after %q: %+v", f.Fix, f)
				}
				g.apply(t)
			} else {
				g.end(t, f)
			}
			if f, there := find(g.audit(t), c.rule, object); there && len(f.Fix) > 0 {
				t.Errorf("it is still there after %q, or an apply: %+v", f.Fix, f)
			}
		})
	}
}

func summary(r *audit.Report) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, string(f.Severity)+" "+f.Rule+" "+f.Object.String()+" "+strings.Join(f.Who, ","))
	}
	return strings.Join(out, "\n")
}

// Every rule is tried, and every way that an apply closes is one of them.
func TestEveryRuleHasAWay(t *testing.T) {
	t.Parallel()
	worst, known := map[string]audit.Severity{}, map[string]bool{}
	for _, c := range ways {
		known[c.rule+"/"+c.name] = true
		if s, ok := worst[c.rule]; !ok || c.severity.AtLeast(s) {
			worst[c.rule] = c.severity
		}
	}
	for name := range closed {
		if !known[name] {
			t.Errorf("there is no way %s", name)
		}
	}
	for _, r := range audit.Rules() {
		if worst[r.Name] != r.Severity {
			t.Errorf("rule %s says %s, the worst case of it is %q", r.Name, r.Severity, worst[r.Name])
		}
	}
}

// A database that only the project was applied to has nothing to complain of.
func TestAppliedIsClean(t *testing.T) {
	t.Parallel()
	g := apply(t, "a_clean")
	for _, f := range g.audit(t).Findings {
		if f.Severity.AtLeast(audit.Low) && (f.Declared || strings.Contains(f.Object.Name, "a_clean")) {
			t.Errorf("%+v", f)
		}
	}
}

// A role without any privilege finds the same.
func TestAuditNeedsNoPrivilege(t *testing.T) {
	t.Parallel()
	g := apply(t, "a_weak")
	g.run(t, `CREATE VIEW v AS SELECT * FROM deals; GRANT SELECT ON v TO @x; GRANT @owner TO @x; CREATE POLICY p ON deals USING (true);
		ALTER POLICY "postern_a_weak_app_view" ON deals USING (true); SELECT lo_create(1); GRANT SELECT ON LARGE OBJECT 1 TO PUBLIC;
		CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM deals'; CREATE ROLE a_weak_reader LOGIN PASSWORD 'weak'`)
	conn := connect(t, pgtest.Server(t).RoleURL("a_weak_reader", "weak", g.conn.Config().Database))
	got, err := audit.Run(t.Context(), conn, g.want)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range g.audit(t).Findings {
		if !strings.Contains(f.Object.Name+strings.Join(f.Who, " "), "a_weak") && !f.Declared {
			continue // of another test's roles, which come and go
		}
		if _, there := find(got, f.Rule, f.Object.String()); !there {
			t.Errorf("not found by a role without privileges: %+v", f)
		}
	}
	if _, there := find(got, "policy-changed", "policy postern_a_weak_app_view on public.deals"); !there {
		t.Error("records are read by everybody")
	}
	if len(got.Unseen) < 2 {
		t.Errorf("unseen: %q", got.Unseen)
	}
}

// masked makes the project show less of a column to some: through views.
var masked = strings.Replace(project, "allow = [view, edit, create, delete]", "allow = [view]", 1) + `
group "staff" { description = "d" }
mask "body" {
  description = "d"
  on      = [table.crm.deals]
  columns = ["body"]
  unless  = [group.staff]
  with    = first(1)
}
report "mine" {
  description = "d"
  from  = table.crm.deals
  where = record.owner == user.id
  to    = [access_level.user]
}
`

// Views that the project makes are no finding while they are as it made them.
func TestGeneratedViews(t *testing.T) {
	t.Parallel()
	g := applyProject(t, "a_masked", masked)
	if len(g.want.Views) == 0 {
		t.Fatal("the project has no views")
	}
	for _, f := range g.audit(t).Findings {
		if f.Severity.AtLeast(audit.Low) && (f.Declared || strings.Contains(f.Object.Name, "a_masked")) {
			t.Errorf("%+v", f)
		}
	}
	g.run(t, `ALTER VIEW a_masked_app_views.mine RESET (security_barrier)`)
	if f, there := find(g.audit(t), "view-no-barrier", "view a_masked_app_views.mine"); !there || !slices.Contains(f.Who, "a_masked_app_a") {
		t.Errorf("a report without its barrier: %+v", f)
	}
	g.apply(t)
	const view = `"a_masked_app_views"."deals"`
	g.run(t, `CREATE OR REPLACE VIEW `+view+` WITH (security_barrier) AS SELECT id, owner, body, payer FROM deals; ALTER VIEW `+view+` OWNER TO postgres`)
	report := g.audit(t)
	f, there := find(report, "view-owner-rights", "view a_masked_app_views.deals")
	if !there || f.Severity != audit.Critical || !slices.Contains(f.Who, "a_masked_app_a") {
		t.Errorf("a view that was changed: %+v in\n%s", f, summary(report))
	}
	g.apply(t)
	if f, there := find(g.audit(t), "view-owner-rights", "view a_masked_app_views.deals"); there {
		t.Errorf("after an apply: %+v", f)
	}
	g.run(t, `ALTER VIEW `+view+` OWNER TO postgres`)
	if _, there := find(g.audit(t), "view-owner-rights", "view a_masked_app_views.deals"); !there {
		t.Error("a view that was given to a superuser is not found")
	}
}
