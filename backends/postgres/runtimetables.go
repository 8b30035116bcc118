package postgres

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// tables adds the tables of the schema. Only the owner may read them, but for
// objects, which holds nothing but names and hashes.
func (b *runtimeBuilder) tables() {
	text := func(names ...string) (out []Column) {
		for _, n := range names {
			out = append(out, Column{Name: n, Type: "text", NotNull: true})
		}
		return out
	}
	null := func(name string) Column { return Column{Name: name, Type: "text"} }
	directory, closure := b.directory(), b.closure()
	b.table("directory", []string{"key"}, append(text("key"), null("level"), null("groups"), null("attributes")), directory)
	b.table("group_closure", []string{"name", "above"}, text("name", "above"), closure)
	name := "identity"
	b.generation = generationOf(directory, closure)
	b.table("generation", []string{"name"}, text("name", "hash"), [][]*string{{&name, &b.generation}})
	for _, t := range bookkeepingTables(RuntimeSchema, b.owner) {
		b.state.Generated[t.ID] = t
		if t.ID.Name == tableObjects {
			b.grant(t.ID, Public(), PrivilegeSelect)
			continue
		}
		t.RLS = true
	}
	b.hashKeyTable()
	if b.ds.Identity == model.IdentitySigned {
		b.table("keys", []string{"id"}, []Column{
			{Name: "id", Type: "integer", NotNull: true},
			{Name: "inner_pad", Type: "bytea", NotNull: true},
			{Name: "outer_pad", Type: "bytea", NotNull: true},
		}, nil)
	}
}

func (b *runtimeBuilder) table(name string, key []string, columns []Column, rows [][]*string) {
	t := &GeneratedTable{
		ID: TableID(RuntimeSchema, name), Owner: b.owner, Columns: columns, PrimaryKey: key, Filled: rows != nil, Rows: rows,
		RLS: true,
	}
	b.state.Generated[t.ID] = t
}

// directory is one row for each user block: the key in Postgres' text form,
// and what it states. NULL states nothing.
func (b *runtimeBuilder) directory() [][]*string {
	rows := make([][]*string, 0, len(b.p.Users))
	for _, u := range b.p.Users {
		key, err := literalText(u.Key)
		if err != nil {
			b.errs = append(b.errs, err)
		}
		row := []*string{&key, nil, nil, nil}
		if u.Level != nil {
			row[1] = &u.Level.Name
		}
		if u.Groups != nil {
			names := make([]string, len(u.Groups))
			for i, g := range u.Groups {
				names[i] = g.Name
			}
			row[2] = b.json(names)
		}
		if len(u.Attributes) > 0 {
			stated := map[string]any{}
			for _, v := range u.Attributes {
				stated[v.Attribute.Name] = b.claimValue(v.Value)
			}
			row[3] = b.json(stated)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(x, y []*string) int { return cmp.Compare(*x[0], *y[0]) })
	return rows
}

func (b *runtimeBuilder) closure() [][]*string {
	rows := [][]*string{}
	for _, g := range b.p.Groups {
		for _, above := range g.Closure {
			rows = append(rows, []*string{&g.Name, &above})
		}
	}
	slices.SortFunc(rows, func(x, y []*string) int {
		return cmp.Or(cmp.Compare(*x[0], *y[0]), cmp.Compare(*x[1], *y[1]))
	})
	return rows
}

// nested reports whether a group is in another.
func nested(p *model.Program) bool {
	return slices.ContainsFunc(p.Groups, func(g *model.Group) bool {
		return slices.ContainsFunc(g.Closure, func(above string) bool { return above != g.Name })
	})
}

// generationOf is a hash of the rows of tables. A transaction whose snapshot is
// older than an apply runs the new functions on the old rows; the two are told
// apart by it.
func generationOf(tables ...[][]*string) string {
	var text strings.Builder
	for i, rows := range tables {
		for _, r := range rows {
			text.WriteString(strconv.Itoa(i) + ": " + describeRow(r) + "\n")
		}
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:8])
}

func (b *runtimeBuilder) json(v any) *string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		b.errs = append(b.errs, err)
	}
	text := strings.TrimSpace(out.String())
	return &text
}

// claimValue is a constant as claims carry it.
func (b *runtimeBuilder) claimValue(v model.Value) any {
	switch x := v.(type) {
	case nil, bool, string:
		return x
	case model.Unknown:
		return nil
	case model.Set:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = b.claimValue(e)
		}
		return out
	case model.Timestamp:
		return strings.Replace(instantText(x), " ", "T", 1) + "Z"
	}
	text, err := literalText(v)
	if err != nil {
		b.errs = append(b.errs, err)
	}
	if _, number := numberOf(v); number {
		return json.Number(text)
	}
	return text
}
