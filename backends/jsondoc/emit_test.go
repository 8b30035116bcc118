package jsondoc_test

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gowebpki/jcs"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

func emit(t interface {
	Helper()
	Fatalf(string, ...any)
}, p *model.Program,
) []byte {
	t.Helper()
	artifacts, err := jsondoc.Emitter{}.Emit(context.Background(), p)
	if err != nil {
		t.Fatalf("emit: %v", err)
	}
	if len(artifacts) != 2 || artifacts[0].Path != "json/policy.json" || artifacts[1].Path != "json/schema.json" {
		t.Fatalf("artifacts: %v", artifacts)
	}
	return artifacts[0].Data
}

// compiledSchema reads the published schema.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(document.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(document.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func checkSchema(schema *jsonschema.Schema, data []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

// example is a small program that reads like one: two policies and a guard.
func example() *model.Program {
	f := newFixture()
	col := func(row *model.Row, name string) *model.ColumnRef {
		c := row.Table.Column(name)
		return &model.ColumnRef{Node: node(c.Type), Row: row, Column: c}
	}
	key := &model.AttrRef{Node: node(model.String), Attribute: f.program.Identity.Key}
	m := &model.Row{Name: "m", Table: f.notes}
	own := &model.Compare{Op: model.Equal, X: col(f.record, "s"), Y: key}
	member := &model.Some{
		From:  model.RelatedRows{Row: f.record, Relation: f.docs.Relation("many"), Each: m},
		Where: model.AllOf(&model.Compare{Op: model.Equal, X: col(m, "s"), Y: key}, &model.Null{X: col(f.record, "t"), Not: true}),
	}
	when := model.AnyOf(own, member, &model.InNetwork{X: col(f.record, "ip"), Net: netip.MustParsePrefix("10.0.0.0/8")})
	staff := []model.Subject{model.GroupSubject{Group: f.staff}}
	f.grant("members", f.docs, when, own, staff, []*model.App{}, model.View, model.Edit)
	f.grant("all", f.files, model.True{}, model.True{}, []model.Subject{model.AppSubject{App: f.kiosk}}, []*model.App{f.kiosk}, model.View)
	f.program.Policies[0].Span = source.Span{File: "main.hcl", Start: source.Pos{Line: 3}}
	f.program.Policies[0].Description = "Members see <what> they & theirs own."
	f.program.Policies[0].On[0].Columns = f.docs.Columns[:2]
	limit := &model.Literal{Node: node(model.Number), Value: rat("10.50")}
	f.guard("limit", f.docs, &model.Compare{Op: model.Less, X: col(f.record, "n"), Y: limit}, model.Everyone{})
	for i, with := range []model.MaskFn{
		model.MaskLast{N: 4}, model.MaskNull{}, &model.MaskConstant{Type: model.String, Value: "<&>"},
	} {
		c := []string{"s", "t", "s"}[i]
		table := []*model.Table{f.docs, f.docs, f.files}[i]
		m := &model.Mask{Name: "mask" + c + table.Name, Unless: staff, With: with, Description: "Hides."}
		m.On = []*model.MaskTarget{{Mask: m, Table: table, Columns: []*model.Column{table.Column(c)}}}
		table.Masks = append(table.Masks, m.On...)
		f.program.Masks = append(f.program.Masks, m)
	}
	f.program.Revision = strings.Repeat("0123456789", 4)
	f.program.Datasources[0].URL = &model.Secret{Kind: model.SecretLiteral, Literal: "postgres://secret"}
	return f.program
}

func TestGolden(t *testing.T) {
	t.Parallel()
	got := emit(t, example())
	if again := emit(t, example()); !bytes.Equal(got, again) {
		t.Error("two runs write different bytes")
	}
	if bytes.Contains(got, []byte("secret")) {
		t.Error("the document holds a secret")
	}
	path := filepath.Join("testdata", "example.json")
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the document changed (UPDATE_GOLDEN=1 rewrites it):\n%s", diff)
	}
	if err := checkSchema(compiledSchema(t), got); err != nil {
		t.Error(err)
	}
}

// TestEmitted holds of every document: it is canonical, fits the schema, and
// is read back as it was written.
func TestEmitted(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture()
		g := &gen{T: rt, f: f, rows: []*model.Row{f.record}}
		g.project(f.docs)
		data := emit(rt, f.program)
		if err := checkSchema(schema, data); err != nil {
			rt.Fatalf("schema: %v", err)
		}
		canonical, err := jcs.Transform(data)
		if err != nil || !bytes.Equal(canonical, data) {
			rt.Fatalf("not canonical (%v):\n%s\n%s", err, data, canonical)
		}
		d, err := document.Parse(data)
		if err != nil {
			rt.Fatalf("parse: %v", err)
		}
		again, err := document.Marshal(d)
		if err != nil || !bytes.Equal(again, data) {
			rt.Fatalf("read back differently (%v)", err)
		}
	})
}

func TestSameTablesShareATarget(t *testing.T) {
	t.Parallel()
	f := newFixture()
	p := &model.Policy{Name: "p", To: everyone(), Allow: []model.Action{model.View}}
	for _, table := range []*model.Table{f.notes, f.files, f.docs} {
		row := &model.Row{Name: "record", Table: table}
		c := table.Column("b")
		when := model.Condition{Holds: &model.Truth{X: &model.ColumnRef{Node: node(c.Type), Row: row, Column: c}, Want: true}}
		p.On = append(p.On, &model.PolicyTarget{Policy: p, Table: table, Allow: p.Allow, When: when, Check: when, Columns: table.Columns})
	}
	f.program.Policies = []*model.Policy{p}
	d, err := jsondoc.Document(f.program)
	if err != nil {
		t.Fatal(err)
	}
	want := []document.TableRef{{Datasource: "apps", Table: "files"}, {Datasource: "open", Table: "docs"}, {Datasource: "open", Table: "notes"}}
	if len(d.Policies[0].Targets) != 1 {
		t.Fatalf("%d targets, want 1", len(d.Policies[0].Targets))
	}
	if diff := cmp.Diff(want, d.Policies[0].Targets[0].Tables); diff != "" {
		t.Error(diff)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	f := newFixture()
	c := f.docs.Column("b")
	atom := &model.Truth{X: &model.ColumnRef{Node: node(c.Type), Row: f.record, Column: c}, Want: true}
	deep := model.Cond(atom)
	for range document.MaxDepth {
		deep = &model.Or{Terms: []model.Cond{atom, &model.And{Terms: []model.Cond{atom, deep}}}}
	}
	wide := model.Cond(atom)
	for range 40 { // 2^40 parts when written out
		wide = &model.Or{Terms: []model.Cond{wide, wide}}
	}
	f.grant("deep", f.docs, deep, deep, everyone(), nil, model.View)
	f.grant("wide", f.docs, wide, wide, everyone(), nil, model.View)
	f.grant("fine", f.docs, atom, atom, everyone(), nil, model.View)
	for i, pol := range f.program.Policies {
		pol.On[0].Span = source.Span{File: "main.hcl", Start: source.Pos{Line: i + 1, Byte: i}}
	}
	list := jsondoc.Emitter{}.Audit(f.program)
	var got []string
	for _, d := range list {
		got = append(got, string(d.Code)+" "+d.Span.String())
	}
	if diff := cmp.Diff([]string{"json-condition-size main.hcl:1", "json-condition-size main.hcl:2"}, got); diff != "" {
		t.Error(diff)
	}
}
