// Package tableblocks prints the tables of a live database as the table
// blocks of a project.
package tableblocks

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/format"
	"github.com/postern-dev/postern/lang/source"
)

// printer writes blocks; labels are the tables' names in the language.
type printer struct {
	b          bytes.Buffer
	datasource string
	labels     map[[2]string]string // schema and name to label
}

// Print writes the table blocks of a datasource in canonical form. A table's
// label is its name, with its schema in front where two would be the same.
func Print(datasource string, tables []*postgres.PulledTable) ([]byte, error) {
	p := &printer{datasource: datasource, labels: map[[2]string]string{}}
	taken := map[string]bool{}
	for _, t := range tables {
		if t.Schema == "public" {
			p.labels[[2]string{t.Schema, t.Name}], taken[t.Name] = t.Name, true
		}
	}
	for _, t := range tables {
		if t.Schema == "public" {
			continue
		}
		label := t.Name
		for taken[label] {
			label = t.Schema + "_" + label
		}
		p.labels[[2]string{t.Schema, t.Name}], taken[label] = label, true
	}
	for _, t := range tables {
		p.table(t)
	}
	out, found := format.Format(source.File{Name: "tables.hcl", Data: p.b.Bytes()})
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("printing the tables: %w", err)
	}
	return out, nil
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// quoted is a string of the language, with all that it must escape.
func quoted(s string) string { return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()) }

func list(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoted(n)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (p *printer) table(t *postgres.PulledTable) {
	label := p.labels[[2]string{t.Schema, t.Name}]
	p.line("\ntable %s %s {", quoted(p.datasource), quoted(label))
	if t.Description != "" {
		p.line("description = %s", quoted(t.Description))
	}
	if t.Schema != "public" {
		p.line("schema = %s", quoted(t.Schema))
	}
	if label != t.Name {
		p.line("name = %s", quoted(t.Name))
	}
	for _, n := range t.Notes {
		p.line("# %s", comment(n))
	}
	for _, c := range t.Columns {
		p.column(c)
	}
	if len(t.PrimaryKey) > 0 {
		p.line("primary_key = %s", list(t.PrimaryKey))
	}
	for _, r := range t.Relations {
		p.relation(r)
	}
	p.line("}")
}

// comment keeps a note on its line.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
}

func (p *printer) column(c postgres.PulledColumn) {
	if c.Native == "" && !c.Null {
		p.line("column %s { type = %s }", quoted(c.Name), typeText(c.Type))
		return
	}
	p.line("column %s {\ntype = %s", quoted(c.Name), typeText(c.Type))
	if c.Native != "" {
		p.line("native = %s", quoted(c.Native))
	}
	if c.Null {
		p.line("null = true")
	}
	p.line("}")
}

func typeText(t model.Type) string {
	switch {
	case t.Kind == model.KindEnum:
		return "enum(" + strings.TrimSuffix(strings.TrimPrefix(list(t.Enum), "["), "]") + ")"
	case t.Kind == model.KindSet && t.Elem != nil:
		return "set(" + typeText(*t.Elem) + ")"
	}
	return t.String()
}

func (p *printer) relation(r postgres.PulledRelation) {
	p.line("relation %s {", quoted(r.Name))
	p.line("table = table%s%s", step(p.datasource), step(p.labels[[2]string{r.Schema, r.Table}]))
	pairs := make([]string, len(r.On))
	for i, pair := range r.On {
		key := pair[0]
		if !hclsyntax.ValidIdentifier(key) {
			key = quoted(key)
		}
		pairs[i] = key + " = " + quoted(pair[1])
	}
	p.line("on = { %s }", strings.Join(pairs, ", "))
	if r.Many {
		p.line("many = true")
	}
	p.line("}")
}

// step is one step of a reference: .name, or ["any name"].
func step(name string) string {
	if hclsyntax.ValidIdentifier(name) {
		return "." + name
	}
	return "[" + quoted(name) + "]"
}
