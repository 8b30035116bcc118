package rego

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	f := newFixture("a/b", model.IP, "")
	f.program.Span = source.Span{File: "a.hcl"}
	x := f.column("x").(*model.ColumnRef)
	x.Span = source.Span{File: "b.hcl"}
	f.policy("order", &model.Some{Where: &model.Compare{Op: model.Less, X: x, Y: f.attribute("x")}})
	f.program.Identity.Key = &model.Attribute{Name: "id", Type: model.Number, Span: source.Span{File: "c.hcl"}}
	f.program.Users = []*model.User{{Name: "u", Key: rat("1")}}
	var got []diag.Code
	for _, d := range (Emitter{}).Audit(f.program) {
		if d.Span.IsZero() || d.Detail == "" {
			t.Errorf("%s has no place or no remedy", d.Code)
		}
		got = append(got, d.Code)
	}
	if diff := cmp.Diff([]diag.Code{"rego-project-name", "rego-order", "rego-key-type"}, got); diff != "" {
		t.Error(diff)
	}
	if diags := (Emitter{}).Audit(hostileProgram("acme")); len(diags) > 0 {
		t.Error(diags)
	}
}
