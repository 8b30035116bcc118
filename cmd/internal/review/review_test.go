package review

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

const base = `
postern { project = "review" }
identity {
  attribute "id" { type = int }
  attribute "region" { type = string }
}
group "sales" {}
group "support" {}
datasource "d" { type = "service" }
resource "d" "deals" {
  attribute "owner" { type = int }
  attribute "region" { type = string }
  attribute "price" { type = int }
  actions = ["view", "close"]
}
`

func program(t *testing.T, more string) *model.Program {
	t.Helper()
	set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(base + more)}}}
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags)
	}
	return p
}

func policy(name, to, when, columns string) string {
	return `policy "` + name + `" {
  on      = [resource.d.deals]
  to      = [` + to + `]
  allow   = [view]
  when    = ` + when + `
  columns = ` + columns + `
}
`
}

const allColumns = `["owner", "region", "price"]`

// one is the change of a subject's records between two programs.
func one(t *testing.T, before, after *model.Program, subject string) Change {
	t.Helper()
	r, err := Compare(t.Context(), before, after)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Changes, func(c Change) bool { return c.Subject == subject && len(c.Columns) == 0 })
	if i < 0 {
		t.Fatalf("%s does not change: %v", subject, r.Changes)
	}
	return r.Changes[i]
}

// TestHashNamesWhatAChangeLeadsTo: an approval is for one condition alone.
func TestHashNamesWhatAChangeLeadsTo(t *testing.T) {
	t.Parallel()
	before := program(t, policy("a", "group.sales", `record.owner == user.id`, allColumns))
	want := one(t, before, program(t, policy("a", "group.sales", `record.region == "EMEA"`, allColumns)), "group.sales")
	same := map[string]string{
		"under another name":    policy("b", "group.sales", `record.region == "EMEA"`, allColumns),
		"with other policies":   policy("a", "group.sales", `record.region == "EMEA"`, allColumns) + "mask \"m\" {\n on = [resource.d.deals]\n columns = [\"price\"]\n with = null\n}\n",
		"beside another action": policy("a", "group.sales", `record.region == "EMEA"`, allColumns) + "policy \"c\" {\n on = [resource.d.deals]\n to = [group.support]\n allow = [\"close\"]\n}\n",
	}
	for name, text := range same {
		if got := one(t, before, program(t, text), "group.sales"); got.Hash != want.Hash {
			t.Errorf("%s: another hash", name)
		}
	}
	other := map[string]string{
		"another condition":       policy("a", "group.sales", `record.region == "APAC"`, allColumns),
		"always":                  policy("a", "group.sales", `true`, allColumns),
		"one policy more":         policy("a", "group.sales", `record.region == "EMEA"`, allColumns) + policy("b", "group.sales", `record.price > 5`, allColumns),
		"a guard less":            policy("a", "group.sales", `record.region == "EMEA"`, allColumns) + "guard \"g\" {\n on = [resource.d.deals]\n require = record.price > 5\n}\n",
		"a group that means more": policy("a", "group.sales", `record.region == "EMEA"`, allColumns) + "group \"all\" { member_of = [group.sales] }\n",
		"a user of the directory": policy("a", "group.sales", `record.region == "EMEA"`, allColumns) + "user \"u\" {\n attributes = { id = 1 }\n groups = [group.sales]\n}\n",
	}
	seen := map[string]string{want.Hash: "the first"}
	for name, text := range other {
		got := one(t, before, program(t, text), "group.sales")
		if earlier, known := seen[got.Hash]; known {
			t.Errorf("%s has the hash of %s", name, earlier)
		}
		seen[got.Hash] = name
	}
}

func TestApprovals(t *testing.T) {
	t.Parallel()
	h := strings.Repeat("ab", 32)
	list, diags := ParseApprovals([]byte("# comment\r\n\n  group.sales   view table.d.deals sha256:" + h + "  until 2026-11-30 # because\n" +
		"by hand remove policy hand on public.deals sha256:" + h + "\n"))
	if len(diags) > 0 || len(list) != 2 {
		t.Fatalf("%v %v", list, diags)
	}
	if a := list[0]; a.Key != "group.sales view table.d.deals" || a.Hash != h || a.Line != 3 ||
		a.String() != "group.sales view table.d.deals sha256:"+h+" until 2026-11-30" {
		t.Errorf("%+v", a)
	}
	for _, bad := range []string{
		"group.sales view table.d.deals", "group.sales view table.d.deals sha256:abc", "sha256:" + h,
		"group.sales view table.d.deals sha256:" + h + " forever", "group.sales view table.d.deals sha256:" + h + " until 2026-02-30",
		"group.sales view table.d.deals sha256:" + strings.ToUpper(h),
	} {
		if list, diags := ParseApprovals([]byte("\n" + bad + "\n")); len(list) > 0 || len(diags) != 1 || diags[0].Span.Start.Line != 2 || diags[0].Code != CodeApproval {
			t.Errorf("%s: %v %v", bad, list, diags)
		}
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time { at, _ := time.Parse(time.DateTime, s); return at }
	change := func(subject string, v access.Verdict) Change {
		return Change{Change: access.Change{Verdict: v, Subject: subject, Action: "view", Table: "table.d.t"}, Hash: subject + "-hash"}
	}
	r := &Report{Datasource: "d", Changes: []Change{
		change("group.w", access.Wider), change("group.n", access.Narrower), change("group.b", access.Both), change("group.u", access.Undecided),
	}}
	approve := func(subject, hash, until string) Approval {
		a := Approval{Key: subject + " view table.d.t", Hash: hash, Line: 7}
		if until != "" {
			a.Until = day(until + " 00:00:00")
		}
		return a
	}
	cases := map[string]struct {
		gate Gate
		want string // the subjects that are refused
	}{
		"off":             {Gate{}, ""},
		"widening":        {Gate{Widening: true}, "w b u"},
		"narrowing":       {Gate{Narrowing: true}, "n b u"},
		"all":             {Gate{Widening: true, Narrowing: true}, "w n b u"},
		"approved":        {Gate{Widening: true, Approvals: []Approval{approve("group.w", "group.w-hash", ""), approve("group.u", "", "")}}, "b"},
		"of another":      {Gate{Widening: true, Approvals: []Approval{approve("group.w", "group.b-hash", "")}}, "w b u"},
		"on its last day": {Gate{Widening: true, Now: day("2026-05-05 23:59:59"), Approvals: []Approval{approve("group.w", "group.w-hash", "2026-05-05")}}, "b u"},
		"a day later":     {Gate{Widening: true, Now: day("2026-05-06 00:00:00"), Approvals: []Approval{approve("group.w", "group.w-hash", "2026-05-05")}}, "w b u"},
		"renewed by a line": {Gate{Widening: true, Now: day("2026-05-06 00:00:00"), Approvals: []Approval{
			approve("group.w", "group.w-hash", "2026-05-05"), approve("group.w", "group.w-hash", ""),
		}}, "b u"},
	}
	for name, c := range cases {
		refused, _ := c.gate.Check(r)
		var got []string
		for _, no := range refused {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(no.Change, "group."), " view table.d.t"))
			if no.Approve != no.Change+" sha256:"+strings.Fields(no.Change)[0]+"-hash" {
				t.Errorf("%s: the line would be %q", name, no.Approve)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: refused %v, want %s", name, got, c.want)
		}
	}
	refused, _ := Gate{Widening: true, Approvals: []Approval{approve("group.w", "other", "")}}.Check(r)
	if refused[0].Stale != "the approval in postern.approve:7 is for another condition" {
		t.Errorf("%q", refused[0].Stale)
	}
	unknown := NotComparable("why", "program")
	if refused, _ := (Gate{Widening: true}).Check(unknown); len(refused) != 1 || refused[0].Verdict != access.Undecided {
		t.Errorf("what is not known passes: %v", refused)
	}
	if unknown.Empty() || NotComparable("why", "other").UndecidedHash == unknown.UndecidedHash {
		t.Error("an approval of what is not known would be for any program")
	}
}

// TestApps: a change through some apps is not one through all of them.
func TestApps(t *testing.T) {
	t.Parallel()
	c := Change{Change: access.Change{Subject: "everyone", Action: "view", Table: "table.d.t", Apps: []string{"a", "b"}}}
	if c.Key() != "everyone view table.d.t via a, b" {
		t.Error(c.Key())
	}
}

func TestByHand(t *testing.T) {
	t.Parallel()
	about := func(kind plan.Kind) plan.About {
		return plan.About{Object: plan.Object{Kind: kind, Name: "x"}, Reason: plan.ReasonDrift, Drift: true}
	}
	cases := []struct {
		change plan.Change
		want   access.Verdict // "" for what gives nobody access
	}{
		{plan.Remove{About: about("grant"), Before: "GRANT SELECT ON t TO PUBLIC"}, access.Narrower},
		{plan.Add{About: about("grant"), After: "GRANT SELECT ON t TO reps"}, access.Wider},
		{plan.Modify{About: about("grant"), Before: "a", After: "b"}, access.Undecided},
		{plan.Remove{About: about("policy"), Before: "PERMISSIVE FOR ALL"}, access.Narrower},
		{plan.Remove{About: about("policy"), Before: "RESTRICTIVE FOR ALL"}, access.Wider},
		{plan.Add{About: about("policy"), After: "RESTRICTIVE FOR ALL"}, access.Narrower},
		{plan.Modify{About: about("policy"), Before: "PERMISSIVE a", After: "PERMISSIVE b"}, access.Undecided},
		{plan.Modify{About: about("row security"), Before: "disabled", After: "enable row security"}, access.Narrower},
		{plan.Modify{About: about("row security"), Before: "forced", After: "no force row security"}, access.Wider},
		{plan.Modify{About: about("role"), Before: "NOLOGIN BYPASSRLS", After: "NOLOGIN NOBYPASSRLS"}, access.Narrower},
		{plan.Modify{About: about("role"), Before: "NOLOGIN", After: "LOGIN"}, access.Wider},
		{plan.Modify{About: about("role"), Before: "LOGIN", After: "LOGIN CONNECTION LIMIT 3"}, ""},
		{plan.Modify{About: about("role"), Before: "LOGIN", After: "SUPERUSER"}, access.Both},
		{plan.Remove{About: about("membership"), Before: "member"}, access.Narrower},
		{plan.Modify{About: about("function"), Before: "a", After: "b"}, access.Undecided},
		{plan.Modify{About: about("password"), Before: "", After: "set"}, ""},
	}
	for _, c := range cases {
		r := &Report{}
		r.AddByHand([]plan.Change{c.change}, nil)
		var got access.Verdict
		if len(r.ByHand) > 0 {
			got = r.ByHand[0].Verdict
		}
		if got != c.want {
			t.Errorf("%#v is %q, want %q", c.change, got, c.want)
		}
	}
	r := &Report{}
	r.AddByHand([]plan.Change{
		plan.Add{About: plan.About{Object: plan.Object{Kind: "grant", Name: "x"}}, After: "GRANT"},
		plan.Remove{About: plan.About{Object: plan.Object{Kind: "grant", Name: "y"}, Reason: "no longer declared"}, Before: "GRANT"},
		plan.Remove{About: plan.About{Object: plan.Object{Kind: "grant", Name: "z"}, Reason: "only service accounts may"}, Before: "GRANT"},
	}, nil)
	if len(r.ByHand) != 1 || r.ByHand[0].Object.Name != "z" || r.Counts.Narrower != 1 {
		t.Errorf("of the source, or by hand: %+v", r.ByHand)
	}
}
