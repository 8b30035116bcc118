package postgres

import (
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// requireKeys is a statement that fails where nothing in the database keeps a
// to-one relation from leading to two records: what a plan finds out by
// Keyless, for the script. "" where conditions follow no such relation.
func requireKeys(s *State) (sqltext.SQL, error) {
	type needed struct {
		table  ObjectID
		single SingleRecord
		add    sqltext.SQL
	}
	var keys []needed
	for _, id := range sortedIDs(s.Scope.Tables) {
		for _, single := range s.Scope.Tables[id].Single {
			add, err := addUnique(id, single.Columns)
			if err != nil {
				return "", err
			}
			keys = append(keys, needed{id, single, add})
		}
	}
	if len(keys) == 0 {
		return "", nil
	}
	body, err := build(func(b *sqltext.Builder) {
		b.Raw("DECLARE missing text;\nBEGIN\n")
		b.Raw("    SELECT string_agg(w.relation || ': ' || w.fix, E'\\n') INTO missing\n    FROM (VALUES")
		b.Each(len(keys), ",", func(i int) {
			k := keys[i]
			b.Raw("\n        (").Literal(k.table.Schema).Raw(", ").Literal(k.table.Name).Raw(", ARRAY[")
			b.Each(len(k.single.Columns), ", ", func(j int) { b.Literal(k.single.Columns[j]) })
			b.Raw("], ").Literal(k.single.Relation).Raw(", ").Literal(string(k.add)).Raw(")")
		})
		b.Raw(requiredKeys)
	})
	if err != nil {
		return "", err
	}
	return "DO " + dollarQuote(string(body)), nil
}

// requiredKeys goes on from the list w of keys that are needed.
const requiredKeys sqltext.SQL = `
    ) AS w(schema, name, columns, relation, fix)
    JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
    WHERE c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid)
        OR NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND (` + keyFlaw + `) IS NULL
            AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, ord)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num
                WHERE k.ord <= i.indnkeyatts AND a.attname::text <> ALL (w.columns)));
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'relations of conditions may lead to more than one record: nothing was done'
            USING DETAIL = missing, HINT = 'Add the keys, or state many = true and say anytrue or alltrue. A table with heirs cannot have one.';
    END IF;
END`

func addUnique(table ObjectID, columns []string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER TABLE ").Qualified(table.Schema, table.Name).Raw(" ADD UNIQUE (").Idents(columns).Raw(")")
	})
}
