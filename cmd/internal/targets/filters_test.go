package targets_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/backends/postgres/testdb"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/backends/rego/opatest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// filterAsk is a request of a case, as an OPA is sent it.
type filterAsk struct {
	Name    string         `json:"name"`
	App     string         `json:"app"`
	User    any            `json:"user"`
	Request map[string]any `json:"request"`
}

// filterTime is the time of all requests.
const filterTime = "2025-06-01T12:00:00Z"

// A running OPA's answers on filters are pinned, and the rows that its SQL finds
// in a Postgres are those that the same users see there under the policies, and
// that the evaluator says.
func TestFiltersOfRunningOPA(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../../testdata/filters/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		runFilters(t, path)
	}
}

func runFilters(t *testing.T, path string) {
	t.Helper()
	arch, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range arch.Files {
		files[f.Name] = f.Data
	}
	p, diags := compiler.Compile(t.Context(), &source.Set{Files: []source.File{{Name: "main.hcl", Data: files["main.hcl"]}}}, compiler.Inputs{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if list := (rego.Emitter{}).Audit(p); list.HasErrors() {
		t.Fatal(list)
	}
	address := startOPA(t, p)
	db, err := testdb.Open(t.Context(), pgtest.Server(t), p, p.Project)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	now, _ := eval.ParseTimestamp(filterTime)
	var rows []testdb.Row
	if err := json.Unmarshal(files["rows.json"], &rows); err != nil {
		t.Fatal(err)
	}
	all := map[*model.Table][]testdb.Row{}
	for _, table := range p.Tables {
		all[table] = rows
	}
	kept, err := db.Keep(t.Context(), now, all)
	if err != nil {
		t.Fatal(err)
	}
	var asks []filterAsk
	dec := json.NewDecoder(bytes.NewReader(files["requests.json"]))
	dec.UseNumber()
	if err := dec.Decode(&asks); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, table := range p.Tables {
		f := &filterCase{p: p, table: table, url: address, db: db, now: now, docs: kept[table]}
		for _, ask := range asks {
			fmt.Fprintf(&out, "%s: %s\n", table.Name, ask.Name)
			for _, x := range table.Filters {
				f.ask(t, &out, ask, x.Action)
			}
		}
	}
	expectation(t, path, arch, out.String())
}

// startOPA starts an OPA that has taken the program's bundle.
func startOPA(t *testing.T, p *model.Program) string {
	t.Helper()
	artifacts, err := rego.Emitter{}.Emit(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	host := opatest.NewHost(t)
	for _, a := range artifacts {
		if a.Path == "rego/bundle.tar.gz" {
			host.Set("acme", a.Data)
		}
	}
	url := opatest.Start(t, opatest.Options{Host: host, Bundles: []string{"acme"}})
	host.Await(t, "acme", func(s opatest.Status) bool { return s.Revision != "" && s.Code == "" })
	return url
}

type filterCase struct {
	p     *model.Program
	table *model.Table
	url   string
	db    *testdb.DB
	now   model.Timestamp
	docs  []model.Document
}

func (f *filterCase) ask(t *testing.T, out *strings.Builder, ask filterAsk, action model.Action) {
	t.Helper()
	answer := f.compile(t, ask, action, "application/vnd.opa.sql.postgresql+json")
	var where sqltext.SQL
	never := answer == nil
	switch {
	case never:
		fmt.Fprintf(out, "  %s: no record\n", action)
	case answer.Query == "":
		fmt.Fprintf(out, "  %s: every record\n", action)
	default:
		sql, ok := answer.Query.(string)
		if !ok || !strings.HasPrefix(sql, "WHERE ") {
			t.Fatalf("%s: %s: the answer %v", ask.Name, action, answer)
		}
		where = sqltext.SQL(sql)
		if action == model.View {
			fmt.Fprintf(out, "  %s: %s\n", action, sql)
		} else {
			fmt.Fprintf(out, "  %s: a condition\n", action)
		}
	}
	for _, dialect := range []string{"all", "prisma"} {
		other := f.compile(t, ask, action, "application/vnd.opa.ucast."+dialect+"+json")
		if (other == nil) != never {
			t.Fatalf("%s: %s: as UCAST %v", ask.Name, action, other)
		}
		if node, _ := json.Marshal(other); !never && (string(node) == `{"query":{}}`) != (where == "") {
			t.Errorf("%s: %s: as UCAST %s", ask.Name, action, node)
		}
	}
	found := []int{}
	if !never {
		var err error
		if found, err = f.db.Filtered(t.Context(), f.table, where); err != nil {
			t.Fatalf("%s: %s: %v", ask.Name, action, err)
		}
		slices.Sort(found)
		fmt.Fprintf(out, "    rows %v\n", numbered(found))
	}
	claims, wellFormed := ask.User.(map[string]any)
	if ask.User != nil && !wellFormed {
		if !never {
			t.Errorf("%s: %s: a malformed request has records", ask.Name, action)
		}
		return
	}
	req := model.Request{User: claims, App: appOf(ask), Context: ask.Request, Now: f.now}
	want := []int{}
	for i, doc := range f.docs {
		q := eval.Query{Request: req, Table: f.table, Action: action, Old: doc}
		if eval.Decide(f.p, q).Allowed {
			want = append(want, i)
		}
	}
	if d := cmp.Diff(want, found); d != "" {
		t.Errorf("%s: %s: the evaluator and the filter (-want +got)\n%s", ask.Name, action, d)
	}
	all := make([]int, len(f.docs))
	for i := range all {
		all[i] = i
	}
	seen, err := f.db.Bulk(t.Context(), &testdb.BulkQuery{Request: req, Table: f.table, Rows: all})
	if err != nil {
		t.Fatal(err)
	}
	shown := []int{}
	for i, yes := range seen.Allowed[action] {
		if yes {
			shown = append(shown, i)
		}
	}
	if d := cmp.Diff(shown, found); d != "" {
		t.Errorf("%s: %s: row security and the filter (-want +got)\n%s", ask.Name, action, d)
	}
}

// numbered counts rows from 1, as their keys in the case do.
func numbered(rows []int) []int {
	out := make([]int, len(rows))
	for i, r := range rows {
		out[i] = r + 1
	}
	return out
}

func appOf(ask filterAsk) string {
	if ask.App != "" {
		return ask.App
	}
	return "web"
}

// pathOf is a table in a path of OPA's API, which decodes each part twice.
func pathOf(t *model.Table) string {
	if t.Key == "" {
		return url.PathEscape(url.PathEscape(t.Name))
	}
	return url.PathEscape(url.PathEscape(t.Label)) + "/" + url.PathEscape(url.PathEscape(t.Key))
}

type compiled struct {
	Query any `json:"query"`
}

// compile asks the Compile API; nil: the answer has no result.
func (f *filterCase) compile(t *testing.T, ask filterAsk, action model.Action, accept string) *compiled {
	t.Helper()
	body, err := json.Marshal(map[string]any{"input": map[string]any{
		"user": ask.User, "app": appOf(ask), "request": ask.Request, "now": filterTime,
	}})
	if err != nil {
		t.Fatal(err)
	}
	where := f.url + "/v1/compile/postern/" + f.p.Project + "/crm/filters/" + pathOf(f.table) + "/" + string(action)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, where, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s %s %v", ask.Name, action, res.Status, text, err)
	}
	var out struct {
		Result *compiled `json:"result"`
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out.Result
}
