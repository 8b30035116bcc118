package access_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/compiler/access"
)

// changesBase is a project with one of each thing that decides about access.
const changesBase = `
postern { project = "a" }
identity {
  key = "id"
  attribute "id" { type = string }
  attribute "mail" { type = string }
  attribute "region" { type = string }
  attribute "limit" { type = int }
}
request {
  attribute "device" { type = string }
}
access_level "staff" { above = access_level.user }
group "a" {}
group "b" {}
group "c" { member_of = [group.a] }
user "u" {
  attributes   = { id = "1", mail = "m", region = "north" }
  groups       = [group.a]
  access_level = access_level.staff
}
datasource "db" { type = "postgres" }
table "db" "persons" {
  column "id" { type = int }
  column "region" { type = string }
  column "kind" {
    type   = enum("x", "y")
    native = "kind"
  }
  primary_key = ["id"]
}
table "db" "others" {
  column "id" { type = int }
  column "region" { type = string }
  primary_key = ["id"]
}
table "db" "t" {
  column "id" { type = int }
  column "owner" { type = int }
  column "deputy" { type = int }
  column "region" { type = string }
  column "title" { type = string }
  column "at" { type = timestamp }
  column "amount" { type = number }
  primary_key = ["id"]
  relation "person" {
    table = table.db.persons
    on    = { owner = "id" }
  }
  relation "notes" {
    table = table.db.notes
    on    = { id = "of" }
    many  = true
  }
}
table "db" "notes" {
  column "id" { type = int }
  column "of" { type = int }
  column "by" { type = int }
  column "open" { type = bool }
  primary_key = ["id"]
}
service_account "one" {
  datasource = datasource.db
}
service_account "two" {
  datasource = datasource.db
}
app "one" {
  users = [group.a]
  connect {
    datasource      = datasource.db
    service_account = service_account.one
  }
}
app "two" {
  users = [everyone]
  connect {
    datasource      = datasource.db
    service_account = service_account.two
    as              = "app"
  }
}
policy "view" {
  on      = [table.db.t]
  to      = [group.a, access_level.superuser]
  allow   = [view]
  columns = ["id", "owner", "region", "title", "at"]
  when    = record.person.region == user.region || in_last(record.at, days(1)) || anytrue([for n in record.notes : n.open])
}
policy "edit" {
  on    = [table.db.t]
  to    = [group.a]
  allow = [view, edit, create]
  via   = [app.one]
  when  = record.region == user.region
  check = record.region == user.region && request.device == "known"
}
policy "service" {
  on    = [table.db.t]
  to    = [app.two]
  allow = [view]
  when  = record.amount < 100
}
guard "limit" {
  on      = [table.db.t]
  to      = [group.b]
  require = record.amount < user.limit
}
mask "region" {
  on      = [table.db.t]
  columns = ["region"]
  unless  = [access_level.superuser]
  with    = last(2)
}
`

// TestChangesAreTold changes one thing that decides about access at a time: that
// is never the same. The verdicts are those of the changes, sorted.
func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	base := compile(t, changesBase)
	for _, c := range []struct{ name, from, to, want string }{
		{"app as the app", "service_account = service_account.one\n", "service_account = service_account.one\n    as = \"app\"\n", "narrower"},
		{"app as the user", "    as              = \"app\"\n", "", "wider"},
		{"users of an app", "users = [group.a]", "users = [group.b]", "both narrower"},
		{"a level's place", `access_level "staff" { above = access_level.user }`, `access_level "staff" { above = access_level.superuser }`, "wider"},
		{"a nested group", `group "c" { member_of = [group.a] }`, `group "c" { member_of = [group.b] }`, "narrower"},
		{"directory: groups", "  groups       = [group.a]\n", "  groups       = [group.b]\n", "narrower"},
		{"directory: attribute", `region = "north"`, `region = "south"`, "both"},
		{"directory: level", "  access_level = access_level.staff\n", "", "narrower wider"},
		{"directory: key", `id = "1"`, `id = "2"`, "both"},
		{"claim", `attribute "region" { type = string }`, "attribute \"region\" {\n    type = string\n    claim = \"area\"\n  }", "both"},
		{"claim of the request", `attribute "device" { type = string }`, "attribute \"device\" {\n    type = string\n    claim = \"machine\"\n  }", "both"},
		{"key", "key = \"id\"", "key = \"mail\"", "both undecided"},
		{"relation's table", "table = table.db.persons\n", "table = table.db.others\n", "undecided"},
		{"relation's columns", `on    = { owner = "id" }`, `on    = { deputy = "id" }`, "undecided"},
		{"columns of a to-many relation", `on    = { id = "of" }`, `on    = { id = "by" }`, "undecided"},
		{"time", "days(1)", "hours(23)", "narrower"},
		{"all in place of any", "anytrue([for", "alltrue([for", "both"},
		{"subjects", "to      = [group.a, access_level.superuser]", "to      = [access_level.superuser]", "narrower"},
		{"columns", `columns = ["id", "owner", "region", "title", "at"]`, `columns = ["id", "owner", "region", "title"]`, "narrower"},
		{"apps of a policy", "  via   = [app.one]\n", "  via   = [app.two]\n", "narrower"},
		{"check", `&& request.device == "known"`, `&& request.device == "other"`, "both"},
		{"actions", "allow = [view, edit, create]", "allow = [view, edit]", "narrower"},
		{"guard's subjects", "to      = [group.b]", "to      = [everyone]", "narrower"},
		{"guard's condition", "require = record.amount < user.limit", "require = record.amount <= user.limit", "wider"},
		{"mask's subjects", "unless  = [access_level.superuser]", "unless  = [access_level.user]", "wider"},
		{"mask's kind", "last(2)", "last(3)", "both"},
		{"mask's columns", "columns = [\"region\"]", "columns = [\"title\"]", "narrower wider"},
		{"an app's name", "policy \"service\" {\n  on    = [table.db.t]\n  to    = [app.two]", "policy \"service\" {\n  on    = [table.db.t]\n  to    = [app.one]", "wider"},
	} {
		if !strings.Contains(changesBase, c.from) {
			t.Errorf("%s: %q is not there", c.name, c.from)
			continue
		}
		after := compile(t, strings.Replace(changesBase, c.from, c.to, 1))
		d, err := access.Compare(t.Context(), base, after, access.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, v := range []access.Verdict{access.Both, access.Narrower, access.Undecided, access.Wider} {
			if d.Count(v) > 0 {
				got += " " + string(v)
			}
		}
		if got = strings.TrimSpace(got); got != c.want {
			t.Errorf("%s: %q, not %q\n%s", c.name, got, c.want, report(d))
		}
	}
}
