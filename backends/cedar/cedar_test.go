package cedar_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	cedargo "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/postern-dev/postern/backends/cedar"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

const head = `
postern { project = "p" }
identity {
  attribute "id" { type = uuid }
  attribute "region" { type = string }
  attribute "limit" { type = int }
}
request {
  attribute "channel" { type = string }
  attribute "ip" { type = ip }
}
group "staff" {}
group "leads" { member_of = [group.staff] }
datasource "crm" { type = "service" }
resource "crm" "deal" {
  attribute "owner" { type = uuid }
  attribute "region" { type = string }
  attribute "amount" { type = int }
  attribute "open" { type = bool }
  attribute "state" { type = enum("new", "won", "lost") }
  attribute "tags" { type = set(string) }
  attribute "from" { type = ip }
  attribute "price" { type = number }
  actions = ["view", "create", "edit", "delete", "export", "close", "audit", "touch", "scope", "reach"]
}
`

// carried has all that Cedar can carry.
const carried = head + `
policy "own" {
  on    = [resource.crm.deal]
  to    = [access_level.user]
  allow = [view, delete]
  when  = record.owner == user.id || record.region != user.region && record.amount < user.limit
}
policy "created" {
  on    = [resource.crm.deal]
  to    = [group.staff]
  allow = [create]
  when  = record.owner == user.id && record.state == "new"
}
policy "exported" {
  on    = [resource.crm.deal]
  to    = [group.staff, access_level.superuser]
  allow = [export, view]
  when  = !record.open && (starts_with(record.region, "E*") || contains(record.tags, "pub") || record.region == null)
}
policy "closed" {
  on    = [resource.crm.deal]
  to    = [group.leads]
  allow = [close]
  when  = contains(["won", "lost"], record.state) ? record.amount >= 3 : !contains(record.tags, user.region)
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
  when  = user.access_level == "user" && !(record.amount == 2) && coalesce(record.region, "none") == "none"
}
policy "scoped" {
  on    = [resource.crm.deal]
  to    = [everyone]
  allow = [scope]
  when  = is_under(record.region, "E*", ".") && !is_under(record.region, "E*.b", ".") && !is_empty(record.tags) || is_empty(record.tags) && record.amount == 3
}
policy "reached" {
  on    = [resource.crm.deal]
  to    = [everyone]
  allow = [reach]
  when  = cidr_contains("10.0.0.0/8", request.ip) && !cidr_contains("10.1.0.0/16", record.from) || record.from == request.ip || record.from == "2001:db8::1"
}
guard "amounts" {
  on      = [resource.crm.deal]
  require = record.amount > 0 || record.open
}
guard "plain_users" {
  on      = [resource.crm.deal]
  to      = [access_level.superuser]
  require = record.state != "lost"
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

var actions = []model.Action{model.View, model.Create, model.Delete, "export", "close", "audit", "touch", "scope", "reach"}

// world is the exported policies in cedar-go, and the engine of the same
// program.
type world struct {
	policies *cedargo.PolicySet
	groups   cedargo.EntityMap
	engine   *engine.Engine
}

func newWorld(t testing.TB) *world {
	t.Helper()
	p := compile(t, carried)
	policies, entities, list := cedar.Export(p, actions)
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	w := &world{policies: cedargo.NewPolicySet()}
	if err := json.Unmarshal(policies, w.policies); err != nil {
		t.Fatalf("%v\n%s", err, policies)
	}
	if err := json.Unmarshal(entities, &w.groups); err != nil {
		t.Fatal(err)
	}
	d, err := jsondoc.NewDecider(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	w.engine = d.Engine()
	return w
}

// drawn is an attribute or a column that may be missing, in both forms.
type drawn struct {
	*rand.Rand
	doc   map[string]any
	attrs cedargo.RecordMap
}

func newDrawn(r *rand.Rand) *drawn {
	return &drawn{Rand: r, doc: map[string]any{}, attrs: cedargo.RecordMap{}}
}

func (d *drawn) text(name string, from ...string) {
	if v := one(d.Rand, append(from, "")...); v != "" {
		v = strings.TrimSuffix(v, "$") // "$" stands for the empty text
		d.doc[name], d.attrs[cedargo.String(name)] = v, cedargo.String(v)
	}
}

func (d *drawn) int(name string) {
	if v := d.IntN(6) - 1; v >= 0 {
		d.doc[name], d.attrs[cedargo.String(name)] = json.Number(strconv.Itoa(v)), cedargo.Long(v)
	}
}

func (d *drawn) address(t testing.TB, name string) {
	t.Helper()
	text := one(d.Rand, "10.1.2.3", "10.9.0.1", "192.0.2.1", "2001:db8::1", "")
	if text == "" {
		return
	}
	v, err := types.ParseIPAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	d.doc[name], d.attrs[cedargo.String(name)] = text, v
}

// one is one of several texts.
func one(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

const first, second = "7b0e1f2a-0000-4000-8000-000000000001", "7b0e1f2a-0000-4000-8000-000000000002"

// TestSameDecisions compares cedar-go with the engine on generated users and
// records.
func TestSameDecisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	granted := map[model.Action]int{}
	rt := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // cases that are the same in every run
	for range 4000 {
		user, principal := w.user(rt)
		record := newDrawn(rt)
		record.text("owner", first, second)
		record.text("region", "E*a", "Eba", "a", "ax", "b", "$", "E*", "E*.a", "E*.b.c", "E*.bc", "E.a")
		record.text("state", "new", "won", "lost")
		record.int("amount")
		if v := rt.IntN(3); v < 2 {
			record.doc["open"], record.attrs["open"] = v == 1, cedargo.Boolean(v == 1)
		}
		switch tags := one(rt, "pub", "a", "none", "nothing", ""); tags {
		case "":
		case "nothing":
			record.doc["tags"], record.attrs["tags"] = []any{}, cedargo.NewSet()
		default:
			record.doc["tags"], record.attrs["tags"] = []any{tags}, cedargo.NewSet(cedargo.String(tags))
		}
		record.address(t, "from")
		channel := newDrawn(rt)
		channel.text("channel", "web", "app")
		channel.address(t, "ip")
		deal := cedargo.NewEntityUID("crm::deal", "1")
		entities := w.groups.Clone()
		entities[principal.UID] = principal
		entities[deal] = cedargo.Entity{UID: deal, Attributes: cedargo.NewRecord(record.attrs)}
		for _, a := range actions {
			q := &engine.Question{Datasource: "crm", Table: "deal", Action: string(a), Old: record.doc}
			if a == model.Create {
				q.Old, q.New = nil, record.doc
			}
			want := w.engine.Decide(&engine.Request{User: user, Context: channel.doc, Now: time.Unix(0, 0)}, q)
			got, why := cedargo.Authorize(w.policies, entities, cedargo.Request{
				Principal: principal.UID, Action: cedargo.NewEntityUID("Action", cedargo.String(a)), Resource: deal,
				Context: cedargo.NewRecord(channel.attrs),
			})
			if bool(got) != want || len(why.Errors) > 0 {
				t.Fatalf("%s by %v on %v in %v: cedar %v %v, engine %v", a, user, record.doc, channel.doc, got, why.Errors, want)
			}
			if want {
				granted[a]++
			}
		}
	}
	for _, a := range actions {
		if granted[a] == 0 {
			t.Errorf("%s was never granted: the cases show nothing", a)
		}
	}
}

// user is a user as claims and as an entity; the entity of an anonymous one
// has its level alone.
func (w *world) user(rt *rand.Rand) (map[string]any, cedargo.Entity) {
	level := one(rt, "user", "superuser", "anonymous", "odd")
	d := newDrawn(rt)
	d.text("id", first, second)
	d.text("region", "a", "E*a", "b")
	d.int("limit")
	parents := cedargo.NewEntityUIDSet()
	d.doc["access_level"], d.attrs[cedar.LevelAttribute] = level, cedargo.String(level)
	groups := []any{}
	if g := one(rt, "", "staff", "leads"); g != "" {
		groups = append(groups, g)
		parents = cedargo.NewEntityUIDSet(cedargo.NewEntityUID("Group", cedargo.String(g)))
	}
	d.doc["groups"] = groups
	switch level {
	case "anonymous":
		d.attrs, parents = cedargo.RecordMap{cedar.LevelAttribute: cedargo.String(level)}, cedargo.NewEntityUIDSet()
	case "odd":
		delete(d.attrs, cedar.LevelAttribute)
	}
	return d.doc, cedargo.Entity{UID: cedargo.NewEntityUID("User", "me"), Parents: parents, Attributes: cedargo.NewRecord(d.attrs)}
}

// TestRefused holds each thing that Cedar cannot carry to a diagnostic.
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
	for text, want := range map[string]string{
		onTable(`record.parent.id == user.id`):                        "the column id",
		onTable(`record.parent.id == null`):                           "related records",
		onTable(`anytrue([for p in record.parts : p.id == user.id])`): "related records",
		onTable(`record.code == "abc"`):                               "the column code",
		policy(`record.price == 1.5`):                                 "values of type number",
		policy("record.open") + "app \"desk\" {\n  users = [everyone]\n  connect {\n    datasource      = datasource.pg\n    service_account = service_account.desk\n  }\n}\n" +
			"service_account \"desk\" {\n  datasource = datasource.pg\n  password   = env(\"PASSWORD\")\n}\n" + related: "the apps of datasource.pg",
		policy(`record.region < "m"`):                                                 "the order of texts",
		policy(`now() > "2025-01-01T00:00:00Z"`):                                      "values of type timestamp",
		policy(`record.amount + 1 == 2`):                                              "this operand",
		policy(`lower(record.region) == "a"`):                                         "this operand",
		policy(`starts_with(record.region, user.region)`):                             "this test of texts",
		policy(`!contains(user.groups, "staff")`):                                     "the absence of a group",
		policy(`known(user.groups)`):                                                  "known() of this",
		policy(`is_under(record.region, user.region, ".")`):                           "this test of texts",
		policy(`cidr_contains("10.0.0.0/8", request.ip) && length(record.tags) == 1`): "this operand",
		strings.Replace(policy("record.open"), "[view]", "[view, edit]", 1):           "two records, the old and the new",
		policy("record.open") + "guard \"g\" {\n  on      = [resource.crm.deal]\n  to      = [group.staff]\n  require = record.open\n}\n": "the absence of a group",
		policy("record.open") + "user \"ann\" {\n  attributes = { id = \"" + first + "\" }\n}\n":                                          "the user block ann",
		strings.ReplaceAll(policy("record.open"), "crm", "in"):                                                                            "its name",
	} {
		policies, _, list := cedar.Export(compile(t, text), nil)
		if policies != nil || len(list) == 0 || list[0].Code != cedar.CodeUnsupported || !strings.Contains(list[0].Summary, want) || list[0].Span.IsZero() {
			t.Errorf("%s: %v", want, list)
		}
	}
}
