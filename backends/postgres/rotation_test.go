package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// rotated is a database whose account's password changes.
type rotated struct {
	*database
	role   string
	server *throwaway.Server
	p      *model.Program
	admin  *pgx.Conn // who plans and applies
	super  bool      // it is a superuser
	// hidden are verifiers that were set, which nothing may show.
	hidden []string
}

// passwordIs reads this password.
func passwordIs(value string) postgres.Secrets {
	return func(context.Context, plan.Secret) (string, error) { return value, nil }
}

// newRotated makes the tables of a project with a masked column, so that the
// account has a view, which only the search_path of its logins leads to.
func newRotated(t *testing.T, name string, super bool) *rotated {
	t.Helper()
	hcl := strings.Replace(project(crm, name), `description = "d"
  limits`, `description = "d"
  password    = env("SOME_PASSWORD")
  limits`, 1) + `
mask "region" {
  on      = [table.crm.deals]
  columns = ["region"]
  with    = redact("***")
}
`
	r := &rotated{database: &database{url: pgtest.Database(t)}, role: name + "_role", server: pgtest.Server(t), super: super, p: compile(t, hcl)}
	root := connect(t, r.url)
	r.name, r.database.admin = root.Config().Database, root
	execute(t, root, crmTables+"ALTER DATABASE "+r.name+" SET log_statement = 'all'; ALTER DATABASE "+r.name+" SET log_min_duration_statement = 0")
	r.admin = connect(t, r.url)
	if !super {
		owner := name + "_admin"
		execute(t, root, fmt.Sprintf(`CREATE ROLE %[1]s LOGIN CREATEROLE PASSWORD 'x'; ALTER DATABASE %[2]s OWNER TO %[1]s;
			ALTER SCHEMA public OWNER TO %[1]s; ALTER TABLE deals OWNER TO %[1]s`, owner, r.name))
		r.admin = connect(t, pgtest.Server(t).RoleURL(owner, "x", r.name))
		t.Cleanup(func() {
			execute(t, connect(t, r.url), "ALTER DATABASE "+r.name+" OWNER TO CURRENT_USER; REASSIGN OWNED BY "+owner+" TO CURRENT_USER")
		})
	}
	return r
}

func (r *rotated) plan(t *testing.T, password string, retire bool) (*plan.Plan, diag.List) {
	t.Helper()
	ds := r.p.Datasources[0]
	want, diags := postgres.Desired(r.p, ds)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	made, found, err := postgres.MakePlan(t.Context(), r.admin, want, postgres.PlanOptions{
		Datasource: ds, Created: time.Unix(0, 0), Secrets: passwordIs(password), RetireLogins: retire,
	})
	if err != nil || found.HasErrors() {
		t.Fatalf("%v\n%v", err, found)
	}
	return made, found
}

// apply applies the plan for a password, and wants nothing left to do.
func (r *rotated) apply(t *testing.T, password string, retire bool, opts postgres.ApplyOptions) *plan.Plan {
	t.Helper()
	made, _ := r.plan(t, password, retire)
	opts.Secrets = passwordIs(password)
	if err := postgres.Apply(t.Context(), r.admin, made, opts); err != nil {
		t.Fatal(err)
	}
	again, _ := r.plan(t, password, false)
	requireNothing(t, again)
	r.hidden = append(r.hidden, r.verifiers(t)...)
	return made
}

func (r *rotated) login(letter, password string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, r.server.RoleURL(postgres.LoginName(r.role, letter), password, r.name))
}

// sees is what a login sees, by its letter and password, or what refuses it.
func (r *rotated) sees(t *testing.T, letter, password string) string {
	t.Helper()
	conn, err := r.login(letter, password)
	if err != nil {
		var pg *pgconn.PgError
		if !errors.As(err, &pg) {
			t.Fatal(err)
		}
		return pg.Code
	}
	defer func() { _ = conn.Close(ctx) }()
	return values(t, conn, `{"id": "ann", "app_metadata": {"region": "EMEA"}}`,
		"SELECT string_agg(id || region, ' ' ORDER BY id) || current_setting('statement_timeout') FROM deals")
}

// logins requires what each login and password sees: "rows", or SQLSTATEs.
func (r *rotated) logins(t *testing.T, want map[string]string) {
	t.Helper()
	seen := ""
	for _, who := range slices.Sorted(func(yield func(string) bool) {
		for k := range want {
			if !yield(k) {
				return
			}
		}
	}) {
		letter, password, _ := strings.Cut(who, " ")
		got := r.sees(t, letter, password)
		if want[who] != "rows" {
			if got != want[who] {
				t.Errorf("%s: %s, want %s", who, got, want[who])
			}
			continue
		}
		if !strings.Contains(got, "***") || !strings.HasSuffix(got, "30s") || seen != "" && got != seen {
			t.Errorf("%s sees %q, another login %q", who, got, seen)
		}
		seen = got
	}
}

const wrongPassword = "28P01" // invalid_password, also where there is none

// TestPasswordRotation: a new password goes to the other login, both work until
// the old one is retired, and nobody who reads meanwhile is refused.
func TestPasswordRotation(t *testing.T) {
	t.Parallel()
	for name, super := range map[string]bool{"superuser": true, "owner": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRotated(t, "rotate"+name, super)
			r.apply(t, "first-pw", false, postgres.ApplyOptions{})
			r.logins(t, map[string]string{"a first-pw": "rows", "b first-pw": wrongPassword})
			readers := r.read(t)
			readers.use("a", "first-pw")

			made := r.apply(t, "second-pw", false, postgres.ApplyOptions{})
			requireSwitch(t, made, plan.SwitchesLogin{Account: "sales", From: postgres.LoginName(r.role, "a"), To: postgres.LoginName(r.role, "b"), Both: true})
			r.logins(t, map[string]string{"a first-pw": "rows", "b second-pw": "rows", "a second-pw": wrongPassword, "b first-pw": wrongPassword})
			readers.use("b", "second-pw")
			_, found := r.plan(t, "second-pw", false)
			if len(found) != 1 || found[0].Code != postgres.CodeLoginPrevious || !strings.Contains(found[0].Detail, "apply --retire-logins") {
				t.Errorf("%v", found)
			}

			// Once more, with the first login not retired: it takes the third.
			r.apply(t, "third-pw", false, postgres.ApplyOptions{})
			r.logins(t, map[string]string{"a third-pw": "rows", "b second-pw": "rows", "a first-pw": wrongPassword})
			readers.use("a", "third-pw")

			r.retire(t)
			r.logins(t, map[string]string{"a third-pw": "rows", "b second-pw": wrongPassword})
			if _, found := r.plan(t, "third-pw", false); len(found) != 0 {
				t.Errorf("%v", found)
			}

			// A password that leaked: the old login ends with the change.
			made = r.apply(t, "fourth-pw", true, postgres.ApplyOptions{})
			requireSwitch(t, made, plan.SwitchesLogin{Account: "sales", From: postgres.LoginName(r.role, "a"), To: postgres.LoginName(r.role, "b")})
			r.logins(t, map[string]string{"b fourth-pw": "rows", "a third-pw": wrongPassword})
			readers.stop(t)
			r.secretless(t, made)
		})
	}
}

func requireSwitch(t *testing.T, p *plan.Plan, want plan.SwitchesLogin) {
	t.Helper()
	if !slices.Contains(p.Hazards, plan.Hazard(want)) {
		t.Errorf("hazards %+v lack %+v", p.Hazards, want)
	}
}

// retire ends the old login: a session of it is named, and lasts until that is
// asked for.
func (r *rotated) retire(t *testing.T) {
	t.Helper()
	old, err := r.login("b", "second-pw")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close(ctx) }()
	if _, found := r.plan(t, "third-pw", false); len(found) != 1 || !strings.Contains(found[0].Detail, ": 1.") {
		t.Errorf("the session is not counted: %v", found)
	}
	var kept []postgres.Session
	made := r.apply(t, "third-pw", true, postgres.ApplyOptions{Kept: func(s []postgres.Session) { kept = s }})
	if !slices.Contains(made.Hazards, plan.Hazard(plan.EndsLogin{Role: postgres.LoginName(r.role, "b")})) {
		t.Errorf("hazards %+v", made.Hazards)
	}
	if len(kept) != 1 || !kept[0].LoginEnded || kept[0].Ended || kept[0].Role != postgres.LoginName(r.role, "b") {
		t.Errorf("sessions %+v", kept)
	}
	if err := old.Ping(ctx); err != nil {
		t.Errorf("the session has ended: %v", err)
	}
}

// secretless requires that no password and no verifier is in a plan or in what
// is readable of the history and the records.
func (r *rotated) secretless(t *testing.T, made *plan.Plan) {
	t.Helper()
	data, err := made.Encode()
	if err != nil {
		t.Fatal(err)
	}
	root := connect(t, r.url)
	stored, err := pgx.CollectRows(must(root.Query(ctx, "SELECT h::text FROM postern.history h UNION ALL SELECT o::text FROM postern.objects o")), pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{"plan": string(data), "records": strings.Join(stored, "\n")}
	if r.super { // nobody else may keep statements out of the server's log
		if shown["log"], err = r.server.Log(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(shown["log"], "FROM deals") {
			t.Error("the server logs no statements")
		}
	}
	for where, text := range shown {
		for _, secret := range append(r.hidden, "fourth-pw", "third-pw", "second-pw") {
			if strings.Contains(text, secret) {
				t.Errorf("the %s holds %q", where, secret)
			}
		}
	}
}

// verifiers are those that the account's logins have now.
func (r *rotated) verifiers(t *testing.T) []string {
	t.Helper()
	out, err := pgx.CollectRows(must(connect(t, r.url).Query(ctx, `SELECT rolpassword FROM pg_authid WHERE rolname LIKE $1 || '\_%' AND rolpassword IS NOT NULL
		UNION SELECT verifier FROM postern.passwords`, r.role)), pgx.RowTo[string])
	if err != nil || len(out) == 0 {
		t.Fatal(err, out)
	}
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// reading is a client that logs in and reads, again and again.
type reading struct {
	mu               sync.Mutex
	letter, password string
	read             chan struct{} // one for each reading
	done             chan error
	end              context.CancelFunc
}

func (r *rotated) read(t *testing.T) *reading {
	t.Helper()
	loop, end := context.WithCancel(t.Context())
	c := &reading{read: make(chan struct{}), done: make(chan error, 1), end: end}
	ready := make(chan struct{})
	c.read = ready
	go func() {
		for loop.Err() == nil {
			c.mu.Lock()
			letter, password := c.letter, c.password
			c.mu.Unlock()
			if letter != "" {
				conn, err := r.login(letter, password)
				if err == nil {
					_, err = conn.Exec(ctx, "SELECT count(*) FROM deals")
					err = errors.Join(err, conn.Close(ctx))
				}
				if err != nil {
					c.done <- fmt.Errorf("%s %s: %w", letter, password, err)
					return
				}
			}
			select {
			case ready <- struct{}{}:
			case <-loop.Done():
			}
		}
		c.done <- nil
	}()
	return c
}

// use changes the client over, and waits until it has read that way.
func (c *reading) use(letter, password string) {
	c.mu.Lock()
	c.letter, c.password = letter, password
	c.mu.Unlock()
	for range 2 {
		select {
		case <-c.read:
		case err := <-c.done:
			c.done <- err
			return
		}
	}
}

func (c *reading) stop(t *testing.T) {
	t.Helper()
	c.end()
	if err := <-c.done; err != nil {
		t.Error(err)
	}
}

// TestPasswordGoesBack: a password that is taken back while both logins work is
// the first login's again.
func TestPasswordGoesBack(t *testing.T) {
	t.Parallel()
	r := newRotated(t, "goback", true)
	r.apply(t, "one-pw", false, postgres.ApplyOptions{})
	r.apply(t, "two-pw", false, postgres.ApplyOptions{})
	made := r.apply(t, "one-pw", false, postgres.ApplyOptions{})
	requireSwitch(t, made, plan.SwitchesLogin{Account: "sales", From: postgres.LoginName(r.role, "b"), To: postgres.LoginName(r.role, "a"), Both: true})
	r.logins(t, map[string]string{"a one-pw": "rows", "b two-pw": "rows"})
}

// TestLoginsOfAnEarlierVersion: where there is only the first login, the second
// comes with the next apply, and the first works on.
func TestLoginsOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]string{"same password": "one-pw", "new password": "two-pw"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRotated(t, "earlier"+strings.Fields(name)[0], false)
			r.apply(t, "one-pw", false, postgres.ApplyOptions{})
			second := postgres.LoginName(r.role, "b")
			execute(t, r.database.admin, "DROP ROLE "+second+"; ALTER TABLE postern.passwords DROP COLUMN rotation;"+
				"DELETE FROM postern.objects WHERE '"+second+"' IN (name, sub)")
			readers := r.read(t)
			readers.use("a", "one-pw")
			made := r.apply(t, next, false, postgres.ApplyOptions{})
			if !slices.ContainsFunc(made.Changes, func(c plan.Change) bool {
				add, ok := c.(plan.Add)
				return ok && add.Object == plan.Object{Kind: "role", Name: `"` + postgres.LoginName(r.role, "b") + `"`}
			}) {
				t.Errorf("the plan does not show the second login: %v", made.Changes)
			}
			want := map[string]string{"a one-pw": "rows", "b " + next: wrongPassword}
			if next != "one-pw" {
				want["b "+next] = "rows"
			}
			r.logins(t, want)
			readers.stop(t)
		})
	}
}

// TestLoginsByHand: what is done to the logins by hand is drift, and undone; a
// login that holds a password of nobody's ends.
func TestLoginsByHand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		super, overlap bool
		sql            string
		change         string
		want           map[string]string
	}{
		"idle login opened": {
			true, false, `ALTER ROLE %[2]s LOGIN PASSWORD 'mine'`, `role "%[2]s"`,
			map[string]string{"a one-pw": "rows", "b mine": wrongPassword},
		},
		"idle login opened, seen by an owner": {
			false, false, `ALTER ROLE %[2]s LOGIN PASSWORD 'mine'`, `role "%[2]s"`,
			map[string]string{"a one-pw": "rows", "b mine": wrongPassword},
		},
		"login closed": {true, false, `ALTER ROLE %[1]s NOLOGIN`, `role "%[1]s"`, map[string]string{"a one-pw": "rows"}},
		"login dropped": {
			true, false, `DROP ROLE %[1]s`, `role "%[1]s"`, map[string]string{"a one-pw": "rows"},
		},
		"password of the login in use": {
			true, true, `ALTER ROLE %[2]s PASSWORD 'mine'`, `password "%[2]s"`,
			map[string]string{"a one-pw": "rows", "b two-pw": "rows", "b mine": wrongPassword},
		},
		"password of the old login": {
			true, true, `ALTER ROLE %[1]s PASSWORD 'mine'`, `role "%[1]s"`,
			map[string]string{"a one-pw": wrongPassword, "a mine": wrongPassword, "b two-pw": "rows"},
		},
		"mark lost": {
			true, true, `COMMENT ON ROLE %[2]s IS NULL`, `role "%[2]s"`, map[string]string{"a one-pw": "rows", "b two-pw": "rows"},
		},
		"path lost": {
			true, true, `ALTER ROLE %[2]s RESET search_path`, `role "%[2]s"`, map[string]string{"a one-pw": "rows", "b two-pw": "rows"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRotated(t, "hand"+strings.Map(func(c rune) rune {
				if c == ' ' || c == ',' {
					return -1
				}
				return c
			}, name), c.super)
			r.apply(t, "one-pw", false, postgres.ApplyOptions{})
			password := "one-pw"
			if c.overlap {
				password = "two-pw"
				r.apply(t, password, false, postgres.ApplyOptions{})
			}
			names := func(s string) string {
				return fmt.Sprintf(s+"%[3]s", postgres.LoginName(r.role, "a"), postgres.LoginName(r.role, "b"), "")
			}
			execute(t, r.database.admin, names(c.sql))
			made := r.apply(t, password, false, postgres.ApplyOptions{})
			if !slices.ContainsFunc(made.Changes, func(change plan.Change) bool {
				about := change.What()
				return about.Drift && about.Object.String() == names(c.change)
			}) {
				t.Errorf("no drift of %s: %v", names(c.change), made.Changes)
			}
			r.logins(t, c.want)
		})
	}
}

// TestRotationInTwoDatabases: accounts of two databases of a cluster are the
// same roles. A plan for the one has no part in what a plan for the other did,
// also where nobody sees what passwords are set.
func TestRotationInTwoDatabases(t *testing.T) {
	t.Parallel()
	for name, super := range map[string]bool{"superuser": true, "owner": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := newRotated(t, "both"+name, super)
			two := *one
			two.database = &database{url: pgtest.Database(t)}
			two.database.admin = connect(t, two.url)
			two.name = two.database.admin.Config().Database
			execute(t, two.database.admin, crmTables)
			two.admin = connect(t, two.url)
			if !super {
				owner := "both" + name + "_admin"
				execute(t, two.database.admin, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s; ALTER SCHEMA public OWNER TO %[2]s; ALTER TABLE deals OWNER TO %[2]s", two.name, owner))
				two.admin = connect(t, two.server.RoleURL(owner, "x", two.name))
				t.Cleanup(func() {
					execute(t, connect(t, two.url), "ALTER DATABASE "+two.name+" OWNER TO CURRENT_USER; REASSIGN OWNED BY "+owner+" TO CURRENT_USER")
				})
			}
			both := func(password string, retire bool) {
				one.apply(t, password, retire, postgres.ApplyOptions{})
				two.apply(t, password, retire, postgres.ApplyOptions{})
				for _, r := range []*rotated{one, &two} {
					made, _ := r.plan(t, password, false)
					requireNothing(t, made)
				}
			}
			both("one-pw", false)
			both("two-pw", false)
			both("three-pw", false)
			for _, r := range []*rotated{one, &two} {
				r.logins(t, map[string]string{"a three-pw": "rows", "b two-pw": "rows"})
			}
			both("three-pw", true)
			both("four-pw", true)
			for _, r := range []*rotated{one, &two} {
				r.logins(t, map[string]string{"b four-pw": "rows", "a three-pw": wrongPassword})
			}
		})
	}
}
