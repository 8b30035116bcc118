package resolve

import (
	"fmt"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// roleIdentity holds a datasource of identity = "role" to what a login tells:
// its name, the groups whose roles it is a member of, and what is looked up.
// Nothing tells the app or the request.
func (r *resolver) roleIdentity(d *model.Datasource) {
	if key := r.program.Identity.Key; key != nil && key.Type.Kind != model.KindString {
		r.diags.Fail(CodeIdentity, d.Span, fmt.Sprintf("The users of datasource.%s are login roles, and the identity's key %q is of type %s", d.Name, key.Name, key.Type),
			"With identity = \"role\" the key is the name of the login: declare it as a string.")
	}
	for i, a := range d.Accounts {
		if i > 0 {
			r.diags.Fail(CodeAccount, a.Span, fmt.Sprintf("A second service account of datasource.%s, whose users are login roles", d.Name),
				"A login could be a member of both roles, and see the columns of one in the rows of the other. Give all users one account; policies tell them apart.")
		}
		if a.Password != nil || a.Limits != (model.Limits{}) {
			r.diags.Fail(CodeAccount, a.Span, "The service account has no login of its own, so no password and no limits",
				"With identity = \"role\" users log in as themselves, and are members of the account's role. Remove these arguments.")
		}
	}
	for _, a := range d.Apps {
		c := a.Connect(d)
		if c == nil {
			continue
		}
		if !c.AsUser {
			r.diags.Fail(CodeApp, c.Span, "An app whose users share its access needs a login of its own",
				fmt.Sprintf("The users of datasource.%s are login roles. Remove `as = \"app\"`.", d.Name))
		}
		for _, s := range a.Users {
			if _, everyone := s.(model.Everyone); !everyone {
				r.diags.Fail(CodeApp, a.Span, fmt.Sprintf("Nothing tells datasource.%s through which app a login comes", d.Name),
					"Its users are login roles: write `users = [everyone]`, and name who may do what in the policies.")
				break
			}
		}
	}
	for _, t := range d.Tables {
		r.roleTable(d, t)
	}
}

// roleTable reports what policies, guards and masks ask of a login that it does
// not tell.
func (r *resolver) roleTable(d *model.Datasource, t *model.Table) {
	for _, x := range t.Policies {
		if x.Policy.Via != nil {
			r.roleApp(d, x.Span, "`via`")
		}
		r.roleSubjects(d, x.Policy.To, x.Span)
		r.roleCondition(d, x.When, x.Span)
		if x.Check.Source != x.When.Source {
			r.roleCondition(d, x.Check, x.Span)
		}
	}
	for _, x := range t.Guards {
		r.roleSubjects(d, x.Guard.To, x.Span)
		r.roleCondition(d, x.Require, x.Span)
	}
	for _, x := range t.Masks {
		r.roleSubjects(d, x.Mask.Unless, x.Span)
	}
}

func (r *resolver) roleApp(d *model.Datasource, span source.Span, what string) {
	r.diags.Fail(CodeIdentity, span, fmt.Sprintf("%s asks for the app, and nothing tells datasource.%s which it is", what, d.Name),
		"Its users are login roles (identity = \"role\"). Leave the app out, or use \"signed\" or \"setting\".")
}

func (r *resolver) roleSubjects(d *model.Datasource, subjects []model.Subject, span source.Span) {
	for _, s := range subjects {
		if a, ok := s.(model.AppSubject); ok {
			r.roleApp(d, span, "app."+a.App.Name)
		}
	}
}

func (r *resolver) roleCondition(d *model.Datasource, c model.Condition, span source.Span) {
	if c.Source == nil {
		return
	}
	model.WalkExpr(c.Source, func(e model.Expr) {
		at := e.Place()
		if at.IsZero() {
			at = span
		}
		switch x := e.(type) {
		case *model.AppRef:
			r.roleApp(d, at, "app.name")
		case *model.AttrRef:
			a := x.Attribute
			switch {
			case a.Scope == model.ScopeRequest:
				r.diags.Fail(CodeIdentity, at, fmt.Sprintf("Nothing tells datasource.%s of request.%s", d.Name, a.Name),
					"Its users are login roles (identity = \"role\"), which state nothing of a request.")
			case a != r.program.Identity.Key && d.Lookup(a) == nil:
				r.diags.Fail(CodeIdentity, at, fmt.Sprintf("Nothing tells datasource.%s of user.%s", d.Name, a.Name),
					"Its users are login roles (identity = \"role\"): look the attribute up in a table, by an identity block of the datasource.")
			}
		case *model.Literal, *model.NullLiteral, *model.ColumnRef, *model.GroupsRef, *model.LevelRef, *model.MemberOf,
			*model.NowRef, *model.Call, *model.Network, *model.Related:
		}
	})
}
