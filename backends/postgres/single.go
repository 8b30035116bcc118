package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// A to-one relation leads to at most one record: that is what the language
// says, and what a condition that follows one means. With two records Postgres
// would take either for the related one, so something in the database has to
// keep a second one out.

// SingleRecord is a to-one relation that a condition follows.
type SingleRecord struct {
	Relation string   // such as deals.account
	Columns  []string // of the table that it leads to, in the order of the declaration
	Source   source.Span
}

// UniqueKey is a unique index. Flaw is why it does not keep every second
// record out, as the end of a sentence; "" where it does.
type UniqueKey struct {
	Name    string
	Columns []string
	Flaw    string
}

// singleRecords lists the to-one relations that the datasource's conditions
// follow, by the table that they lead to.
func singleRecords(ds *model.Datasource) map[*model.Table][]SingleRecord {
	out, seen := map[*model.Table][]SingleRecord{}, map[*model.Relation]bool{}
	follow := func(path []*model.Relation) {
		for _, r := range path {
			if seen[r] || r.Many {
				continue
			}
			seen[r] = true
			single := SingleRecord{Relation: r.From.SQLName + "." + r.Name, Source: r.Span}
			for _, pair := range r.On {
				single.Columns = append(single.Columns, pair.To.Name)
			}
			out[r.Table] = append(out[r.Table], single)
		}
	}
	read := func(c model.Condition) {
		for _, form := range []model.Cond{c.Holds, c.Fails} {
			if form == nil {
				continue
			}
			model.Walk(form, func(atom model.Cond) {
				if rows, ok := relatedRows(atom); ok {
					follow(rows.Path)
				}
				for _, operand := range model.Operands(atom) {
					model.WalkExpr(operand, func(e model.Expr) {
						if ref, ok := e.(*model.ColumnRef); ok {
							follow(ref.Path)
						}
					})
				}
			})
		}
	}
	for _, t := range ds.Tables {
		for _, target := range t.Policies {
			read(target.When)
			read(target.Check)
		}
		for _, target := range t.Guards {
			read(target.Require)
		}
		for _, r := range t.Reports {
			read(r.Where)
		}
	}
	return out
}

// keyFlaw is why a unique index i does not keep every second record out; null
// where it does. An index whose operator class or collation takes other values
// for equal than the = of a policy does would let two records through that the
// policy takes for one.
const keyFlaw sqltext.SQL = `CASE WHEN NOT i.indisvalid OR NOT i.indisready OR NOT i.indislive THEN 'is not valid'
		WHEN i.indpred IS NOT NULL THEN 'holds for some rows alone'
		WHEN i.indexprs IS NOT NULL THEN 'is over expressions'
		WHEN i.indisexclusion THEN 'keeps overlaps out, not every second row'
		WHEN NOT i.indimmediate THEN 'is deferrable: a transaction may hold two until it ends'
		WHEN EXISTS (SELECT FROM unnest(i.indclass::oid[]) AS c JOIN pg_opclass o ON o.oid = c
			WHERE o.opcnamespace <> 'pg_catalog'::regnamespace)
		OR EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) AS k(num, coll)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
			JOIN pg_collation l ON l.oid = a.attcollation
			WHERE NOT l.collisdeterministic AND k.coll <> a.attcollation) THEN 'compares otherwise than = does'
	END`

// queryKeys lists unique indexes. $1: array of table oids.
const queryKeys = `SELECT i.indrelid, x.relname,
	(SELECT json_agg(a.attname ORDER BY k.ord) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, ord)
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE k.ord <= i.indnkeyatts),
	` + string(keyFlaw) + `
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
WHERE i.indisunique AND i.indrelid = ANY ($1::oid[])`

// keyed are the oids of the tables whose unique keys count.
func (in *inspection) keyed() []string {
	var out []string
	for oid, id := range in.oids {
		if slices.ContainsFunc(in.scope.Keyed, func(n plan.TableName) bool { return n.Schema == id.Schema && n.Name == id.Name }) {
			out = append(out, oid)
		}
	}
	slices.Sort(out)
	return out
}

func (in *inspection) uniqueKey(r row) error {
	key := UniqueKey{Name: r.text(1), Flaw: r.text(3)}
	if err := fromJSON(r[2], &key.Columns); err != nil {
		return err
	}
	id := in.oids[r.text(0)]
	in.live.Keys[id] = append(in.live.Keys[id], key)
	return nil
}

// checkSingle checks that to-one relations to a table lead to one record.
func (d *differ) checkSingle(id ObjectID, scope *TableScope, have *Table) {
	for _, single := range d.live.Keyless(id, scope) {
		why, _ := d.live.single(id, have, single.Columns)
		add, err := addUnique(id, single.Columns)
		if err != nil {
			d.errs = append(d.errs, err)
			continue
		}
		d.diags.Fail(CodeKeyMissing, single.Source,
			fmt.Sprintf("the relation %s may lead to more than one record of %s in database %s", single.Relation, printed(id), d.live.Server.Database),
			why+" Conditions follow the relation to one record. Add the key, "+string(add)+", or state many = true and say anytrue or alltrue.")
	}
}

// Keyless are the to-one relations to a table of which nothing in the database
// sees to it that they lead to one record.
func (l *Live) Keyless(id ObjectID, scope *TableScope) []SingleRecord {
	var out []SingleRecord
	for _, s := range scope.Single {
		if have := l.Tables[id]; have != nil {
			if _, ok := l.single(id, have, s.Columns); !ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// single reports whether something keeps a second record with the same values
// of the columns out of a table; else why not, as sentences.
func (l *Live) single(id ObjectID, table *Table, columns []string) (why string, ok bool) {
	if table.Kind == "r" {
		for _, child := range l.Tables {
			if slices.Contains(child.Parents, id) {
				return fmt.Sprintf("%s inherits from it, and no key holds for both.", printed(child.ID)), false
			}
		}
	}
	covers := func(k UniqueKey) bool {
		return len(k.Columns) > 0 && !slices.ContainsFunc(k.Columns, func(c string) bool { return !slices.Contains(columns, c) })
	}
	why = "No unique key is on " + strings.Join(columns, ", ") + " there."
	for _, k := range l.Keys[id] {
		switch {
		case !covers(k):
		case k.Flaw == "":
			return "", true
		default:
			why = "The unique index " + printed(ObjectID{Kind: KindTable, Schema: id.Schema, Name: k.Name}) + " " + k.Flaw + "."
		}
	}
	return why, false
}
