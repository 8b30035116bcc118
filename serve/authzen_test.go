package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/serve"
	"github.com/postern-dev/postern/serve/authzen"
)

// subjects of the Todo scenario.
var subjects = map[string]string{
	"rick": "CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "morty": "CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs",
	"summer": "CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "beth": "CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs",
	"jerry": "CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs",
}

// TestTodo asks every question of the AuthZEN Todo scenario.
func TestTodo(t *testing.T) {
	t.Parallel()
	_, h := start(t, todo(t), serve.Options{})
	owners := map[string]string{"rick": "rick@the-citadel.com", "morty": "morty@the-citadel.com", "summer": "summer@the-smiths.com"}
	editors := []string{"rick", "morty", "summer"}
	for user, id := range subjects {
		ask := func(want bool, action, resource string) {
			t.Helper()
			got := post(t, h, authzen.EvaluationPath, fmt.Sprintf(
				`{"subject":{"type":"user","id":%q},"action":{"name":%q},"resource":%s,"context":{}}`, id, action, resource))
			if got.status != http.StatusOK || got.body != fmt.Sprintf(`{"decision":%v}`, want) {
				t.Errorf("%s %s %s: %d %s, want %v", user, action, resource, got.status, got.body, want)
			}
		}
		ask(true, "can_read_user", `{"type":"user","id":"beth@the-smiths.com"}`)
		ask(true, "can_read_todos", `{"type":"todo","id":"todo-1"}`)
		ask(slices.Contains(editors, user), "can_create_todo", `{"type":"todo","id":"todo-1"}`)
		for owner, email := range owners {
			record := fmt.Sprintf(`{"type":"todo","id":"7240d0db-8ff0-41ec-98b2-34a096273b9f","properties":{"ownerID":%q}}`, email)
			ask(user == "rick" || user == owner, "can_update_todo", record)
			ask(user == "rick" || user == owner, "can_delete_todo", record)
		}
	}
}

// mortys is Morty's question about updating a to-do of an owner.
func mortys(owner string) string {
	return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":"can_update_todo"},"resource":{"type":"app.todo","id":"1","properties":{"ownerID":%q}}}`,
		subjects["morty"], owner)
}

const own, other = "morty@the-citadel.com", "rick@the-citadel.com"

// TestBadRequests holds each wrong request to a clear error or a denial.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	_, h := start(t, todo(t), serve.Options{MaxBody: 4096})
	good := mortys(own)
	with := func(from, to string) string {
		out := strings.Replace(good, from, to, 1)
		if out == good {
			t.Errorf("%s is not there", from)
		}
		return out
	}
	deep := strings.Repeat(`{"a":`, 80) + "1" + strings.Repeat("}", 80)
	for body, want := range map[string]string{
		"":                                       "400 the JSON ends too early",
		"[]":                                     "400 the body must be a JSON object",
		"nope":                                   "400 the body is not JSON",
		good[:40]:                                "400 the JSON ends too early",
		good + "{}":                              "400 something follows the JSON object",
		"{}":                                     "400 subject: is missing",
		`{"subject":null}`:                       "400 subject: is missing",
		`{"subject":[]}`:                         "400 subject: must be an object, not an array",
		with(`"type":"user",`, ""):               "400 subject.type: is missing",
		with(`"user"`, "5"):                      "400 subject.type: must be a string, not a number",
		with(`"user"`, `""`):                     "400 subject.type: is empty",
		with(`"1"`, "1"):                         "400 resource.id: must be a string, not a number",
		with(`"1"`, `"\ud800"`):                  "400 the body is not JSON",
		with(`"id":"1"`, `"x":"1"`):              "400 resource.id: is missing",
		with(`{"ownerID"`, `5,"x":{"ownerID"`):   "400 resource.properties: must be an object, not a number",
		with(`{"name":"can_update_todo"}`, `{}`): "400 action.name: is missing",
		with(`"type":"user"`, `"type":"user","type":"user"`):         "400 a member is there twice: /subject/type",
		with(`"1"`, `"`+strings.Repeat("1", 1025)+`"`):               "400 resource.id: has more than 1024 bytes",
		with(`{"subject"`, `{"context":[],"subject"`):                "400 context: must be an object, not an array",
		with(`{"subject"`, `{"context":{"now":"soon"},"subject"`):    "400 context.now: must be a time",
		with(`{"subject"`, `{"context":{"app":5},"subject"`):         "400 context.app: must be a string, not a number",
		with(`"user","id"`, `"user","properties":{"sub":"me"},"id"`): "400 subject.properties.sub: is not what the id says",
		with(`{"subject"`, `{"x":`+deep+`,"subject"`):                "400 the JSON is nested more than 64 deep",
		with(`"1"`, `"`+strings.Repeat("1", 4096)+`"`):               "413 the body has more than 4096 bytes",
		with(`app.todo`, `app.nope`):                                 `200 {"decision":false,"context":{"error":{"status":404,"message":"resource.type: there is no resource type \"app.nope\"`,
		with(`can_update_todo`, `fly`):                               `200 {"decision":false,"context":{"error":{"status":404,"message":"action.name: the resource app.todo has no action \"fly\""}}}`,
		with(`"user"`, `"robot"`):                                    `200 {"decision":false,"context":{"error":{"status":404,"message":"subject.type: there is no subject type \"robot\"`,
		with(`"user"`, `"anonymous"`):                                `200 {"decision":false}`,
		with(own, "MORTY"):                                           `200 {"decision":false}`,
		good:                                                         `200 {"decision":true}`,
	} {
		got := post(t, h, authzen.EvaluationPath, body)
		if text := fmt.Sprint(got.status, " ", got.body); !strings.HasPrefix(text, want) {
			t.Errorf("%.200s\n got %s\nwant %s", body, text, want)
		}
	}
	if got := post(t, h, authzen.EvaluationPath, good, "Content-Type", "text/plain"); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("text: %d", got.status)
	}
	if got := post(t, h, authzen.EvaluationPath, good, "Content-Type", "application/json; charset=utf-8", "X-Request-ID", "r1"); got.status != http.StatusOK ||
		got.header.Get("X-Request-ID") != "r1" {
		t.Errorf("with a charset: %d %v", got.status, got.header)
	}
	if got := send(t, h.Client(), http.MethodGet, h.URL+authzen.EvaluationPath, ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("get: %d", got.status)
	}
}

func TestEvaluations(t *testing.T) {
	t.Parallel()
	_, h := start(t, todo(t), serve.Options{})
	head := fmt.Sprintf(`"subject":{"type":"user","id":%q},"action":{"name":"can_update_todo"},"resource":{}`, subjects["morty"])
	todos := func(owners ...string) string {
		var out []string
		for _, o := range owners {
			out = append(out, fmt.Sprintf(`{"resource":{"type":"todo","id":"1","properties":{"ownerID":%q}}}`, o))
		}
		return strings.Join(out, ",")
	}
	for _, c := range []struct{ body, want string }{
		{`{` + head + `,"evaluations":[` + todos(other, own) + `]}`, `{"evaluations":[{"decision":false},{"decision":true}]}`},
		{`{` + head + `,"evaluations":[` + todos(own, other, own) + `],"options":{"evaluations_semantic":"deny_on_first_deny"}}`, `{"evaluations":[{"decision":true},{"decision":false}]}`},
		{`{` + head + `,"evaluations":[` + todos(other, own, other) + `],"options":{"evaluations_semantic":"permit_on_first_permit"}}`, `{"evaluations":[{"decision":false},{"decision":true}]}`},
		{`{` + head + `,"evaluations":[` + todos(own) + `,{},5,` + todos(own) + `]}`, `{"evaluations":[{"decision":true},` +
			`{"decision":false,"context":{"error":{"status":400,"message":"evaluations[1].resource.type: is missing"}}},` +
			`{"decision":false,"context":{"error":{"status":400,"message":"evaluations[2]: must be an object, not a number"}}},{"decision":true}]}`},
		{
			`{` + head + `,"evaluations":[{},` + todos(own) + `],"options":{"evaluations_semantic":"deny_on_first_deny"}}`,
			`{"evaluations":[{"decision":false,"context":{"error":{"status":400,"message":"evaluations[0].resource.type: is missing"}}}]}`,
		},
		{mortys(own), `{"decision":true}`},
		{strings.Replace(mortys(own), `{"subject"`, `{"evaluations":[],"subject"`, 1), `{"decision":true}`},
		{`{"evaluations":5}`, `evaluations: must be an array, not a number`},
		{`{"evaluations":[{}],"options":{"evaluations_semantic":"any"}}`, `options.evaluations_semantic: must be execute_all, deny_on_first_deny or permit_on_first_permit`},
		{`{"evaluations":[{}],"options":5}`, `options: must be an object, not a number`},
		{`{"subject":5,"evaluations":[{}]}`, `subject: must be an object, not a number`},
		{`{"evaluations":[` + strings.Repeat("{},", authzen.MaxEvaluations) + `{}]}`, `evaluations: are more than 1000`},
	} {
		if got := post(t, h, authzen.EvaluationsPath, c.body); got.body != c.want {
			t.Errorf("%.300s\n got %d %s\nwant %s", c.body, got.status, got.body, c.want)
		}
	}
}

func TestExplanation(t *testing.T) {
	t.Parallel()
	_, h := start(t, todo(t), serve.Options{})
	got := post(t, h, authzen.EvaluationPath+"?explain", mortys(own)).json(t)
	x := got["context"].(map[string]any)["explanation"].(map[string]any)
	if got["decision"] != true || x["reason"] != `The policy "own_todos" grants it.` {
		t.Errorf("explained: %v", got)
	}
}

func TestSearchActions(t *testing.T) {
	t.Parallel()
	_, h := start(t, todo(t), serve.Options{})
	got := post(t, h, authzen.SearchActionPath, strings.Replace(mortys(own), `"action":{"name":"can_update_todo"},`, "", 1))
	if want := `{"results":[{"name":"can_read_todos"},{"name":"can_create_todo"},{"name":"can_update_todo"},{"name":"can_delete_todo"}]}`; got.body != want {
		t.Errorf("own: %s", got.body)
	}
	got = post(t, h, authzen.SearchActionPath, strings.Replace(mortys(other), `"action":{"name":"can_update_todo"},`, "", 1))
	if want := `{"results":[{"name":"can_read_todos"},{"name":"can_create_todo"}]}`; got.body != want {
		t.Errorf("other: %s", got.body)
	}
	if got := post(t, h, authzen.SearchActionPath, strings.Replace(mortys(own), "app.todo", "app.nope", 1)); got.status != http.StatusNotFound {
		t.Errorf("unknown type: %d %s", got.status, got.body)
	}
}

func TestSearchSubjects(t *testing.T) {
	t.Parallel()
	_, h := start(t, todo(t), serve.Options{})
	ask := func(action, page string) answer {
		return post(t, h, authzen.SearchSubjectPath, fmt.Sprintf(
			`{"subject":{"type":"user"},"action":{"name":%q},"resource":{"type":"todo","id":"1","properties":{"ownerID":%q}}%s}`, action, own, page))
	}
	ids := func(names ...string) string {
		var out []string
		for _, n := range names {
			out = append(out, fmt.Sprintf(`{"type":"user","id":%q}`, subjects[n]))
		}
		return "[" + strings.Join(out, ",") + "]"
	}
	if got := ask("can_update_todo", ""); got.body != `{"results":`+ids("morty", "rick")+`}` {
		t.Errorf("who updates: %s", got.body)
	}
	var all []any
	page, pages := `,"page":{"limit":2}`, 0
	for ; page != ""; pages++ {
		got := ask("can_read_todos", page).json(t)
		all = append(all, got["results"].([]any)...)
		next := got["page"].(map[string]any)["next_token"].(string)
		page = ""
		if next != "" {
			page = fmt.Sprintf(`,"page":{"limit":2,"token":%q}`, next)
			for _, other := range []string{`,"page":{"limit":3,"token":"` + next + `"}`, `,"page":{"limit":2,"token":"x"}`} {
				if bad := ask("can_read_todos", other); bad.status != http.StatusBadRequest {
					t.Errorf("another search's token: %d %s", bad.status, bad.body)
				}
			}
		}
	}
	if len(all) != 5 || pages != 3 {
		t.Errorf("%d subjects on %d pages: %v", len(all), pages, all)
	}
	for body, status := range map[string]int{
		`,"page":{"limit":-1}`: 400, `,"page":{"limit":"2"}`: 400, `,"page":5`: 400, `,"page":{"token":5}`: 400, `,"page":{"limit":0}`: 200,
	} {
		if got := ask("can_read_todos", body); got.status != status {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := ask("fly", ""); got.status != http.StatusNotFound {
		t.Errorf("unknown action: %d %s", got.status, got.body)
	}
}

// shelf holds the to-dos 000 to 999, every tenth of them Morty's.
type shelf struct{}

func (shelf) Has(t *engine.Table) bool { return t.Name() == "todo" }

func (shelf) Find(_ context.Context, _ *engine.Table, id string) (map[string]any, error) {
	if len(id) != 3 {
		return nil, authzen.ErrNoRecord
	}
	owner := other
	if id[2] == '0' {
		owner = own
	}
	return map[string]any{"id": id, "ownerID": owner}, nil
}

func (s shelf) List(ctx context.Context, t *engine.Table, after string, limit int) ([]authzen.Found, error) {
	var out []authzen.Found
	for i := range 1000 {
		id := fmt.Sprintf("%03d", i)
		if id > after && len(out) < limit {
			doc, err := s.Find(ctx, t, id)
			if err != nil {
				return nil, err
			}
			out = append(out, authzen.Found{ID: id, Record: doc})
		}
	}
	return out, nil
}

// TestRecords looks records up: for evaluations that name them by id, and for
// searches.
func TestRecords(t *testing.T) {
	t.Parallel()
	p := todo(t)
	p.records = shelf{}
	_, h := start(t, p, serve.Options{})
	byID := func(id string) string {
		return fmt.Sprintf(`{"subject":{"type":"user","id":%q},"action":{"name":"can_update_todo"},"resource":{"type":"todo","id":%q}}`, subjects["morty"], id)
	}
	for id, want := range map[string]string{
		"010": `{"decision":true}`, "011": `{"decision":false}`,
		"nope": `{"decision":false,"context":{"error":{"status":404,"message":"resource.id: there is no such record"}}}`,
	} {
		if got := post(t, h, authzen.EvaluationPath, byID(id)); got.body != want {
			t.Errorf("%s: %d %s", id, got.status, got.body)
		}
	}
	search := func(page string) answer {
		return post(t, h, authzen.SearchResourcePath, strings.Replace(byID("ignored"), `"resource":`, page+`"resource":`, 1))
	}
	var found []string
	page := `"page":{"limit":30},`
	for page != "" {
		got := search(page).json(t)
		for _, r := range got["results"].([]any) {
			found = append(found, r.(map[string]any)["id"].(string))
		}
		next := got["page"].(map[string]any)["next_token"].(string)
		page = ""
		if next != "" {
			page = fmt.Sprintf(`"page":{"limit":30,"token":%q},`, next)
		}
	}
	if len(found) != 100 || found[1] != "010" || !slices.IsSorted(found) {
		t.Errorf("found %d: %v", len(found), found)
	}
	_, bare := start(t, todo(t), serve.Options{})
	if got := post(t, bare, authzen.SearchResourcePath, byID("x")); got.status != http.StatusNotImplemented {
		t.Errorf("without records: %d %s", got.status, got.body)
	}
}

// desk is a project with an app, a request block and masks, on numbers as keys.
const desk = `
postern { project = "desk" }
identity {
  attribute "id" { type = int }
}
request {
  attribute "ip" { type = ip }
}
group "staff" {}
datasource "crm" { type = "service" }
resource "crm" "deal" {
  attribute "id" { type = int }
  attribute "owner" { type = int }
  attribute "amount" { type = number }
  actions = ["view", "create", "edit", "delete"]
}
policy "own" {
  on    = [resource.crm.deal]
  to    = [group.staff]
  allow = [view, create, edit, delete]
  when  = record.owner == user.id
}
guard "inside" {
  on      = [resource.crm.deal]
  require = cidr_contains("10.0.0.0/8", request.ip) && now() > "2025-01-01T00:00:00Z"
}
`

func TestMapping(t *testing.T) {
	t.Parallel()
	_, h := start(t, inline(desk), serve.Options{})
	ask := func(id, action, properties, context string) string {
		return post(t, h, authzen.EvaluationPath, fmt.Sprintf(
			`{"subject":{"type":"user","id":%q,"properties":{"groups":["staff"]}},"action":%s,"resource":{"type":"deal","id":"1","properties":%s},"context":%s}`,
			id, action, properties, context)).body
	}
	const mine, inside = `{"owner":7,"amount":1.5}`, `{"ip":"10.1.2.3"}`
	for _, c := range []struct {
		id, action, properties, context string
		want                            bool
	}{
		{"7", `{"name":"view"}`, mine, inside, true},
		{"8", `{"name":"view"}`, mine, inside, false},
		{"seven", `{"name":"view"}`, mine, inside, false},
		{"7", `{"name":"view"}`, mine, `{"ip":"192.0.2.1"}`, false},
		{"7", `{"name":"view"}`, mine, `{}`, false},
		{"7", `{"name":"view"}`, mine, `{"ip":"10.1.2.3","now":"2024-12-31T00:00:00Z"}`, false},
		{"7", `{"name":"create"}`, mine, inside, true},
		{"8", `{"name":"create"}`, mine, inside, false},
		{"7", `{"name":"edit"}`, mine, inside, true},
		{"7", `{"name":"edit","properties":{"new":{"owner":8}}}`, mine, inside, false},
		{"7", `{"name":"edit","properties":{"new":{"owner":7},"set":["amount"]}}`, mine, inside, true},
		{"7", `{"name":"edit","properties":{"set":["nope"]}}`, mine, inside, false},
		{"7", `{"name":"delete"}`, mine, inside, true},
	} {
		if got := ask(c.id, c.action, c.properties, c.context); got != fmt.Sprintf(`{"decision":%v}`, c.want) {
			t.Errorf("%+v: %s", c, got)
		}
	}
	for action, want := range map[string]string{
		`{"name":"edit","properties":{"new":5}}`:   "action.properties.new: must be an object, not a number",
		`{"name":"edit","properties":{"set":"x"}}`: "action.properties.set: must be an array of names of columns, not a string",
		`{"name":"edit","properties":{"set":[5]}}`: "action.properties.set: must hold names of columns alone",
	} {
		if got := ask("7", action, mine, inside); got != want {
			t.Errorf("%s: %s", action, got)
		}
	}
}

// kiosk is a project whose app gives all its users the same.
const kiosk = `
postern { project = "kiosk" }
identity {
  attribute "id" { type = string }
}
group "staff" {}
datasource "d" {
  type     = "postgres"
  url      = env("D_URL")
  identity = "setting"
  owner    = "exempt"
}
service_account "kiosk" {
  datasource = datasource.d
  password   = env("D_PASSWORD")
}
app "kiosk" {
  users = [group.staff]
  connect {
    datasource      = datasource.d
    service_account = service_account.kiosk
    as              = "app"
  }
}
table "d" "notes" {
  column "id" { type = string }
  primary_key = ["id"]
}
policy "shown" {
  on    = [table.d.notes]
  to    = [app.kiosk]
  allow = [view]
}
`

// TestSharedApp asks the gate of an app that knows nothing of its users.
func TestSharedApp(t *testing.T) {
	t.Parallel()
	_, h := start(t, inline(kiosk), serve.Options{})
	for groups, want := range map[string][2]string{
		`["staff"]`: {`{"decision":true}`, `{"results":[{"name":"view"}]}`},
		`[]`:        {`{"decision":false,"context":{"explanation":{"allowed":false,"reason":"The user may not use the app \"kiosk\"."}}}`, `{"results":[]}`},
	} {
		body := fmt.Sprintf(`{"subject":{"type":"user","id":"ann","properties":{"groups":%s}},"action":{"name":"view"},`+
			`"resource":{"type":"d.notes","id":"1","properties":{}},"context":{"app":"kiosk"}}`, groups)
		if got := post(t, h, authzen.EvaluationPath, body); got.body != want[0] {
			t.Errorf("%s: %s", groups, got.body)
		}
		if got := post(t, h, authzen.SearchActionPath, body); got.body != want[1] {
			t.Errorf("%s: %s", groups, got.body)
		}
	}
}

func FuzzBodies(f *testing.F) {
	p := todo(f)
	_, h := start(f, p, serve.Options{})
	handler := h.Config.Handler
	f.Add(mortys(own), byte(0))
	f.Add(`{"evaluations":[{},5,{"subject":{"type":"user","id":"x"}}],"options":{"evaluations_semantic":"deny_on_first_deny"},"resource":{"type":"todo","id":"1"}}`, byte(1))
	f.Add(`{"subject":{"type":"user"},"page":{"limit":1,"token":"eyJhIjoieCJ9"},"action":{"name":"can_read_todos"},"resource":{"type":"todo","id":"1"}}`, byte(2))
	paths := []string{authzen.EvaluationPath, authzen.EvaluationsPath, authzen.SearchSubjectPath, authzen.SearchResourcePath, authzen.SearchActionPath}
	f.Fuzz(func(t *testing.T, body string, path byte) {
		got := direct(handler, paths[int(path)%len(paths)], body)
		if got.status >= 500 && got.status != http.StatusNotImplemented {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got.status != http.StatusOK {
			return
		}
		if !json.Valid([]byte(body)) || !json.Valid([]byte(got.body)) {
			t.Errorf("answered %s to %q", got.body, body)
		}
	})
}
