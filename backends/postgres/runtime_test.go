package postgres_test

import (
	"strings"
	"testing"
)

// Whoever may call a function of the schema runs it as its owner on a pinned
// path; the functions that those call run as their caller, so nobody else may
// call them.
func TestInnerFunctionsAreTheOwners(t *testing.T) {
	t.Parallel()
	for _, identity := range []string{"setting", "signed"} {
		name := "inner_" + identity
		source := strings.Replace(project(crm, name), `"setting"`, `"`+identity+`"`, 1)
		d := applied(t, compile(t, source), crmTables)
		tx, err := d.admin.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string]string{
			"SELECT count(*) > 20 FROM pg_proc WHERE pronamespace = 'postern'::regnamespace": "true",
			// A function of the one kind that has the form of the other.
			`SELECT string_agg(proname, ' ') FROM pg_proc p WHERE pronamespace = 'postern'::regnamespace
				AND (prosecdef AND coalesce(proconfig, '{}') = ARRAY['search_path=pg_catalog, pg_temp']) = (NOT prosecdef AND proconfig IS NULL)`: "<nil>",
			`SELECT string_agg(DISTINCT proname || ' by ' || coalesce(grantee::regrole::text, 'nobody'), ', ')
				FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner)))
				WHERE pronamespace = 'postern'::regnamespace AND NOT prosecdef AND grantee <> proowner`: "<nil>",
			"SELECT count(*) > 0 FROM pg_proc WHERE pronamespace = 'postern'::regnamespace AND has_function_privilege('" + name + "_role', oid, 'EXECUTE')": "true",
			"SELECT string_agg(DISTINCT proowner::regrole::text, ' ') FROM pg_proc WHERE pronamespace = 'postern'::regnamespace":                            "postern_" + name,
		} {
			got, err := column(tx, query)
			if err != nil || got != want {
				t.Errorf("%s\n%s: got %q, %v; want %q", query, identity, got, err, want)
			}
		}
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// A setting that is no JSON object is an error where it is read.
func TestSettingsAreObjects(t *testing.T) {
	t.Parallel()
	source := strings.Replace(project(crm, "objectsettings"), `identity {`, "request {\n  attribute \"ip\" { type = ip }\n}\nidentity {", 1)
	d := applied(t, compile(t, source), crmTables)
	for setting, query := range map[string]string{
		"postern.claims":  "SELECT postern.user_access_level()",
		"postern.request": "SELECT postern.request_ip()",
	} {
		for value, fails := range map[string]string{`{}`: "", ``: "", `[1]`: "does not hold a JSON object", `null`: "does not hold a JSON object", `{`: "invalid input syntax"} {
			tx, err := d.admin.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(ctx, "SELECT set_config($1, $2, true)", setting, value); err != nil {
				t.Fatal(err)
			}
			_, err = column(tx, query)
			if (err != nil) != (fails != "") || err != nil && !strings.Contains(err.Error(), fails) {
				t.Errorf("%s = %q: %v, want an error with %q", setting, value, err, fails)
			}
			if err := tx.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
}
