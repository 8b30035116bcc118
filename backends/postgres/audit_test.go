package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// TestAuditFindings changes a good project in one place each and looks at the
// codes, and at whether each finding has a place.
func TestAuditFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, new string
		change   func(*model.Program)
		want     []diag.Code
	}{
		"nothing": {want: nil},
		"group that no role can be": {change: func(p *model.Program) {
			p.Datasources[0].Identity = model.IdentityRole
			p.Groups = append(p.Groups, &model.Group{Name: "public", Closure: []string{"public"}, Span: p.Datasources[0].Span})
		}, want: []diag.Code{postgres.CodeName}},
		"forgeable identity":  {change: func(p *model.Program) { p.Apps[0].Connects[0].Untrusted = true }, want: []diag.Code{postgres.CodeUntrusted}},
		"role name":           {change: func(p *model.Program) { p.Accounts[0].Role = "pg_x" }, want: []diag.Code{postgres.CodeName}},
		"role of the project": {change: func(p *model.Program) { p.Accounts[0].Role = postgres.OwnerRole(p.Project) }, want: []diag.Code{postgres.CodeName}},
		"role of a login": {change: func(p *model.Program) {
			second := *p.Accounts[0]
			second.Name, second.Role = "second", p.Accounts[0].Role+"_a"
			p.Datasources[0].Accounts = append(p.Datasources[0].Accounts, &second)
		}, want: []diag.Code{postgres.CodeName}},
		"long table name":      {change: func(p *model.Program) { p.Tables[0].SQLName = strings.Repeat("x", 64) }, want: []diag.Code{postgres.CodeName}},
		"read-only with write": {change: func(p *model.Program) { p.Accounts[0].ReadOnly = true }, want: []diag.Code{postgres.CodeReadOnly, postgres.CodeReadOnly, postgres.CodeReadOnly}},
		"columns differ": {change: func(p *model.Program) {
			p.Tables[0].Policies[2].Allow = []model.Action{model.Edit}
			p.Tables[0].Policies[2].Columns = p.Tables[0].Columns[:1]
		}, want: []diag.Code{postgres.CodeColumns}},
		"written and not always seen": {old: `  when    = record.region == "public"
  columns = except(["secret"])`, new: `  when    = record.region == "public"
  columns = except(["secret", "region"])`, want: []diag.Code{postgres.CodeWritten}},
		"written and masked": {change: func(p *model.Program) {
			mask(p, "region", &model.MaskConstant{Type: model.String, Value: "***"})
		}, want: []diag.Code{postgres.CodeWritten}},
		"masked by too much": {change: func(p *model.Program) {
			p.Tables[0].Column("secret").Native = "character varying(2)"
			mask(p, "secret", &model.MaskConstant{Type: model.String, Value: "***"})
			p.Tables[0].Policies[0].Columns = p.Tables[0].Columns
		}, want: []diag.Code{postgres.CodeMask}},
		"schema of the views":    {change: func(p *model.Program) { p.Tables[0].Schema = "audit_role_views" }, want: []diag.Code{postgres.CodeViewName}},
		"one name for two views": {change: twoTables, want: []diag.Code{postgres.CodeViewName}},
		"float in a condition": {
			old: `column "owner"  { type = string }`, new: "column \"owner\"  { type = string }\n  column \"f\" {\n    type = number\n    native = \"double precision\"\n  }",
			change: func(p *model.Program) { compareColumn(p, "f") }, want: []diag.Code{postgres.CodeType},
		},
		"citext in a condition":    {change: func(p *model.Program) { p.Tables[0].Column("region").Native = "public.citext" }, want: []diag.Code{postgres.CodeType, postgres.CodeType}},
		"tstzrange in a condition": {change: func(p *model.Program) { p.Tables[0].Column("region").Native = "tstzrange" }, want: []diag.Code{postgres.CodeType, postgres.CodeType}},
		"money in a condition":     {change: func(p *model.Program) { p.Tables[0].Column("region").Native = "money" }, want: []diag.Code{postgres.CodeType, postgres.CodeType}},
		"regclass in a condition":  {change: func(p *model.Program) { p.Tables[0].Column("region").Native = "regclass" }, want: []diag.Code{postgres.CodeType, postgres.CodeType}},
		"point in a condition":     {change: func(p *model.Program) { p.Tables[0].Column("region").Native = "point" }, want: []diag.Code{postgres.CodeType, postgres.CodeType}},
		"directory by date":        {change: func(p *model.Program) { p.Identity.Key.Type = model.DateType }, want: []diag.Code{postgres.CodeType}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hcl := project(crm, "audit")
			if c.old != "" && !strings.Contains(hcl, c.old) {
				t.Fatal("the project does not hold what is to be replaced")
			}
			p := compile(t, strings.Replace(hcl, c.old, c.new, 1))
			if c.change != nil {
				c.change(p)
			}
			var got []diag.Code
			for _, d := range (postgres.Emitter{}).Audit(p) {
				got = append(got, d.Code)
				if d.Span.IsZero() || d.Detail == "" {
					t.Errorf("without a place or a way out: %s", d.Error())
				}
			}
			got = slices.Compact(got)
			if diff := cmp.Diff(slices.Compact(slices.Clone(c.want)), got); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
			if state, _ := postgres.Desired(p, p.Datasources[0]); (state == nil) != (len(c.want) > 0) {
				t.Errorf("a state is made: %v", state != nil)
			}
		})
	}
}

// twoTables makes a second table of the first one's name in another schema, and
// masks both.
func twoTables(p *model.Program) {
	second := *p.Tables[0]
	second.Name, second.Schema = "second", "other"
	p.Datasources[0].Tables = append(p.Datasources[0].Tables, &second)
	for _, t := range p.Datasources[0].Tables {
		t.Masks = []*model.MaskTarget{{Mask: &model.Mask{Name: "m", With: model.MaskNull{}}, Table: t, Columns: t.Columns[1:2], Span: t.Span}}
		for _, target := range t.Policies {
			target.Allow = []model.Action{model.View}
		}
	}
}

// mask puts a mask on a column of the first table, which leaves superusers out.
func mask(p *model.Program, column string, with model.MaskFn) {
	t := p.Tables[0]
	t.Masks = append(t.Masks, &model.MaskTarget{
		Mask:  &model.Mask{Name: "m", Unless: []model.Subject{model.LevelSubject{Level: p.Levels[2]}}, With: with, Span: t.Span},
		Table: t, Columns: []*model.Column{t.Column(column)}, Span: t.Span,
	})
}

// compareColumn adds a comparison of a column with itself to the first policy.
func compareColumn(p *model.Program, name string) {
	table := p.Tables[0]
	target := table.Policies[0]
	ref := &model.ColumnRef{Node: model.Node{Type: model.Number}, Row: &model.Row{Name: "record", Table: table}, Column: table.Column(name)}
	target.When.Holds = model.AllOf(target.When.Holds, &model.Compare{Op: model.Equal, X: ref, Y: ref})
}

// TestRelationFindings looks at what conditions over related records may not
// be, and at what is only slow.
func TestRelationFindings(t *testing.T) {
	t.Parallel()
	related := func(on, many, when string) string {
		hcl := strings.Replace(project(crm, "relations"), `  primary_key = ["id"]`, `  primary_key = ["id"]
  relation "others" {
    table = table.crm.deals
    on    = { `+on+` }
    many  = `+many+`
  }`, 1)
		return strings.Replace(hcl, "when    = record.owner == user.id", "when    = "+when, 1)
	}
	for name, c := range map[string]struct {
		hcl    string
		change func(*model.Program)
		want   []diag.Code
	}{
		"asked once a query": {hcl: related(`id = "id"`, "true", "anytrue([for x in record.others : x.owner == user.id])")},
		"asked for each record": {
			hcl:  related(`id = "id"`, "true", "alltrue([for x in record.others : x.owner == record.owner])"),
			want: []diag.Code{postgres.CodeRelationCorrelated},
		},
		"the target is no key": {
			hcl:  related(`owner = "owner"`, "false", "record.others.owner == user.id"),
			want: []diag.Code{postgres.CodeRelationUnique},
		},
		"the target is the key": {hcl: related(`id = "id"`, "false", "record.others.owner == user.id")},
		"untrusted": {
			hcl: strings.Replace(related(`id = "id"`, "true", "anytrue([for x in record.others : x.owner == user.id])"),
				`identity = "setting"`, `identity = "signed"`, 1),
			change: func(p *model.Program) { p.Apps[0].Connects[0].Untrusted = true },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := compile(t, c.hcl)
			if c.change != nil {
				c.change(p)
			}
			var got []diag.Code
			for _, d := range (postgres.Emitter{}).Audit(p) {
				got = append(got, d.Code)
				if d.Span.IsZero() || d.Detail == "" {
					t.Errorf("without a place or a way out: %s", d.Error())
				}
			}
			if diff := cmp.Diff(c.want, slices.Compact(got)); diff != "" {
				t.Errorf("codes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScriptsAreTheSameBytes(t *testing.T) {
	t.Parallel()
	var first string
	for range 5 {
		artifacts, err := postgres.Emitter{}.Emit(ctx, compile(t, project(crm, "bytes")))
		if err != nil {
			t.Fatal(err)
		}
		if artifacts[0].Path != "postgres/crm.sql" {
			t.Errorf("path %s", artifacts[0].Path)
		}
		if got := string(artifacts[0].Data); first == "" {
			first = got
		} else if got != first {
			t.Fatal("two runs give two scripts")
		}
	}
	for _, want := range []string{"-- policy.own  main.hcl:", `REVOKE ALL ON TABLE "public"."deals" FROM PUBLIC`, "PASSWORD :'password_bytes_role_a'", "FORCE ROW LEVEL SECURITY"} {
		if !strings.Contains(first, want) {
			t.Errorf("the script lacks %q", want)
		}
	}
}

// TestAppsThatShareTheirAccess: with as = "app" nothing is known of the user,
// whatever the session claims.
func TestAppsThatShareTheirAccess(t *testing.T) {
	t.Parallel()
	hcl := strings.Replace(project(crm, "shared"), `as              = "user"`, `as              = "app"`, 1) + `
policy "desk" {
  description = "d"
  on      = [table.crm.deals]
  to      = [app.desk]
  allow   = [view]
  when    = record.region == "EMEA"
  columns = except(["secret"])
}
`
	d := applied(t, compile(t, hcl), crmTables)
	conn := d.as(t, "shared_role")
	for _, claims := range []string{"", `{"id": "ann"}`, "{"} {
		if got := values(t, conn, claims, "SELECT id FROM deals ORDER BY id"); got != "1 2" {
			t.Errorf("claims %s: sees %q", claims, got)
		}
	}
	if got, err := try(conn, setting(""), "DELETE FROM deals"); err == nil {
		t.Errorf("deleting is allowed: %q", got)
	}
}
