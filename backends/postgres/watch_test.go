package postgres_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// watched is a project with one table; the words in capitals are what changes.
const watched = `
postern { project = "PROJECT" }
identity {
  attribute "id" { type = string }
}
group "hr" { description = "d" }
datasource "d" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
}
table "d" "people" {
  column "id"    { type = int }
  column "team"  { type = string }
  column "name"  { type = string }
  column "chief" { type = int }
  primary_key = ["id"]
  relation "team_of" {
    table = table.d.chiefs
    on    = { chief = "id" }
  }
}
table "d" "chiefs" {
  column "id"   { type = int }
  column "name" { type = string }
  primary_key = ["id"]
}
service_account "web" {
  datasource  = datasource.d
  role        = "ROLE"
  description = "d"
  ACCOUNT
}
app "web" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.d
    service_account = service_account.web
    as              = "user"
  }
}
policy "POLICY" {
  description = "d"
  on    = [table.d.people]
  to    = [everyone]
  allow = [view]
  when  = WHEN
}
REST
`

const watchedTables = `
CREATE TABLE people (id bigint PRIMARY KEY, team text NOT NULL, name text NOT NULL, chief bigint NOT NULL);
CREATE TABLE chiefs (id bigint PRIMARY KEY, name text NOT NULL);
INSERT INTO chiefs VALUES (1, 'ann'), (2, 'bob');
INSERT INTO people VALUES (1, 'red', 'Ada', 1), (2, 'blue', 'Bea', 1), (3, 'red', 'Cyd', 2), (4, 'grey', 'Dot', 2);
`

// masked is the part of the project that masks names.
func masked(with string) string {
	return "mask \"name\" {\n  description = \"d\"\n  on      = [table.d.people]\n  columns = [\"name\"]\n  with    = " + with + "\n}\n"
}

// chiefs is a policy on the table that the relation leads to.
func chiefs(when string) string {
	return "policy \"chiefs\" {\n  description = \"d\"\n  on    = [table.d.chiefs]\n  to    = [everyone]\n  allow = [view]\n  when  = " + when + "\n}\n"
}

const guarded = "guard \"team\" {\n  description = \"d\"\n  on      = [table.d.people]\n  require = record.team != \"grey\"\n}\n"

// version is a state of the project and what everybody sees of it.
type version struct {
	policy, when, rest string
	sees               string
}

func (v version) hcl(name string, adopted bool) string {
	account := `password = env("P")`
	if adopted {
		account = `managed = false`
	}
	return strings.NewReplacer("PROJECT", name, "ROLE", name+"_role", "POLICY", cmp.Or(v.policy, "all"), "WHEN", v.when, "REST", v.rest, "ACCOUNT", account).Replace(watched)
}

// TestReadersWatchChanges: while a project changes to and fro, what readers see
// is what one of the two versions shows, as a whole; once an apply has returned
// it is the new one. They read in plain and prepared statements, in open
// transactions that keep their snapshots, and in sessions of their own.
func TestReadersWatchChanges(t *testing.T) {
	t.Parallel()
	const all, red = "1:Ada 2:Bea 3:Cyd 4:Dot", "1:Ada 3:Cyd"
	for _, c := range []struct {
		name     string
		old, new version
		denied   bool // sessions that go on name what the other version keeps from them
		adopted  bool // the role is there before the project, and reads the whole table
	}{
		{name: "narrowed", old: version{when: "true", sees: all}, new: version{when: `record.team == "red"`, sees: red}},
		{name: "moved", old: version{when: `record.team == "blue"`, sees: "2:Bea"}, new: version{when: `record.team == "red"`, sees: red}},
		{name: "policy replaced", old: version{policy: "old", when: `record.team == "blue"`, sees: "2:Bea"}, new: version{policy: "other", when: `record.id > 2`, sees: "3:Cyd 4:Dot"}},
		{name: "guard added", old: version{when: "true", sees: all}, new: version{when: "true", rest: guarded, sees: "1:Ada 2:Bea 3:Cyd"}},
		{name: "related record", old: version{when: `record.team_of.name == "ann"`, sees: "1:Ada 2:Bea"}, new: version{when: `record.team_of.name == "bob"`, sees: "3:Cyd 4:Dot"}},
		{
			name: "mask and rows changed", old: version{when: `record.team == "blue"`, rest: masked("first(1)"), sees: "2:B…"},
			new: version{when: "true", rest: masked("last(1)"), sees: "1:…a 2:…a 3:…d 4:…t"},
		},
		{
			name: "mask of another type", old: version{when: "true", rest: masked("first(2)"), sees: "1:Ad… 2:Be… 3:Cy… 4:Do…"},
			new: version{when: `record.team == "red"`, rest: masked("null"), sees: "1:- 3:-"},
		},
		{
			name: "grants moved to a view", old: version{when: `record.team == "red"`, sees: red},
			new: version{when: "true", rest: masked("first(1)"), sees: "1:A… 2:B… 3:C… 4:D…"}, denied: true,
		},
		{
			name: "related record under a view", old: version{when: `record.team_of.name == "ann"`, rest: masked("last(1)"), sees: "1:…a 2:…a"},
			new: version{when: `record.team_of.name == "bob"`, rest: masked("first(1)"), sees: "3:C… 4:D…"},
		},
		{
			name: "related record and its table", old: version{when: `record.team_of.name == "ann"`, rest: chiefs("record.id == 1"), sees: "1:Ada 2:Bea"},
			new: version{when: `record.team_of.name == "bob"`, rest: chiefs("record.id == 2"), sees: "3:Cyd 4:Dot"},
		},
		{name: "row security enabled", adopted: true, old: version{sees: all}, new: version{when: `record.team == "red"`, sees: red}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := "watch_" + strings.ReplaceAll(c.name, " ", "_")
			url := pgtest.Database(t)
			d := &database{url: url, admin: connect(t, url)}
			d.name = d.admin.Config().Database
			execute(t, d.admin, watchedTables)
			w := &watch{d: d, server: pgtest.Server(t), role: name + "_role_a", versions: []version{c.old, c.new}, denied: c.denied, sights: make(chan sight), applies: 2}
			if c.adopted {
				w.role, w.applies = name+"_role", 1
				execute(t, d.admin, "CREATE ROLE "+w.role+" LOGIN PASSWORD '"+password+"'; GRANT SELECT ON people TO "+w.role)
				t.Cleanup(func() { execute(t, d.admin, "DROP OWNED BY "+w.role+"; DROP ROLE "+w.role) })
			} else {
				applyTo(t, d.admin, compile(t, c.old.hcl(name, false)))
				execute(t, d.admin, "ALTER ROLE "+w.role+" PASSWORD '"+password+"'")
			}
			w.run(t, func(to int) { applyTo(t, d.admin, compile(t, w.versions[to%2].hcl(name, c.adopted))) })
		})
	}
}

// watch is readers of one table. The epoch is twice the number of applies that
// have returned, and one more while an apply is under way.
type watch struct {
	d        *database
	server   *throwaway.Server
	role     string
	versions []version
	applies  int
	denied   bool
	epoch    atomic.Int64
	sights   chan sight
}

// sight is what a reader saw between two epochs.
type sight struct {
	reader   int
	from, to int64
	text     string
	err      error
}

const sightOfPeople = "SELECT coalesce(string_agg(id || ':' || coalesce(name, '-'), ' ' ORDER BY id), '') FROM people"

// run has readers read while applies go to and fro, until each of them has seen
// the outcome of each.
func (w *watch) run(t *testing.T, apply func(to int)) {
	t.Helper()
	reading, stop := context.WithCancel(t.Context())
	defer stop()
	readers := []func(context.Context, int) error{
		w.inOneSession(pgx.QueryExecModeSimpleProtocol), w.inOneSession(pgx.QueryExecModeCacheStatement), w.inSessions, w.inSnapshots,
	}
	var all sync.WaitGroup
	for i, read := range readers {
		all.Go(func() {
			if err := read(reading, i); err != nil {
				w.tell(reading, sight{reader: i, err: err})
			}
		})
	}
	defer all.Wait()
	defer stop()
	for to := range w.applies + 1 {
		if to > 0 {
			w.epoch.Add(1)
			done := make(chan struct{})
			go func() {
				defer close(done)
				apply(to)
			}()
			for under := true; under; {
				select {
				case s := <-w.sights:
					w.check(t, s)
				case <-done:
					under = false
				}
			}
			w.epoch.Add(1)
		}
		for seen := map[int]bool{}; len(seen) < len(readers); {
			s := <-w.sights
			w.check(t, s)
			if s.from == w.epoch.Load() {
				seen[s.reader] = true
			}
			if t.Failed() {
				return
			}
		}
	}
}

// check holds a sight against what the versions of its time show.
func (w *watch) check(t *testing.T, s sight) {
	t.Helper()
	var pg *pgconn.PgError
	if s.err != nil {
		// Refused is as good as unseen: by the right, or by a snapshot that is older than the rules.
		if errors.As(s.err, &pg) && (pg.Code == "40001" || pg.Code == "42501" && w.denied) {
			return
		}
		t.Errorf("reader %d, from epoch %d to %d: %v", s.reader, s.from, s.to, s.err)
		return
	}
	var allowed []string
	for v := s.from / 2; v <= (s.to+1)/2; v++ {
		allowed = append(allowed, w.versions[v%2].sees)
	}
	if !slices.Contains(allowed, s.text) {
		t.Errorf("reader %d, from epoch %d to %d, saw %q: want one of %q", s.reader, s.from, s.to, s.text, allowed)
	}
}

func (w *watch) tell(reading context.Context, s sight) {
	select {
	case w.sights <- s:
	case <-reading.Done():
	}
}

func (w *watch) connect() (*pgx.Conn, error) {
	return pgx.Connect(ctx, w.server.RoleURL(w.role, password, w.d.name))
}

// read tells of one read; from is the epoch in which its snapshot was taken.
func (w *watch) read(reading context.Context, reader int, from int64, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, args ...any,
) error {
	s := sight{reader: reader, from: from}
	s.err = q.QueryRow(ctx, sightOfPeople, args...).Scan(&s.text)
	s.to = w.epoch.Load()
	w.tell(reading, s)
	return s.err
}

func (w *watch) inOneSession(mode pgx.QueryExecMode) func(context.Context, int) error {
	return func(reading context.Context, reader int) error {
		conn, err := w.connect()
		if err != nil {
			return err
		}
		for reading.Err() == nil {
			_ = w.read(reading, reader, w.epoch.Load(), conn, mode)
		}
		return conn.Close(ctx)
	}
}

func (w *watch) inSessions(reading context.Context, reader int) error {
	for reading.Err() == nil {
		from := w.epoch.Load()
		conn, err := w.connect()
		if err != nil {
			return err
		}
		_ = w.read(reading, reader, from, conn)
		if err := conn.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// inSnapshots reads twice in each transaction, which keeps its snapshot.
func (w *watch) inSnapshots(reading context.Context, reader int) error {
	conn, err := w.connect()
	if err != nil {
		return err
	}
	for reading.Err() == nil {
		from := w.epoch.Load()
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
		if err != nil {
			return err
		}
		var one int
		if err := tx.QueryRow(ctx, "SELECT 1").Scan(&one); err != nil { // takes the snapshot
			return err
		}
		if w.read(reading, reader, from, tx, pgx.QueryExecModeCacheStatement) == nil {
			_ = w.read(reading, reader, from, tx, pgx.QueryExecModeSimpleProtocol) // it has been told
		}
		if err := tx.Rollback(ctx); err != nil {
			return err
		}
	}
	return conn.Close(ctx)
}
