package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Outcome is how a claim ended.
type Outcome string

// The outcomes. Only Proven lets a claim pass.
const (
	Proven     Outcome = "proven"    // there is no such user and record
	Refuted    Outcome = "refuted"   // there is, and the evaluator confirms it
	NotDecided Outcome = "undecided" // not known
)

// Finding is what was found of a claim.
type Finding struct {
	Outcome Outcome `json:"outcome"`
	// Claim is what is claimed: `never view table.crm.salaries (amount)`.
	Claim string `json:"claim"`
	// Witness is one user and record that refute it.
	Witness *Witness `json:"witness,omitempty"`
	// Columns are those of the claim's that the witness reaches.
	Columns []string `json:"columns,omitempty"`
	// Spans are the places of the policies that let the witness.
	Spans []source.Span `json:"spans,omitempty"`
	// Reason says why it is undecided.
	Reason string `json:"reason,omitempty"`
}

// Never proves or refutes a claim, through each way in that it is about. The
// error is that of the context alone.
func Never(ctx context.Context, p *model.Program, n *model.Never, opts Options) (Finding, error) {
	out := Finding{Outcome: Proven, Claim: claimText(n)}
	c := &comparer{opts: opts.withDefaults(), old: p, new: p}
	for _, e := range n.Entries() {
		a := c.never(ctx, &claim{never: n, entry: e, side: &side{program: p, table: n.Table, entry: e, ok: true}})
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("proving a claim: %w", err)
		}
		switch a.outcome {
		case found:
			return a.finding(out.Claim), nil
		case unknown:
			out.Outcome, out.Reason = NotDecided, a.reason
		case none:
		}
	}
	return out, nil
}

func claimText(n *model.Never) string {
	s := "never " + string(n.Action) + " " + tableAddress(n.Table)
	if len(n.Columns) == 0 {
		return s
	}
	return s + " (" + joined(columnNames(n.Columns)) + ")"
}

func columnNames(list []*model.Column) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Name
	}
	return out
}

// claim is a claim through one way in.
type claim struct {
	never *model.Never
	entry model.Entry
	side  *side
}

// claimed is how a claim ended through one way in.
type claimed struct {
	answer
	claim *claim
}

// unknownUser tells why a condition on the user says nothing.
const unknownUser = `its condition asks for the user, whom an app that connects as = "app" does not tell`

func (c *comparer) never(ctx context.Context, of *claim) claimed {
	n, s := of.never, of.side
	app := ""
	if of.entry.Connect != nil {
		app = of.entry.App().Name
	}
	at := oldRecord
	if n.Action == model.Create {
		at = newRecord
	}
	if of.entry.AsApp() {
		m := mentioned(&holds{s, at, n.When.Holds})
		if m.groups || m.level || len(m.attributes) > 0 {
			return claimed{answer{outcome: unknown, reason: unknownUser}, of}
		}
	}
	granted := s.records(n.Action, "")
	if len(n.Columns) > 0 {
		var arms anyOf
		for _, col := range n.Columns {
			arms = append(arms, s.column(n.Action, col.Name, sight{rawSight}, ""))
		}
		granted = arms
	}
	asked := allOf{s.holds(s.program.Asked(of.entry, n), at), s.holds(s.program.Among(of.entry, n), at), granted}
	if impossible(asked) {
		return claimed{answer{}, of}
	}
	q := &question{
		cell: &cell{comparer: c, action: n.Action, app: app, address: tableAddress(n.Table), old: s, new: &side{program: s.program}, forms: newForms(redeclared{})},
		part: asked, whole: never, check: of.confirms,
	}
	return claimed{c.decide(ctx, q), of}
}

// confirms asks the reference evaluator whether a witness refutes the claim.
func (of *claim) confirms(w *Witness) bool {
	n, p := of.never, of.side.program
	env := of.env(w)
	if !env.Holds(p.Asked(of.entry, n)) || !env.Holds(p.Among(of.entry, n)) {
		return false
	}
	return of.side.allows(n.Action, w, "", sight{}) && (len(n.Columns) == 0 || len(of.reached(w)) > 0)
}

// env is the environment of a witness, on the record that the claim is about.
func (of *claim) env(w *Witness) *eval.Env {
	record := w.Record
	if of.never.Action == model.Create {
		record = w.NewRecord
	}
	return of.envOn(w, record)
}

func (of *claim) envOn(w *Witness, record model.Document) *eval.Env {
	req := model.Request{User: w.User, App: w.App, Context: w.Request, Now: w.now}
	return eval.NewEnv(of.side.program, req, of.entry).On(record)
}

// reached lists the claim's columns that a witness reaches.
func (of *claim) reached(w *Witness) []string {
	return slices.DeleteFunc(columnNames(of.never.Columns), func(name string) bool {
		return !of.side.allows(of.never.Action, w, name, sight{rawSight})
	})
}

func (a claimed) finding(text string) Finding {
	return Finding{
		Outcome: Refuted, Claim: text, Witness: a.witness,
		Columns: a.claim.reached(a.witness), Spans: a.claim.behind(a.witness),
	}
}

// behind lists the places of the policies that let the witness. A write may have
// its record from one policy and a column from another.
func (of *claim) behind(w *Witness) []source.Span {
	n, p := of.never, of.side.program
	columns := of.reached(w)
	var out []source.Span
	for _, t := range n.Table.Policies {
		if !t.Allows(n.Action) {
			continue
		}
		gate := p.Gate(t.Policy, of.entry.AsApp())
		lets := w.Record != nil && of.envOn(w, w.Record).Holds(model.AllOf(gate, t.When.Holds)) ||
			w.NewRecord != nil && of.envOn(w, w.NewRecord).Holds(model.AllOf(gate, t.Check.Holds))
		if len(columns) > 0 {
			lists := slices.ContainsFunc(t.Columns, func(c *model.Column) bool { return slices.Contains(columns, c.Name) })
			if n.Action == model.View {
				lets = lets && lists
			} else {
				lets = lets || lists && of.env(w).Holds(gate)
			}
		}
		if lets {
			out = append(out, t.Span)
		}
	}
	slices.SortFunc(out, source.Span.Compare)
	return slices.Compact(out)
}
