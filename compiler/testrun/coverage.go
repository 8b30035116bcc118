package testrun

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Coverage says which policies, guards and sides of comparisons the tests of
// a project reach, asked of the reference evaluator.
type Coverage struct {
	Policies []RuleCoverage `json:"policies"`
	Guards   []RuleCoverage `json:"guards"`
	// Reached of Sides are the sides of comparisons that a test reaches.
	Reached int `json:"reached"`
	Sides   int `json:"sides"`
}

// RuleCoverage is one policy or guard.
type RuleCoverage struct {
	Name string      `json:"name"`
	Span source.Span `json:"span"`
	// Asked says that the rule was looked at for some test's user and record.
	Asked bool `json:"asked"`
	// Decided says that a policy granted, or that a guard refused.
	Decided bool `json:"decided"`
	// Atoms are its comparisons, in order of their places. A rule on several
	// tables has each once.
	Atoms []AtomCoverage `json:"comparisons,omitempty"`
}

// AtomCoverage is one comparison, or a function with a truth value.
type AtomCoverage struct {
	Span source.Span `json:"span"`
	// Missing are the sides that no test reaches, of "true", "false" and
	// "unknown"; the last only where the comparison can be unknown in a test.
	Missing []string `json:"missing,omitempty"`

	sides, reached map[string]bool
}

// Full reports whether nothing of the rule is missing.
func (r RuleCoverage) Full() bool {
	return r.Asked && r.Decided && !slices.ContainsFunc(r.Atoms, func(a AtomCoverage) bool { return len(a.Missing) > 0 })
}

// Cover asks every question of the tests and says what was looked at.
func Cover(ctx context.Context, p *model.Program, tests []*model.Test) (*Coverage, error) {
	rec := newRecorder(p)
	for _, t := range tests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		docs := NewDocuments(p, t)
		for _, a := range questions(t) {
			q := eval.Query{Request: docs.Request(a.Table().Datasource), Table: a.Table(), Action: a.Action}
			q.Old, q.New, q.Set = docs.Ask(a)
			eval.DecideRecorded(p, q, rec)
		}
	}
	return rec.coverage(), nil
}

// recorder collects what decisions look at.
type recorder struct {
	policies []*RuleCoverage
	guards   []*RuleCoverage
	policy   map[*model.Policy]*RuleCoverage
	guard    map[*model.Guard]*RuleCoverage
	atoms    map[model.Expr]*AtomCoverage
	of       map[*RuleCoverage][]*AtomCoverage
}

func newRecorder(p *model.Program) *recorder {
	r := &recorder{
		policy: map[*model.Policy]*RuleCoverage{}, guard: map[*model.Guard]*RuleCoverage{},
		atoms: map[model.Expr]*AtomCoverage{}, of: map[*RuleCoverage][]*AtomCoverage{},
	}
	for _, x := range p.Policies {
		rule := &RuleCoverage{Name: x.Name, Span: x.Span}
		r.policy[x], r.policies = rule, append(r.policies, rule)
		for _, t := range x.On {
			r.add(rule, t.When.Source)
			r.add(rule, t.Check.Source)
		}
	}
	for _, x := range p.Guards {
		rule := &RuleCoverage{Name: x.Name, Span: x.Span}
		r.guard[x], r.guards = rule, append(r.guards, rule)
		for _, t := range x.On {
			r.add(rule, t.Require.Source)
		}
	}
	return r
}

// add registers the comparisons of a condition; those at one place, of several
// tables, are one.
func (r *recorder) add(rule *RuleCoverage, condition model.Expr) {
	if condition == nil {
		return
	}
	inner := map[model.Expr]bool{}
	model.WalkExpr(condition, func(x model.Expr) {
		opposite := notEqual(x)
		if opposite != nil {
			inner[opposite] = true
		}
		if inner[x] || opposite == nil && !atomic(x) {
			return
		}
		for _, have := range r.of[rule] {
			if have.Span == x.Place() {
				r.atoms[x] = have
				have.sides["unknown"] = have.sides["unknown"] || undecided(x)
				return
			}
		}
		a := &AtomCoverage{Span: x.Place(), reached: map[string]bool{}, sides: map[string]bool{"true": true, "false": true, "unknown": undecided(x)}}
		r.atoms[x] = a
		r.of[rule] = append(r.of[rule], a)
	})
}

// notEqual is what an expression such as `x != null` is the negation of: the
// two are written as one.
func notEqual(x model.Expr) model.Expr {
	if c, ok := x.(*model.Call); ok && c.Fn == model.FnNot && c.Args[0].Place() == c.Place() && atomic(c.Args[0]) {
		return c.Args[0]
	}
	return nil
}

// atomic reports whether an expression has a truth value of its own: it is no
// constant and not put together by and, or, not, or a choice.
func atomic(x model.Expr) bool {
	if x.ResultType().Kind != model.KindBool {
		return false
	}
	if _, constant := x.(*model.Literal); constant {
		return false
	}
	if c, ok := x.(*model.Call); ok {
		return c.Fn != model.FnAnd && c.Fn != model.FnOr && c.Fn != model.FnNot && c.Fn != model.FnIf
	}
	return true
}

// undecided reports whether the records and users of a test can make a
// comparison unknown.
func undecided(x model.Expr) bool {
	if c, ok := x.(*model.Call); ok && c.Fn == model.FnKnown {
		return false
	}
	if written := notEqual(x); written != nil {
		x = written
	}
	aboutNull := false
	if c, ok := x.(*model.Call); ok {
		aboutNull = c.Fn == model.FnIsNull || c.Fn == model.FnIsEmpty
	}
	found := false
	model.WalkExpr(x, func(e model.Expr) {
		switch part := e.(type) {
		case *model.ColumnRef:
			found = found || len(part.Path) > 0 || part.Column.Null && !aboutNull
		case *model.AttrRef, *model.GroupsRef, *model.MemberOf:
			found = true
		case *model.Literal, *model.NullLiteral, *model.LevelRef, *model.AppRef, *model.NowRef, *model.Call, *model.Network, *model.Related:
		}
	})
	return found
}

// Policy implements eval.Recorder.
func (r *recorder) Policy(t *model.PolicyTarget, granted bool) {
	rule := r.policy[t.Policy]
	rule.Asked, rule.Decided = true, rule.Decided || granted
}

// Guard implements eval.Recorder.
func (r *recorder) Guard(t *model.GuardTarget, refused bool) {
	rule := r.guard[t.Guard]
	rule.Asked, rule.Decided = true, rule.Decided || refused
}

// Value implements eval.Recorder.
func (r *recorder) Value(x model.Expr, v model.Value) {
	a := r.atoms[x]
	if a == nil {
		return
	}
	switch v {
	case true:
		a.reached["true"] = true
	case false:
		a.reached["false"] = true
	default:
		a.reached["unknown"] = true
	}
}

func (r *recorder) coverage() *Coverage {
	out := &Coverage{}
	finish := func(rules []*RuleCoverage) []RuleCoverage {
		done := []RuleCoverage{}
		for _, rule := range rules {
			for _, a := range r.of[rule] {
				for _, side := range []string{"true", "false", "unknown"} {
					switch {
					case !a.sides[side]:
						continue
					case a.reached[side]:
						out.Reached++
					default:
						a.Missing = append(a.Missing, side)
					}
					out.Sides++
				}
				rule.Atoms = append(rule.Atoms, *a)
			}
			slices.SortFunc(rule.Atoms, func(a, b AtomCoverage) int { return a.Span.Compare(b.Span) })
			done = append(done, *rule)
		}
		return done
	}
	out.Policies, out.Guards = finish(r.policies), finish(r.guards)
	return out
}
