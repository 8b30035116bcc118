package print_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

const keyed = `
postern { project = "keyed" }
identity {
  attribute "id" { type = int }
}
group "a-b" { description = "G" }
datasource "crm" {
  for_each = toset(["x-1", "x.1"])
  type     = "postgres"
  identity = "setting"
  owner    = "exempt"
}
table "crm" "deals" {
  column "id" { type = int }
  primary_key = ["id"]
}
table "crm" "notes" {
  column "id" { type = int }
  primary_key = ["id"]
}
service_account "desk" { datasource = datasource.crm }
app "desk" {
  for_each = toset(["in"])
  users    = [access_level.user]
  connect {
    datasource      = datasource.crm
    service_account = service_account.desk
  }
}
policy "own" {
  on    = [table.crm.deals, table.crm.notes]
  to    = [group["a-b"]]
  allow = [view]
  via   = [app.desk["in"]]
}
guard "positive" {
  for_each = toset(["1"])
  on       = [table.crm.deals, table.crm.notes]
  require  = record.id > 0
}
mask "no_id" {
  on      = [table.crm.notes]
  columns = ["id"]
  with    = null
}
`

func compiled(t *testing.T, text string) *model.Program {
	t.Helper()
	p, diags := compiler.Compile(t.Context(), &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(text)}}}, compiler.Inputs{})
	if p == nil {
		t.Fatalf("%v\n%s", diags, text)
	}
	return p
}

// Of two datasources that are printed alike, and of rules that are printed once
// for each table, the names are those of the program that is compared with.
func TestNamed(t *testing.T) {
	t.Parallel()
	p := compiled(t, keyed)
	for _, ds := range p.Datasources {
		again := compiled(t, print.Datasource(p, ds))
		now := *p
		now.Datasources, now.Accounts = []*model.Datasource{ds}, ds.Accounts
		print.Named(again, &now)
		if diff := cmp.Diff(namesOf(&now, ds), namesOf(again, again.Datasources[0])); diff != "" {
			t.Error(diff)
		}
	}
	// What could be one of two keeps the name it was printed with.
	again := compiled(t, print.Datasource(p, p.Datasources[0]))
	print.Named(again, p)
	if got := again.Datasources[0].Name; got != "crm__x_1__" {
		t.Errorf("one of two is named %s", got)
	}
}

// An app that is gone does not become the one that its name begins with: the two
// would count as one, and what the one loses or gains would not be told.
func TestNamedKeepsAppsApart(t *testing.T) {
	t.Parallel()
	const one = `
postern { project = "apps" }
identity {
  attribute "id" { type = int }
}
app "desk" { users = [everyone] }
`
	before, now := compiled(t, one+`app "desk_on_1" { users = [everyone] }`), compiled(t, one)
	print.Named(before, now)
	var got []string
	for _, a := range before.Apps {
		got = append(got, a.Name)
	}
	if slices.Sort(got); !slices.Equal(got, []string{"desk", "desk_on_1"}) {
		t.Errorf("the apps are now named %q", got)
	}
}

func namesOf(p *model.Program, ds *model.Datasource) map[string][]string {
	out := map[string][]string{"datasource": {ds.Name}}
	add := func(kind, name string) {
		if !slices.Contains(out[kind], name) {
			out[kind] = append(out[kind], name)
		}
	}
	for _, x := range ds.Tables {
		add("table", x.Address())
	}
	for _, x := range ds.Accounts {
		add("account", x.Name)
	}
	for _, x := range p.Apps {
		add("app", x.Name)
	}
	for _, x := range p.Policies {
		add("policy", x.Name)
	}
	for _, x := range p.Guards {
		add("guard", x.Name)
	}
	for _, x := range p.Masks {
		add("mask", x.Name)
	}
	return out
}
