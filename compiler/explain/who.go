package explain

import (
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
)

// Audience says who may do something to a record.
type Audience struct {
	Table  string       `json:"table"`
	Action model.Action `json:"action"`
	App    string       `json:"app,omitempty"`
	// Users are those of the directory, known by their keys alone.
	Users []UserAnswer `json:"users"`
	// Kinds are an anonymous user, a user of each access level who is in no group,
	// and a user of each group, at level user and in no other group but those
	// above it.
	Kinds []KindAnswer `json:"kinds"`
}

// UserAnswer is whether a user of the directory may.
type UserAnswer struct {
	User    string `json:"user"` // "user.ann"
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason"`
}

// Answer is whether all users of a kind may: "yes", "no", or "depends".
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Depends Answer = "depends"
)

// KindAnswer is which users of a kind may.
type KindAnswer struct {
	Kind   string `json:"kind"` // "access_level.user" or "group.sales"
	Answer Answer `json:"answer"`
	// When is the condition on the rest of what a request tells, where it
	// depends on that.
	When string `json:"when,omitempty"`
}

// Who answers a query for every user of the directory, and for kinds of users
// whose attributes are open. The query's record is the old one, and for a
// create or an edit also the one that it makes; its request's user is ignored.
func Who(p *model.Program, q eval.Query) *Audience {
	out := &Audience{Table: TableAddress(q.Table), Action: q.Action, Users: []UserAnswer{}, Kinds: []KindAnswer{}}
	if q.Request.App != "" {
		out.App = "app." + q.Request.App
	}
	record := q.Old
	if q.Action == model.Create {
		record, q.New, q.Old = q.Old, q.Old, nil
	}
	for _, u := range p.Users {
		q.Request.User = KeyClaims(p, u)
		x := Explain(p, q, nil)
		if x.Allowed && x.Entry.AsApp && !eval.MayUse(p, q.Request) {
			x.Allowed, x.Reason = false, "the user is not surely among the users of "+x.Entry.App
		}
		out.Users = append(out.Users, UserAnswer{User: "user." + u.Name, Allowed: x.Allowed, Reason: x.Reason})
	}
	ask := func(kind string, claims map[string]any) {
		q.Request.User = claims
		out.Kinds = append(out.Kinds, kindAnswer(p, q, record, kind))
	}
	for _, l := range p.Levels {
		if l.Name == model.LevelAnonymous {
			ask("access_level."+l.Name, nil)
			continue
		}
		ask("access_level."+l.Name, map[string]any{"access_level": l.Name, "groups": []any{}})
	}
	for _, g := range p.Groups {
		ask("group."+g.Name, map[string]any{"access_level": model.LevelUser, "groups": []any{g.Name}})
	}
	return out
}

func kindAnswer(p *model.Program, q eval.Query, record model.Document, kind string) KindAnswer {
	out := KindAnswer{Kind: kind, Answer: No}
	env, entry, ok := eval.Enter(p, q.Request, q.Table.Datasource)
	if !ok || record == nil {
		return out
	}
	f := folder{
		env: env.On(record), groups: true, now: true, record: true, request: q.Request.Context != nil,
		user: q.Request.User == nil || entry.AsApp(), // of nobody every attribute is unknown
	}
	c := f.join([]model.Cond{oldOf(p, entry, q), newOf(p, entry, q)}, false)
	if entry.AsApp() {
		// Its users share its access: who is one of them is asked of the user alone.
		asks := folder{env: eval.NewEnv(p, q.Request, model.Entry{}), groups: true, user: q.Request.User == nil}
		c = simplify([]model.Cond{c, asks.fold(p.Within(entry.App().Users))}, false)
	}
	switch c.(type) {
	case model.True:
		out.Answer = Yes
	case model.False:
	case *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
		out.Answer, out.When = Depends, print.Cond(c)
	}
	return out
}

func oldOf(p *model.Program, entry model.Entry, q eval.Query) model.Cond {
	if q.Action == model.Create {
		return model.True{}
	}
	return p.Old(entry, q.Table, q.Action)
}

func newOf(p *model.Program, entry model.Entry, q eval.Query) model.Cond {
	if q.Action == model.Create || q.Action == model.Edit {
		return p.New(entry, q.Table, q.Action)
	}
	return model.True{}
}

// KeyClaims are claims that name a user of the directory by their key alone.
func KeyClaims(p *model.Program, u *model.User) map[string]any {
	key := p.Identity.Key
	doc := model.JSON(u.Key, key.Type, "")
	for i := len(key.Claim) - 1; i > 0; i-- {
		doc = map[string]any{key.Claim[i]: doc}
	}
	return map[string]any{key.Claim[0]: doc}
}
