package access

import (
	"slices"
	"sync"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// pool is requests and records that answered a question before. Questions about
// a program are much alike: most that somebody satisfies, one of these does, and
// the evaluator tells that in a small part of the time that the solver takes.
type pool struct {
	mu   sync.Mutex
	list []*sample // the last useful ones first
}

// sample is a request and records of which some columns are given. Another
// question may ask only for these: a record that lacks one is no record of its
// table.
type sample struct {
	*Witness
	resource bool
	columns  map[which]map[string]bool // by columnKey
}

const mostKept = 24

// keep takes what a model of the encoder's question is.
func (p *pool) keep(e *encoder, w *Witness) {
	if w == nil {
		return
	}
	s := &sample{Witness: w, columns: map[which]map[string]bool{}}
	for at, row := range e.rows {
		s.resource = row.table.Resource()
		s.columns[at] = map[string]bool{}
		for key := range row.columns {
			s.columns[at][key] = true
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = slices.Insert(p.list, 0, s)
	p.list = p.list[:min(len(p.list), mostKept)]
}

// satisfy reports whether one of the pool satisfies a formula about records of a
// resource, or of a table.
func (p *pool) satisfy(f formula, resource bool) bool {
	needs := needed{}
	if !needs.formula(f) {
		return false
	}
	p.mu.Lock()
	list := slices.Clone(p.list)
	p.mu.Unlock()
	i := slices.IndexFunc(list, func(s *sample) bool {
		return s.resource == resource && s.gives(needs) && (&satisfier{w: s.Witness, envs: map[*side]*eval.Env{}}).formula(f)
	})
	if i <= 0 {
		return i == 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if j := slices.Index(p.list, list[i]); j > 0 {
		p.list = slices.Insert(slices.Delete(p.list, j, j+1), 0, list[i])
	}
	return true
}

func (s *sample) gives(needs needed) bool {
	for at, columns := range needs {
		for key := range columns {
			if !s.columns[at][key] {
				return false
			}
		}
	}
	return true
}

// needed is the columns that a formula asks for.
type needed map[which]map[string]bool

// formula adds those of a formula; false where it asks for related records.
func (n needed) formula(f formula) bool {
	switch x := f.(type) {
	case *holds:
		return n.cond(x.cond, x.at)
	case allOf:
		return !slices.ContainsFunc(x, func(t formula) bool { return !n.formula(t) })
	case anyOf:
		return !slices.ContainsFunc(x, func(t formula) bool { return !n.formula(t) })
	case not:
		return n.formula(x.of)
	}
	return false
}

func (n needed) cond(c model.Cond, at which) bool {
	plain := true
	model.Walk(c, func(atom model.Cond) {
		switch atom.(type) {
		case *model.Some, *model.Every, *model.Count:
			plain = false
		case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known,
			*model.Match, *model.In, *model.InNetwork, *model.ViaApp:
		}
		for _, x := range model.Operands(atom) {
			model.WalkExpr(x, func(e model.Expr) {
				ref, ok := e.(*model.ColumnRef)
				if !ok {
					return
				}
				plain = plain && len(ref.Path) == 0
				if n[at] == nil {
					n[at] = map[string]bool{}
				}
				n[at][columnKey(ref.Column)] = true
			})
		}
	})
	return plain
}

// satisfier asks the evaluator whether a witness satisfies a formula.
type satisfier struct {
	w    *Witness
	envs map[*side]*eval.Env
}

func (s *satisfier) formula(f formula) bool {
	switch x := f.(type) {
	case *holds:
		record := s.w.Record
		if x.at == newRecord {
			record = s.w.NewRecord
		}
		return s.env(x.side).On(record).Holds(x.cond)
	case allOf:
		return !slices.ContainsFunc(x, func(t formula) bool { return !s.formula(t) })
	case anyOf:
		return slices.ContainsFunc(x, s.formula)
	case not:
		return !s.formula(x.of)
	}
	return false
}

func (s *satisfier) env(of *side) *eval.Env {
	if env, ok := s.envs[of]; ok {
		return env
	}
	app := ""
	if of.entry.Connect != nil {
		app = of.entry.App().Name
	}
	req := model.Request{User: s.w.User, App: app, Context: s.w.Request, Now: s.w.now}
	env := eval.NewEnv(of.program, req, of.entry)
	s.envs[of] = env
	return env
}
