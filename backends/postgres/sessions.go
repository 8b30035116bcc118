package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// Session is a session or a prepared transaction that was under way when a plan
// took rights away, and so keeps them until its transaction ends; or one of a
// login that the plan ended, which keeps them until it ends itself.
type Session struct {
	PID         int    `json:"pid,omitempty"`      // of a session
	Prepared    string `json:"prepared,omitempty"` // the name of a prepared transaction
	Role        string `json:"role"`
	Application string `json:"application,omitempty"`
	Client      string `json:"client,omitempty"`      // address, "" for a local one
	Since       string `json:"since"`                 // when its transaction began; "" where the connected role may not know
	LoginEnded  bool   `json:"login_ended,omitempty"` // nobody can log in with its role any more
	Ended       bool   `json:"ended"`
	// Refused says why it was not ended though that was asked for.
	Refused string `json:"refused,omitempty"`
}

// querySessions reads who is in a transaction, or may be in another role, with
// rights that a plan takes away, and all sessions of logins that end ($3).
// Superusers are members of every role, and lose nothing. Of sessions that the
// connected role may not look into, the state and times are null.
const querySessions = `SELECT a.pid::text, '', a.usename::text, a.application_name, coalesce(host(a.client_addr), ''),
	coalesce(a.xact_start::text, ''), coalesce(a.backend_start::text, ''), e.ends
FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles u ON u.oid = a.usesysid AND NOT u.rolsuper,
	LATERAL (SELECT '"' || replace(u.rolname, '"', '""') || '"' IN (SELECT json_array_elements_text($3::json)) AS ends) AS e
WHERE (a.datname = current_database() OR e.ends) AND a.pid <> pg_backend_pid() AND coalesce(a.backend_type, 'client backend') = 'client backend'
AND (a.xact_start IS NOT NULL OR a.state IS NULL OR $2::boolean OR e.ends)
AND EXISTS (SELECT FROM pg_catalog.pg_roles r
	WHERE '"' || replace(r.rolname, '"', '""') || '"' IN (SELECT json_array_elements_text($1::json)) AND pg_has_role(u.oid, r.oid, 'MEMBER'))
UNION ALL
SELECT '', x.gid, x.owner::text, '', '', x.prepared::text, '', false
FROM pg_catalog.pg_prepared_xacts x JOIN pg_catalog.pg_roles u ON u.rolname = x.owner AND NOT u.rolsuper
WHERE x.database = current_database() AND EXISTS (SELECT FROM pg_catalog.pg_roles r
	WHERE '"' || replace(r.rolname, '"', '""') || '"' IN (SELECT json_array_elements_text($1::json)) AND pg_has_role(u.oid, r.oid, 'MEMBER'))
ORDER BY 3, 1, 2`

// queryStill reads which of these sessions are in the same transaction still, and
// which are there at all.
const queryStill = `SELECT a.pid::text || ' ' || coalesce(a.backend_start::text, '') || ' ' || coalesce(a.xact_start::text, '') FROM pg_catalog.pg_stat_activity a
UNION ALL SELECT a.pid::text || ' ' || coalesce(a.backend_start::text, '') FROM pg_catalog.pg_stat_activity a
UNION ALL SELECT x.gid FROM pg_catalog.pg_prepared_xacts x WHERE x.database = current_database()`

// holder is a session that was found before a plan ran.
type holder struct {
	Session
	key string // what tells this transaction from the next one of the session; of a login that ends, the session
}

// readHolders finds, before the plan's statements run, who will keep rights.
func (a *application) readHolders(ctx context.Context) error {
	a.holders = nil
	if a.opts.Kept == nil {
		return nil
	}
	roles, ended, members := a.losers()
	if len(roles) == 0 {
		return nil
	}
	idle := []byte("f")
	if members { // a session without a transaction may have done SET ROLE
		idle = []byte("t")
	}
	return newReader(a.conn.PgConn()).run(ctx, &catalogQuery{
		name: "sessions", sql: querySessions, args: [][]byte{jsonArg(roles), idle, jsonArg(ended)},
		each: func(r row) error {
			h := holder{Session: Session{Prepared: r.text(1), Role: r.text(2), Application: r.text(3), Client: r.text(4), Since: r.text(5)}}
			h.key = h.Prepared
			if h.Prepared == "" {
				h.key, h.LoginEnded = r.text(0)+" "+r.text(6), r.bool(7)
				if !h.LoginEnded {
					h.key += " " + r.text(5)
				}
				if _, err := fmt.Sscan(r.text(0), &h.PID); err != nil {
					return err
				}
			}
			a.holders = append(a.holders, h)
			return nil
		},
	})
}

// losers are the roles, quoted where they need it, whose sessions may keep
// rights, those of them that are logins which end, and whether memberships are
// among those rights.
func (a *application) losers() (roles, ended []string, members bool) {
	for _, h := range a.plan.Hazards {
		if k, ok := h.(plan.KeepsRights); ok {
			for _, role := range k.Roles {
				roles = append(roles, strings.TrimSpace(role))
			}
		}
		if e, ok := h.(plan.EndsLogin); ok {
			roles, ended = append(roles, printed(RoleID(e.Role))), append(ended, printed(RoleID(e.Role)))
		}
	}
	for _, c := range a.plan.Changes {
		if _, removed := c.(plan.Remove); removed && c.What().Object.Kind == "membership" {
			members = true
		}
	}
	return roles, ended, members
}

// tellKept says, after the commit, which sessions keep rights still, and ends
// them where that was asked for. What goes wrong here undoes nothing: a session
// that cannot be looked at again counts as one that keeps its rights.
func (a *application) tellKept(ctx context.Context) {
	if len(a.holders) == 0 {
		return
	}
	still := map[string]bool{}
	err := newReader(a.conn.PgConn()).run(ctx, &catalogQuery{name: "sessions", sql: queryStill, each: func(r row) error {
		if r[0] != nil {
			still[r.text(0)] = true
		}
		return nil
	}})
	var kept []Session
	for _, h := range a.holders {
		if err == nil && !still[h.key] {
			continue
		}
		s := h.Session
		if a.opts.EndSessions {
			a.endSession(ctx, &s)
		}
		kept = append(kept, s)
	}
	if len(kept) > 0 {
		a.opts.Kept(kept)
	}
}

// endSession ends a session or rolls a prepared transaction back.
func (a *application) endSession(ctx context.Context, s *Session) {
	query := "SELECT pg_terminate_backend(" + fmt.Sprint(s.PID) + ")"
	if s.Prepared != "" {
		text, err := build(func(b *sqltext.Builder) { b.Raw("ROLLBACK PREPARED ").Literal(s.Prepared) })
		if err != nil {
			s.Refused = err.Error()
			return
		}
		query = string(text)
	}
	_, err := a.conn.PgConn().Exec(ctx, query).ReadAll()
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		s.Refused = pg.Message
		if s.Prepared == "" && pg.Code == "42501" {
			s.Refused += "; GRANT pg_signal_backend TO " + printed(RoleID(a.user)) + " lets it"
		}
	case err != nil:
		s.Refused = err.Error()
	default:
		s.Ended = true
	}
}
