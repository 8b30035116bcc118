package resolve

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// tests makes the test blocks, in order of file and place.
func (r *resolver) tests() []*model.Test {
	shared := map[string]*syntax.Fixtures{}
	for _, f := range r.syntax.Fixtures {
		if first, ok := shared[f.Span.File]; ok {
			r.duplicate(f.Span, first.Span, "A second fixtures block in this file")
			continue
		}
		shared[f.Span.File] = f
	}
	seen := map[string]source.Span{}
	var out []*model.Test
	for _, b := range r.syntax.Tests {
		name := b.Label(0)
		if first, ok := seen[name]; ok {
			r.duplicate(b.Span, first, fmt.Sprintf("A second test %q", name))
			continue
		}
		seen[name] = b.Span
		r.description(b.Description, r.eval)
		t := r.newTest(name, b, shared[b.Span.File])
		t.expects(b)
		t.login(b)
		if b.App == nil {
			t.onlyApp(b.Span)
		}
		out = append(out, t.test)
	}
	for _, b := range r.syntax.Matrices {
		out = append(out, r.matrix(b, shared[b.Span.File], seen)...)
	}
	slices.SortStableFunc(out, func(a, b *model.Test) int { return a.Span.Compare(b.Span) })
	return out
}

// newTest makes a test with its request and its records.
func (r *resolver) newTest(name string, b *syntax.Test, shared *syntax.Fixtures) *testBuilder {
	t := &testBuilder{resolver: r, test: &model.Test{Name: name, Span: b.Span}, byName: map[string]*model.Fixture{}}
	t.request(b)
	if shared != nil {
		t.given(shared.Given)
	}
	t.given(b.Given)
	return t
}

// testBuilder makes one test.
type testBuilder struct {
	*resolver
	test   *model.Test
	byName map[string]*model.Fixture
	stated map[string]source.Span // what the object of the test's user states, by name
}

// defaultNow is the time of tests when the run states none.
var defaultNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (t *testBuilder) request(b *syntax.Test) {
	req := &t.test.Request
	if b.User != nil {
		req.User = t.claims(b.User)
	}
	if b.App != nil {
		if ref, ok := t.reference(b.App, t.eval); ok && t.expect(ref, "app") {
			if len(ref.apps) == 1 {
				t.test.App, req.App = ref.apps[0], ref.apps[0].Name
			} else {
				t.diags.Fail(CodeTest, ref.span, "The reference means several apps", "Name one by its key.")
			}
		}
	}
	if b.Request != nil {
		fields, _ := t.fields(b.Request, t.eval)
		req.Context = t.document(fields, t.program.Request, "attribute of the request")
	}
	now := t.in.Now
	if now.IsZero() {
		now = defaultNow
	}
	req.Now = model.Timestamp(now.UnixMicro())
	if b.Now != nil {
		if v, ok := t.typed(b.Now, t.eval, cty.String); ok {
			if c, fine := t.constant(v, model.TimeType, syntaxSpan(b.Now)); fine {
				req.Now, _ = c.(model.Timestamp)
			}
		}
	}
}

// onlyApp fills in the app of a test that names none: the one that connects to
// the datasources of its records.
func (t *testBuilder) onlyApp(span source.Span) {
	var apps []*model.App
	var names []string
	add := func(table *model.Table) {
		for _, a := range table.Datasource.Apps {
			if !slices.Contains(apps, a) {
				apps = append(apps, a)
				names = append(names, "app."+a.Name)
			}
		}
	}
	for _, f := range t.test.Fixtures {
		add(f.Table)
	}
	for _, w := range t.test.Writes {
		add(w.Table)
	}
	switch len(apps) {
	case 0:
	case 1:
		t.test.App, t.test.Request.App = apps[0], apps[0].Name
	default:
		slices.Sort(names)
		t.diags.Fail(CodeTest, span, "The test names no app, and several connect to the datasources of its records",
			"Add app = "+strings.Join(names, ", or app = ")+".")
	}
}

// given adds the records of given blocks.
func (t *testBuilder) given(blocks []*syntax.Given) {
	for _, b := range blocks {
		table := t.givenTable(b)
		for _, rec := range b.Records {
			if first, ok := t.byName[rec.Name]; ok {
				t.duplicate(rec.Span, first.Span, fmt.Sprintf("A second record %q", rec.Name))
				continue
			}
			f := &model.Fixture{Name: rec.Name, Table: table, Span: rec.Span}
			t.byName[rec.Name] = f
			if table == nil {
				continue
			}
			number := len(t.test.Fixtures) + 1
			t.test.Fixtures = append(t.test.Fixtures, f)
			values, _ := t.record(rec.Value, table)
			f.Values = t.complete(values, table, number)
		}
	}
}

// givenTable finds a table by the addresses of its datasource and itself.
func (t *testBuilder) givenTable(b *syntax.Given) *model.Table {
	source, name := b.Label(0), b.Label(1)
	var sources, names []string
	for _, d := range t.program.Datasources {
		sources = append(sources, d.Name)
		if d.Name != source {
			continue
		}
		for _, table := range d.Tables {
			if table.Name == name {
				return table
			}
			names = append(names, table.Name)
		}
		t.unknown(b.LabelSpan(1), "table of "+source, name, names, "")
		return nil
	}
	t.unknown(b.LabelSpan(0), "datasource", source, sources, "")
	return nil
}

// record reads the columns that the source sets, in the table's order.
func (t *testBuilder) record(expr hcl.Expression, table *model.Table) (map[string]model.Value, []string) {
	values := map[string]model.Value{}
	fields, _ := t.fields(expr, t.eval)
	for _, f := range fields {
		c := table.Column(f.text)
		if c == nil {
			t.unknownColumn(table, f.item)
			continue
		}
		if f.value.IsNull() && !c.Null {
			t.diags.Fail(CodeTest, f.valueSpan, fmt.Sprintf("The column %q cannot be null", c.Name), "Declare it with `null = true`, or give it a value.")
			continue
		}
		if v, ok := t.constant(f.value, c.Type, f.valueSpan); ok {
			values[c.Name] = v
		}
	}
	var set []string
	for _, c := range table.Columns {
		if _, ok := values[c.Name]; ok {
			set = append(set, c.Name)
		}
	}
	return values, set
}

// expects reads what the test expects.
func (t *testBuilder) expects(b *syntax.Test) {
	seen, sights, reports := map[string]source.Span{}, map[string]source.Span{}, map[string]source.Span{}
	for _, e := range b.Expects {
		for _, a := range e.Actions {
			if first, ok := seen[a.Name]; ok {
				t.duplicate(a.Span, first, fmt.Sprintf("A second expectation for %q", a.Name))
				continue
			}
			seen[a.Name] = a.Span
			t.expectAction(a)
		}
		for _, w := range e.Writes {
			t.write(w)
		}
		for _, s := range e.Sights {
			t.sight(s, sights)
		}
		for _, r := range e.Rows {
			t.rows(r, reports)
		}
	}
	if len(t.test.Expects)+len(t.test.Writes)+len(t.test.Sights)+len(t.test.Reports) == 0 {
		t.diags.Fail(CodeTest, b.Span, "The test expects nothing", "Add `expect { view = [...] }`.")
	}
}

func (t *testBuilder) expectAction(a *syntax.NamedExpr) {
	action := model.Action(a.Name)
	if action == model.Create {
		t.diags.Fail(CodeTest, a.Span, "A create is expected by a write block", "Write `write \"NAME\" { to = {…}, allowed = … }` without `from`.")
		return
	}
	var known []string
	for _, table := range t.program.Tables {
		for _, x := range table.Actions {
			if !slices.Contains(known, string(x)) {
				known = append(known, string(x))
			}
		}
	}
	if !slices.Contains(known, a.Name) {
		t.unknown(a.Span, "action", a.Name, known, "")
		return
	}
	e := &model.Expect{Action: action, Span: a.Span}
	for _, elem := range t.elements(a.Value, t.eval) {
		f := t.fixture(elem)
		switch {
		case f == nil || f.Table == nil:
		case slices.Contains(e.Fixtures, f):
			t.repeated(syntaxSpan(elem), "the record "+f.Name)
		case !f.Table.HasAction(action):
			t.diags.Fail(CodeTest, syntaxSpan(elem), fmt.Sprintf("%s has no action %q", f.Table.Address(), action), "Remove the record from the list.")
		default:
			e.Fixtures = append(e.Fixtures, f)
		}
	}
	t.test.Expects = append(t.test.Expects, e)
}

// fixture finds a record by its name.
func (t *testBuilder) fixture(expr hcl.Expression) *model.Fixture {
	name := hcl.ExprAsKeyword(syntax.Native(expr))
	if name == "" {
		t.diags.Fail(CodeTest, syntaxSpan(expr), "Here stands the name of a record", "Records are named in `given` blocks.")
		return nil
	}
	f, ok := t.byName[name]
	if !ok {
		t.unknown(syntaxSpan(expr), "record", name, sortedKeys(t.byName), "")
	}
	return f
}

func (t *testBuilder) write(b *syntax.Write) {
	w := &model.Write{Name: b.Label(0), Span: b.Span, Allowed: t.flag(b.Allowed, t.eval, false)}
	if b.From != nil {
		if w.From = t.fixture(b.From); w.From == nil {
			return
		}
		w.Table = w.From.Table
	}
	if b.Table != nil {
		found, ok := t.tableRefs(b.Table, t.eval)
		switch {
		case !ok:
			return
		case len(found) != 1:
			t.diags.Fail(CodeTest, syntaxSpan(b.Table), "A write is to one table", "Name the table with its key.")
			return
		case w.From != nil && w.Table != found[0].table:
			t.diags.Fail(CodeTest, syntaxSpan(b.Table), fmt.Sprintf("The record %s is not of %s", w.From.Name, found[0].table.Address()), "Remove `table`.")
			return
		}
		w.Table = found[0].table
	}
	if w.Table == nil && w.From == nil {
		w.Table = t.onlyTable(b)
	}
	if w.Table == nil || b.To == nil {
		return
	}
	set, changed := t.record(b.To, w.Table)
	w.Changed = changed
	if w.From == nil {
		w.To = t.complete(set, w.Table, len(t.test.Fixtures)+len(t.test.Writes)+1)
	} else {
		w.To = map[string]model.Value{}
		for name, v := range w.From.Values {
			w.To[name] = v
		}
		for name, v := range set {
			w.To[name] = v
		}
	}
	t.test.Writes = append(t.test.Writes, w)
}

// onlyTable is the table that a create means when it does not say so: that of
// the test's records, or the project's only one.
func (t *testBuilder) onlyTable(b *syntax.Write) *model.Table {
	var tables []*model.Table
	for _, f := range t.test.Fixtures {
		if !slices.Contains(tables, f.Table) {
			tables = append(tables, f.Table)
		}
	}
	if tables == nil {
		tables = t.program.Tables
	}
	if len(tables) == 1 {
		return tables[0]
	}
	t.diags.Fail(CodeTest, b.Span, "The write does not say to which table", "Add `table = table.DATASOURCE.NAME`.")
	return nil
}
