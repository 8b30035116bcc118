package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// perTable is how many policies each table has.
const perTable = 5

func tableName(i int) string { return fmt.Sprintf("deals%05d", i) }

// program is a project with five policies and a guard on each of its tables.
func program(ctx context.Context, tables int) (*model.Program, error) {
	var b strings.Builder
	b.WriteString(`postern { project = "bench" }
identity {
  attribute "id" { type = uuid }
  attribute "region" { type = string }
}
datasource "crm" { type = "service" }
group "staff" {}
`)
	for i := range tables {
		t := tableName(i)
		fmt.Fprintf(&b, `resource "crm" %q {
  attribute "owner" { type = uuid }
  attribute "region" { type = string }
  attribute "amount" { type = int }
  actions = ["view", "edit", "delete"]
}
guard %q {
  on      = [resource.crm.%s]
  require = record.amount > 0
}
`, t, t+"_positive", t)
		policy := func(name, to, allow, when string) {
			fmt.Fprintf(&b, "policy %q {\n  on    = [resource.crm.%s]\n  to    = [%s]\n  allow = [%s]\n  when  = %s\n}\n", t+"_"+name, t, to, allow, when)
		}
		policy("own", "access_level.user", "view, delete", "record.owner == user.id")
		policy("edit", "group.staff", "edit", "record.owner == user.id")
		policy("export", "group.staff", "view", `starts_with(record.region, "X-")`)
		policy("large", "group.staff", "view", "record.amount > 1000000")
		policy("region", "group.staff", "view", "record.region == user.region && record.amount < 1000")
	}
	return compiled(ctx, b.String())
}

func compiled(ctx context.Context, text string) (*model.Program, error) {
	set := &source.Set{Files: []source.File{{Name: "bench.hcl", Data: []byte(text)}}}
	p, list := compiler.Compile(ctx, set, compiler.Inputs{})
	return p, list.Err()
}

// crowded is a project with one table, and that many policies for the same
// users on it, each about another region; the last one is the user's.
func crowded(ctx context.Context, policies int) (*model.Program, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `postern { project = "bench" }
identity {
  attribute "id" { type = uuid }
  attribute "region" { type = string }
}
datasource "crm" { type = "service" }
group "staff" {}
resource "crm" %q {
  attribute "owner" { type = uuid }
  attribute "region" { type = string }
  attribute "amount" { type = int }
}
`, tableName(0))
	for i := range policies {
		where := fmt.Sprintf("region %d", i)
		if i == policies-1 {
			where = region
		}
		fmt.Fprintf(&b, "policy \"p%05d\" {\n  on    = [resource.crm.%s]\n  to    = [group.staff]\n  allow = [view]\n  when  = record.region == %q && record.amount < 1000\n}\n",
			i, tableName(0), where)
	}
	return compiled(ctx, b.String())
}

// The question of all engines: a record of another owner, in the user's
// region. The last of the policies for view grants it.
const (
	me, other, region = "7b0e1f2a-0000-4000-8000-000000000001", "7b0e1f2a-0000-4000-8000-000000000002", "EMEA"
	amount            = 10
)

// cedarText is the same policies in Cedar.
func cedarText(tables int) string {
	var b strings.Builder
	for i := range tables {
		t := tableName(i)
		permit := func(who, action, when string) {
			fmt.Fprintf(&b, "permit (%s, action in [%s], resource is %s) when { %s };\n", who, action, t, when)
		}
		view, edit, remove := `Action::"view"`, `Action::"edit"`, `Action::"delete"`
		staff := `principal in Group::"staff"`
		permit("principal", view+", "+remove, "resource.owner == principal.id")
		permit(staff, edit, "resource.owner == principal.id")
		permit(staff, view, `resource.region like "X-*"`)
		permit(staff, view, "resource.amount > 1000000")
		permit(staff, view, "resource.region == principal.region && resource.amount < 1000")
		fmt.Fprintf(&b, "forbid (principal, action, resource is %s) unless { resource.amount > 0 };\n", t)
	}
	return b.String()
}

// celTexts are the conditions of one table's policies for view, and of its
// guard, in CEL.
func celTexts() (policies []string, guard string) {
	return []string{
		"record.owner == user.id",
		`"staff" in user.groups && record.region.startsWith("X-")`,
		`"staff" in user.groups && record.amount > 1000000`,
		`"staff" in user.groups && record.region == user.region && record.amount < 1000`,
	}, "record.amount > 0"
}
