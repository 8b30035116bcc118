package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/postern-dev/postern/backends/postgres/throwaway"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"postern": main}) }

// TestScripts runs testdata/script. Each script has a copy of testdata/crm and,
// when it asks for it, a cluster of its own: roles belong to the cluster.
//
//	postgres                  starts a cluster with the database crm and the schema of crm, sets DATABASE_URL
//	sql [-as ROLE PASSWORD] STATEMENT…   runs statements in one session, prints the first column of rows
//	database NAME VARIABLE    makes a copy of the database crm in the cluster, and sets a variable to its URL
//	hold [-as ROLE PASSWORD] STATEMENT
//	                                     leaves a transaction open that has run a statement
//	await QUERY               waits until a query gives true
//	status N COMMAND…         runs a command that exits with N
//	exits N                   holds the command in the background to its status
//	weak                      lets DATABASE_URL log in as the role weak
//	token_env FILE NAME       sets a variable to the text of a file
//	hook VARIABLE FILE        sets a variable to the address of a server that adds what it is sent to a file
//	approve FROM TO           copies the lines that would approve what a refusal as JSON names
//	plain FROM TO             copies a file without what differs between servers and runs
func TestScripts(t *testing.T) {
	t.Parallel()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: os.Getenv("UPDATE_GOLDEN") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", home) // where templates and downloads of Postgres are kept
			e.Setenv("TMPDIR", "") // the server's account cannot enter the script's folder
			e.Setenv("NO_COLOR", "1")
			e.Setenv("ESC", "\x1b")
			e.Setenv("REPS_PASSWORD", "a password of tests")
			return os.CopyFS(filepath.Join(e.WorkDir, "crm"), os.DirFS(filepath.Join("testdata", "crm")))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"postgres": startPostgres, "database": copyDatabase, "sql": runSQL, "hold": holdSQL, "await": awaitSQL, "status": wantStatus, "plain": plainText,
			"weak": weakRole, "token_env": tokenEnv, "approve": approveLines, "hook": startHook,
			"exits": func(ts *testscript.TestScript, _ bool, args []string) { wantExit(t, ts, args[0]) },
		},
	})
}

func startPostgres(ts *testscript.TestScript, _ bool, _ []string) {
	ctx := context.Background()
	server, err := throwaway.Start(ctx, throwaway.Options{})
	ts.Check(err)
	ts.Defer(func() { ts.Check(server.Stop()) })
	ts.Check(server.CreateDatabase(ctx, "crm"))
	ts.Setenv("DATABASE_URL", server.URL("crm"))
	runSQL(ts, false, []string{ts.ReadFile(filepath.Join(ts.Getenv("WORK"), "crm", "schema.sql"))})
}

func copyDatabase(ts *testscript.TestScript, _ bool, args []string) {
	u, err := url.Parse(ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	u.Path = "/" + args[0]
	ts.Setenv(args[1], u.String())
	conn := dial(ts, "", "")
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(context.Background(), "CREATE DATABASE "+args[0])
	ts.Check(err)
	cfg, err := pgx.ParseConfig(u.String())
	ts.Check(err)
	other, err := pgx.ConnectConfig(context.Background(), cfg)
	ts.Check(err)
	defer func() { _ = other.Close(context.Background()) }()
	_, err = other.Exec(context.Background(), ts.ReadFile(filepath.Join(ts.Getenv("WORK"), "crm", "schema.sql")), pgx.QueryExecModeSimpleProtocol)
	ts.Check(err)
}

// dial connects as the superuser, or as a role.
func dial(ts *testscript.TestScript, role, password string) *pgx.Conn {
	cfg, err := pgx.ParseConfig(ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	if role != "" {
		cfg.User, cfg.Password = role, password
	}
	conn, err := pgx.ConnectConfig(context.Background(), cfg)
	ts.Check(err)
	return conn
}

func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	var role, password string
	if len(args) > 3 && args[0] == "-as" {
		role, password, args = args[1], args[2], args[3:]
	}
	conn := dial(ts, role, password)
	defer func() { _ = conn.Close(context.Background()) }()
	for _, statement := range args {
		rows, err := conn.Query(context.Background(), statement, pgx.QueryExecModeSimpleProtocol)
		ts.Check(err)
		for rows.Next() {
			values, err := rows.Values()
			ts.Check(err)
			if len(values) > 0 {
				_, _ = fmt.Fprintln(ts.Stdout(), values[0])
			}
		}
		if err := rows.Err(); err != nil {
			if !neg {
				ts.Fatalf("%s: %v", statement, err)
			}
			_, _ = fmt.Fprintln(ts.Stderr(), err)
			return
		}
	}
	if neg {
		ts.Fatalf("no statement failed")
	}
}

func holdSQL(ts *testscript.TestScript, _ bool, args []string) {
	var role, password string
	if len(args) > 3 && args[0] == "-as" {
		role, password, args = args[1], args[2], args[3:]
	}
	conn := dial(ts, role, password)
	ts.Defer(func() { _ = conn.Close(context.Background()) })
	_, err := conn.Exec(context.Background(), "BEGIN; "+strings.Join(args, " "))
	ts.Check(err)
}

// awaitSQL asks again and again; the database answers each time, so this waits
// for it and for nothing else.
func awaitSQL(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn := dial(ts, "", "")
	defer func() { _ = conn.Close(context.Background()) }()
	for done := false; !done; {
		ts.Check(conn.QueryRow(ctx, strings.Join(args, " ")).Scan(&done))
	}
}

func wantStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// wantExit looks at the end of the script, when the command has been waited for.
func wantExit(t *testing.T, ts *testscript.TestScript, status string) {
	t.Helper()
	want, err := strconv.Atoi(status)
	ts.Check(err)
	cmd := ts.BackgroundCmds()[0]
	ts.Defer(func() {
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit status %d, want %d", ts.Name(), got, want)
		}
	})
}

func weakRole(ts *testscript.TestScript, _ bool, _ []string) {
	u, err := url.Parse(ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	u.User = url.UserPassword("weak", "weak")
	ts.Setenv("DATABASE_URL", u.String())
}

func tokenEnv(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[1], strings.TrimSpace(ts.ReadFile(args[0])))
}

func startHook(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = f.Write(append(body, '\n'))
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	ts.Setenv(args[0], server.URL)
	ts.Defer(func() {
		server.Close()
		ts.Check(f.Close())
	})
}

var differing = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`PostgreSQL [0-9][0-9.]*( \([^)]*\))?`), "PostgreSQL VERSION"},
	{regexp.MustCompile(`127\.0\.0\.1:[0-9]+`), "HOST:PORT"},
	// Views take their reader's rights from Postgres 15 on; before that there is only the grant to take back.
	{regexp.MustCompile(`ALTER VIEW public\.all_deals SET \(security_invoker = true\);|REVOKE SELECT ON public\.all_deals FROM clerk CASCADE;`), "STATEMENT"},
	{regexp.MustCompile(`[ \t]+\n`), "\n"},
}

func plainText(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	for _, d := range differing {
		text = d.pattern.ReplaceAllString(text, d.with)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func approveLines(ts *testscript.TestScript, _ bool, args []string) {
	var refusal struct {
		Refused []struct{ Approve string }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &refusal))
	var lines []string
	for _, r := range refusal.Refused {
		lines = append(lines, r.Approve+" # as the owner of the data")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(lines, "\n")+"\n"), 0o600))
}
