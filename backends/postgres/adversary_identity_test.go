package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

const body = "SELECT body FROM vault.notes"

// TestTricksWithSettings: what ann sets in her session makes her nobody else.
// An identity is part of a transaction alone, so a setting that says otherwise
// is an error.
func TestTricksWithSettings(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "settings")
	const changed = "the identity of this session was changed"
	s.fool(t, s.begun(t), []trick{
		{name: "another identity", sql: "SET postern.identity = 'bob'; " + body, fails: changed},
		{name: "no identity", sql: "SET LOCAL postern.identity = ''; " + body, want: "SET|SELECT 0|"},
		{name: "no identity any more", sql: "RESET postern.identity; " + body, want: "RESET|SELECT 0|"},
		{name: "another user in the seal", sql: `SELECT set_config('postern.identity', replace(current_setting('postern.identity'),
			split_part(current_setting('postern.identity'), '.', 2), encode('{"user": {"id": "bob"}}', 'base64')), true) IS NULL; ` + body, fails: changed},
		{name: "seal with another key", sql: `SELECT set_config('postern.identity', '8' || substr(current_setting('postern.identity'), 2), true) IS NULL; ` + body, fails: changed},
		{name: "claims of the other mode", sql: `SET LOCAL "postern.claims" = '{"id": "bob"}'; ` + body, want: "SET|hers|"},
		{name: "claims as PostgREST sets them", sql: `SET LOCAL "request.jwt.claims" = '{"id": "bob"}'; ` + body, want: "SET|hers|"},
		{name: "request", sql: `SET LOCAL "postern.request" = '{"id": "bob"}'; ` + body, want: "SET|hers|"},
		{name: "savepoint", sql: "SAVEPOINT a; SET LOCAL postern.identity = ''; ROLLBACK TO a; " + body, want: "SAVEPOINT|SET|ROLLBACK|hers|"},
		{name: "backslashes", sql: "SET standard_conforming_strings = off; SET backslash_quote = on; SET escape_string_warning = off\n--\n" + body, want: "SET|SET|SET|hers|", until: 19},
		{name: "null equals null", sql: "SET transform_null_equals = on; " + body, want: "SET|hers|"},
		{name: "dates, numbers, bytes", sql: "SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'; SET TimeZone = 'Asia/Kathmandu'; SET bytea_output = 'escape'; SET extra_float_digits = -15; " + body, want: "SET|SET|SET|SET|SET|hers|"},
		{name: "path", sql: "SET search_path = pg_temp, vault, postern; SELECT body FROM notes", want: "SET|hers|"},
		{name: "encoding", sql: "SET client_encoding = 'SQL_ASCII'; " + body, want: "SET|hers|"},
		{name: "no time limit", sql: "SET statement_timeout = 0; " + body, want: "SET|hers|"},
		{name: "read only", sql: "SET LOCAL transaction_read_only = on; " + body, want: "SET|hers|"},
		{name: "discard all", sql: "COMMIT\n--\nDISCARD ALL\n--\n" + body, want: "COMMIT|DISCARD ALL|SELECT 0|"},
		{name: "next transaction", sql: "COMMIT AND CHAIN\n--\n" + body, want: "COMMIT|SELECT 0|"},
		{name: "seal in the next transaction", sql: "SELECT set_config('x.seal', current_setting('postern.identity'), false) IS NULL; COMMIT\n--\nBEGIN; SELECT set_config('postern.identity', current_setting('x.seal'), true) IS NULL; " + body, fails: changed},
		{name: "seal in the chained transaction", sql: "SELECT set_config('x.seal', current_setting('postern.identity'), false) IS NULL\n--\nCOMMIT AND CHAIN\n--\nSELECT set_config('postern.identity', current_setting('x.seal'), true) IS NULL; " + body, fails: changed},
		{name: "seal within a block of code", sql: `COMMIT
--
DO $$ BEGIN PERFORM set_config('x.seal', current_setting('postern.identity'), false); COMMIT;
	PERFORM set_config('postern.identity', current_setting('x.seal'), true); PERFORM body FROM vault.notes; RAISE NOTICE '%', FOUND; END $$`, want: "COMMIT|DO|"},
		{name: "seal of the session", sql: "SELECT set_config('postern.identity', current_setting('postern.identity'), false) IS NULL; COMMIT\n--\n" + body, fails: changed},
	})
}

// TestSealWithinOneMessage: statements that one simple query message holds
// share one transaction_timestamp, so that the seal of the first transaction
// still holds in the second. Whoever can do that holds the token, and the next
// message ends it.
func TestSealWithinOneMessage(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "message")
	conn, _ := s.client(t)
	got, err := attack(conn, "BEGIN; SELECT postern.open('"+s.tokenOf(t, "ann")+"');"+
		"SELECT set_config('x.seal', current_setting('postern.identity'), false) IS NULL; COMMIT;"+body+";"+
		"BEGIN; SELECT set_config('postern.identity', current_setting('x.seal'), true) IS NULL; "+body+"; COMMIT")
	if err != nil || got != "BEGIN||f|COMMIT|SELECT 0|BEGIN|f|hers|COMMIT|" {
		t.Errorf("in one message: %q, %v", got, err)
	}
	got, err = attack(conn, "BEGIN; SELECT set_config('postern.identity', current_setting('x.seal'), true); "+body)
	if err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("in the next message: %q, %v", got, err)
	}
}

// TestPooledSessions: ann and bob use one session, one after the other, and
// nothing resets it between them.
func TestPooledSessions(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "pooled")
	open := func(user string) string {
		return "BEGIN; SELECT postern.open('" + s.tokenOf(t, user) + "') IS NULL;\n--\n"
	}
	for name, c := range map[string]struct{ bob, ann, want, fails string }{
		"prepared": {"PREPARE q AS " + body + "; EXECUTE q", "EXECUTE q", "hers|", ""},
		"generic plan": {
			"SET plan_cache_mode = force_generic_plan; PREPARE q AS " + body + "; EXECUTE q; EXECUTE q", "EXECUTE q", "hers|", "",
		},
		"prepared in the account's role": {"SET LOCAL ROLE pooled_role; PREPARE q AS " + body + "; EXECUTE q", "EXECUTE q", "hers|", ""},
		"identity":                       {body, "SELECT current_setting('postern.identity') LIKE '%.%'; ROLLBACK\n--\nSELECT current_setting('postern.identity')", "t|ROLLBACK||", ""},
		"cursor":                         {"DECLARE c CURSOR FOR " + body + "; FETCH 1 FROM c", "FETCH ALL FROM c", "", "does not exist"},
		"currval":                        {"INSERT INTO vault.notes (owner, body) VALUES ('bob', 'x')", body, "hers|", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, _ := s.client(t)
			if got, err := attack(conn, open("bob")+c.bob+"\n--\nCOMMIT"); err != nil {
				t.Fatalf("bob: %q, %v", got, err)
			}
			got, err := attack(conn, open("ann")+c.ann)
			got = strings.TrimPrefix(got, "BEGIN|f|")
			if strings.Contains(got, canary) || c.fails == "" && (err != nil || got != c.want) ||
				c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("got %q and error %v, want %q%s", got, err, c.want, c.fails)
			}
		})
	}
	// What ann leaves in the session gives bob an error, or nothing but his own.
	for name, left := range map[string]string{
		"identity": "SELECT set_config('postern.identity', current_setting('postern.identity'), false) IS NULL",
		"garbage":  "SET postern.identity = 'x'", "role": "SET ROLE pooled_role", "row security": "SET row_security = off",
		"backslashes": "SET standard_conforming_strings = off", "plans": "SET plan_cache_mode = force_generic_plan; PREPARE q AS " + body + "; EXECUTE q",
	} {
		t.Run("left: "+name, func(t *testing.T) {
			t.Parallel()
			conn, _ := s.client(t)
			if got, err := attack(conn, open("ann")+left+"\n--\nCOMMIT"); err != nil {
				t.Fatalf("ann: %q, %v", got, err)
			}
			for user, own := range map[string]string{"bob": "2", "nobody": "0"} {
				got, err := attack(conn, open(user)+"SELECT count(*), count(*) FILTER (WHERE owner <> '"+user+"') FROM vault.notes WHERE code IS NOT NULL\n--\nROLLBACK")
				if err == nil && !strings.Contains(got, own+"|0|") {
					t.Errorf("%s sees %q", user, got)
				}
				if err != nil && !strings.Contains(err.Error(), "row-level security") {
					t.Errorf("%s: %v", user, err)
				}
				_, _ = attack(conn, "ROLLBACK")
			}
			got, err := attack(conn, body)
			if err == nil && got != "SELECT 0|" {
				t.Errorf("nobody in particular sees %q", got)
			}
		})
	}
}

// TestWhatALoginCanDoToItself: Postgres lets every role change its password and
// the defaults of its sessions, and before PostgreSQL 15 lend itself to others.
// None of it shows a row, and drift finds all of it.
func TestWhatALoginCanDoToItself(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql   string
		until int
	}{
		"password":            {"ALTER ROLE CURRENT_USER PASSWORD 'mine'", 0},
		"setting":             {"ALTER ROLE CURRENT_USER SET row_security = off", 0},
		"setting in database": {"DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET search_path = x', current_database()); END $$", 0},
		"reset":               {"ALTER ROLE CURRENT_USER RESET ALL", 0},
		"lend":                {"GRANT SELF_a TO pg_monitor", 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := "itself_" + strings.ReplaceAll(name, " ", "_")
			s := vaulted(t, project)
			if c.until != 0 && major(t, s.admin) >= c.until {
				return
			}
			conn, _ := s.client(t)
			if got, err := attack(conn, strings.ReplaceAll(c.sql, "SELF", s.role)); err != nil {
				t.Fatalf("%q, %v", got, err)
			}
			p := s.program(t)
			if made := planFor(t, s.admin, p, p.Datasources[0]); made.Empty() {
				t.Error("the plan does not see it")
			}
			applyTo(t, s.admin, p)
		})
	}
}

// TestClaimsOfSessions: with identity = "setting", what one client leaves in a
// session is what the next one finds. A login that writes its own SQL is
// refused there when the program is compiled.
func TestClaimsOfSessions(t *testing.T) {
	t.Parallel()
	d := applied(t, compile(t, project(crm, "sessions")), crmTables)
	conn := d.as(t, "sessions_role")
	ann := `{"id": "ann"}`
	if got := values(t, conn, ann, allIDs); got != "1 5" {
		t.Errorf("ann sees %q", got)
	}
	if got, err := try(conn, func(pgx.Tx) error { return nil }, allIDs); err != nil || got != "5" {
		t.Errorf("after a local setting the next one sees %q, %v", got, err)
	}
	for _, bad := range []string{"x", "[]", "null", `{"id": "ann"`, `"ann"`} {
		if got, err := try(conn, setting(bad), allIDs); err == nil {
			t.Errorf("claims %s: sees %q", bad, got)
		}
	}
	for _, anonymous := range []string{"", "{}", `{"id": null}`, `{"id": 5}`, `{"id": ["ann"]}`, `{"ID": "ann"}`, `{"id": {"id": "ann"}}`} {
		if got := values(t, conn, anonymous, allIDs); got != "5" {
			t.Errorf("claims %s: sees %q", anonymous, got)
		}
	}
}
