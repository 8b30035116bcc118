package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// hasPassword reports whether the source states a password for a login.
func hasPassword(ds *model.Datasource, role *Role) bool {
	return ds != nil && role.PasswordFor != "" && slices.ContainsFunc(ds.Accounts, func(a *model.ServiceAccount) bool {
		return a.Name == role.PasswordFor && a.Password != nil
	})
}

// passwordSource names where an account's password is read.
func passwordSource(ds *model.Datasource, account string) string {
	if ds != nil {
		for _, a := range ds.Accounts {
			if a.Name == account && a.Password != nil {
				return a.Password.String()
			}
		}
	}
	return "(sensitive value)"
}

// stored is what is known of the logins' passwords.
type stored struct {
	set     map[string]string // verifiers that are set; nil where the connected role may not read them
	applied map[string]string // verifiers that a plan of this database set last
	known   bool              // one of the two could be read
}

// verifier is what stands for a login's password; "" where nobody knows.
func (s stored) verifier(login string) string {
	if s.set != nil {
		return s.set[login]
	}
	return s.applied[login]
}

// spoilt reports whether a login holds a password that no plan of this database
// gave it.
func (s stored) spoilt(login string) bool {
	return s.set != nil && s.applied[login] != "" && s.applied[login] != s.set[login]
}

// changesOfPasswords says for which accounts the password that is wanted is not
// the one that their login takes, as far as that can be known: superusers see
// what is set, the owner of schema postern what was set last by a plan of this
// database.
//
// A password that is known to be another one goes to the login that is idle. One
// that somebody else has set, or that nobody knows, is set again where it is:
// a plan for another database of the cluster may have set the one that is wanted.
func changesOfPasswords(ctx context.Context, conn *pgx.Conn, want *State, live *Live, opts PlanOptions, diags *diag.List) (passwordChanges, error) {
	out := passwordChanges{set: map[string]string{}, rotate: map[string]bool{}, spoilt: map[string]bool{}}
	var pairs []logins
	var names []string
	for _, l := range loginsOf(want, live) {
		if role := want.Roles[RoleID(l.current)]; hasPassword(opts.Datasource, role) && live.Roles[role.ID] != nil {
			pairs, names = append(pairs, l), append(names, l.first, l.second)
		}
	}
	if opts.Secrets == nil || len(pairs) == 0 {
		return out, nil
	}
	known, err := storedPasswords(ctx, conn, want, live, names)
	if err != nil || !known.known {
		return out, err
	}
	for _, l := range pairs {
		role := want.Roles[RoleID(l.current)]
		secret := plan.Secret{Account: l.account, Role: l.current, From: passwordSource(opts.Datasource, l.account)}
		password, err := opts.Secrets(ctx, secret)
		if err != nil {
			diags.Fail(CodeUnreadable, role.Source, fmt.Sprintf("the password of account %s cannot be read", l.account), err.Error())
			continue
		}
		if l.previous != "" && known.spoilt(l.previous) {
			out.spoilt[l.previous] = true
		}
		byHand := known.spoilt(l.current)
		switch has := known.verifier(l.current); {
		case verifies(has, password):
		case byHand && (has == "" || verifies(known.applied[l.current], password)):
			out.set[l.current] = plan.ReasonDrift
		case has == "":
			out.set[l.current] = ""
		case l.idle() != "":
			out.rotate[l.account] = true
			out.spoilt[l.current] = byHand
		case byHand:
			out.set[l.current] = plan.ReasonDrift
		default:
			out.set[l.current] = ""
		}
	}
	return out, nil
}

// columnRotation says which change of the password a verifier is from: one of
// another is of a login that a plan for another database has changed since.
const columnRotation = "rotation"

// storedPasswords reads what is known of the logins' passwords.
func storedPasswords(ctx context.Context, conn *pgx.Conn, want *State, live *Live, names []string) (stored, error) {
	var out stored
	read := func(query sqltext.SQL, each func(row)) error {
		return newReader(conn.PgConn()).run(ctx, &catalogQuery{
			name: "passwords", sql: string(query), args: [][]byte{jsonArg(names)},
			each: func(r row) error { each(r); return nil },
		})
	}
	for id := range want.Generated {
		table := live.Generated[id]
		if id.Name == tablePasswords && table == nil {
			// Logins that are there before the table are of another database of
			// the cluster: this one's table is to know their passwords too.
			out.known = true
		}
		if id.Name != tablePasswords || table == nil || slices.Contains(live.Unreadable, id) {
			continue
		}
		query, err := build(func(b *sqltext.Builder) {
			b.Raw("SELECT role, verifier, ")
			if hasColumns(table, []string{columnRotation}) {
				b.Ident(columnRotation)
			} else {
				b.Raw("''") // an earlier version made the table
			}
			b.Raw(" FROM ").Qualified(id.Schema, id.Name).Raw(" WHERE role IN (SELECT json_array_elements_text($1::json))")
		})
		if err != nil {
			return stored{}, err
		}
		out.known, out.applied = true, map[string]string{}
		err = read(query, func(r row) {
			login, rotation := live.Roles[RoleID(r.text(0))], r.text(2)
			if login != nil && (rotation == strconv.Itoa(login.Rotation) || rotation == "" && login.Rotation == 0) {
				out.applied[login.ID.Name] = r.text(1)
			}
		})
		if err != nil {
			return stored{}, err
		}
	}
	if !live.Server.AuthID {
		return out, nil
	}
	out.known, out.set = true, map[string]string{}
	err := read("SELECT rolname, coalesce(rolpassword, '') FROM pg_catalog.pg_authid"+
		" WHERE rolname::text IN (SELECT json_array_elements_text($1::json))", func(r row) { out.set[r.text(0)] = r.text(1) })
	return out, err
}

// setPassword adds the statement that sets a login's password to what apply
// reads, and the one that remembers its verifier.
func (d *differ) setPassword(role *Role, reason string) {
	if !hasPassword(d.opts.Datasource, role) {
		return
	}
	secret := plan.Secret{Account: role.PasswordFor, Role: role.ID.Name, From: passwordSource(d.opts.Datasource, role.PasswordFor)}
	object := plan.Object{Kind: "password", Name: printed(role.ID)}
	text, err := build(func(b *sqltext.Builder) { b.Raw("ALTER ROLE ").Ident(role.ID.Name).Raw(" PASSWORD ") })
	if err != nil {
		d.errs = append(d.errs, err)
		return
	}
	at := secret
	at.At = len(text)
	statements := []plan.Statement{{SQL: string(text), Object: object, Secret: &at}}
	d.items = append(d.items, item{phase: phaseRoles, order: 1, id: role.ID, statements: statements, change: plan.Modify{
		About: plan.About{Object: object, Span: role.Source, Reason: reason}, Before: "(not shown)", After: "read from " + secret.From,
	}})
	if table := d.bookkeeping(tablePasswords); table != nil {
		head, err := build(func(b *sqltext.Builder) {
			b.Raw("INSERT INTO ").Qualified(table.ID.Schema, table.ID.Name).Raw(" (role, rotation, verifier) VALUES (")
			b.Literal(role.ID.Name).Raw(", ").Literal(strconv.Itoa(role.Rotation)).Raw(", ")
		})
		if err != nil {
			d.errs = append(d.errs, err)
			return
		}
		keep := secret
		keep.At = len(head)
		d.items = append(d.items, item{phase: phaseRecord, id: role.ID, statements: []plan.Statement{{
			SQL: string(head) + ") ON CONFLICT (role) DO UPDATE SET rotation = excluded.rotation, verifier = excluded.verifier", Object: object, Secret: &keep,
		}}})
	}
}
