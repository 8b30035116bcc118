package explain

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

type explainer struct {
	program  *model.Program
	query    eval.Query
	sources  *source.Set
	decision eval.Decision
	env      *eval.Env
	entry    model.Entry
}

// noEntry is why a request has no way in.
func (e *explainer) noEntry() string {
	ds := e.query.Table.Datasource
	var names []string
	for _, a := range ds.Apps {
		names = append(names, "app."+a.Name)
	}
	through := "datasource." + ds.Name + " is reached through " + strings.Join(names, ", ")
	if e.query.Request.App == "" {
		return "the request names no app, and " + through
	}
	return "app." + e.query.Request.App + " does not connect: " + through
}

func (e *explainer) entered() Entry {
	c := e.entry.Connect
	if c == nil {
		return Entry{Holds: true}
	}
	out := Entry{Holds: true, App: "app." + c.App.Name, AsApp: e.entry.AsApp(), Span: c.Span}
	if out.AsApp {
		asking := &explainer{env: eval.NewEnv(e.program, e.query.Request, model.Entry{})}
		out.Subjects = asking.subjects(c.App.Users)
		return out
	}
	out.Subjects = e.subjects(c.App.Users)
	out.Holds = e.env.Among(c.App.Users) == true
	return out
}

func (e *explainer) user(env *eval.Env) User {
	fact := func(name string, x model.Expr, span source.Span) Fact {
		return newFact(name, env.Value(x), x.ResultType(), "", span)
	}
	u := User{
		Level:      fact("user.access_level", &model.LevelRef{Node: model.Node{Type: model.String}}, source.Span{}),
		Groups:     fact("user.groups", &model.GroupsRef{Node: model.Node{Type: model.StringSet}}, source.Span{}),
		Attributes: []Fact{},
	}
	for _, list := range [][]*model.Attribute{e.program.Identity.Attributes, e.program.Request} {
		for _, a := range list {
			ref := &model.AttrRef{Node: model.Node{Type: a.Type, Span: a.Span}, Attribute: a}
			u.Attributes = append(u.Attributes, fact(print.Expr(ref), ref, a.Span))
		}
	}
	return u
}

// checks are the questions of docs/semantics.md, "The decision", in its order.
func (e *explainer) checks() []Check {
	q := e.query
	old, next := q.Old, q.New
	if next == nil {
		next = q.Old
	}
	switch q.Action {
	case model.Create:
		return []Check{e.policies(model.Create, q.New, true, "new"), e.guards(q.New, "new"), e.set()}
	case model.Delete:
		return []Check{e.policies(model.Delete, old, false, "old"), e.policies(model.View, old, false, "old"), e.guards(old, "old")}
	case model.Edit:
		return []Check{
			e.policies(model.Edit, old, false, "old"), e.policies(model.View, old, false, "old"), e.guards(old, "old"),
			e.policies(model.Edit, next, true, "new"), e.policies(model.View, next, false, "new"), e.guards(next, "new"), e.set(),
		}
	case model.View:
		return []Check{e.policies(model.View, old, false, "old"), e.guards(old, "old")}
	default: // a resource's own action
		return []Check{e.policies(q.Action, old, false, "old"), e.guards(old, "old")}
	}
}

func (e *explainer) policies(a model.Action, doc model.Document, check bool, record string) Check {
	out := Check{Kind: Policies, Record: record, Action: a, Rules: []Rule{}}
	for _, t := range e.query.Table.Policies {
		if !t.Allows(a) {
			continue
		}
		r := Rule{
			Kind: "policy", Name: t.Policy.Name, Description: t.Policy.Description, Span: t.Policy.Span,
			Subjects: e.subjects(e.counted(t.Policy.To)), Via: e.via(t.Policy), Outcome: DoesNotApply,
		}
		if e.applies(t.Policy) {
			c := t.When
			if check {
				c = t.Check
			}
			r.Condition = e.node(e.env.On(doc), c.Source)
			r.Outcome = NotGrants
			if r.Condition.Value == True {
				r.Outcome, out.Holds = Grants, true
			}
		}
		out.Rules = append(out.Rules, r)
	}
	return out
}

// counted are the subjects of a policy that count behind this entry.
func (e *explainer) counted(to []model.Subject) []model.Subject {
	if !e.entry.AsApp() {
		return to
	}
	return slices.DeleteFunc(slices.Clone(to), func(s model.Subject) bool { _, ok := s.(model.AppSubject); return !ok })
}

func (e *explainer) applies(p *model.Policy) bool {
	if e.env.Among(e.counted(p.To)) != true {
		return false
	}
	return p.Via == nil || slices.ContainsFunc(p.Via, func(a *model.App) bool { return a == e.entry.App() })
}

func (e *explainer) via(p *model.Policy) []SubjectFact {
	var out []SubjectFact
	for _, a := range p.Via {
		out = append(out, SubjectFact{Subject: "app." + a.Name, Value: truth(a == e.entry.App())})
	}
	return out
}

func (e *explainer) guards(doc model.Document, record string) Check {
	out := Check{Kind: Guards, Record: record, Holds: true, Rules: []Rule{}}
	for _, t := range e.query.Table.Guards {
		r := Rule{
			Kind: "guard", Name: t.Guard.Name, Description: t.Guard.Description, Span: t.Guard.Span,
			Subjects: e.subjects(t.Guard.To), Outcome: DoesNotApply,
		}
		if e.env.Among(t.Guard.To) != false {
			r.Condition = e.node(e.env.On(doc), t.Require.Source)
			r.Outcome = Passes
			if r.Condition.Value != True {
				r.Outcome, out.Holds = Refuses, false
			}
		}
		out.Rules = append(out.Rules, r)
	}
	return out
}

func (e *explainer) subjects(list []model.Subject) []SubjectFact {
	out := []SubjectFact{}
	for _, s := range list {
		out = append(out, SubjectFact{Subject: model.SubjectString(s), Value: truth(e.env.Among([]model.Subject{s}))})
	}
	return out
}

// reason is the first check that fails, or who grants.
func reason(x *Explanation) string {
	for _, c := range x.Checks {
		if !c.Holds {
			return failure(c)
		}
	}
	first := x.Checks[0]
	names := ruleNames(first.Rules, Grants)
	word := "policy "
	if len(names) > 1 {
		word = "policies "
	}
	return word + strings.Join(names, ", ") + " " + verb(len(names), "grant") + " it, and no guard stands against it"
}

func failure(c Check) string {
	of := "the record"
	if c.Record == "new" {
		of = "the new record"
	}
	switch c.Kind {
	case Policies:
		if len(c.Rules) == 0 {
			return "no policy allows " + string(c.Action) + " on this table"
		}
		return "no policy grants " + string(c.Action) + " on " + of
	case Guards:
		names := ruleNames(c.Rules, Refuses)
		return "guard " + strings.Join(names, ", ") + " " + verb(len(names), "refuse") + " " + of
	case Columns:
		var names []string
		for _, s := range c.Set {
			if !s.Holds {
				names = append(names, s.Name)
			}
		}
		return "the user may not set " + strings.Join(names, ", ")
	}
	return ""
}

func verb(n int, word string) string {
	if n == 1 {
		return word + "s"
	}
	return word
}

func ruleNames(rules []Rule, outcome Outcome) []string {
	var out []string
	for _, r := range rules {
		if r.Outcome == outcome {
			out = append(out, r.Name)
		}
	}
	return out
}

func truth(v model.Value) Truth {
	switch v {
	case true:
		return True
	case false:
		return False
	}
	return Unknown
}
