package postgres_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

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

// TestOldSnapshots: a transaction that keeps an old snapshot reads new
// policies beside the old directory. docs/security.md says so.
func TestOldSnapshots(t *testing.T) {
	t.Parallel()
	old := project(crm, "snapshots")
	old = strings.Replace(old, `description = "d"
  limits`, `description = "d"
  password    = env("SNAPSHOTS_PASSWORD")
  limits`, 1)
	// Who was "moved" is no manager any more, and managers see more.
	changed := strings.Replace(old, `groups     = [group.managers]`, `groups     = []`, 1)
	changed = strings.Replace(changed, `when    = record.region == user.region`, `when    = record.owner == "bob"`, 1)
	url := pgtest.Database(t)
	admin := connect(t, url)
	execute(t, admin, crmTables)
	d := &database{url: url, name: admin.Config().Database, admin: admin}
	applyTo(t, admin, compile(t, old))
	conn := d.as(t, "snapshots_role")
	execute(t, conn, `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT set_config('postern.claims', '{"id": "moved"}', true)`)
	applyTo(t, admin, compile(t, changed))
	rows, err := conn.Query(t.Context(), allIDs)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || !slices.Equal(got, []int64{2, 3, 4, 5}) {
		t.Errorf("an old snapshot sees %v, error %v", got, err)
	}
	execute(t, conn, "ROLLBACK")
	if got := values(t, conn, `{"id": "moved"}`, allIDs); got != "5" {
		t.Errorf("a new one sees %q", got)
	}
}
