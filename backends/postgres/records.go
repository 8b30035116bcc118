package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// queryRecords reads the table postern.objects.
func queryRecords(table ObjectID) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("SELECT kind, schema, name, sub, desired, live FROM ").Qualified(table.Schema, table.Name)
	})
}

// queryRows reads columns of a generated table in text form.
func queryRows(table ObjectID, columns []string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("SELECT ").Each(len(columns), ", ", func(i int) { b.Ident(columns[i]).Raw("::text") })
		b.Raw(" FROM ").Qualified(table.Schema, table.Name)
	})
}

// policyHash is the SHA-256, in hexadecimal, of a policy's expressions. The
// length in front keeps two different pairs from having one text.
func policyHash(using, check sqltext.SQL) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(using)) + ":" + string(using) + string(check)))
	return hex.EncodeToString(sum[:])
}

// livePolicyHash is policyHash of what the catalogs show, in SQL: p is the
// pg_policy row. pg_get_expr prints the same text in every session that has
// the pinned settings.
const livePolicyHash sqltext.SQL = `encode(sha256(convert_to(
	octet_length(convert_to(coalesce(pg_get_expr(p.polqual, p.polrelid), ''), 'UTF8'))::text || ':' ||
	coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''),
	'UTF8')), 'hex')`

// recordPolicies writes down, for policies that were just made, what was
// desired and what Postgres made of it.
func recordPolicies(table ObjectID, policies []*Policy) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("INSERT INTO ").Qualified(table.Schema, table.Name)
		b.Raw(" (kind, schema, name, sub, desired, live)\nSELECT 'policy', w.schema, w.name, w.sub, w.desired, ", livePolicyHash)
		b.Raw("\nFROM (VALUES")
		b.Each(len(policies), ",", func(i int) {
			p := policies[i]
			b.Raw("\n\t(").Literal(p.ID.Schema).Raw(", ").Literal(p.ID.Name).Raw(", ").Literal(p.ID.Sub)
			b.Raw(", ").Literal(policyHash(p.Using, p.Check)).Raw(")")
		})
		b.Raw("\n) AS w(schema, name, sub, desired)\n\tJOIN pg_namespace n ON n.nspname = w.schema",
			"\n\tJOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name",
			"\n\tJOIN pg_policy p ON p.polrelid = c.oid AND p.polname = w.sub", replaceRecord)
	})
}

// recordObjects writes down what this database's plans made.
func recordObjects(table ObjectID, ids []ObjectID, records map[ObjectID]Record) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("INSERT INTO ").Qualified(table.Schema, table.Name)
		b.Raw(" (kind, schema, name, sub, desired, live) VALUES")
		b.Each(len(ids), ",", func(i int) {
			b.Raw("\n\t(").Literal(string(ids[i].Kind)).Raw(", ").Literal(ids[i].Schema).Raw(", ").Literal(ids[i].Name)
			b.Raw(", ").Literal(ids[i].Sub).Raw(", ").Literal(records[ids[i]].Desired).Raw(", ").Literal(records[ids[i]].Live).Raw(")")
		})
		b.Raw(replaceRecord)
	})
}

const replaceRecord sqltext.SQL = "\nON CONFLICT (kind, schema, name, sub) DO UPDATE SET desired = excluded.desired, live = excluded.live"

// forget deletes records of objects that are no longer there.
func forget(table ObjectID, ids []ObjectID) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("DELETE FROM ").Qualified(table.Schema, table.Name).Raw(" WHERE (kind, schema, name, sub) IN (")
		b.Each(len(ids), ",", func(i int) {
			b.Raw("\n\t(").Literal(string(ids[i].Kind)).Raw(", ").Literal(ids[i].Schema).Raw(", ")
			b.Literal(ids[i].Name).Raw(", ").Literal(ids[i].Sub).Raw(")")
		})
		b.Raw(")")
	})
}
