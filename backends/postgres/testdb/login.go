package testdb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// ErrLogin says that a request's user cannot be a login role.
var ErrLogin = errors.New("with identity = \"role\" a user is a login role, which has a name of its own")

// becomeLogin makes the session that of the request's user, for a datasource
// whose users are login roles: it makes the role and the roles of its groups,
// which all end with the transaction.
func (q *asker) becomeLogin(ctx context.Context) error {
	login, ok := q.loginName()
	if !ok {
		return ErrLogin
	}
	made, err := q.makeRole(ctx, login)
	if err != nil {
		return err
	}
	if !made && !slices.Contains(q.groups(), login) {
		return fmt.Errorf("%w: the role %q exists already", ErrLogin, login)
	}
	if err := q.member(ctx, q.account.Role, login); err != nil {
		return err
	}
	for _, g := range q.groups() {
		if g == login {
			continue
		}
		if _, err := q.makeRole(ctx, g); err != nil {
			return err
		}
		if err := q.member(ctx, g, login); err != nil {
			return err
		}
	}
	return q.built(ctx, new(sqltext.Builder).Raw("SET LOCAL SESSION AUTHORIZATION ").Ident(login))
}

func (q *asker) member(ctx context.Context, role, of string) error {
	return q.built(ctx, new(sqltext.Builder).Raw("GRANT ").Ident(role).Raw(" TO ").Ident(of))
}

// loginName is the identity's key in the request's claims.
func (q *asker) loginName() (string, bool) {
	var raw any = q.request.User
	for _, step := range q.program.Identity.Key.Claim {
		object, ok := raw.(map[string]any)
		if !ok {
			return "", false
		}
		raw = object[step]
	}
	name, ok := raw.(string)
	return name, ok && model.LoginName(name)
}

// groups are those of the project's groups that the claims state.
func (q *asker) groups() []string {
	stated, _ := q.request.User["groups"].([]any)
	for _, s := range stated {
		if _, text := s.(string); !text && s != nil {
			return nil // unknown, as a whole
		}
	}
	var out []string
	for _, g := range q.program.Groups {
		if slices.Contains(stated, any(g.Name)) {
			out = append(out, g.Name)
		}
	}
	return out
}
