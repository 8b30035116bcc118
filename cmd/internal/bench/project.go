package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// subjects is how many groups each policy is for, and how many accounts have
// grants on each table.
const subjects = 5

// writeProject writes a project of n tables with four policies each, one guard
// over all of them, and grants to five accounts, and the schema it governs.
// Policies of different tables are alike, or, when they are unlike, compare with
// other constants.
func writeProject(dir string, n int, unlike bool) error {
	files := map[string]func(*strings.Builder, int){
		"postern.hcl": writeWho, "tables.hcl": writeTables, "schema.sql": writeSchema,
		"policies.hcl": func(b *strings.Builder, n int) { writePolicies(b, n, unlike) },
	}
	for name, write := range files {
		var b strings.Builder
		write(&b, n)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(b.String()), 0o600); err != nil {
			return fmt.Errorf("writing the generated project: %w", err)
		}
	}
	return nil
}

func writeWho(b *strings.Builder, _ int) {
	b.WriteString(`postern { project = "bench" }
identity {
  attribute "id"        { type = uuid }
  attribute "tenant_id" { type = int }
  attribute "region"    { type = string }
}
datasource "main" {
  type     = "postgres"
  url      = env("BENCH_URL")
  identity = "setting"
  owner    = "bound"
}
guard "tenant" {
  description = "Nobody leaves their tenant."
  on          = tables(datasource.main, "tenant_id")
  require     = record.tenant_id == user.tenant_id
}
`)
	for i := range subjects {
		if i > 0 {
			b.WriteString("# postern:ignore group-duplicate generated\n")
		}
		fmt.Fprintf(b, "group \"g%d\" { description = \"Group %d\" }\n", i, i)
		fmt.Fprintf(b, "service_account \"bench_%d\" {\n  description = \"Account %d\"\n  datasource = datasource.main\n"+
			"  password = env(\"BENCH_PASSWORD\")\n}\n", i, i)
	}
}

func tableName(i int) string { return fmt.Sprintf("t%05d", i) }

func writeTables(b *strings.Builder, n int) {
	for i := range n {
		fmt.Fprintf(b, `table "main" %q {
  column "id"        { type = uuid }
  column "tenant_id" { type = int }
  column "owner_id"  { type = uuid }
  column "status"    { type = string }
  column "amount"    { type = number }
  column "region" {
    type = string
    null = true
  }
  primary_key = ["id"]
}
`, tableName(i))
	}
}

func writePolicies(b *strings.Builder, n int, unlike bool) {
	groups := make([]string, subjects)
	for i := range groups {
		groups[i] = fmt.Sprintf("group.g%d", i)
	}
	to := strings.Join(groups, ", ")
	policy := func(name, table, actions, when string) {
		fmt.Fprintf(b, "policy %q {\n  description = \"Generated\"\n  on    = [table.main.%s]\n  to    = [%s]\n"+
			"  allow = [%s]\n  when  = %s\n}\n", name, table, to, actions, when)
	}
	for i := range n {
		t, of := tableName(i), 0
		if unlike {
			of = i
		}
		policy(t+"_own", t, "view, edit, delete", "record.owner_id == user.id")
		policy(t+"_region", t, "view", fmt.Sprintf(`record.region == user.region && record.status != "draft%d"`, of))
		policy(t+"_create", t, "create", "record.owner_id == user.id")
		policy(t+"_open", t, "view, edit", fmt.Sprintf(`record.status == "open" && record.amount < %d.50`, 1000+of))
	}
}

func writeSchema(b *strings.Builder, n int) {
	for i := range n {
		fmt.Fprintf(b, "CREATE TABLE public.%s (id uuid PRIMARY KEY, tenant_id bigint NOT NULL, owner_id uuid NOT NULL, "+
			"status text NOT NULL, amount numeric NOT NULL, region text);\n", tableName(i))
	}
}
