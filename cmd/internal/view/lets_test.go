package view

import (
	"testing"

	"github.com/postern-dev/postern/backends/plan"
)

// Each kind of change by hand says who can do what because of it.
func TestEffects(t *testing.T) {
	t.Parallel()
	about := func(kind plan.Kind, name string) plan.About {
		return plan.About{Object: plan.Object{Kind: kind, Name: name}, Drift: true}
	}
	modify := func(kind plan.Kind, name, before, after string) plan.Change {
		return plan.Modify{About: about(kind, name), Before: before, After: after}
	}
	for _, c := range []struct {
		change plan.Change
		want   string
	}{
		{modify("row security", `"public"."deals"`, "disabled", "enable row level security"), "Now no policy holds on public.deals: whoever has a grant on it reaches all its rows."},
		{modify("row security", `"public"."deals"`, "not forced", "force row level security"), "Now no policy holds for the owner of public.deals."},
		{modify("row security", `"public"."deals"`, "forced", "no force row level security"), "Now policies hold for the owner of public.deals too: migrations and backups that run as it see no rows."},
		{modify("row security", `"public"."deals"`, "enabled", "disable row level security"), "Now policies hold on public.deals."},
		{plan.Remove{About: about("grant", ""), Before: `GRANT SELECT ("id") ON TABLE "public"."deals" TO PUBLIC`}, "Now every role of the server has SELECT (id) on the table public.deals."},
		{plan.Remove{About: about("grant", ""), Before: `GRANT USAGE ON SCHEMA "postern" TO "a", "b"`}, "Now each of the roles a, b has USAGE on the schema postern."},
		{plan.Add{About: about("grant", ""), After: `GRANT EXECUTE ON FUNCTION "postern"."me"() TO "a"`}, "Now the role a lacks EXECUTE on the function postern.me()."},
		{modify("grant", "", `GRANT INSERT ON TABLE "public"."deals" TO "a" WITH GRANT OPTION`, `GRANT INSERT ON TABLE "public"."deals" TO "a"`), "Now the role a can give INSERT on the table public.deals to anybody."},
		{plan.Add{About: about("policy", ""), After: "PERMISSIVE FOR SELECT"}, "Now it gives nobody any row."},
		{plan.Add{About: about("policy", ""), After: "RESTRICTIVE FOR SELECT"}, "Now it keeps nobody from any row."},
		{plan.Remove{About: about("policy", ""), Before: "PERMISSIVE FOR SELECT"}, "Now it gives rows that the project does not."},
		{plan.Remove{About: about("policy", ""), Before: "RESTRICTIVE FOR SELECT"}, "Now it keeps rows back that the project gives."},
		{modify("policy", "", "PERMISSIVE FOR SELECT\nUSING (true)", "PERMISSIVE FOR SELECT\nUSING (false)"), "Now the rows are those that the lines with - say."},
		{modify("role", `"a"`, "NOLOGIN SUPERUSER BYPASSRLS", "NOLOGIN NOSUPERUSER NOBYPASSRLS"), "Now no policy and no grant holds for a."},
		{modify("role", `"a"`, "NOLOGIN BYPASSRLS", "NOLOGIN NOBYPASSRLS"), "Now no policy holds for a."},
		{modify("role", `"a"`, "NOLOGIN CREATEROLE", "NOLOGIN NOCREATEROLE"), "Now roles can be made, and memberships given, by a."},
		{modify("role", `"a"`, "NOLOGIN REPLICATION", "NOLOGIN NOREPLICATION"), "Now everything can be copied past all policies by a."},
		{modify("role", `"a"`, "NOLOGIN CREATEDB", "NOLOGIN NOCREATEDB"), "Now databases can be made by a."},
		{modify("role", `"a"`, "LOGIN", "NOLOGIN"), "Now clients can log in as a."},
		{modify("role", `"a"`, "NOLOGIN", "LOGIN"), "Now nobody can log in as a."},
		{modify("role", `"a"`, "LOGIN CONNECTION LIMIT -1", "LOGIN CONNECTION LIMIT 5"), "Now sessions of a have other limits or settings than the project's."},
		{plan.Add{About: about("role", `"a"`), After: "LOGIN"}, "Now nobody can log in as a, or reach what it gives."},
		{plan.Remove{About: about("membership", `"x" in "a"`), Before: "member"}, "Now x, and whoever is a member of it, has all rights of a."},
		{plan.Add{About: about("membership", `"x" in "a"`), After: "member"}, "Now x has no rights of a."},
		{modify("membership", `"x" in "a"`, "member, may add members", "member"), "Now x can give the rights of a to anybody."},
		{modify("membership", `"x" in "a"`, "member, cannot SET ROLE", "member"), "Now x uses the rights of a otherwise than the project says."},
		{plan.Remove{About: about("default privilege", `tables made by "o", to "a"`), Before: "SELECT"}, "Now the role a gets SELECT on tables made by o from now on."},
		{modify("owner", `"public"."deals"`, `owned by "x"`, `owned by "o" when a plan was applied last`), "Now x can switch row security off there, and drop the table. Give it back with ALTER TABLE … OWNER TO o, or apply, which takes it as it is."},
		{modify("function", "f", "x", "y"), "Now policies that use it go by what it says."},
		{plan.Add{About: about("function", "f"), After: "y"}, "Now what needs it fails."},
		{modify("row", "r", "x", "y"), "Now policies go by other users, groups or keys than the project's."},
		{modify("schema", "s", "x", "y"), "Now its owner can change what policies call."},
		{modify("password", "p", "x", "y"), "Now whoever knows the other password can log in, and the apps cannot."},
		{plan.Add{About: about("record", "r"), After: "x"}, ""},
		{plan.Modify{About: plan.About{Object: plan.Object{Kind: "role", Name: "a"}}, Before: "SUPERUSER"}, ""},
	} {
		if got := effect(c.change); got != c.want {
			t.Errorf("%v: %q, want %q", c.change, got, c.want)
		}
	}
}
