package explain

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/source"
)

func TestMatrixOf(t *testing.T) {
	t.Parallel()
	set, err := source.FromDir("../../cmd/postern/testdata/crm")
	if err != nil {
		t.Fatal(err)
	}
	set.Files = append(set.Files, source.File{Name: "z.hcl", Data: []byte(`
group "leads" {}
table "crm" "unused" {
  column "id" { type = int }
  primary_key = ["id"]
}
policy "remove" {
  to    = [group.leads]
  on    = [table.crm.deals]
  allow = [view, delete]
}
guard "not_seven" {
  on      = [table.crm.deals]
  require = record.id != 7
}
`)})
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags)
	}
	const use = `contains(["superuser", "user"], user.access_level) && record.id != 7 && `
	want := &Matrix{Entries: []MatrixEntry{{
		Title: "datasource.crm through app.desk", Tables: []string{"deals"},
		Rows: []MatrixRow{
			{Subject: "access_level.user", Cells: [][]MatrixCell{{
				{"view", use + `(record.owner_id == user.id || record.region == user.region)`},
			}}},
			{Subject: "group.leads", Cells: [][]MatrixCell{{
				{"view", use + `contains(user.groups, "leads")`}, {"delete", use + `contains(user.groups, "leads")`},
			}}},
		},
	}}}
	if diff := cmp.Diff(want, MatrixOf(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
