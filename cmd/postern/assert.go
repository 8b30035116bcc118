package main

import (
	"context"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/access"
)

// proveAsserts proves or refutes each claim of the project's asserts.
func proveAsserts(ctx context.Context, p *project) ([]view.AssertResult, error) {
	out := make([]view.AssertResult, 0, len(p.asserts))
	for _, a := range p.asserts {
		r := view.AssertResult{Name: a.Name, Span: a.Span, Passed: true}
		for _, n := range a.Never {
			f, err := access.Never(ctx, p.program, n, access.Options{})
			if err != nil {
				return nil, err
			}
			r.Claims = append(r.Claims, view.Claim{Finding: f, Span: n.Span})
			r.Passed = r.Passed && f.Outcome == access.Proven
		}
		out = append(out, r)
	}
	return out, nil
}
