package print_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// TestCondTextCompilesToTheCondition: the text of a lowered condition, written
// as a policy's condition, is lowered to a condition of the same text.
func TestCondTextCompilesToTheCondition(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"llm-apps", "game-backend", "low-code"} {
		set, err := source.FromDir(filepath.Join("..", "..", "examples", name))
		if err != nil {
			t.Fatal(err)
		}
		p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
		if p == nil {
			t.Fatal(diags)
		}
		seen := 0
		for _, pol := range p.Policies {
			for _, target := range pol.On {
				for _, c := range []model.Cond{target.When.Holds, target.When.Fails} {
					if _, never := c.(model.False); never {
						continue
					}
					seen++
					text := print.Cond(c)
					if diff := cmp.Diff(text, recompiled(t.Context(), t, set, target, text)); diff != "" {
						t.Errorf("%s (-printed +compiled again):\n%s", pol.Span, diff)
					}
				}
			}
		}
		if seen < 8 {
			t.Errorf("%s has only %d conditions", name, seen)
		}
	}
}

// recompiled adds a policy with the text as its condition to a project.
func recompiled(ctx context.Context, t *testing.T, set *source.Set, target *model.PolicyTarget, text string) string {
	t.Helper()
	kind := "table"
	if target.Table.Resource() {
		kind = "resource"
	}
	policy := "policy \"zz_again\" {\n  to = [everyone]\n  on = [" + kind + "." + target.Table.Address() + "]\n  allow = [view]\n  when = " + text + "\n}\n"
	again := &source.Set{Files: append(append([]source.File{}, set.Files...), source.File{Name: "zz.hcl", Data: []byte(policy)})}
	p, diags := compiler.Compile(ctx, again, compiler.Inputs{})
	if p == nil {
		t.Fatalf("%s\n%v", text, diags)
	}
	for _, pol := range p.Policies {
		if pol.Name == "zz_again" {
			return print.Cond(pol.On[0].When.Holds)
		}
	}
	return ""
}
