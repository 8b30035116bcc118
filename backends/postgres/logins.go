package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// An account has two logins, since one holds one password: a new password goes
// to the one that is idle, and clients change over while both work. Which login
// is in use is no matter of the source, but of what was applied last. It stands
// in the marks of the two, which all databases of a cluster see, as the roles
// themselves:
//
//	postern:project=P                     as they were made: the first in use, the second idle
//	postern:project=P rotation=3          in use since the third change of the password
//	postern:project=P rotation=3 retired  cannot log in any more

// loginMark is the comment of a login.
func loginMark(project string, rotation int, retired bool) string {
	mark := Mark(project)
	if rotation > 0 || retired {
		mark += " rotation=" + strconv.Itoa(rotation)
	}
	if retired {
		mark += " retired"
	}
	return mark
}

// readMark reads a role's comment: whether it is the mark of a project, and,
// for a login, which change of the password it is from.
func readMark(comment, project string) (rotation int, retired, ok bool) {
	rest, ok := strings.CutPrefix(comment, Mark(project))
	if !ok || rest == "" {
		return 0, false, ok
	}
	number, ok := strings.CutPrefix(rest, " rotation=")
	if !ok {
		return 0, false, false
	}
	number, retired = strings.CutSuffix(number, " retired")
	rotation, err := strconv.Atoi(number)
	return rotation, retired, err == nil && rotation >= 0
}

// logins are the two of an account. Current is in use; previous, where it is
// not "", takes the password before.
type logins struct {
	account           string // its name
	first, second     string
	current, previous string
	rotation          int // of current
}

// idle is the login that is not current; "" where there is only one.
func (l logins) idle() string {
	if l.current == l.first {
		return l.second
	}
	return l.first
}

// loginsOf reads which logins of the accounts are in use.
func loginsOf(want *State, live *Live) []logins {
	byAccount := map[string]*logins{}
	for _, id := range slices.SortedFunc(maps.Keys(want.Roles), ObjectID.Compare) {
		r := want.Roles[id]
		if r.PasswordFor == "" {
			continue
		}
		l := byAccount[r.PasswordFor]
		if l == nil {
			l = &logins{account: r.PasswordFor}
			byAccount[r.PasswordFor] = l
		}
		if r.Login {
			l.first = id.Name
		} else {
			l.second = id.Name
		}
	}
	var out []logins
	for _, account := range slices.Sorted(maps.Keys(byAccount)) {
		l := *byAccount[account]
		first, second := live.Roles[RoleID(l.first)], live.Roles[RoleID(l.second)]
		used := func(r *Role, made bool) bool { return r != nil && !r.Retired && (made || r.Rotation > 0) }
		switch usedFirst, usedSecond := used(first, true), used(second, false); {
		case usedSecond && (!usedFirst || second.Rotation > first.Rotation):
			l.current, l.rotation = l.second, second.Rotation
			if usedFirst {
				l.previous = l.first
			}
		default:
			l.current = l.first
			if first != nil {
				l.rotation = first.Rotation
			}
			if usedSecond {
				l.previous = l.second
			}
		}
		out = append(out, l)
	}
	return out
}

// passwordChanges is what is known of passwords besides the two states.
type passwordChanges struct {
	// set has the logins that are to be given the password that is wanted where
	// they are, with the reason where somebody else has changed it.
	set map[string]string
	// rotate has the accounts whose password is to go to the other login.
	rotate map[string]bool
	// spoilt has the logins that hold a password which no plan gave them.
	spoilt map[string]bool
}

// turn is how a login changes over.
type turn struct {
	before, after string
	to            *Role // as it is wanted
	ends          bool  // nobody can log in with it any more
}

// resolveLogins decides which logins are in use once the plan has run: the
// second state is the one that is wanted, with that filled in.
func (d *differ) resolveLogins() {
	state := *d.want
	state.Roles = maps.Clone(d.want.Roles)
	d.want = &state
	d.turns = map[string]turn{}
	for _, l := range loginsOf(d.want, d.live) {
		rotate := d.opts.Passwords.rotate[l.account] && l.idle() != ""
		previous, rotation := l.previous, l.rotation
		current := l.current
		if rotate {
			current, previous, rotation = l.idle(), l.current, l.rotation+1
			if old := d.live.Roles[RoleID(l.idle())]; old != nil {
				rotation = max(rotation, old.Rotation+1)
			}
		}
		keep := previous != "" && !d.opts.RetireLogins && !d.opts.Passwords.spoilt[previous]
		for _, name := range []string{l.first, l.second} {
			if name == "" {
				continue
			}
			d.resolveLogin(l, name, name == current, name == previous && keep, rotation)
		}
		d.tellLogins(l, current, previous, rotate, keep)
	}
}

// resolveLogin fills one login in, and notes how it changes over.
func (d *differ) resolveLogin(l logins, name string, current, kept bool, rotation int) {
	r := *d.want.Roles[RoleID(name)]
	have := d.live.Roles[RoleID(name)]
	r.Login = current || kept
	switch {
	case current:
		r.Rotation = rotation
	case have != nil:
		r.Rotation, r.Retired = have.Rotation, have.Retired
	}
	wasUsed := name == l.current || name == l.previous
	if !current && !kept && wasUsed {
		r.Retired = true
	}
	r.Comment = loginMark(d.want.Project, r.Rotation, r.Retired)
	d.want.Roles[r.ID] = &r
	before := "cannot log in"
	switch name {
	case l.current:
		before = "the login of the account"
	case l.previous:
		before = "takes the password before"
	}
	switch {
	case have == nil:
	case current && name != l.current:
		d.turns[name] = turn{before: before, after: "the login of the account, with the new password", to: &r}
	case wasUsed && !r.Login && !d.opts.Passwords.spoilt[name]:
		d.turns[name] = turn{before: before, after: "cannot log in", to: &r, ends: true}
	case kept && name == l.current:
		d.turns[name] = turn{before: before, after: "takes the password before, until it is retired", to: &r}
	}
}

// tellLogins says what whoever runs the clients has to do.
func (d *differ) tellLogins(l logins, current, previous string, rotate, keep bool) {
	span := d.want.Roles[RoleID(current)].Source
	switch {
	case previous == "":
	case rotate:
		d.switched = append(d.switched, plan.SwitchesLogin{
			Account: l.account, From: previous, To: current, Both: keep,
		})
	case keep:
		open := ""
		if n := d.live.Open[previous]; n > 0 {
			open = fmt.Sprintf(" Sessions that are open as %s: %d.", printed(RoleID(previous)), n)
		}
		d.diags.Warn(CodeLoginPrevious, span, fmt.Sprintf("login %s still takes the password before of account %s", printed(RoleID(previous)), l.account),
			"Clients log in as "+printed(RoleID(current))+"."+open+" Once none needs the old login any more, retire it: postern apply --retire-logins.")
	}
}

// changeLogin adds how a login changes over, and gives what is left to compare.
func (d *differ) changeLogin(id ObjectID, have *Role) *Role {
	t, ok := d.turns[id.Name]
	if !ok {
		return have
	}
	var statements []printedSQL
	if t.to.Login != have.Login {
		flag := *have
		flag.Login = t.to.Login
		statements = append(statements, sql(alterRole(&flag, have)))
	}
	if t.ends {
		statements = append(statements, d.endLogin(id.Name)...)
	}
	if t.to.Comment != have.Comment && have.Managed {
		statements = append(statements, sql(CommentOn(id, t.to.Comment)))
	}
	about := plan.About{Object: plan.Object{Kind: kindLogin, Name: printed(id)}, Span: t.to.Source}
	d.add(item{phase: phaseRoles, id: id, change: plan.Modify{About: about, Before: t.before, After: t.after}}, statements...)
	rest := *have
	rest.Login, rest.Rotation, rest.Retired = t.to.Login, t.to.Rotation, t.to.Retired
	if have.Managed {
		rest.Comment = t.to.Comment
	}
	return &rest
}

// kindLogin is the kind of a change of which login is in use.
const kindLogin plan.Kind = "login"

// endLogin takes a login's password away, and what is known of it.
func (d *differ) endLogin(login string) []printedSQL {
	d.ended = append(d.ended, login)
	if table := d.bookkeeping(tablePasswords); table != nil && d.live.Generated[table.ID] != nil {
		d.add(item{phase: phaseRecord, id: RoleID(login), change: nil}, sql(DeleteRow(table, []string{login})))
	}
	return []printedSQL{sql(clearPassword(login))}
}

// clearPassword is ALTER ROLE … PASSWORD NULL.
func clearPassword(login string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) { b.Raw("ALTER ROLE ").Ident(login).Raw(" PASSWORD NULL") })
}

// countSessions counts the sessions of logins that take the password before: who
// retires one wants to know.
func countSessions(ctx context.Context, conn *pgx.Conn, want *State, live *Live) error {
	var names []string
	for _, l := range loginsOf(want, live) {
		if l.previous != "" {
			names = append(names, l.previous)
		}
	}
	live.Open = map[string]int{}
	if len(names) == 0 {
		return nil
	}
	return newReader(conn.PgConn()).run(ctx, &catalogQuery{
		name: "sessions of logins", args: [][]byte{jsonArg(names)},
		sql: "SELECT usename, count(*) FROM pg_catalog.pg_stat_activity WHERE usename::text IN (SELECT json_array_elements_text($1::json)) GROUP BY usename",
		each: func(r row) error {
			n, err := strconv.Atoi(r.text(1))
			live.Open[r.text(0)] = n
			return err
		},
	})
}
