package lint

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// apps finds those through which nobody may do anything.
func (l *linter) apps(ctx context.Context) {
	where := func(a *model.App) (source.Span, string) { return a.Span, "app." + a.Label }
	each(ctx, blocks(l.program.Apps, where), func(b block[*model.App]) {
		for _, a := range b.of {
			for _, c := range a.Connects {
				if !l.givesNothing(ctx, model.Entry{Datasource: c.Datasource, Connect: c}) {
					return
				}
			}
		}
		l.add(Finding{Rule: AppGivesNothing, Object: b.label, Span: b.span, Message: "Nobody may do anything through the app."})
	})
}

// accounts finds those that nobody comes in by, and those that may write for
// nothing. What an account has that the project did not give it is not known:
// such accounts are left alone.
func (l *linter) accounts(ctx context.Context) {
	each(ctx, blocks(l.program.Accounts, accountBlock), func(b block[*model.ServiceAccount]) {
		unused := !slices.ContainsFunc(b.of, func(a *model.ServiceAccount) bool {
			_, used := a.EntryOf()
			return used
		})
		if unused {
			l.add(Finding{Rule: AccountUnused, Object: b.label, Span: b.span, Message: "No app uses the account, though its datasource has apps."})
			return
		}
		for _, a := range b.of {
			e, used := a.EntryOf()
			known := used && !a.ReadOnly && a.Managed && !a.Additive && !a.Datasource.Additive
			if !known || slices.ContainsFunc(a.Datasource.Tables, func(t *model.Table) bool { return writes(t, e) }) {
				return
			}
		}
		l.add(Finding{Rule: AccountWritable, Object: b.label, Span: b.span, Message: "No policy that counts through the account allows a write: say read_only = true."})
	})
}

// writes reports whether a policy on a table allows a write through an entry,
// whatever its conditions: read_only is an error beside it.
func writes(t *model.Table, e model.Entry) bool {
	return slices.ContainsFunc(t.Policies, func(x *model.PolicyTarget) bool {
		through := x.Policy.Via == nil || slices.Contains(x.Policy.Via, e.App())
		return through && (x.Allows(model.Create) || x.Allows(model.Edit) || x.Allows(model.Delete))
	})
}

// givesNothing reports whether it is proven that nobody may do anything through
// an entry, on any table.
func (l *linter) givesNothing(ctx context.Context, e model.Entry) bool {
	return !slices.ContainsFunc(e.Datasource.Tables, func(t *model.Table) bool { return !l.asker.GivesNothing(ctx, e, t) })
}
