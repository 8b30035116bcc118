package rego

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// scope is where a condition is written: it names the rows that are bound, and
// collects the helper rules that alternatives inside a conjunction need.
type scope struct {
	out  *rules // the package's rules
	base string // what names of helpers begin with
	// about is the note of the policy or guard.
	about note
	next  *int // numbers local names of one policy or guard
	rows  []bound
	err   *error
}

type bound struct {
	row  *model.Row
	name string
}

// record is the name of the decision's own row in every rule.
const record = "record"

func (s *scope) row(r *model.Row) string {
	for _, b := range s.rows {
		if b.row == r {
			return b.name
		}
	}
	return record
}

// fail remembers the first thing that has no form in Rego; Emit returns it.
func (s *scope) fail(err error) term {
	if *s.err == nil {
		*s.err = err
	}
	return boolean(false)
}

func (s *scope) fresh(prefix string) string {
	*s.next++
	return prefix + "_" + strconv.Itoa(*s.next)
}

// alternatives writes a condition as bodies of which one must be satisfied:
// none for False, an empty one for True.
func (s *scope) alternatives(c model.Cond) []body {
	switch x := c.(type) {
	case model.True:
		return []body{{}}
	case model.False:
		return nil
	case *model.And:
		all := body{}
		for _, t := range x.Terms {
			all = append(all, s.inline(t)...)
		}
		return []body{all}
	case *model.Or:
		var all []body
		for _, t := range x.Terms {
			all = append(all, s.alternatives(t)...)
		}
		return all
	case *model.Null:
		return []body{s.null(x.X, x.Not)}
	case *model.Empty:
		return s.empty(x)
	case *model.Match:
		return s.match(x)
	case *model.Some, *model.Every, *model.Count:
		return []body{s.loop(c)}
	case *model.Compare, *model.In, *model.InNetwork, *model.Known, *model.Truth, *model.ViaApp:
		return []body{{test{term: s.atom(c)}}}
	}
	return []body{{test{term: s.fail(fmt.Errorf("a condition of type %T has no form in Rego", c))}}}
}

// inline writes a condition as one body. Alternatives become a helper rule, for
// a body is a conjunction.
func (s *scope) inline(c model.Cond) body {
	alternatives := s.alternatives(c)
	switch len(alternatives) {
	case 0:
		return body{test{term: boolean(false)}}
	case 1:
		return alternatives[0]
	}
	helper := s.out.unique(s.base)
	free := s.free(c)
	for _, b := range alternatives {
		var args []term
		for _, v := range free {
			args = append(args, b.argument(v))
		}
		about := note{title: s.about.title, description: "One of the alternatives in a condition of " + s.about.title + ".", source: s.about.source}
		s.out.add(rule{note: &about, name: helper, args: args, body: satisfiable(b)})
	}
	if len(free) == 0 {
		return body{test{term: name(helper)}}
	}
	var args []term
	for _, v := range free {
		args = append(args, name(v))
	}
	return body{test{term: call{fn: helper, args: args}}}
}

// free lists the names of the rows that a condition reads from outside.
func (s *scope) free(c model.Cond) []string {
	used := rowsOf(c)
	inner := map[*model.Row]bool{}
	model.Walk(c, func(x model.Cond) {
		if from, ok := relatedRows(x); ok {
			inner[from.Each] = true
		}
	})
	names := map[string]bool{}
	for r := range used {
		if !inner[r] {
			names[s.row(r)] = true
		}
	}
	var out []string
	if names[record] {
		out = append(out, record)
	}
	for _, b := range s.rows {
		if names[b.name] {
			out = append(out, b.name)
		}
	}
	return out
}

// rowsOf is the set of rows that a condition reads.
func rowsOf(c model.Cond) map[*model.Row]bool {
	used := map[*model.Row]bool{}
	model.Walk(c, func(x model.Cond) {
		for _, o := range model.Operands(x) {
			model.WalkExpr(o, func(e model.Expr) {
				if col, ok := e.(*model.ColumnRef); ok {
					used[col.Row] = true
				}
			})
		}
		if from, ok := relatedRows(x); ok {
			used[from.Row] = true
		}
	})
	return used
}

func relatedRows(c model.Cond) (model.RelatedRows, bool) {
	switch x := c.(type) {
	case *model.Some:
		return x.From, true
	case *model.Every:
		return x.From, true
	case *model.Count:
		return x.From, true
	case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Empty, *model.In, *model.InNetwork,
		*model.Known, *model.Match, *model.Null, *model.Truth, *model.ViaApp:
	}
	return model.RelatedRows{}, false
}

// atom writes the atoms that are one term: undefined or false when an operand
// is. The opposites compare a built-in's result with false instead of using
// `not`, which would turn undefined into true.
func (s *scope) atom(c model.Cond) term {
	switch x := c.(type) {
	case *model.Compare:
		a, b := s.operand(x.X), s.operand(x.Y)
		if negative(a) {
			return infix{mirrored[x.Op], b, a}
		}
		return infix{string(x.Op), a, b}
	case *model.Truth:
		return infix{"==", s.operand(x.X), boolean(x.Want)}
	case *model.In:
		return member(s.operand(x.Elem), s.operand(x.Set), x.Not)
	case *model.InNetwork:
		return s.inNetwork(x)
	case *model.ViaApp:
		if x.Not {
			return infix{"!=", name("app"), text(x.App.Name)}
		}
		return infix{"==", name("app"), text(x.App.Name)}
	case *model.Known:
		return s.known(x)
	case model.True, model.False, *model.And, *model.Or, *model.Count, *model.Empty, *model.Every, *model.Match,
		*model.Null, *model.Some: // not one term
	}
	return s.fail(fmt.Errorf("a condition of type %T has no form in Rego", c))
}

// member is x in set. Its opposite is a function of the library, whose
// arguments are known to be defined where it uses `not`.
func member(x, set term, not bool) term {
	if not {
		return call{fn: library + "outside", args: []term{x, set}}
	}
	found := infix{"in", x, set}
	if negative(x) {
		return infix{"==", found, boolean(true)} // in parentheses, see negative
	}
	return found
}

// negative reports whether a constant begins with a minus sign: at the start of
// a line, Rego would read it as going on with the line before.
func negative(t term) bool {
	if n, whole := t.(number); whole {
		return n.Sign() < 0
	}
	d, ok := t.(decimal)
	return ok && strings.HasPrefix(string(d), "-")
}

var mirrored = map[model.CompareOp]string{
	model.Equal: "==", model.NotEqual: "!=", model.Less: ">", model.LessEqual: ">=", model.Greater: "<", model.GreaterEqual: "<=",
}

func opposite(t term, not bool) term {
	if not {
		return infix{"==", t, boolean(false)}
	}
	return t
}

// inNetwork knows that a network of IPv4-mapped addresses holds none of the
// language's; the engine would read it as one of IPv4 addresses.
func (s *scope) inNetwork(x *model.InNetwork) term {
	address := s.operand(x.X)
	if x.Net.Addr().Is4In6() {
		return member(address, set{}, x.Not)
	}
	network := text(x.Net.Masked().String())
	return opposite(call{fn: "net.cidr_contains", args: []term{network, address}}, x.Not)
}

// known looks a value up in the documents that hold only what is known.
func (s *scope) known(x *model.Known) term {
	op := "!="
	if x.Not {
		op = "=="
	}
	from, member := term(name("user")), ""
	switch r := x.X.(type) {
	case *model.AttrRef:
		member = r.Attribute.Name
		if r.Attribute.Scope == model.ScopeRequest {
			from = ref{"lib", []string{"request"}}
		}
	case *model.GroupsRef:
		member = "groups"
	case *model.LevelRef:
		member = "access_level"
	case *model.AppRef, *model.Call, *model.ColumnRef, *model.Literal, *model.MemberOf, *model.Network, *model.NowRef,
		*model.NullLiteral, *model.Related:
		return s.fail(fmt.Errorf("known of an expression of type %T has no form in Rego", x.X))
	}
	return infix{op, at(from, member), null{}}
}

// at is a member of a document, null when it is missing.
func at(document term, key string) term {
	return call{fn: "object.get", args: []term{document, text(key), null{}}}
}

// null tests a column's presence in a record that exists.
func (s *scope) null(x *model.ColumnRef, not bool) body {
	op := "=="
	if not {
		op = "!="
	}
	owner, out := s.owner(x.Row, x.Path)
	return append(out, test{term: infix{op, at(owner, x.Column.Name), null{}}})
}

// owner is the record that a path leads to, and the test that there is one.
func (s *scope) owner(row *model.Row, path []*model.Relation) (term, body) {
	if len(path) == 0 {
		return name(s.row(row)), nil
	}
	steps := make([]string, len(path))
	for i, r := range path {
		steps[i] = r.Name
	}
	owner := ref{s.row(row), steps}
	return owner, body{test{term: call{fn: "is_object", args: []term{owner}}}}
}

func (s *scope) empty(x *model.Empty) []body {
	value := s.operand(x.X)
	var blank term
	switch x.X.Column.Type.Kind {
	case model.KindString:
		blank = infix{"==", value, text("")}
		if x.Not {
			blank = infix{"!=", value, text("")}
		}
	case model.KindSet:
		size := call{fn: "count", args: []term{value}}
		blank = infix{"==", size, number{new(big.Int)}}
		if x.Not {
			blank = infix{">", size, number{new(big.Int)}}
		}
	default:
		return []body{s.null(x.X, x.Not)}
	}
	if x.Not {
		return []body{{test{term: blank}}}
	}
	return []body{s.null(x.X, false), {test{term: blank}}}
}

func (s *scope) match(x *model.Match) []body {
	value, pattern := s.operand(x.X), s.operand(x.Y)
	fn := map[model.MatchOp]string{
		model.MatchContains: "contains", model.MatchStarts: "startswith", model.MatchEnds: "endswith",
	}[x.Op]
	if x.Op != model.MatchUnder {
		return []body{{test{term: opposite(call{fn: fn, args: []term{value, pattern}}, x.Not)}}}
	}
	prefix := call{fn: "concat", args: []term{text(""), list{pattern, text(x.Delimiter)}}}
	below := call{fn: "startswith", args: []term{value, prefix}}
	if x.Not {
		return []body{{test{term: infix{"!=", value, pattern}}, test{term: opposite(below, true)}}}
	}
	return []body{{test{term: infix{"==", value, pattern}}}, {test{term: below}}}
}

// loop writes conditions over related records; all of them must be given.
func (s *scope) loop(c model.Cond) body {
	from, _ := relatedRows(c)
	path := make([]string, 0, len(from.Path)+1)
	for _, r := range from.Path {
		path = append(path, r.Name)
	}
	rows := call{fn: library + "rows", args: []term{ref{s.row(from.Row), append(path, from.Relation.Name)}}}
	switch x := c.(type) {
	case *model.Some:
		each, inner := s.bind(from, x.Where)
		return append(body{some{each: each, of: rows}}, inner...)
	case *model.Every:
		if _, always := x.Where.(model.True); always {
			return body{test{term: call{fn: "is_array", args: []term{rows}}}}
		}
		each, inner := s.bind(from, x.Where)
		return body{every{each: each, of: rows, body: inner}}
	case *model.Count:
		return s.count(x, rows)
	case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Empty, *model.In, *model.InNetwork,
		*model.Known, *model.Match, *model.Null, *model.Truth, *model.ViaApp:
	}
	return body{test{term: s.fail(fmt.Errorf("a loop of type %T has no form in Rego", c))}}
}

// bind writes a loop's condition and names its row, "_" when it is not read.
func (s *scope) bind(from model.RelatedRows, where model.Cond) (string, body) {
	each := "_"
	if rowsOf(where)[from.Each] {
		each = s.fresh("row")
	}
	inner := *s
	inner.rows = append(append([]bound{}, s.rows...), bound{from.Each, each})
	return each, satisfiable(inner.inline(where))
}

// satisfiable is the body, or, for an empty one, a statement that always holds.
func satisfiable(b body) body {
	if len(b) == 0 {
		return body{test{term: boolean(true)}}
	}
	return b
}

func (s *scope) count(x *model.Count, rows term) body {
	all := s.fresh("rows")
	yes, no := s.counted(x.From, x.Holds, name(all)), s.counted(x.From, x.Fails, name(all))
	holds, fails := s.fresh("holds"), s.fresh("fails")
	return body{
		let{name: all, value: rows},
		let{name: holds, value: yes},
		let{name: fails, value: no},
		test{term: infix{"==", infix{"+", name(holds), name(fails)}, call{fn: "count", args: []term{name(all)}}}},
		test{term: infix{string(x.Op), name(holds), s.operand(x.N)}},
	}
}

func (s *scope) counted(from model.RelatedRows, c model.Cond, rows term) term {
	each, inner := s.bind(from, c)
	return count{each: each, of: rows, body: inner}
}
