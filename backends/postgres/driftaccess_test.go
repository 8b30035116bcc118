package postgres

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/access"
)

const driftProgram = `
postern { project = "PROJECT" }
identity {
  attribute "id" { type = int }
}
datasource "d" {
  type     = "postgres"
  identity = "setting"
}
service_account "web" {
  datasource = datasource.d
  role       = "PROJECT"
}
table "d" "deals" {
  column "id"    { type = int }
  column "owner" { type = int }
  column "price" { type = int }
  primary_key = ["id"]
}
policy "own" {
  on      = [table.d.deals]
  to      = [everyone]
  allow   = [view]
  columns = ["id", "owner"]
  when    = record.owner == user.id
}
`

// TestDriftLetsWhomDoWhat changes an applied database by hand, says who gained
// and lost by it, and finds what it says of views to be so on the database.
func TestDriftLetsWhomDoWhat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sql, want string }{
		"altered":    {`ALTER POLICY POLICY ON deals USING (owner = postern.user_id() OR id = 7)`, "wider everyone view table.d.deals"},
		"narrowed":   {`ALTER POLICY POLICY ON deals USING (owner = postern.user_id() AND id > 7)`, "narrower everyone view table.d.deals"},
		"respelt":    {`ALTER POLICY POLICY ON deals USING (NOT (postern.user_id() <> owner))`, ""},
		"added":      {`CREATE POLICY hand ON deals USING (true)`, "wider everyone view table.d.deals"},
		"limited":    {`CREATE POLICY hand ON deals AS RESTRICTIVE USING (id < 9)`, "narrower everyone view table.d.deals"},
		"dropped":    {`DROP POLICY POLICY ON deals`, "narrower everyone view table.d.deals"},
		"unread":     {`CREATE POLICY hand ON deals USING (md5(id::text) = 'x')`, "undecided everyone view table.d.deals"},
		"security":   {`ALTER TABLE deals DISABLE ROW LEVEL SECURITY`, "wider everyone view table.d.deals"},
		"bypass":     {`ALTER ROLE ACCOUNT BYPASSRLS`, "wider everyone view table.d.deals"},
		"column":     {`GRANT SELECT (price) ON deals TO PUBLIC`, "wider everyone view table.d.deals (price)"},
		"revoked":    {`REVOKE SELECT ON deals FROM ACCOUNT`, "narrower everyone view table.d.deals"},
		"membership": {`CREATE ROLE OUTSIDE; GRANT ACCOUNT TO OUTSIDE`, "wider role drifted_membership_x view table.d.deals"},
		"outside":    {`CREATE ROLE OUTSIDE; GRANT DELETE ON deals TO OUTSIDE; CREATE POLICY hand ON deals FOR DELETE TO OUTSIDE USING (id = 7)`, "wider role drifted_outside_x delete table.d.deals"},
		"function":   {`CREATE OR REPLACE FUNCTION postern.user_id() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 7::bigint'`, "undecided everyone view table.d.deals"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := "drifted_" + name
			p := compileText(t, strings.ReplaceAll(driftProgram, "PROJECT", project))
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, "CREATE TABLE deals (id bigint PRIMARY KEY, owner bigint NOT NULL, price bigint NOT NULL)")
			want, diags := Desired(p, p.Datasources[0])
			if err := diags.Err(); err != nil {
				t.Fatal(err)
			}
			apply(t, conn, makePlan(t, conn, want))
			if cells, err := ReadAccess(t.Context(), conn, p, p.Datasources[0]); err != nil || len(cells) > 0 {
				t.Fatalf("before anything was changed: %v, %v", cells, err)
			}
			execute(t, conn, strings.NewReplacer("POLICY POLICY", "POLICY "+quoted(t, "postern_"+project+"_view"), "ACCOUNT", quoted(t, project),
				"OUTSIDE", quoted(t, project+"_x")).Replace(c.sql))
			cells, err := ReadAccess(t.Context(), conn, p, p.Datasources[0])
			if err != nil {
				t.Fatal(err)
			}
			d, err := access.Compare(t.Context(), p, p, access.Options{After: cells})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, ch := range d.Changes {
				got = append(got, string(ch.Verdict)+" "+ch.String())
				if ch.Verdict == access.Undecided && ch.Reason == "" {
					t.Errorf("%s has no reason", ch)
				}
				for w, visible := range map[*access.Witness]bool{ch.Gained: true, ch.Lost: false} {
					if w != nil && ch.Action == "view" && ch.Subject == "everyone" && len(ch.Columns) == 0 {
						requireVisible(t, conn.PgConn(), project, w, visible)
					}
				}
			}
			if text := strings.Join(got, "\n"); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
			execute(t, conn, `DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '`+project+`_x') THEN EXECUTE 'DROP OWNED BY "`+project+`_x"; DROP ROLE "`+project+`_x"'; END IF; END $$`)
		})
	}
}

// requireVisible inserts a witness's record and looks for it as the account.
func requireVisible(t *testing.T, conn *pgconn.PgConn, role string, w *access.Witness, want bool) {
	t.Helper()
	record := map[string]any{"id": 1000, "owner": 1000, "price": 1}
	maps.Copy(record, w.Record)
	doc, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(w.User)
	if err != nil {
		t.Fatal(err)
	}
	if w.User == nil {
		claims = nil
	}
	got := 0
	for _, s := range []struct {
		sql  string
		args [][]byte
	}{
		{"BEGIN", nil},
		{"INSERT INTO public.deals SELECT * FROM json_populate_record(NULL::public.deals, $1::json)", [][]byte{doc}},
		{"SELECT set_config('postern.claims', $1, true)", [][]byte{claims}},
		{"SET LOCAL ROLE " + quoted(t, role), nil},
		{"SELECT id FROM public.deals", nil},
		{"ROLLBACK", nil},
	} {
		result := conn.ExecParams(t.Context(), s.sql, s.args, nil, nil, nil).Read()
		if strings.HasPrefix(s.sql, "SELECT id") {
			got = len(result.Rows) // none where the right was taken away, which is an error
		} else if result.Err != nil {
			t.Fatal(s.sql, result.Err)
		}
	}
	if (got == 1) != want {
		t.Errorf("%s: visible %v, want %v", w, got == 1, want)
	}
}
