package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"math/big"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/readback"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// A condition over related records reads all of them, whatever the user may
// see of their table: a subquery in a policy would run with the user's rights
// under that table's own policies. So each becomes a function that runs as the
// owner of the generated schema, to whom every related table shows all its
// records. Where the condition says nothing more of the record itself than the
// column that joins, the function gives the set of keys, once a query; else it
// is called with columns of each record.

// relatedSet is what conditions over related records need beside the policy.
type relatedSet struct {
	functions map[ObjectID]*Function
	reads     map[ObjectID]struct{} // the columns that the functions read
	meanings  meanings
}

func newRelatedSet() *relatedSet {
	return &relatedSet{functions: map[ObjectID]*Function{}, reads: map[ObjectID]struct{}{}, meanings: meanings{}}
}

// bodyScope is the inside of a function over related records.
type bodyScope struct {
	aliases map[*model.Row]string // of the related records in reach
	next    int
	args    []*model.Column // of the record itself: the parameters $1, $2, …
	inline  bool            // it is no function: the record itself is in reach
}

// relatedRows is the loop of a Some, Every or Count.
func relatedRows(c model.Cond) (model.RelatedRows, bool) {
	switch x := c.(type) {
	case *model.Some:
		return x.From, true
	case *model.Every:
		return x.From, true
	case *model.Count:
		return x.From, true
	case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known,
		*model.Match, *model.In, *model.InNetwork, *model.ViaApp:
	}
	return model.RelatedRows{}, false
}

// followsRelation reports whether a condition speaks of other records.
func followsRelation(c model.Cond) bool {
	found := false
	model.Walk(c, func(atom model.Cond) {
		_, loop := relatedRows(atom)
		_, _, hop := firstHop(atom)
		found = found || loop || hop
	})
	return found
}

// column is a column of a row, seen from where it stands.
func (r *renderer) column(c *model.ColumnRef) sqltext.Expr {
	if r.body == nil {
		return sqltext.Column{Name: c.Column.Name}
	}
	return r.innerColumn(c)
}

// innerColumn is a column as it is written inside a further subquery.
func (r *renderer) innerColumn(c *model.ColumnRef) sqltext.Expr {
	if r.body == nil {
		return sqltext.Column{Outer: r.table.SQLName, Name: c.Column.Name}
	}
	if alias, bound := r.body.aliases[c.Row]; bound {
		if t := c.Row.Table; !r.body.inline {
			r.related.reads[ColumnID(TableID(t.Schema, t.SQLName), c.Column.Name)] = struct{}{}
		}
		return sqltext.Column{Outer: alias, Name: c.Column.Name}
	}
	if r.body.inline {
		return sqltext.Column{Outer: r.table.SQLName, Name: c.Column.Name}
	}
	n := slices.Index(r.body.args, c.Column)
	if n < 0 {
		n = len(r.body.args)
		r.body.args = append(r.body.args, c.Column)
	}
	return sqltext.Param{N: n + 1}
}

// bind gives a related record an alias for as long as f runs.
func (r *renderer) bind(each *model.Row, f func(from sqltext.FromTable)) {
	r.body.next++
	alias := "r" + string(sqltext.Int(r.body.next))
	if r.body.inline && alias == r.table.SQLName { // it would hide the record itself
		alias = "related"
	}
	r.body.aliases[each] = alias
	if r.body.inline {
		f(r.inline.from(each.Table, alias))
	} else {
		f(sqltext.FromTable{Schema: each.Table.Schema, Name: each.Table.SQLName, Alias: alias})
	}
	delete(r.body.aliases, each)
}

func (r *renderer) columnOf(row *model.Row, c *model.Column) operand {
	return r.columnRef(&model.ColumnRef{Node: model.Node{Type: c.Type}, Row: row, Column: c})
}

// joined holds for the records that a relation leads to from a row: none, when
// a column that joins is null or not a value of its type.
func (r *renderer) joined(from model.RelatedRows) []sqltext.Expr {
	var out []sqltext.Expr
	for _, pair := range from.Relation.On {
		out = append(out, r.compare(model.Equal, r.columnOf(from.Each, pair.To), r.columnOf(from.Row, pair.From)))
	}
	return out
}

// overRelated renders a loop over related records.
func (r *renderer) overRelated(c model.Cond) sqltext.Expr {
	switch {
	case r.body != nil:
		return r.subquery(c)
	case correlated(c) && r.inline != nil:
		var x sqltext.Expr
		r.within(func() { x = r.subquery(c) })
		return x
	case correlated(c):
		return r.asked(c)
	default:
		return r.keyed(c)
	}
}

// subquery is a loop inside a function's body.
func (r *renderer) subquery(c model.Cond) sqltext.Expr {
	rows, _ := relatedRows(c)
	var out sqltext.Expr
	r.bind(rows.Each, func(from sqltext.FromTable) {
		over := func(x sqltext.Expr, where sqltext.Expr) sqltext.Query {
			return sqltext.Query{X: x, From: []sqltext.FromTable{from}, Where: allOf(append(r.joined(rows), where)...)}
		}
		one := sqltext.IntConst{Value: 1}
		switch x := c.(type) {
		case *model.Some:
			out = sqltext.Exists{Query: over(one, r.cond(x.Where))}
		case *model.Every:
			out = sqltext.Exists{Not: true, Query: over(one, sqltext.IsNotTrue{X: r.cond(x.Where)})}
		case *model.Count:
			// The conditions stand in WHERE: in an aggregate, one that speaks of
			// outer records alone would make it the outer query's aggregate.
			undecided := over(one, sqltext.IsNotTrue{X: anyOf(r.cond(x.Holds), r.cond(x.Fails))})
			number := over(sqltext.CountRows{}, r.cond(x.Holds))
			out = allOf(r.numbered(x, number), sqltext.Exists{Not: true, Query: undecided})
		case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known,
			*model.Match, *model.In, *model.InNetwork, *model.ViaApp:
		}
	})
	return out
}

// numbered compares a number of records as a Count does.
func (r *renderer) numbered(c *model.Count, number sqltext.Expr) sqltext.Expr {
	x := operand{x: number, typ: sqlType{family: famInt, name: tBigint}, column: true}
	return r.compare(c.Op, x, r.operand(c.N))
}

// inBody renders a function's body and returns the scope that it was made in.
func (r *renderer) inBody(f func(child *renderer) sqltext.Expr) (sqltext.Expr, *bodyScope) {
	child := &renderer{
		runtime: r.runtime, entry: r.entry, table: r.table, now: r.now, used: map[ObjectID]struct{}{}, related: r.related,
		body: &bodyScope{aliases: map[*model.Row]string{}},
	}
	x := f(child)
	r.fail(errors.Join(child.errs...))
	return x, child.body
}

// asked is a loop as a function of columns of the record.
func (r *renderer) asked(c model.Cond) sqltext.Expr {
	x, scope := r.inBody(func(child *renderer) sqltext.Expr { return child.subquery(c) })
	rows, _ := relatedRows(c)
	call := sqltext.Func{Schema: RuntimeSchema, Name: r.define(rows.Relation, scope.args, tBool, x)}
	r.related.meanings.add(call.Name, readback.Function{Cond: c, Args: scope.args})
	for _, a := range scope.args {
		call.Args = append(call.Args, sqltext.Column{Name: a.Name})
	}
	return call
}

// keyQuery is the set of keys of a loop: of those records that satisfy it, or,
// when a record without related ones does (without), of those that do not.
func (r *renderer) keyQuery(c model.Cond) (q sqltext.Query, key operand, without bool) {
	rows, _ := relatedRows(c)
	r.bind(rows.Each, func(from sqltext.FromTable) {
		key = r.columnOf(rows.Each, rows.Relation.On[0].To)
		q = sqltext.Query{X: key.x, From: []sqltext.FromTable{from}}
		where := []sqltext.Expr{sqltext.IsNull{X: key.x, Not: true}}
		switch x := c.(type) {
		case *model.Some:
			q.Distinct, where = true, append(where, r.cond(x.Where))
		case *model.Every:
			without = true
			where = append(where, sqltext.IsNotTrue{X: r.cond(x.Where)}) // hashed: twice is as good as once
		case *model.Count:
			q.GroupBy = key.x
			q.Having, without = r.having(x)
		case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known,
			*model.Match, *model.In, *model.InNetwork, *model.ViaApp:
		}
		q.Where = allOf(where...)
	})
	return q, key, without
}

// keyed is a loop as a set of keys. An index answers one form of it; without an
// index the other is far faster.
func (r *renderer) keyed(c model.Cond) sqltext.Expr {
	k := r.keys(c)
	indexed := r.hasIndex(r.indexKey(k.from, ""))
	// Inside a subquery the planner cannot compute a call to guess its length: it
	// would give up hashing a long one, and search it anew for each record.
	array, among := k.array, sqltext.Expr(sqltext.InQuery{L: k.own, Query: k.query})
	if call, ok := k.array.(sqltext.Func); ok {
		array = sqltext.Select{X: call, Alias: call.Name}
		among = sqltext.InUnnested{L: k.own, Array: array}
	}
	switch {
	case k.without:
		return anyOf(sqltext.IsNull{X: k.own}, sqltext.Not{X: among})
	case indexed:
		return sqltext.Quantified{L: k.own, Op: "=", Array: array, Type: k.typ}
	default:
		return among
	}
}

// keySet is the keys of a loop: of those records that satisfy it, or, when a
// record without related ones does, of those that do not.
type keySet struct {
	array   sqltext.Expr     // gives the keys: a call, or the query
	query   sqltext.Query    // where there are no functions
	typ     sqltext.TypeName // of the array
	own     sqltext.Expr     // the record's key
	from    *model.Column
	without bool
}

func (r *renderer) keys(c model.Cond) keySet {
	rows, _ := relatedRows(c)
	pair := rows.Relation.On[0]
	k := keySet{from: pair.From, own: r.columnOf(rows.Row, pair.From).x}
	var key operand
	if r.inline != nil {
		r.within(func() { k.query, key, k.without = r.keyQuery(c) })
		k.array = sqltext.ArrayFrom{Query: k.query}
		k.typ = sqltext.ArrayOf(key.typ.name)
		return k
	}
	x, _ := r.inBody(func(child *renderer) sqltext.Expr {
		var q sqltext.Query
		q, key, k.without = child.keyQuery(c)
		return sqltext.ArrayFrom{Query: q}
	})
	k.typ = sqltext.ArrayOf(key.typ.name)
	call := sqltext.Func{Schema: RuntimeSchema, Name: r.define(rows.Relation, nil, k.typ, x)}
	r.related.meanings.add(call.Name, readback.Function{Cond: c, Key: pair.From, Without: k.without})
	k.array = call
	return k
}

// having is a Count on the records of one key; without says that keys without
// records satisfy it, and that the result holds for the others.
func (r *renderer) having(c *model.Count) (x sqltext.Expr, without bool) {
	holds := r.cond(c.Holds)
	decided := sqltext.CountRows{Where: anyOf(holds, r.cond(c.Fails))}
	x = allOf(r.numbered(c, sqltext.CountRows{Where: holds}), sqltext.Op{L: decided, Op: "=", R: sqltext.CountRows{}})
	if without = countOfNone(c); without {
		x = sqltext.Not{X: x}
	}
	return x, without
}

// countOfNone reports whether the number 0 satisfies a Count with a constant.
func countOfNone(c *model.Count) bool {
	n, _ := c.N.(*model.Literal).Value.(*big.Rat)
	return c.Op.Holds(-n.Sign())
}

// correlated reports whether a loop on the record has to be asked for each
// record: because it speaks of more of the record than one column that joins,
// or because keys of that column's type do not make a plain set.
func correlated(c model.Cond) bool {
	rows, _ := relatedRows(c)
	if len(rows.Path) > 0 || len(rows.Relation.On) != 1 || !plainKeys(rows.Relation.On[0]) {
		return true
	}
	if count, ok := c.(*model.Count); ok {
		lit, isLit := count.N.(*model.Literal)
		if !isLit {
			return true
		}
		if _, isNumber := lit.Value.(*big.Rat); !isNumber {
			return true
		}
	}
	bound := map[*model.Row]bool{}
	found := false
	model.Walk(c, func(atom model.Cond) {
		if inner, ok := relatedRows(atom); ok {
			found = found || len(bound) > 0 && !bound[inner.Row]
			bound[inner.Each] = true
		}
		for _, o := range model.Operands(atom) {
			model.WalkExpr(o, func(e model.Expr) {
				if ref, ok := e.(*model.ColumnRef); ok && !bound[ref.Row] {
					found = true
				}
			})
		}
	})
	return found
}

// plainKeys reports whether two columns are equal exactly when Postgres says
// so of their values, without a further test.
func plainKeys(pair model.JoinPair) bool {
	from, err := columnType(pair.From)
	to, err2 := columnType(pair.To)
	if err != nil || err2 != nil || from.family != to.family || from.labels != nil || to.labels != nil {
		return false
	}
	return from.family == famInt || from.family == famText || from.family == famUUID
}

// define adds a function and returns its name. The name holds a hash of all
// that it does: a changed condition is a new function, which the policies
// change over to.
func (r *renderer) define(rel *model.Relation, args []*model.Column, returns sqltext.TypeName, x sqltext.Expr) string {
	arguments := ""
	for i, a := range args {
		t, err := columnType(a)
		r.fail(err)
		t.name.Args = nil // parameters have no length
		if i > 0 {
			arguments += ", "
		}
		arguments += string(t.name.SQL())
	}
	text, err := sqltext.Print(x)
	r.fail(err)
	body := "\nBEGIN\n    RETURN " + string(text) + ";\nEND\n"
	sum := sha256.Sum256([]byte(arguments + "\x00" + string(returns.SQL()) + "\x00" + body))
	name := shortName("related_" + rel.From.Name + "_" + rel.Name + "_" + hex.EncodeToString(sum[:8]))
	id := FunctionID(RuntimeSchema, name, arguments)
	r.related.functions[id] = &Function{
		ID: id, Arguments: arguments, Returns: string(returns.SQL()), Language: "plpgsql", Body: body, SecurityDefiner: true,
		Volatility: "STABLE", Parallel: "RESTRICTED", Config: []string{"search_path=pg_catalog, pg_temp"},
	}
	r.used[id] = struct{}{}
	return name
}

// relatedPolicy is the policy that shows a related table to the functions.
const relatedPolicy = "postern_related"

// addRelated adds functions, and what lets them read all related records.
func (d *desired) addRelated(set *relatedSet) {
	maps.Copy(d.state.meanings, set.meanings)
	for id, f := range set.functions {
		f.Owner = d.owner
		d.state.Functions[id] = f
	}
	for column := range set.reads {
		d.readRelated(column)
	}
}

// readRelated lets the owner of the schema postern read a column of all
// records.
func (d *desired) readRelated(column ObjectID) {
	table := column.Table()
	id := PolicyID(table, relatedPolicy)
	if d.state.Policies[id] == nil {
		d.state.Policies[id] = &Policy{
			ID: id, Command: CommandSelect, Permissive: true, To: []Grantee{ToRole(d.owner)}, Using: "true",
		}
	}
	d.grant(SchemaID(table.Schema), d.owner, PrivilegeUsage)
	d.grant(column, d.owner, PrivilegeSelect)
}
