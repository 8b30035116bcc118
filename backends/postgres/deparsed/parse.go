package deparsed

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// Parse reads an expression.
func Parse(text string) (Expr, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens, closing: closings(tokens)}
	x := p.top()
	if p.err == nil && p.peek().kind != tokenEnd {
		p.fail()
	}
	if p.err != nil {
		return nil, p.err
	}
	return x, nil
}

// deepest bounds how deep expressions may nest.
const deepest = 200

type parser struct {
	text   string
	tokens []token
	// closing is where the parenthesis that each opening one belongs to closes.
	closing map[int]int
	next    int
	depth   int
	err     error
}

func (p *parser) peek() token { return p.tokens[p.next] }

func (p *parser) fail() {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %q", ErrSyntax, excerpt(p.text[p.peek().at:]))
	}
	p.next = len(p.tokens) - 1
}

// is reports whether the next token is a sign or a word, and takes it.
func (p *parser) is(text string) bool {
	if t := p.peek(); (t.kind == tokenSign || t.kind == tokenWord) && t.text == text {
		p.next++
		return true
	}
	return false
}

func (p *parser) expect(texts ...string) {
	for _, t := range texts {
		if !p.is(t) {
			p.fail()
			return
		}
	}
}

// top is a whole expression: SQL's own words may stand bare there.
func (p *parser) top() Expr { return p.operand() }

// operand is a primary and the casts behind it.
func (p *parser) operand() Expr {
	if p.depth++; p.depth > deepest {
		p.fail()
		return nil
	}
	x := p.primary()
	for p.err == nil && p.is("::") {
		x = Cast{X: x, Type: p.typeName()}
	}
	p.depth--
	return x
}

func (p *parser) primary() Expr {
	t := p.peek()
	switch t.kind {
	case tokenText:
		p.next++
		return Literal{Kind: Text, Text: t.text}
	case tokenNumber:
		p.next++
		return Literal{Kind: Number, Text: t.text}
	case tokenName:
		return p.named()
	case tokenWord:
		return p.word(t.text)
	case tokenSign:
		if p.is("(") {
			return p.parenthesis()
		}
	case tokenEnd, tokenOp:
	}
	p.fail()
	return nil
}

// bareWords are functions that SQL writes without parentheses.
var bareWords = map[string]bool{
	"CURRENT_USER": true, "SESSION_USER": true, "CURRENT_ROLE": true, "USER": true, "CURRENT_DATE": true, "CURRENT_TIMESTAMP": true,
}

func (p *parser) word(w string) Expr {
	switch w {
	case "true", "false", "NULL":
		p.next++
		return Literal{Kind: map[string]LiteralKind{"true": True, "false": False, "NULL": Null}[w]}
	case "ARRAY":
		p.next++
		p.expect("[")
		return Array{Elems: p.list("]")}
	case "CASE":
		p.next++
		return p.caseOf()
	case "COALESCE":
		p.next++
		p.expect("(")
		return Call{Word: w, Args: p.list(")")}
	}
	if bareWords[w] {
		p.next++
		return Call{Word: w}
	}
	return p.named()
}

// name is a name of an object; unquoted ones are in small letters, for all
// others ruleutils quotes.
func (p *parser) name() string {
	t := p.peek()
	if t.kind == tokenName || t.kind == tokenWord && t.text == strings.ToLower(t.text) {
		p.next++
		return t.text
	}
	p.fail()
	return ""
}

// named is a column or a call.
func (p *parser) named() Expr {
	first := p.name()
	second, qualified := "", p.is(".")
	if qualified {
		second = p.name()
	}
	if p.err != nil {
		return nil
	}
	if p.is("(") {
		c := Call{Name: first, Args: p.list(")")}
		if qualified {
			c.Schema, c.Name = first, second
		}
		return c
	}
	if qualified {
		return Column{Table: first, Name: second}
	}
	return Column{Name: first}
}

// list is operands up to a closing sign.
func (p *parser) list(end string) []Expr {
	var out []Expr
	if p.is(end) {
		return out
	}
	for p.err == nil {
		out = append(out, p.operand())
		if p.is(end) {
			break
		}
		p.expect(",")
	}
	return out
}

func (p *parser) caseOf() Expr {
	var c Case
	for p.err == nil && p.is("WHEN") {
		when := p.operand()
		p.expect("THEN")
		c.Arms = append(c.Arms, Arm{When: when, Then: p.operand()})
	}
	if p.is("ELSE") {
		c.Else = p.operand()
	}
	p.expect("END")
	if len(c.Arms) == 0 {
		p.fail()
	}
	return c
}

// closings pairs parentheses; those without a partner are left out.
func closings(tokens []token) map[int]int {
	out := map[int]int{}
	var open []int
	for i, t := range tokens {
		switch {
		case t.kind != tokenSign:
		case t.text == "(":
			open = append(open, i)
		case t.text == ")" && len(open) > 0:
			out[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return out
}

// parenthesis is what stands in parentheses, after the opening one. Whatever it
// is, it is one operand of what stands around it, so that what is not of the
// part that is read leaves the rest readable.
func (p *parser) parenthesis() Expr {
	open, depth := p.next-1, p.depth
	x := p.parenthesised()
	end, closed := p.closing[open]
	if p.err == nil || !closed {
		return x
	}
	p.err, p.next, p.depth = nil, end+1, depth
	return Unread{Text: excerpt(p.text[p.tokens[open].at : p.tokens[end].at+1])}
}

func (p *parser) parenthesised() Expr {
	switch {
	case p.is("SELECT"):
		return p.subquery()
	case p.is("NOT"):
		x := Not{X: p.operand()}
		p.expect(")")
		return x
	case p.peek().kind == tokenOp:
		op := p.operator()
		x := Op{Op: op, R: p.operand()}
		p.expect(")")
		return x
	}
	x := p.inside(p.operand())
	p.expect(")")
	return x
}

// inside is what follows an operand in parentheses.
func (p *parser) inside(x Expr) Expr {
	switch t := p.peek(); {
	case p.err != nil:
		return nil
	case t.kind == tokenSign && t.text == ")":
		return x
	case t.kind == tokenOp:
		return p.binary(x)
	case p.is("AND"):
		return And{Terms: p.chain(x, "AND")}
	case p.is("OR"):
		return Or{Terms: p.chain(x, "OR")}
	case p.is("IS"):
		return p.test(x)
	case p.is("COLLATE"):
		c := Collate{X: x, Name: p.name()}
		if p.is(".") {
			c.Schema, c.Name = c.Name, p.name()
		}
		return c
	case p.is("AT"):
		p.expect("TIME", "ZONE")
		return AtZone{X: x, Zone: p.operand()}
	case p.is("IN"):
		p.expect("(", "SELECT")
		in, _ := p.subquery().(Unnested)
		if in.X != (Column{Table: "x", Name: "x"}) {
			p.fail()
		}
		return InUnnested{L: x, Array: in.Array}
	}
	p.fail()
	return nil
}

// chain is the terms of AND or OR, of which one has been read.
func (p *parser) chain(first Expr, word string) []Expr {
	out := []Expr{first, p.operand()}
	for p.err == nil && p.is(word) {
		out = append(out, p.operand())
	}
	return out
}

func (p *parser) operator() string {
	t := p.peek()
	p.next++
	return t.text
}

func (p *parser) binary(l Expr) Expr {
	op := p.operator()
	all := p.is("ALL")
	if all || p.is("ANY") {
		p.expect("(")
		// A bare subquery would mean its rows.
		if bare := p.peek(); bare.kind == tokenWord && bare.text == "SELECT" {
			p.fail()
		}
		r := p.operand()
		p.expect(")")
		return Quantified{L: l, Op: op, All: all, R: r}
	}
	return Op{Op: op, L: l, R: p.operand()}
}

func (p *parser) test(x Expr) Expr {
	not := p.is("NOT")
	for _, what := range []Test{IsNull, IsTrue, IsFalse, IsUnknown} {
		if p.is(string(what)) {
			return Is{X: x, What: what, Not: not}
		}
	}
	if not {
		p.fail()
		return nil
	}
	p.expect("DISTINCT", "FROM")
	return Distinct{L: x, R: p.operand()}
}

// subquery is a subquery up to its closing parenthesis, after SELECT: of one
// value without FROM, or over the elements of an array.
func (p *parser) subquery() Expr {
	x := p.operand()
	if p.is("AS") {
		p.name()
	}
	if p.is(")") {
		return Select{X: x}
	}
	p.expect("FROM", "unnest", "(")
	array := p.operand()
	p.expect(")", "x", "(", "x", ")", ")")
	return Unnested{X: x, Array: array}
}

// typeWords are the words that follow the first word of a type's name.
var typeWords = map[string][]string{
	"character": {"varying"}, "double": {"precision"}, "bit": {"varying"},
	"timestamp": {"with", "without", "time", "zone"}, "time": {"with", "without", "time", "zone"},
}

// typeName is a type as format_type prints it.
func (p *parser) typeName() sqltext.TypeName {
	start, end := p.peek().at, 0
	text := func() string { return strings.TrimSpace(p.text[start:end]) }
	take := func() {
		if p.peek().kind == tokenEnd {
			p.fail()
			return
		}
		p.next++
		end = p.peek().at
	}
	first := p.peek()
	p.name()
	end = p.peek().at
	if p.err == nil && p.peek().text == "." {
		take()
		p.name()
		end = p.peek().at
	}
	words := func() {
		for p.err == nil && first.kind == tokenWord && p.peek().kind == tokenWord && contains(typeWords[first.text], p.peek().text) {
			take()
		}
	}
	words()
	if p.err == nil && p.peek().kind == tokenSign && p.peek().text == "(" {
		for p.err == nil && p.peek().kind != tokenEnd && p.peek().text != ")" {
			take()
		}
		take()
		words()
	}
	if p.err == nil && p.peek().text == "[" {
		take()
		if p.peek().text != "]" {
			p.fail()
		}
		take()
	}
	if p.err != nil {
		return sqltext.TypeName{}
	}
	t, err := sqltext.ParseType(text())
	if err != nil {
		p.fail()
	}
	return t
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
