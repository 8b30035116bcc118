package jsondoc_test

import (
	"context"
	"fmt"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// typed makes records of typed values out of documents.
type typed struct {
	*gen
	engine *engine.Engine
}

func (g *typed) table(t *model.Table) *engine.Table {
	out, err := g.engine.Table(t.Datasource.Name, t.Name)
	if err != nil {
		g.Fatal(err)
	}
	return out
}

// record draws the values of a table's columns and relations, as a record and
// as the document that says the same.
func (g *typed) record(t *model.Table, depth int) (*engine.Record, model.Document) {
	table := g.table(t)
	r, doc := table.NewRecord(), model.Document{}
	for _, c := range t.Columns {
		if g.chance(8) {
			continue
		}
		v := pickOne(g.gen, constants(c.Type))
		doc[c.Name] = model.JSON(v, c.Type, c.Native)
		if err := set(table, r, c, v); err != nil {
			g.Fatal(err)
		}
	}
	for _, rel := range t.Relations {
		if depth == 0 || g.chance(4) {
			continue
		}
		if !rel.Many {
			h, err := table.One(rel.Name)
			if err != nil {
				g.Fatal(err)
			}
			related, relatedDoc := g.record(rel.Table, depth-1)
			h.Set(r, related)
			doc[rel.Name] = relatedDoc
			continue
		}
		h, err := table.Many(rel.Name)
		if err != nil {
			g.Fatal(err)
		}
		var list []*engine.Record
		docs := []any{}
		for range rapid.IntRange(0, 3).Draw(g.T, "related") {
			related, relatedDoc := g.record(rel.Table, depth-1)
			list, docs = append(list, related), append(docs, relatedDoc)
		}
		h.Set(r, list)
		doc[rel.Name] = docs
	}
	return r, doc
}

// set sets a column of any type.
func set(t *engine.Table, r *engine.Record, c *model.Column, v model.Value) error {
	switch c.Type.Kind {
	case model.KindBool:
		return put(t, r, c, v.(bool))
	case model.KindInt:
		return put(t, r, c, asInt(v))
	case model.KindNumber:
		return put(t, r, c, asDecimal(v))
	case model.KindString, model.KindEnum:
		return put(t, r, c, v.(string))
	case model.KindUUID:
		return put(t, r, c, engine.UUID(v.(model.UUID)))
	case model.KindDate, model.KindTimestamp:
		return put(t, r, c, asTime(v))
	case model.KindIP:
		return put(t, r, c, v.(netip.Addr))
	case model.KindSet:
		return setElems(t, r, c, v.(model.Set))
	default:
		return fmt.Errorf("the type %s is not known", c.Type)
	}
}

func setElems(t *engine.Table, r *engine.Record, c *model.Column, v model.Set) error {
	switch c.Type.Elem.Kind {
	case model.KindBool:
		return put(t, r, c, elems(v, func(e model.Value) bool { return e.(bool) }))
	case model.KindInt:
		return put(t, r, c, elems(v, asInt))
	case model.KindNumber:
		return put(t, r, c, elems(v, asDecimal))
	case model.KindString, model.KindEnum:
		return put(t, r, c, elems(v, func(e model.Value) string { return e.(string) }))
	case model.KindUUID:
		return put(t, r, c, elems(v, func(e model.Value) engine.UUID { return engine.UUID(e.(model.UUID)) }))
	case model.KindDate, model.KindTimestamp:
		return put(t, r, c, elems(v, asTime))
	case model.KindIP:
		return put(t, r, c, elems(v, func(e model.Value) netip.Addr { return e.(netip.Addr) }))
	default:
		return fmt.Errorf("the type %s is not known", c.Type)
	}
}

func elems[T any](set model.Set, of func(model.Value) T) []T {
	out := make([]T, 0, 2*len(set))
	for _, v := range set {
		out = append(out, of(v), of(v)) // twice: elements are distinct whatever the slice holds
	}
	return out
}

func put[T engine.Value](t *engine.Table, r *engine.Record, c *model.Column, v T) error {
	h, err := engine.ColumnOf[T](t, c.Name)
	if err == nil {
		h.Set(r, v)
	}
	return err
}

func asTime(v model.Value) time.Time {
	if d, ok := v.(model.Date); ok {
		return time.UnixMicro(int64(d.Instant())).UTC()
	}
	return time.UnixMicro(int64(v.(model.Timestamp))).UTC()
}

// TestTypedRecords compares decisions about records of typed values with the
// reference's about the documents that say the same.
func TestTypedRecords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture()
		g := &typed{gen: &gen{T: rt, f: f, rows: []*model.Row{f.record}}}
		cond := g.cond(3)
		f.grant("p", f.docs, cond, cond, everyone(), nil, model.View)
		d, err := jsondoc.NewDecider(context.Background(), f.program)
		if err != nil {
			rt.Fatalf("load: %v", err)
		}
		g.engine = d.Engine()
		view, err := g.table(f.docs).Action("view")
		if err != nil {
			rt.Fatal(err)
		}
		for range 10 {
			req := g.request()
			r, doc := g.record(f.docs, 2)
			want := eval.NewEnv(f.program, req, f.docs.Datasource.Entries()[0]).On(doc).Holds(cond)
			s := g.engine.Session(&engine.Request{User: req.User, App: req.App, Context: req.Context, Now: time.UnixMicro(int64(req.Now))})
			if got := s.Allows(view, r); got != want {
				rt.Fatalf("%s\nrequest %#v\nrecord %#v\ntyped %v, reference %v", describe(f), req, doc, got, want)
			}
			if got := s.FilterRecords(view, []*engine.Record{nil, r, r}, nil); (len(got) == 2) != want {
				rt.Fatalf("%s\nrequest %#v\nrecord %#v\nfiltered %v, reference %v", describe(f), req, doc, got, want)
			}
		}
	})
}

func asInt(v model.Value) int64 { return v.(*big.Rat).Num().Int64() }

func asDecimal(v model.Value) engine.Decimal {
	d, ok := engine.ParseDecimal(model.DecimalString(v.(*big.Rat)))
	if !ok {
		panic("no decimal")
	}
	return d
}
