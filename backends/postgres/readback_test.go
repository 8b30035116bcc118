package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/readback"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// readPolicies writes expressions as policies of the table r and gives them as
// Postgres prints them; "" for those that it does not take.
func readPolicies(t testing.TB, conn *pgx.Conn, list []string) []string {
	t.Helper()
	execute(t, conn, "SET search_path = pg_catalog")
	out := make([]string, len(list))
	for i, s := range list {
		if _, err := conn.Exec(t.Context(), "SAVEPOINT p; CREATE POLICY p ON public.r USING ("+s+")"); err != nil {
			execute(t, conn, "ROLLBACK TO SAVEPOINT p")
			continue
		}
		if err := conn.QueryRow(t.Context(), "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'p' AND polrelid = 'public.r'::regclass").Scan(&out[i]); err != nil {
			t.Fatal(err)
		}
		execute(t, conn, "DROP POLICY p ON public.r; RELEASE SAVEPOINT p")
	}
	return out
}

// someUsers are an anonymous one, those of whom everything is known, and one of
// the directory.
var someUsers = []string{hostileUsers[0], hostileUsers[3], hostileUsers[5], `{"id": "dir"}`}

// readSoundly asks Postgres about the expressions, on every hostile record and
// user, and holds what is read of them to its answers.
func readSoundly(t *testing.T, p *model.Program, conn *pgx.Conn, texts, users []string, now model.Timestamp) (compared int) {
	t.Helper()
	names := readback.Names{Table: p.Tables[0], SQLName: "r", Functions: requestFunctions(p)}
	read := make([]readback.Condition, len(texts))
	for i, s := range texts {
		read[i] = readback.Read(s, names)
	}
	wrong := 0
	for _, claims := range users {
		context := `{"ip": "10.9.9.9"}`
		if _, err := conn.Exec(t.Context(), "SELECT set_config('postern.claims', $1, false), set_config('postern.request', $2, false)", claims, context); err != nil {
			t.Fatal(err)
		}
		texts, read := answerable(t, conn, texts, read)
		rows, err := conn.Query(t.Context(), asked(texts))
		if err != nil {
			t.Fatal(err)
		}
		env := eval.NewEnv(p, model.Request{User: decode(t, claims), Context: decode(t, context), Now: now}, p.Datasources[0].Entries()[0])
		for rows.Next() {
			var doc string
			var got []bool
			if err := rows.Scan(&doc, &got); err != nil {
				t.Fatal(err)
			}
			on := env.On(decode(t, doc))
			for i, c := range read {
				compared++
				sure, possible := on.Holds(c.Sure), on.Holds(c.Possible)
				if (sure && !got[i] || got[i] && !possible) && wrong < 20 {
					wrong++
					t.Errorf("Postgres says %v, read as surely %v and possibly %v\nSQL %s\nclaims %s\nrecord %s", got[i], sure, possible, texts[i], claims, doc)
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return compared
}

// asked is the query for all expressions on each record.
func asked(texts []string) string {
	query := "SELECT to_jsonb(r)::text, ARRAY[(" + strings.Join(texts, ") IS TRUE, (") + ") IS TRUE] FROM public.r ORDER BY id"
	return strings.ReplaceAll(query, "statement_timestamp()", "'"+testNow+"'::timestamptz")
}

// answerable leaves out the expressions that fail on some record: a policy that
// does shows nothing.
func answerable(t testing.TB, conn *pgx.Conn, texts []string, read []readback.Condition) ([]string, []readback.Condition) {
	t.Helper()
	fails := func(texts []string) bool {
		execute(t, conn, "SAVEPOINT p")
		_, err := conn.Exec(t.Context(), asked(texts))
		if err != nil {
			execute(t, conn, "ROLLBACK TO SAVEPOINT p")
		}
		execute(t, conn, "RELEASE SAVEPOINT p")
		return err != nil
	}
	if !fails(texts) {
		return texts, read
	}
	var out []string
	var conditions []readback.Condition
	for i, s := range texts {
		if !fails(texts[i : i+1]) {
			out, conditions = append(out, s), append(conditions, read[i])
		}
	}
	return out, conditions
}

// TestConditionsAreReadBack reads every generated form of every condition, and
// holds what was read to Postgres' answers.
func TestConditionsAreReadBack(t *testing.T) {
	t.Parallel()
	p := conditionProgram(t, "readback")
	now, _ := eval.ParseTimestamp(testNow)
	_, sql := conditionSQL(t, p, instantConst(now))
	conn := conditionDatabase(t, p)
	texts := make([]string, len(sql))
	for i, s := range sql {
		texts[i] = string(s)
	}
	execute(t, conn, "BEGIN")
	texts = readPolicies(t, conn, texts)
	names := readback.Names{Table: p.Tables[0], SQLName: "r", Functions: requestFunctions(p)}
	unread := 0
	for i, s := range texts {
		if c := readback.Read(s, names); !c.Exact() {
			unread++
			if testing.Verbose() {
				t.Logf("%s (fails: %v): %s\n%s", conditions[i/2], i%2 == 1, strings.Join(c.Reasons, "; "), s)
			}
		}
	}
	if n := readSoundly(t, p, conn, texts, someUsers, now); n < 100_000 {
		t.Errorf("only %d results were compared", n)
	}
	t.Logf("%d of %d not read whole", unread, len(texts))
}
