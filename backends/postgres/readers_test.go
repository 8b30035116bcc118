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
