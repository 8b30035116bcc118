package casl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/casl"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

const head = `
postern { project = "p" }
identity {
  attribute "id" { type = uuid }
  attribute "region" { type = string }
  attribute "limit" { type = int }
  attribute "states" { type = set(string) }
}
request {
  attribute "channel" { type = string }
}
group "staff" {}
group "leads" { member_of = [group.staff] }
datasource "crm" { type = "service" }
resource "crm" "deal" {
  attribute "owner" { type = uuid }
  attribute "region" { type = string }
  attribute "amount" { type = int }
  attribute "share" { type = number }
  attribute "open" { type = bool }
  attribute "state" { type = enum("new", "won", "lost") }
  attribute "tags" { type = set(string) }
  attribute "day" { type = date }
  actions = ["view", "create", "edit", "delete", "export", "close", "audit", "touch", "rate", "read"]
}
`

// carried has all that CASL can carry.
const carried = head + `
policy "own" {
  on      = [resource.crm.deal]
  to      = [access_level.user]
  allow   = [view, delete, edit]
  columns = ["owner", "region"]
  when    = record.owner == user.id || record.region != user.region && record.amount < user.limit
}
policy "seen" {
  on      = [resource.crm.deal]
  to      = [group.staff]
  allow   = [view, edit]
  columns = ["amount", "region", "open"]
  when    = !record.open || record.owner != user.id
}
policy "created" {
  on    = [resource.crm.deal]
  to    = [group.staff]
  allow = [create]
  when  = record.owner == user.id && record.state != "new"
}
policy "exported" {
  on    = [resource.crm.deal]
  to    = [group.staff, access_level.superuser]
  allow = [export]
  when  = !record.open && (starts_with(record.region, "E*") || record.tags != null || record.region == null || record.day == null)
}
policy "closed" {
  on    = [resource.crm.deal]
  to    = [group.leads]
  allow = [close]
  when  = contains(["won", "lost"], record.state) ? record.amount >= 3 && record.amount != 4 : !contains(user.states, record.state) && record.amount <= 2
}
policy "audited" {
  on    = [resource.crm.deal]
  to    = [everyone]
  allow = [audit, delete]
  when  = !ends_with(record.region, "x") && contains(record.region, "a") && request.channel == "web" || known(user.limit) && is_empty(record.region)
}
policy "touched" {
  on    = [resource.crm.deal]
  to    = [everyone]
  allow = [touch]
  when  = user.access_level == "user" && !(record.amount == 2) && coalesce(record.region, "none") == "none" || is_under(record.region, "a", ".")
}
policy "rated" {
  on    = [resource.crm.deal]
  to    = [everyone]
  allow = [rate]
  when  = record.share == 0.5 || record.amount > user.limit || !is_under(record.region, user.region, ".") && !is_empty(record.region)
}
policy "read" {
  on    = [resource.crm.deal]
  to    = [everyone]
  allow = [read]
  when  = !contains(["a", "E*a"], record.region) && !starts_with(record.region, user.region) || !contains(record.region, user.region) && record.day != null || contains([1, 2], record.amount) || !contains([0, 1], record.amount)
}
guard "amounts" {
  on      = [resource.crm.deal]
  require = record.amount != 0 || record.open
}
guard "plain_users" {
  on      = [resource.crm.deal]
  to      = [access_level.superuser]
  require = record.state != "lost"
}
mask "regions" {
  on      = [resource.crm.deal]
  columns = ["region"]
  unless  = [group.leads]
  with    = null
}
`

// apps stand between users and the datasource: one for each user, one that all
// of its users share.
const apps = `
app "desk" {
  users = [group.staff, access_level.user]
  connect {
    datasource = datasource.crm
    as         = "user"
  }
}
app "kiosk" {
  users = [group.staff]
  connect {
    datasource = datasource.crm
    as         = "app"
  }
}
policy "shared" {
  on      = [resource.crm.deal]
  to      = [app.kiosk]
  allow   = [view, edit]
  columns = ["open"]
  when    = record.amount == 1 || record.open
}
policy "desk_only" {
  on      = [resource.crm.deal]
  to      = [everyone]
  via     = [app.desk]
  allow   = [view, create]
  columns = ["state"]
  when    = record.state == "won"
}
`

func compile(t testing.TB, text string) *model.Program {
	t.Helper()
	set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(text)}}}
	p, list := compiler.Compile(context.Background(), set, compiler.Inputs{})
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

const first, second = "7b0e1f2a-0000-4000-8000-00000000000a", "7b0e1f2a-0000-4000-8000-000000000002"

// drawn are the values of each column, as JSON; "" leaves it out.
var (
	hostile = []string{
		"", "null", `""`, `"x"`, `"10"`, `"2"`, "true", "false", "0", "1", "1.5", "[]", "[null]", "{}", `{"-1":null}`, `{"-1":2}`, "[[]]",
		`{"toJSON":1}`, `{"length":0}`, `"a\u0000"`, "1e30", "-1e30", "9007199254740993", `[[1]]`, `[{"-1":1}]`,
	}
	drawn = map[string][]string{
		"owner":  {`"` + first + `"`, `"` + second + `"`, `"` + strings.ToUpper(first) + `"`, `["` + first + `"]`, `"` + first[1:] + `"`, `"` + first + `\n"`},
		"region": {`"E*a"`, `"Eba"`, `"a"`, `"ax"`, `"b"`, `"a.b"`, `"none"`, `["a"]`, `["E*a", 5]`, `"a\nb"`, `"\na"`, `"A"`, `"a😀"`},
		"amount": {"0", "1", "2", "3", "4", "5", "-1", "2.0", "3.5", "[1]", "[3,4]", `"3"`, "-0", "1e2"},
		"share":  {"0.5", "0.50", "5e-1", "0.25", "[0.5]", `"0.5"`},
		"open":   {"true", "false", "false", "[false]", "0", `"false"`},
		"state":  {`"new"`, `"won"`, `"lost"`, `"odd"`, `["won"]`},
		"tags":   {`["pub"]`, `["a","pub",null]`, `["pub",5]`},
		"day":    {`"2025-01-01"`, `"soon"`},
	}
	columns = []string{"owner", "region", "amount", "share", "open", "state", "tags", "day"}
)

func one(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func drawRecord(r *rand.Rand) json.RawMessage {
	var members []string
	for _, c := range columns {
		v := one(r, drawn[c]...)
		if r.IntN(5) == 0 {
			v = one(r, hostile...)
		}
		if v != "" {
			members = append(members, `"`+c+`":`+v)
		}
	}
	return json.RawMessage("{" + strings.Join(members, ",") + "}")
}

func drawUser(r *rand.Rand) map[string]any {
	if r.IntN(12) == 0 {
		return nil
	}
	user := map[string]any{}
	set := func(name string, of ...any) {
		if v := of[r.IntN(len(of))]; v != nil {
			user[name] = v
		}
	}
	set("id", first, second, strings.ToUpper(first), "odd", nil)
	set("region", "a", "E*a", "b", "", ".*", "a^$|()[]{}/\\", nil)
	set("limit", json.Number("2"), json.Number("4"), "3", json.Number("-1"), nil)
	set("states", []any{"won"}, []any{"odd", "new"}, []any{}, []any{"won", 5}, nil)
	set("access_level", "user", "superuser", "anonymous", "odd", nil)
	set("groups", []any{"staff"}, []any{"leads"}, []any{}, []any{"leads"}, nil)
	return user
}

type question struct {
	query eval.Query
	field string
}

type caseOf struct {
	Rules     json.RawMessage   `json:"rules"`
	Records   []json.RawMessage `json:"records"`
	Questions [][]any           `json:"questions"`
	asked     []question
	program   *model.Program
}

func document(t *testing.T, data []byte) model.Document {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var doc model.Document
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return doc
}

// drawCase asks everything about some records for one user.
func drawCase(t *testing.T, r *rand.Rand, p *model.Program) *caseOf {
	t.Helper()
	req := model.Request{User: drawUser(r), Context: map[string]any{"channel": one(r, "web", "app")}, App: one(r, "desk", "desk", "kiosk", "other", "")}
	rules, list, err := casl.Export(p, func(*model.Datasource) (model.Request, error) { return req, nil }, nil)
	if err != nil || list.Err() != nil {
		t.Fatal(err, list.Err())
	}
	out := &caseOf{Rules: rules, program: p}
	table := p.Tables[0]
	for i := range 40 {
		data := drawRecord(r)
		out.Records = append(out.Records, data)
		for _, a := range table.Actions {
			q := eval.Query{Request: req, Table: table, Action: a, Old: document(t, data)}
			if a == model.Create {
				q.Old, q.New = nil, q.Old
			}
			fields := []string{""}
			if a == model.View || a == model.Edit || a == model.Create {
				fields = append(fields, one(r, columns...), one(r, columns...), "none")
			}
			for _, f := range fields {
				out.asked = append(out.asked, question{q, f})
				out.Questions = append(out.Questions, []any{a, i, f})
			}
		}
	}
	return out
}

// want is the reference's answer.
func want(p *model.Program, q question) bool {
	for _, e := range q.query.Table.Datasource.Entries() {
		if e.AsApp() && e.App().Name == q.query.Request.App && !eval.MayUse(p, q.query.Request) {
			return false // who may use an app whose access all share is for the app to ask, and for the rules
		}
	}
	switch {
	case q.field == "":
	case q.query.Action == model.View:
		d := eval.Decide(p, q.query)
		return d.Allowed && slices.ContainsFunc(d.Columns, func(c *model.Column) bool { return c.Name == q.field })
	default:
		q.query.Set = []string{q.field}
	}
	return eval.Decide(p, q.query).Allowed
}

// TestSameDecisions compares CASL in Node with the reference evaluator on
// generated users and records.
func TestSameDecisions(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "../../scripts/casl").Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it bare
			t.Fatalf("scripts/casl: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	plain, behind := compile(t, carried), compile(t, carried+apps)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // cases that are the same in every run
	var cases []*caseOf
	for range 60 {
		cases = append(cases, drawCase(t, r, plain), drawCase(t, r, behind))
	}
	input, err := json.Marshal(map[string]any{"cases": cases})
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	node := exec.CommandContext(t.Context(), "node", "testdata/can.cjs", strings.TrimSpace(string(dir)))
	node.Stdin, node.Stderr = bytes.NewReader(input), &stderr
	output, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	var answers [][]bool
	if err := json.Unmarshal(output, &answers); err != nil || len(answers) != len(cases) {
		t.Fatalf("%v: %d answers", err, len(answers))
	}
	compareAnswers(t, cases, answers)
}

func compareAnswers(t *testing.T, cases []*caseOf, answers [][]bool) {
	t.Helper()
	decisions, wrong := 0, 0
	granted, refused := map[string]int{}, map[string]int{}
	for i, c := range cases {
		for j, q := range c.asked {
			decisions++
			key := string(q.query.Action)
			if q.field != "" {
				key += " of a field"
			}
			if q.query.Request.App != "" && c.program.Apps != nil {
				key += " through " + q.query.Request.App
			}
			expected := want(c.program, q)
			if expected {
				granted[key]++
			} else {
				refused[key]++
			}
			if answers[i][j] != expected && wrong < 5 {
				wrong++
				t.Errorf("%s %q by %v of %s: CASL %v, the evaluator %v", q.query.Action, q.field, q.query.Request.User, c.Records[c.Questions[j][1].(int)], answers[i][j], expected)
			}
		}
	}
	if decisions < 5000 {
		t.Errorf("only %d decisions", decisions)
	}
	if granted["view through kiosk"] == 0 || granted["view through desk"] == 0 || granted["view through other"] > 0 {
		t.Error("apps were not told apart")
	}
	for key := range refused {
		if granted[key] < 10 && !strings.Contains(key, " through ") {
			t.Errorf("%s was granted %d times: the cases show nothing", key, granted[key])
		}
	}
	t.Logf("%d decisions, granted %v", decisions, granted)
}

// TestRefused holds each thing that CASL cannot carry to a diagnostic.
func TestRefused(t *testing.T) {
	t.Parallel()
	policy := func(when string) string {
		return head + "policy \"p\" {\n  on    = [resource.crm.deal]\n  to    = [everyone]\n  allow = [view]\n  when  = " + when + "\n}\n"
	}
	related := "table \"pg\" \"deals\" {\n  column \"id\" { type = uuid }\n  column \"code\" {\n    type   = string\n    native = \"character(3)\"\n  }\n" +
		"  primary_key = [\"id\"]\n  relation \"parent\" {\n    table = table.pg.deals\n    on    = { id = \"id\" }\n  }\n" +
		"  relation \"parts\" {\n    table = table.pg.deals\n    on    = { id = \"id\" }\n    many  = true\n  }\n}\n" +
		"datasource \"pg\" {\n  type     = \"postgres\"\n  url      = env(\"PG\")\n  identity = \"setting\"\n}\n"
	onTable := func(when string) string {
		return strings.Replace(policy(when), "resource.crm.deal]", "table.pg.deals]", 1) + related
	}
	var ways []string
	for i := range 9 {
		ways = append(ways, fmt.Sprintf("(record.amount != %d || record.region != \"r%d\")", i, i))
	}
	for text, want := range map[string]string{
		onTable(`record.parent.id == user.id`):                                                            "columns of related records",
		onTable(`anytrue([for p in record.parts : p.id == user.id])`):                                     "related records",
		onTable(`record.code == "abc"`):                                                                   "the padded text of code",
		policy(`starts_with(record.region, record.region)`):                                               "this test of texts",
		policy(strings.Join(ways, " && ")):                                                                "more than 256 ways to satisfy a condition",
		strings.Replace(policy(`cidr_contains("10.0.0.0/8", record.day)`), "type = date", "type = ip", 1): "networks",
		policy(`record.region < "m"`):                                                                     "the order of texts",
		policy(`record.share < 1`):                                                                        "the order of values of type number",
		policy(`record.share != 1`):                                                                       "a number that is not another",
		policy(`record.share == 0.12345678901234567`):                                                     "the number ",
		policy(`record.amount > 9007199254740992`):                                                        "the number 9007199254740992",
		policy(`record.amount == 9007199254740992`):                                                       "the number 9007199254740992",
		policy(`record.day > "2025-01-01"`):                                                               "the order of values of type date",
		policy(`record.day == "2025-01-01"`):                                                              "values of type date",
		policy(`record.amount + 1 == 2`):                                                                  "this operand",
		policy(`lower(record.region) == "a"`):                                                             "this operand",
		policy(`contains(record.tags, "a")`):                                                              "the elements of a set",
		policy(`is_empty(record.tags)`):                                                                   "is_empty of a set",
		policy(`record.owner == record.owner && record.amount == record.share`):                           "a comparison of two columns",
		strings.Replace(policy("record.open"), "[view]", "[view, edit]\n  check = record.amount == 1", 1): "a check that is not the when",
		strings.NewReplacer(`"touch"`, `"manage"`, "[view]", "[manage]").Replace(policy("record.open")):   "the action manage",
		strings.ReplaceAll(policy("record.open"), "open", "toString"):                                     "the column toString",
		policy("record.open") + "guard \"g\" {\n  on      = [resource.crm.deal]\n  to      = [group.staff]\n  require = record.region < \"m\"\n}\n": "the order of texts, in the guard g on crm.deal",
	} {
		p := compile(t, text)
		rules, list, err := casl.Export(p, func(*model.Datasource) (model.Request, error) {
			return model.Request{User: map[string]any{"id": first}}, nil
		}, nil)
		if err != nil || rules != nil || len(list) == 0 || list[0].Code != casl.CodeUnsupported || !strings.Contains(list[0].Summary, want) || list[0].Span.IsZero() {
			t.Errorf("%s: %v %v", want, list, err)
		}
	}
}
