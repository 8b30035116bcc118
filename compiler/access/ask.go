package access

import (
	"context"
	"slices"
	"time"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// ask answers a question, for users that the directory does not name and for
// each that it does.
func (c *comparer) ask(ctx context.Context, q *question) answer {
	if impossible(q.part) || q.within != nil && q.cell.forms.key(q.whole) == q.cell.forms.key(q.within) {
		return answer{}
	}
	return c.remember(q, func() answer { return c.decide(ctx, q) })
}

func (c *comparer) decide(ctx context.Context, q *question) answer {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	asked := allOf{q.part, not{q.whole}}
	if q.within != nil {
		asked = append(asked, q.within)
	}
	out := answer{}
	named := c.named(mentioned(asked))
	for i := -1; i < len(named); i++ {
		var a answer
		if i < 0 {
			a = c.solve(ctx, q, asked, nil, named)
		} else {
			a = c.solve(ctx, q, asked, &named[i], nil)
		}
		if a.outcome == found {
			return a
		}
		out = worse(out, a)
	}
	if c.keys && c.names(c.old, asked) && c.names(c.new, asked) {
		out = worse(out, answer{outcome: unknown, reason: whyKeys})
	}
	return out
}

// Why nothing is said where the programs tell users apart in different ways.
const (
	whyKeys    = "a user may be in both directories, under different keys"
	whyOrigins = "attributes of the user are read from another place"
)

// names reports whether a directory states more of users than a formula may be
// asked without.
func (c *comparer) names(p *model.Program, f formula) bool {
	m := mentioned(f)
	return slices.ContainsFunc(p.Users, func(u *model.User) bool { return matters(p, u, m) })
}

// impossible reports whether a formula is plainly never satisfied.
func impossible(f formula) bool {
	switch x := f.(type) {
	case allOf:
		return slices.ContainsFunc(x, impossible)
	case anyOf:
		return !slices.ContainsFunc(x, func(t formula) bool { return !impossible(t) })
	case *holds, not:
		return false
	}
	return false
}

// solve answers a question for one user of the directory, or for all but some.
func (c *comparer) solve(ctx context.Context, q *question, asked formula, user *namedUser, others []namedUser) answer {
	e := newEncoder(c)
	entries := map[*side]*model.User{}
	if user != nil {
		entries[q.cell.old], entries[q.cell.new] = user.old, user.new
		e.pinned = user.old != nil && user.old.Level != nil || user.new != nil && user.new.Level != nil
	}
	e.levels(c.old, c.new)
	e.need(asked, true, q.cell.alike(), map[string]bool{})
	e.s.Goal(e.formula(asked, entries))
	for _, p := range []*model.Program{c.new, c.old} {
		e.stated(p.Identity.Key)
	}
	if user != nil {
		e.s.Assert(e.isUser(user))
	}
	for i := range others {
		e.s.Assert(smt.Not(e.isUser(&others[i])))
	}
	e.finish()
	if e.s.Size() > mostAtoms {
		return answer{outcome: unknown, reason: "it is too large"}
	}
	var w *Witness
	r := e.s.Solve(ctx, smt.Limits{Steps: c.opts.Steps}, func(m *smt.Model) smt.Reply {
		if e.refine(m) {
			return smt.Refine
		}
		if w = e.witness(q, m, user != nil, true); w != nil && q.confirms(w) && q.through(w) {
			return smt.Accept
		}
		if w = e.witness(q, m, user != nil, false); w != nil && q.confirms(w) {
			return smt.Accept
		}
		return smt.Refuse
	})
	switch {
	case r.Status == smt.Sat:
		return answer{outcome: found, witness: q.plainer(w)}
	case r.Status == smt.Undecided && r.Refused && q.cell.old.origins != q.cell.new.origins:
		return answer{outcome: unknown, reason: whyOrigins}
	case r.Status == smt.Undecided:
		return answer{outcome: unknown, reason: r.Reason}
	case e.partial != "":
		return answer{outcome: unknown, reason: e.partial}
	}
	return answer{}
}

// witness is a model's request and records; brief leaves out what the question
// does not rest on.
func (e *encoder) witness(q *question, m *smt.Model, named, brief bool) *Witness {
	user, ok := e.claims(q, m, named, brief)
	if !ok {
		return nil
	}
	request, ok := e.context(m, brief)
	if !ok {
		return nil
	}
	w := &Witness{User: user, App: q.cell.app, Request: request, now: niceDay.Instant()}
	if e.now != nil && (!brief || e.now.relevant(m)) {
		v, _ := e.now.value(m)
		w.now, _ = v.(model.Timestamp)
		w.Now = time.UnixMicro(int64(w.now)).UTC().Format(time.RFC3339Nano)
	}
	documents := map[which]model.Document{}
	for at, row := range e.rows {
		if documents[at], ok = row.document(m); !ok {
			return nil
		}
		if brief {
			row.unneeded(documents[at], m)
		}
	}
	record := func(at which) model.Document {
		if doc := documents[at]; doc != nil {
			return doc
		}
		return model.Document{}
	}
	switch q.cell.action {
	case model.Create:
		w.NewRecord = record(newRecord)
	case model.Edit:
		w.Record, w.NewRecord = record(oldRecord), record(newRecord)
	default:
		w.Record = record(oldRecord)
	}
	return w
}
