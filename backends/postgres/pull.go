package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/compiler/model"
)

// PulledTable is a table of a live database as a table block would state it.
type PulledTable struct {
	Schema, Name string
	Description  string // the table's comment
	Columns      []PulledColumn
	PrimaryKey   []string
	Relations    []PulledRelation
	// Notes say what was left out, and why: a line each.
	Notes []string
}

// PulledColumn is a column that a table block can state.
type PulledColumn struct {
	Name   string
	Type   model.Type
	Native string // the database's type where it is not the usual one of Type
	Null   bool
}

// PulledRelation is what a foreign key says, seen from either side.
type PulledRelation struct {
	Name          string
	Schema, Table string      // where it leads
	On            [][2]string // this table's column, that table's column
	Many          bool
}

// The tables of some schemas. Parameter $1: JSON schema names; partitions are
// reached through their parents, extensions' tables are none of the project's.
const (
	queryPullTables = `SELECT c.oid, n.nspname, c.relname, obj_description(c.oid, 'pg_class'), c.relispartition
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname::text IN (SELECT json_array_elements_text($1::json))
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname`

	queryPullColumns = `SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
	(SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e
		WHERE e.enumtypid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END),
	coalesce(l.collname, ''), NOT coalesce(l.collisdeterministic, true)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum`

	queryPullKeys = `SELECT k.contype, k.conrelid, k.confrelid, k.conname,
	(SELECT json_agg(a.attname ORDER BY u.ord) FROM unnest(k.conkey) WITH ORDINALITY AS u(num, ord)
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
	(SELECT json_agg(a.attname ORDER BY u.ord) FROM unnest(k.confkey) WITH ORDINALITY AS u(num, ord)
		JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num)
FROM pg_constraint k WHERE k.contype IN ('p', 'f') AND k.conrelid = ANY ($1::oid[]) AND k.conparentid = 0
ORDER BY k.conrelid, k.contype DESC, k.conname`
)

// Pull describes the tables of some schemas, sorted by schema and name.
func Pull(ctx context.Context, conn *pgx.Conn, schemas []string) ([]*PulledTable, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("starting to read the database: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	p := &pull{tables: map[string]*PulledTable{}, wanted: schemas}
	r := newReader(conn.PgConn())
	if err := r.run(ctx, &catalogQuery{name: "settings", sql: pinSession},
		&catalogQuery{name: "tables", sql: queryPullTables, args: [][]byte{jsonArg(schemas)}, each: p.table}); err != nil {
		return nil, err
	}
	oids := [][]byte{oidArray(p.oids)}
	if err := r.run(ctx, &catalogQuery{name: "columns", sql: queryPullColumns, args: oids, each: p.column},
		&catalogQuery{name: "keys", sql: queryPullKeys, args: oids, each: p.key}); err != nil {
		return nil, err
	}
	return p.finish(), nil
}

type pull struct {
	tables map[string]*PulledTable // by oid
	oids   []string
	wanted []string
	keys   []foreignKey
}

type foreignKey struct {
	from, to *PulledTable
	name     string
	columns  []string
	targets  []string
}

func (p *pull) table(r row) error {
	if r.bool(4) {
		return nil // a partition is governed with its parent
	}
	p.tables[r.text(0)] = &PulledTable{Schema: r.text(1), Name: r.text(2), Description: r.text(3)}
	p.oids = append(p.oids, r.text(0))
	return nil
}

func (p *pull) column(r row) error {
	t := p.tables[r.text(0)]
	name, native := r.text(1), r.text(2)
	var labels []string
	if err := fromJSON(r[4], &labels); err != nil {
		return err
	}
	typ, why := languageType(native, labels)
	if why == "" && r.bool(6) {
		why = "its collation " + r.text(5) + " takes different texts for equal"
	}
	if why != "" {
		t.Notes = append(t.Notes, fmt.Sprintf("column %q (%s) is left out: %s", name, native, why))
		return nil
	}
	c := PulledColumn{Name: name, Type: typ, Null: !r.bool(3)}
	if typ.Kind == model.KindEnum || typ.Kind == model.KindSet && typ.Elem.Kind == model.KindEnum ||
		string(usualType(typ).name.SQL()) != withoutModifier(native) {
		c.Native = native
	}
	t.Columns = append(t.Columns, c)
	return nil
}

// scalarTypes maps Postgres' types to those of the language.
var scalarTypes = map[string]model.Type{
	"boolean": model.Bool, "smallint": model.Int, "integer": model.Int, "bigint": model.Int, "numeric": model.Number,
	"text": model.String, "character varying": model.String, "character": model.String, "uuid": model.UUIDType, "date": model.DateType,
	"timestamp with time zone": model.TimeType, "timestamp without time zone": model.TimeType, "inet": model.IP,
}

// languageType is the language's type for a Postgres type, or why there is
// none.
func languageType(native string, labels []string) (model.Type, string) {
	base, array := strings.CutSuffix(native, "[]")
	typ, ok := scalarTypes[withoutModifier(base)]
	switch {
	case len(labels) > 0:
		typ, ok = model.EnumOf(labels...), true
	case ok:
	case base == "real" || base == "double precision":
		return typ, "floating-point numbers do not compare exactly"
	case base == "json" || base == "jsonb":
		return typ, "conditions cannot look into documents"
	case base == "cidr":
		return typ, "a network is not an address; use inet"
	case strings.HasSuffix(base, "citext"):
		return typ, "it ignores case in every comparison; use text and lower()"
	case base == "time without time zone", base == "time with time zone", base == "interval":
		return typ, "the language has no times of day and no lengths of time as columns"
	case base == "money":
		return typ, "its values depend on the server's locale; use numeric"
	}
	if !ok {
		return typ, "the language has no such type"
	}
	if array {
		return model.SetOf(typ), ""
	}
	return typ, ""
}

func (p *pull) key(r row) error {
	t := p.tables[r.text(1)]
	var columns, targets []string
	if err := fromJSON(r[4], &columns); err != nil {
		return err
	}
	if err := fromJSON(r[5], &targets); err != nil {
		return err
	}
	if r.text(0) == "p" {
		t.PrimaryKey = columns
		return nil
	}
	to := p.tables[r.text(2)]
	if to == nil {
		t.Notes = append(t.Notes, fmt.Sprintf("foreign key %q is left out: it leads to a table that is not pulled", r.text(3)))
		return nil
	}
	p.keys = append(p.keys, foreignKey{from: t, to: to, name: r.text(3), columns: columns, targets: targets})
	return nil
}

// finish adds relations once all columns are known, and sorts.
func (p *pull) finish() []*PulledTable {
	out := make([]*PulledTable, 0, len(p.tables))
	for _, oid := range p.oids {
		out = append(out, p.tables[oid])
	}
	for _, t := range out {
		for _, c := range t.PrimaryKey {
			if !t.has(c) {
				t.Notes = append(t.Notes, fmt.Sprintf("the primary key is left out: its column %q is", c))
				t.PrimaryKey = nil
				break
			}
		}
	}
	for _, k := range p.keys {
		p.relate(k)
	}
	slices.SortFunc(out, func(a, b *PulledTable) int {
		return TableID(a.Schema, a.Name).Compare(TableID(b.Schema, b.Name))
	})
	return out
}

// relate adds a foreign key's two relations: to the record it names, and from
// there back to the many that name it.
func (p *pull) relate(k foreignKey) {
	forth, back := PulledRelation{Schema: k.to.Schema, Table: k.to.Name}, PulledRelation{Schema: k.from.Schema, Table: k.from.Name, Many: true}
	for i, c := range k.columns {
		if !k.from.has(c) || !k.to.has(k.targets[i]) {
			k.from.Notes = append(k.from.Notes, fmt.Sprintf("foreign key %q is left out: a column of it is", k.name))
			return
		}
		forth.On = append(forth.On, [2]string{c, k.targets[i]})
		back.On = append(back.On, [2]string{k.targets[i], c})
	}
	name := k.to.Name
	if len(k.columns) == 1 {
		if stem, ok := strings.CutSuffix(k.columns[0], "_id"); ok && stem != "" {
			name = stem
		}
	}
	forth.Name = k.from.freeName(name)
	k.from.Relations = append(k.from.Relations, forth)
	back.Name = k.to.freeName(k.from.Name)
	k.to.Relations = append(k.to.Relations, back)
}

func (t *PulledTable) has(column string) bool {
	return slices.ContainsFunc(t.Columns, func(c PulledColumn) bool { return c.Name == column })
}

// freeName is a name that no column and no relation of the table has.
func (t *PulledTable) freeName(name string) string {
	taken := func(n string) bool {
		return t.has(n) || slices.ContainsFunc(t.Relations, func(r PulledRelation) bool { return r.Name == n })
	}
	try := name
	for n := 2; taken(try); n++ {
		try = fmt.Sprintf("%s_%d", name, n)
	}
	return try
}
