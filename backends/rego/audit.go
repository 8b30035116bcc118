package rego

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// Audit lists what Rego cannot carry exactly.
func (Emitter) Audit(p *model.Program) diag.List {
	var out diag.List
	if strings.Contains(p.Project, "/") {
		out.Fail(CodeProjectName, p.Span, "The rego target cannot name a bundle's root after a project with a slash",
			"Choose a project name without \"/\".")
	}
	auditKey(&out, p)
	for _, t := range p.Tables {
		for _, target := range t.Policies {
			auditCond(&out, target.When.Holds, target.Span)
			if target.Check.Holds != target.When.Holds {
				auditCond(&out, target.Check.Holds, target.Span)
			}
		}
		for _, target := range t.Guards {
			auditCond(&out, target.Require.Holds, target.Span)
		}
	}
	for _, ds := range p.Datasources {
		auditFilters(&out, p, ds)
	}
	return out.Sorted()
}

// auditFilters refuses what data filters cannot carry, once for each place.
func auditFilters(out *diag.List, p *model.Program, ds *model.Datasource) {
	said := map[string]bool{}
	_, err := filterRules(p, ds, func(m misfit) {
		summary := fmt.Sprintf("The filter of %s for %s cannot carry %s", m.table.Address(), m.filter.Action, m.what)
		if m.owner != "" {
			summary += ", in the " + m.owner
		}
		if key := summary + m.span.String(); !said[key] {
			said[key] = true
			out.Fail(CodeFilter, m.span, summary, m.way)
		}
	})
	if err != nil && len(said) == 0 {
		out.Fail(CodeFilter, ds.Span, "The filters of "+ds.Name+" cannot be written: "+err.Error(), "Remove `filters` from its tables.")
	}
}

// auditKey refuses keys whose values have no single text, by which the
// directory is looked up.
func auditKey(out *diag.List, p *model.Program) {
	key := p.Identity.Key
	if key == nil || len(p.Users) == 0 {
		return
	}
	switch key.Type.Kind {
	case model.KindNumber, model.KindBool, model.KindSet, model.KindDuration:
		out.Fail(CodeKeyType, key.Span,
			fmt.Sprintf("The rego target cannot look users up by a key of type %s", key.Type),
			"Give the identity a key of type uuid, string or int, or remove the user blocks.")
	default:
	}
}

// auditCond refuses the order of addresses, which compare as text there.
func auditCond(out *diag.List, c model.Cond, at source.Span) {
	model.Walk(c, func(x model.Cond) {
		compare, ok := x.(*model.Compare)
		if !ok || compare.Op == model.Equal || compare.Op == model.NotEqual {
			return
		}
		if compare.X.ResultType().Kind != model.KindIP {
			return
		}
		span := compare.X.Place()
		if span.IsZero() {
			span = at
		}
		out.Fail(CodeOrder, span, "The rego target has no order of addresses",
			"Use cidr_contains with the networks that are meant.")
	})
}
