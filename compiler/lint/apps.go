package lint

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// apps finds those through which nobody may do anything, and somebody who could
// if one thing were not in the way.
func (l *linter) apps(ctx context.Context) {
	where := func(a *model.App) (source.Span, string) { return a.Span, "app." + a.Label }
	each(ctx, blocks(l.program.Apps, where), func(b block[*model.App]) {
		cells := 0
		for _, a := range b.of {
			for _, c := range a.Connects {
				for _, t := range c.Datasource.Tables {
					if !l.asker.GivesNothing(ctx, model.Entry{Datasource: c.Datasource, Connect: c}, t) {
						return
					}
					cells += len(t.Actions)
				}
			}
		}
		f := Finding{
			Rule: AppGivesNothing, Object: b.label, Span: b.span, Message: "Nobody may do anything through the app.",
			Proof: &Proof{cells, []string{"app", "action", "table"}},
		}
		l.nearest(ctx, b.of, &f)
		l.add(f)
	})
}

// nearest adds to a finding who comes nearest to access through apps.
func (l *linter) nearest(ctx context.Context, apps []*model.App, f *Finding) {
	for _, a := range apps {
		for _, c := range a.Connects {
			for _, t := range c.Datasource.Tables {
				n, ok := l.asker.Nearest(ctx, model.Entry{Datasource: c.Datasource, Connect: c}, t)
				if !ok {
					continue
				}
				f.Witness, f.Example = n.Witness, fmt.Sprintf("policies let this user %s %s, ", n.Action, tableName(t))
				switch n.Obstacle {
				case access.NotAmongUsers:
					f.Example += "who is not among the app's users"
				case access.Refused:
					f.Example += "and a guard refuses the record"
					for _, g := range n.Guards {
						f.Related = append(f.Related, Related{"guard." + g.Guard.Label, g.Guard.Span, "refuses it"})
					}
				}
				f.Related = inOrder(f.Related)
				return
			}
		}
	}
	if !slices.ContainsFunc(apps, l.counts) {
		f.Message += " No policy counts there."
	}
}

// counts reports whether a policy is for anybody who comes through an app.
func (l *linter) counts(app *model.App) bool {
	for _, c := range app.Connects {
		for _, t := range c.Datasource.Tables {
			for _, a := range t.Actions {
				if len(l.program.Subjects(model.Entry{Datasource: c.Datasource, Connect: c}, t, a)) > 0 {
					return true
				}
			}
		}
	}
	return false
}

// accounts finds those that nobody comes in by, and those that may write for
// nothing. What an account has that the project did not give it is not known:
// such accounts are left alone.
func (l *linter) accounts(ctx context.Context) {
	each(ctx, blocks(l.program.Accounts, accountBlock), func(b block[*model.ServiceAccount]) {
		var related []Related
		unused := true
		for _, a := range b.of {
			_, used := a.EntryOf()
			unused = unused && !used
			for _, app := range a.Datasource.Apps {
				related = append(related, Related{"app." + app.Label, app.Span, "comes in by another way"})
			}
		}
		if unused {
			l.add(Finding{
				Rule: AccountUnused, Object: b.label, Span: b.span, Related: inOrder(related),
				Message: "No app uses the account, though its datasource has apps.",
			})
			return
		}
		related = nil
		for _, a := range b.of {
			e, used := a.EntryOf()
			known := used && !a.ReadOnly && a.Managed && !a.Additive && !a.Datasource.Additive
			if !known || slices.ContainsFunc(a.Datasource.Tables, func(t *model.Table) bool { return writes(t, e) }) {
				return
			}
			for _, t := range a.Datasource.Tables {
				related = append(related, reads(t, e)...)
			}
		}
		l.add(Finding{
			Rule: AccountWritable, Object: b.label, Span: b.span, Related: inOrder(related),
			Message: "No policy that counts through the account allows a write: say read_only = true.",
		})
	})
}

// writes reports whether a policy on a table allows a write through an entry,
// whatever its conditions: read_only is an error beside it.
func writes(t *model.Table, e model.Entry) bool {
	return slices.ContainsFunc(t.Policies, func(x *model.PolicyTarget) bool {
		return through(x, e) && (x.Allows(model.Create) || x.Allows(model.Edit) || x.Allows(model.Delete))
	})
}

// reads lists the policies on a table that count through an entry.
func reads(t *model.Table, e model.Entry) []Related {
	var out []Related
	for _, x := range t.Policies {
		if through(x, e) {
			out = append(out, Related{"policy." + x.Policy.Label, x.Policy.Span, "allows no write"})
		}
	}
	return out
}

func through(x *model.PolicyTarget, e model.Entry) bool {
	return x.Policy.Via == nil || slices.Contains(x.Policy.Via, e.App())
}
