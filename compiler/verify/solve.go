package verify

import (
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// solver changes a record, or a request, until a condition holds or fails. It
// is greedy: it takes one way through the condition and tries values for what
// each atom on it speaks of.
type solver struct {
	g       *generator
	table   *model.Table
	request *model.Request
	record  *Record
	users   bool // change the request; else the record
	entry   model.Entry
}

func (g *generator) solver(t *model.Table, r *model.Request, record *Record, users bool) *solver {
	s := &solver{g: g, table: t, request: r, record: record, users: users}
	for _, e := range t.Datasource.Entries() {
		s.entry = e
		if e.Connect == nil || e.Connect.App.Name == r.App {
			break
		}
	}
	return s
}

func (s *solver) truth(x model.Expr) model.Value {
	return eval.NewEnv(s.g.p, *s.request, s.entry).On(s.record.Doc).Value(x)
}

// tries is how many values an atom is tried with.
const tries = 24

func (s *solver) solve(x model.Expr, want bool, depth int) {
	if x == nil || depth < 0 {
		return
	}
	if call, ok := x.(*model.Call); ok {
		switch call.Fn {
		case model.FnNot:
			s.solve(call.Args[0], !want, depth)
			return
		case model.FnAnd, model.FnOr:
			if (call.Fn == model.FnAnd) == want {
				// One part may undo another: again, until all are as wanted.
				for try := 0; try < 3 && s.truth(x) != want; try++ {
					for _, a := range call.Args {
						s.solve(a, want, depth-1)
					}
				}
				return
			}
			s.solve(pick(s.g, call.Args), want, depth-1)
			return
		case model.FnIf:
			branch := 1 + s.g.rng.IntN(2)
			s.solve(call.Args[0], branch == 1, depth-1)
			s.solve(call.Args[branch], want, depth-1)
			return
		default:
		}
	}
	s.atom(x, want)
}

// atom tries values for the places that an atom speaks of.
func (s *solver) atom(x model.Expr, want bool) {
	var columns []*model.Column
	var attributes []*model.Attribute
	groups := false
	model.WalkExpr(x, func(e model.Expr) {
		switch ref := e.(type) {
		case *model.ColumnRef:
			if ref.Row.Table == s.table && len(ref.Path) == 0 && s.table.Column(ref.Column.Name) == ref.Column {
				columns = append(columns, ref.Column)
			}
		case *model.AttrRef:
			attributes = append(attributes, ref.Attribute)
		case *model.GroupsRef, *model.MemberOf:
			groups = true
		case *model.Literal, *model.NullLiteral, *model.LevelRef, *model.AppRef, *model.NowRef, *model.Call, *model.Network, *model.Related:
		}
	})
	for range tries {
		if s.truth(x) == want {
			return
		}
		switch {
		case s.users && groups && s.request.User != nil && s.g.chance(2):
			s.g.stateGroups(s.request.User)
		case s.users && len(attributes) > 0:
			s.change(pick(s.g, attributes))
		case len(columns) > 0:
			s.g.fill(s.record, s.table, pick(s.g, columns))
		default:
			return
		}
	}
}

func (s *solver) change(a *model.Attribute) {
	doc := s.request.User
	if a.Scope == model.ScopeRequest {
		if s.request.Context == nil {
			s.request.Context = map[string]any{}
		}
		doc = s.request.Context
	}
	if doc != nil {
		s.g.state(doc, a)
	}
}
