package rego

import (
	"bytes"
	"math/big"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// printer writes a tree in the layout of `opa fmt`.
type printer struct {
	bytes.Buffer
	depth int
}

// printFile is the text of a file.
func printFile(f *file) []byte {
	p := &printer{}
	p.note(f.note)
	p.WriteString("package ")
	p.path(f.pkg)
	p.WriteString("\n")
	for i, im := range f.imports {
		if i == 0 {
			p.WriteString("\n")
		}
		p.WriteString("import data.")
		p.path(im.path)
		if im.alias != "" {
			p.WriteString(" as " + im.alias)
		}
		p.WriteString("\n")
	}
	for i := range f.rules {
		p.WriteString("\n")
		p.rule(&f.rules[i])
	}
	if f.text != "" {
		p.WriteString("\n")
		p.WriteString(f.text)
	}
	return p.Bytes()
}

// note writes the metadata comment; its values are YAML in double quotes.
func (p *printer) note(n *note) {
	if n == nil {
		return
	}
	p.WriteString("# METADATA\n")
	if n.scope != "" {
		p.WriteString("# scope: " + n.scope + "\n")
	}
	p.WriteString("# title: ")
	p.quote(n.title)
	if n.description != "" {
		p.WriteString("\n# description: ")
		p.quote(n.description)
	}
	if len(n.schemas) > 0 {
		p.WriteString("\n# schemas:")
	}
	for _, s := range n.schemas {
		p.WriteString("\n#   - ")
		p.quote(refText(s.document))
		p.WriteString(": ")
		p.quote(refText(ref{"schema", s.schema}))
	}
	if n.entry {
		p.WriteString("\n# entrypoint: true")
	}
	if n.unknown != nil {
		p.WriteString("\n# compile:\n#   unknowns:\n#     - ")
		p.quote(refText(*n.unknown))
	}
	if n.source != "" {
		p.WriteString("\n# custom:\n#   source: ")
		p.quote(n.source)
	}
	p.WriteString("\n")
}

func refText(r ref) string {
	p := &printer{}
	p.term(r)
	return p.String()
}

func (p *printer) rule(r *rule) {
	p.note(r.note)
	p.WriteString(r.name)
	if r.key != "" {
		p.WriteByte('[')
		p.quote(r.key)
		p.WriteByte(']')
	}
	p.rest(r.keys)
	if r.args != nil {
		p.WriteByte('(')
		p.terms(r.args)
		p.WriteByte(')')
	}
	if r.value != nil || r.body == nil {
		p.WriteString(" := ")
		value := r.value
		if value == nil {
			value = boolean(true)
		}
		p.term(value)
	}
	if r.body != nil {
		p.WriteString(" if ")
		p.block(r.body)
	}
	p.WriteString("\n")
}

func (p *printer) block(b body) {
	p.WriteString("{")
	p.depth++
	for _, s := range b {
		p.line()
		p.statement(s)
	}
	p.depth--
	p.line()
	p.WriteString("}")
}

func (p *printer) line() {
	p.WriteByte('\n')
	for range p.depth {
		p.WriteByte('\t')
	}
}

func (p *printer) statement(s statement) {
	switch x := s.(type) {
	case test:
		if x.not {
			p.WriteString("not ")
		}
		p.term(leading(x.term))
		if x.input != nil {
			p.WriteString(" with input as ")
			p.term(x.input)
		}
		if x.runtime != nil {
			p.WriteString(" with opa.runtime as ")
			p.term(x.runtime)
		}
	case let:
		p.WriteString(x.name + " := ")
		p.term(x.value)
	case some:
		p.WriteString("some " + x.each + " in ")
		p.term(x.of)
	case every:
		p.WriteString("every " + x.each + " in ")
		p.term(x.of)
		p.WriteString(" ")
		p.block(x.body)
	}
}

// leading is a term as it may begin a line: see negative. Only whole numbers
// are calculated with.
func leading(t term) term {
	if n, whole := t.(number); whole && n.Sign() < 0 {
		return infix{"-", number{new(big.Int)}, number{new(big.Int).Neg(n.Int)}}
	}
	if x, ok := t.(infix); ok {
		return infix{x.op, leading(x.x), x.y}
	}
	return t
}

func (p *printer) term(t term) {
	switch x := t.(type) {
	case name:
		p.WriteString(string(x))
	case ref:
		p.WriteString(x.base)
		p.rest(x.path)
	case call:
		p.WriteString(x.fn + "(")
		p.terms(x.args)
		p.WriteByte(')')
	case text:
		p.quote(string(x))
	case number:
		p.WriteString(x.String())
	case decimal:
		p.WriteString(string(x))
	case boolean:
		p.WriteString(strconv.FormatBool(bool(x)))
	case null:
		p.WriteString("null")
	case list:
		p.WriteByte('[')
		p.terms(x)
		p.WriteByte(']')
	case set:
		p.set(x)
	case object:
		p.object(x)
	case infix:
		p.operand(x.op, x.x)
		p.WriteString(" " + x.op + " ")
		p.operand(x.op, x.y)
	case count:
		p.count(x)
	}
}

func (p *printer) terms(list []term) {
	for i, t := range list {
		if i > 0 {
			p.WriteString(", ")
		}
		p.term(t)
	}
}

// operand puts an infix operand in parentheses, except arithmetic that is
// compared.
func (p *printer) operand(op string, t term) {
	inner, nested := t.(infix)
	if !nested || comparing(op) && !comparing(inner.op) {
		p.term(t)
		return
	}
	p.WriteByte('(')
	p.term(t)
	p.WriteByte(')')
}

func comparing(op string) bool {
	switch op {
	case "+", "-", "*", "%", "&":
		return false
	}
	return true
}

func (p *printer) set(elems set) {
	if len(elems) == 0 {
		p.WriteString("set()") // {} is an empty object
		return
	}
	p.WriteByte('{')
	p.terms(elems)
	p.WriteByte('}')
}

func (p *printer) object(members object) {
	p.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			p.WriteString(", ")
		}
		p.quote(m.key)
		p.WriteString(": ")
		p.term(m.value)
	}
	p.WriteByte('}')
}

// count is written as the length of a list, for a set would drop repeats.
func (p *printer) count(c count) {
	p.WriteString("count([1 |")
	p.depth++
	p.line()
	p.statement(some{each: c.each, of: c.of})
	for _, s := range c.body {
		p.line()
		p.statement(s)
	}
	p.depth--
	p.line()
	p.WriteString("])")
}

// path writes a dotted path without its root.
func (p *printer) path(path []string) {
	p.WriteString(path[0])
	p.rest(path[1:])
}

func (p *printer) rest(path []string) {
	for _, s := range path {
		if plainName(s) {
			p.WriteString("." + s)
			continue
		}
		p.WriteByte('[')
		p.quote(s)
		p.WriteByte(']')
	}
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// plainName reports whether a name may follow a dot: it is an identifier and
// no word of Rego's grammar.
func plainName(s string) bool {
	switch s {
	case "as", "contains", "data", "default", "else", "every", "false", "if", "import", "in", "input",
		"not", "null", "package", "some", "true", "with":
		return false
	}
	return identifier.MatchString(s)
}

// quote writes a string in the form that both JSON (so Rego) and YAML read in
// double quotes: what is not printable is written as \u escapes. It is the one
// place where text becomes Rego. Bytes that are not UTF-8 become U+FFFD, since
// neither form can carry them.
func (p *printer) quote(s string) {
	p.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			p.WriteByte('\\')
			p.WriteRune(r)
		case r == '\n':
			p.WriteString(`\n`)
		case r == '\r':
			p.WriteString(`\r`)
		case r == '\t':
			p.WriteString(`\t`)
		case r <= 0xffff && !unicode.IsPrint(r):
			p.escape(r)
		case r == utf8.RuneError:
			p.escape(r)
		default:
			p.WriteRune(r)
		}
	}
	p.WriteByte('"')
}

func (p *printer) escape(r rune) {
	const digits = "0123456789abcdef"
	p.WriteString(`\u`)
	for shift := 12; shift >= 0; shift -= 4 {
		p.WriteByte(digits[r>>shift&15])
	}
}
