package compiler_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/source"
)

// generated is a project of n tables with four policies, a guard and five
// subjects each.
func generated(n int) *source.Set {
	var b strings.Builder
	b.WriteString(`postern { project = "bench" }
identity {
  attribute "id" { type = uuid }
  attribute "tenant_id" { type = int }
  attribute "region" { type = string }
}
group "a" {}
group "b" {}
group "c" { member_of = [group.a] }
datasource "db" { type = "postgres" }
service_account "s" { datasource = datasource.db }
app "x" {
  users = [everyone]
  connect {
    datasource = datasource.db
    service_account = service_account.s
  }
}
guard "tenant" {
  on = tables(datasource.db, "tenant_id")
  require = record.tenant_id == user.tenant_id
}
`)
	for i := range n {
		fmt.Fprintf(&b, "table \"db\" \"t%d\" {\n", i)
		for _, c := range []string{"id:uuid", "tenant_id:int", "owner_id:uuid", "region:string", "amount:number", "created:timestamp"} {
			name, typ, _ := strings.Cut(c, ":")
			fmt.Fprintf(&b, "  column %q { type = %s }\n", name, typ)
		}
		b.WriteString("  primary_key = [\"id\"]\n}\n")
		for j, action := range []string{"view", "create", "edit", "delete"} {
			fmt.Fprintf(&b, `policy "t%d_%d" {
  description = "What %s needs."
  on    = [table.db.t%d]
  to    = [group.a, group.b, group.c, access_level.superuser, app.x]
  allow = [%s]
  when  = record.owner_id == user.id || (record.region == user.region && record.amount < 100)
}
`, i, j, action, i, action)
		}
	}
	return &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(b.String())}}}
}

// BenchmarkCompile compiles 1000 tables with 4 policies each.
func BenchmarkCompile(b *testing.B) {
	set := generated(1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, diags := compiler.Compile(b.Context(), set, compiler.Inputs{}); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
