package verify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// Options say how much is asked.
type Options struct {
	Seed   uint64
	Budget int // decisions asked of each engine; a run ends with the first world that reaches it
}

// Count is how often a policy granted, or a guard let pass, and how often not.
type Count struct {
	Name string `json:"name"`
	Yes  int    `json:"yes"`
	No   int    `json:"no"`
}

func (c *Count) add(yes bool) {
	if yes {
		c.Yes++
	} else {
		c.No++
	}
}

// Report is what a run did and found.
type Report struct {
	Seed      uint64         `json:"seed"`
	Decisions int            `json:"decisions"` // questions, each asked of all engines that cover its table
	Allowed   int            `json:"allowed"`   // of them
	Targets   map[string]int `json:"targets"`   // decisions of each engine
	Policies  []*Count       `json:"policies"`
	Guards    []*Count       `json:"guards"`
	Elapsed   time.Duration  `json:"-"`
	// Found is the first disagreement; nil when there is none.
	Found *Disagreement `json:"-"`
}

// Disagreement is one question on which an engine and the evaluator differ.
type Disagreement struct {
	Program *model.Program
	World   *World
	Request model.Request
	Table   *model.Table
	Action  model.Action
	Old     int // the number of the record, -1 for a create
	New     int // the number of the record that a write makes; -1: nothing changes
	Target  string
	Want    string // the evaluator's answer
	Got     string
}

// String is the disagreement in one sentence.
func (d *Disagreement) String() string {
	return fmt.Sprintf("%s of %s: %s says %s, the evaluator says %s", d.Action, d.Table.Address(), d.Target, d.Got, d.Want)
}

// Run asks all engines about worlds of the program until the budget is spent
// or two of them differ. An engine that fails to answer ends the run.
func Run(ctx context.Context, p *model.Program, engines []Engine, o Options) (*Report, error) {
	r := &run{
		program: p, engines: engines, reference: newReference(p),
		report: &Report{Seed: o.Seed, Targets: map[string]int{}},
	}
	stored := map[*model.Table]bool{}
	for _, e := range engines {
		_, keeps := e.(Keeper)
		for _, t := range p.Tables {
			stored[t] = stored[t] || keeps && e.Covers(t)
		}
	}
	g := newGenerator(p, o.Seed, stored)
	start := time.Now()
	for before := -1; before < r.report.Decisions && r.report.Decisions < o.Budget && r.report.Found == nil; {
		before = r.report.Decisions // a program without tables has nothing to ask about
		if err := r.world(ctx, g); err != nil {
			return nil, err
		}
	}
	r.report.Elapsed = time.Since(start)
	for _, pol := range p.Policies {
		r.report.Policies = append(r.report.Policies, r.reference.policies[pol])
	}
	for _, guard := range p.Guards {
		r.report.Guards = append(r.report.Guards, r.reference.guards[guard])
	}
	return r.report, nil
}

type run struct {
	program   *model.Program
	engines   []Engine
	reference *reference
	report    *Report
}

func (r *run) world(ctx context.Context, g *generator) error {
	w := g.world()
	w.prune(r.program)
	for _, e := range r.engines {
		if k, ok := e.(Keeper); ok {
			if err := k.Keep(ctx, w); err != nil {
				return fmt.Errorf("giving %s the records: %w", e.Name(), err)
			}
		}
	}
	docs := w.documents(r.program)
	for i, req := range w.Requests {
		for _, t := range r.program.Tables {
			if err := ctx.Err(); err != nil {
				return err
			}
			if len(docs[t]) == 0 || !slices.Contains(w.about[i], t) || len(t.Policies) == 0 && i > 1 {
				continue // few requests are enough to see that all are denied
			}
			q := &Query{Request: w.lookUp(r.program, t, req), Stated: &req, Table: t, Records: docs[t]}
			if !comes(r.program, q) {
				continue
			}
			if t.HasAction(model.Edit) {
				for range editsPerQuery {
					q.Edits = append(q.Edits, [2]int{g.rng.IntN(len(docs[t])), g.rng.IntN(len(docs[t]))})
				}
			}
			if err := r.query(ctx, w, q); err != nil || r.report.Found != nil {
				return err
			}
		}
	}
	return nil
}

// comes reports whether a request can come to the table at all: where users are
// login roles, nobody comes without a name that a role can have.
func comes(p *model.Program, q *Query) bool {
	if q.Table.Datasource.Identity != model.IdentityRole {
		return true
	}
	name, ok := eval.Claim(q.Request.User, p.Identity.Key).(string)
	return ok && model.LoginName(name)
}

// columnsPerQuery is of how many visible records the columns are asked.
const columnsPerQuery = 2

func (r *run) query(ctx context.Context, w *World, q *Query) error {
	want, err := r.reference.Ask(ctx, q)
	if err != nil {
		return err
	}
	asked := len(q.Edits)
	for _, allowed := range want.Allowed {
		asked += len(allowed)
		for _, yes := range allowed {
			if yes {
				r.report.Allowed++
			}
		}
	}
	for i, yes := range want.Allowed[model.View] {
		if yes && len(q.Columns) < columnsPerQuery {
			q.Columns = append(q.Columns, i)
		}
	}
	if len(q.Columns) > 0 {
		again, err := r.reference.Ask(ctx, &Query{Request: q.Request, Table: &model.Table{
			Datasource: q.Table.Datasource, Columns: q.Table.Columns, Policies: q.Table.Policies, Guards: q.Table.Guards, Masks: q.Table.Masks,
		}, Records: q.Records, Columns: q.Columns})
		if err != nil {
			return err
		}
		want.Sights = again.Sights
		asked += len(q.Columns)
	}
	for _, e := range r.engines {
		if !e.Covers(q.Table) {
			continue
		}
		got, err := e.Ask(ctx, q)
		if err != nil {
			return fmt.Errorf("asking %s: %w", e.Name(), err)
		}
		if got.Only != nil {
			r.report.Targets[e.Name()] += len(got.Only) * len(q.Records)
		} else {
			r.report.Targets[e.Name()] += asked
		}
		if d := compare(q, want, got); d != nil {
			d.Program, d.World, d.Request, d.Table, d.Target = r.program, w, q.AsStated(), q.Table, e.Name()
			r.report.Found = d
			return nil
		}
	}
	r.report.Decisions += asked
	return nil
}

// compare finds the first question on which two answers differ.
func compare(q *Query, want, got *Answer) *Disagreement {
	for _, action := range q.Table.Actions {
		if got.Only != nil && !slices.Contains(got.Only, action) {
			continue
		}
		for i := range q.Records {
			if want.Allowed[action][i] == got.Allowed[action][i] {
				continue
			}
			d := &Disagreement{Action: action, Old: i, New: -1, Want: verdict(want.Allowed[action][i]), Got: verdict(got.Allowed[action][i])}
			if action == model.Create {
				d.Old, d.New = -1, i
			}
			return d
		}
	}
	if got.Only != nil {
		return nil
	}
	for i, e := range q.Edits {
		if want.Edits[i] != got.Edits[i] {
			return &Disagreement{Action: model.Edit, Old: e[0], New: e[1], Want: verdict(want.Edits[i]), Got: verdict(got.Edits[i])}
		}
	}
	for i, n := range q.Columns {
		if w, g := look(q.Table, want, got, i, q.Records[n]); w != g {
			return &Disagreement{Action: model.View, Old: n, New: -1, Want: w, Got: g}
		}
	}
	return nil
}

// look says of the sights of two answers what they show of a record.
func look(t *model.Table, want, got *Answer, i int, doc model.Document) (w, g string) {
	if got.Sights == nil {
		return columnNames(t, want.Sights[i]), fmt.Sprint("the columns ", got.Columns[i])
	}
	return lookOf(t, want.Sights[i], got.Sights[i], doc)
}

// lookOf says of two sights what they show of a record, the same of those that
// show the same. An engine that tells values alone is compared by them.
func lookOf(t *model.Table, want, got model.Sight, doc model.Document) (w, g string) {
	if got.Values == nil {
		if w, g = columnNames(t, want), columnNames(t, got); w != g {
			return w, g
		}
	}
	a, b := eval.Seen(t, want, doc), eval.Seen(t, got, doc)
	for _, c := range t.Columns {
		if !eval.SameSeen(c, a[c.Name], b[c.Name]) {
			return fmt.Sprintf("%s shown as %v", c.Name, a[c.Name]), fmt.Sprintf("%s shown as %v", c.Name, b[c.Name])
		}
	}
	return "", ""
}

// columnNames are the columns that a sight shows, masked or not.
func columnNames(t *model.Table, s model.Sight) string {
	return fmt.Sprint("the columns ", shownColumns(t, s))
}

func shownColumns(t *model.Table, s model.Sight) []string {
	out := []string{}
	for _, c := range t.Columns {
		if _, masked := s.Masked[c.Name]; masked || slices.Contains(s.Visible, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

func verdict(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "denied"
}
