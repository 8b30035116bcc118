package postgres

import (
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// With identity = "role" a user is the role that logged in, session_user: a
// client can change current_user by SET ROLE, and functions that run as their
// owner do. Users are members of the account's role, which alone carries grants
// and which alone policies are for: what makes a row visible, and what makes
// its columns, come from one membership, so that neither SET ROLE nor NOINHERIT
// has one without the other. Groups are asked of session_user inside.

// loginClaims is the claims of the user whose login is session_user and whose
// groups stand in the variable groups.
func (b *runtimeBuilder) loginClaims() sqltext.SQL {
	path := b.p.Identity.Key.Claim
	value := sqltext.SQL("session_user")
	for _, step := range slices.Backward(path[1:]) {
		value = "json_build_object(" + b.literal(step) + ", " + value + ")"
	}
	return "json_build_object(" + b.literal(path[0]) + ", " + value + ", 'groups', groups)"
}

// groupNames are the groups that roles may stand for.
func (b *runtimeBuilder) groupNames() sqltext.SQL {
	var names []string
	for _, g := range b.p.Groups {
		names = append(names, g.Name)
	}
	return b.texts(names)
}
