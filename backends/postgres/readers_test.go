package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// TestReadersDuringApply: while policies become narrower and wider at once,
// readers see what the old or the new ones show, and no error.
func TestReadersDuringApply(t *testing.T) {
	t.Parallel()
	old := project(crm, "reading")
	old = strings.Replace(old, `description = "d"
  limits`, `description = "d"
  password    = env("READING_PASSWORD")
  limits`, 1)
	changed := strings.Replace(old, `record.region == "public"`, `record.region == "APAC"`, 1)
	url := pgtest.Database(t)
	admin := connect(t, url)
	execute(t, admin, crmTables)
	d := &database{url: url, name: admin.Config().Database, admin: admin}
	applyTo(t, admin, compile(t, old))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	modes := []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeCacheStatement}
	seen := make(chan string, 1000)
	done := make(chan error, len(modes))
	for _, mode := range modes {
		conn := d.as(t, "reading_role")
		go func() { done <- readOn(ctx, conn, mode, seen) }()
	}
	for _, program := range []string{changed, old, changed} {
		want := "5"
		if program == changed {
			want = "3"
		}
		applyTo(t, admin, compile(t, program))
		for range modes { // each reader has read again, for good
			awaitRow(t, seen, want)
		}
	}
	stop()
	for range modes {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// readOn reads until ctx ends; it reports every change of what it sees.
func readOn(ctx context.Context, conn *pgx.Conn, mode pgx.QueryExecMode, seen chan<- string) error {
	last := ""
	for ctx.Err() == nil {
		rows, err := conn.Query(context.WithoutCancel(ctx), allIDs, mode)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		got := ""
		for _, id := range ids {
			got += strconv.FormatInt(id, 10)
		}
		if got != last {
			seen <- got
		}
		last = got
	}
	return nil
}

// awaitRow takes what readers report until one of them sees what is wanted;
// nothing but the two states may come.
func awaitRow(t *testing.T, seen <-chan string, want string) {
	t.Helper()
	for {
		select {
		case got := <-seen:
			if !slices.Contains([]string{"3", "5"}, got) {
				t.Fatalf("a reader saw %q", got)
			}
			if got == want {
				return
			}
		case <-t.Context().Done():
			t.Fatal("no reader saw the new state")
		}
	}
}

// TestOldSnapshots: a transaction that keeps an old snapshot would read new
// policies beside the old directory or the old groups. It is refused where
// they differ, and goes on where they do not.
func TestOldSnapshots(t *testing.T) {
	t.Parallel()
	// Who was "moved" is no manager any more, or managers are no reps; and reps see more.
	policy := []string{`when    = record.region == user.region`, `when    = record.owner == "bob"`}
	directory := append([]string{`groups     = [group.managers]`, `groups     = []`}, policy...)
	groups := append([]string{`member_of   = [group.reps]`, `member_of   = []`}, policy...)
	const manager = `{"id": "cy", "groups": ["managers"], "app_metadata": {"region": "EMEA"}}`
	for name, c := range map[string]struct {
		project, identity string
		change            []string // what is replaced, by what
		claims            string
		refused           bool
		want              string // what a new transaction sees
	}{
		"directory":         {"snapshots_directory", "setting", directory, `{"id": "moved"}`, true, "5"},
		"groups":            {"snapshots_groups", "setting", groups, manager, true, "5"},
		"signed, directory": {"snapshots_signed", "signed", directory, `{"id": "moved"}`, true, "5"},
		"policies alone":    {"snapshots_policies", "setting", policy, manager, false, "2 3 4 5"},
		"signed, policies":  {"snapshots_signed_policies", "signed", policy, manager, false, "2 3 4 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := strings.NewReplacer(`"setting"`, `"`+c.identity+`"`, `description = "d"
  limits`, `description = "d"
  password    = env("SNAPSHOTS_PASSWORD")
  limits`).Replace(project(crm, c.project))
			s := newSnapshots(t, c.project, c.identity == "signed", old)
			conn := s.d.as(t, c.project+"_role")
			tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
			if err != nil {
				t.Fatal(err)
			}
			s.identify(t, tx, c.claims)
			applyTo(t, s.d.admin, compile(t, strings.NewReplacer(c.change...).Replace(old)))
			got, err := column(tx, allIDs)
			var pg *pgconn.PgError
			switch {
			case !c.refused && (err != nil || got != c.want):
				t.Errorf("an old snapshot sees %q, error %v: want %q", got, err, c.want)
			case c.refused && (!errors.As(err, &pg) || pg.Code != "40001" || !strings.Contains(pg.Message, "the rules have changed")):
				t.Errorf("an old snapshot sees %q, error %v: want a serialization failure", got, err)
			}
			if err := tx.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
			if tx, err = conn.Begin(ctx); err != nil {
				t.Fatal(err)
			}
			s.identify(t, tx, c.claims)
			if got, err := column(tx, allIDs); err != nil || got != c.want {
				t.Errorf("a new transaction sees %q, error %v: want %q", got, err, c.want)
			}
			if err := tx.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestOldStatements: under READ COMMITTED it is the statement whose snapshot is
// old; a key that is removed ends with the snapshots that hold it.
func TestOldStatements(t *testing.T) {
	t.Parallel()
	hcl := strings.NewReplacer(`"setting"`, `"signed"`, `description = "d"
  limits`, `description = "d"
  password    = env("STATEMENTS_PASSWORD")
  limits`).Replace(project(crm, "statements"))
	s := newSnapshots(t, "statements", true, hcl)
	tx, err := s.d.as(t, "statements_role").Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.identify(t, tx, `{"id": "moved"}`)
	if _, err := tx.Exec(ctx, "DECLARE c CURSOR FOR SELECT postern.user_groups()"); err != nil {
		t.Fatal(err)
	}
	applyTo(t, s.d.admin, compile(t, strings.Replace(hcl, `groups     = [group.managers]`, `groups     = []`, 1)))
	if got, err := column(tx, allIDs); err != nil || got != "5" {
		t.Errorf("the next statement sees %q, error %v", got, err)
	}
	var pg *pgconn.PgError
	if got, err := column(tx, "FETCH c"); !errors.As(err, &pg) || pg.Code != "40001" {
		t.Errorf("the cursor gives %q, error %v: want a serialization failure", got, err)
	}

	conn := s.d.as(t, "statements_role")
	kept, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := column(kept, "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	execute(t, s.d.admin, "DELETE FROM postern.keys")
	token := s.d.token(t, func(k *postgres.Token) { k.Role = "statements_role" })
	if err := open(token)(kept); err != nil {
		t.Errorf("a transaction that began before: %v", err)
	}
	if err := kept.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := try(conn, open(token), allIDs); err == nil {
		t.Errorf("a token of a removed key opens %q", got)
	}
}

// snapshots is an applied project whose users are told by claims or tokens.
type snapshots struct {
	d      *database
	name   string
	signed bool
}

func newSnapshots(t *testing.T, name string, signed bool, hcl string) *snapshots {
	t.Helper()
	url := pgtest.Database(t)
	admin := connect(t, url)
	execute(t, admin, crmTables)
	applyTo(t, admin, compile(t, hcl))
	if signed {
		insert, err := postgres.InsertKey(signingKey)
		if err != nil {
			t.Fatal(err)
		}
		execute(t, admin, string(insert))
	}
	return &snapshots{d: &database{url: url, name: admin.Config().Database, admin: admin}, name: name, signed: signed}
}

// identify says who asks and reads who that is, so that the functions have run
// once in the transaction.
func (s *snapshots) identify(t *testing.T, tx pgx.Tx, claims string) {
	t.Helper()
	if s.signed {
		token := s.d.token(t, func(k *postgres.Token) {
			k.Role, k.Claims = s.name+"_role", nil
			if err := json.Unmarshal([]byte(claims), &k.Claims); err != nil {
				t.Fatal(err)
			}
		})
		if err := open(token)(tx); err != nil {
			t.Fatal(err)
		}
	} else if _, err := tx.Exec(ctx, "SELECT set_config('postern.claims', $1, true)", claims); err != nil {
		t.Fatal(err)
	}
	if _, err := column(tx, "SELECT postern.user_groups()::text"); err != nil {
		t.Fatal(err)
	}
}

// TestIdentityDrift: what identity functions read is put back when it was
// changed by hand; nothing is answered while its generation is another one.
func TestIdentityDrift(t *testing.T) {
	t.Parallel()
	hcl := strings.Replace(project(crm, "identity_drift"), `description = "d"
  limits`, `description = "d"
  password    = env("DRIFT_PASSWORD")
  limits`, 1)
	s := newSnapshots(t, "identity_drift", false, hcl)
	conn := s.d.as(t, "identity_drift_role")
	refusing := []string{`UPDATE postern.generation SET hash = 'x'`, `DELETE FROM postern.generation`}
	for _, change := range append([]string{
		`UPDATE postern.directory SET groups = '["reps"]', attributes = '{"region": "EMEA"}' WHERE key = 'moved'`,
		`INSERT INTO postern.directory (key, level) VALUES ('ann', 'anonymous')`,
		`DELETE FROM postern.group_closure`,
		`INSERT INTO postern.generation VALUES ('x', 'x')`,
	}, refusing...) {
		refused := slices.Contains(refusing, change)
		execute(t, s.d.admin, change)
		_, err := try(conn, setting(`{"id": "moved"}`), allIDs)
		if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "the rules have changed") {
			t.Errorf("%s: error %v", change, err)
		}
		program := compile(t, hcl)
		if planFor(t, s.d.admin, program, program.Datasources[0]).Empty() {
			t.Errorf("%s: not found", change)
		}
		applyTo(t, s.d.admin, program)
		if got := values(t, conn, `{"id": "moved"}`, allIDs); got != "3 5" {
			t.Errorf("after %s: sees %q", change, got)
		}
	}
}
