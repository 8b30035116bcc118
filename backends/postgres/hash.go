package postgres

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// tableHashKey is the table of the generated schema with the one key of masks
// by hash(), as the two pads of HMAC. It is there where a table of the
// datasource has such a mask, and whoever owns a view that shows hashes may
// read it; accounts may not, or they could try which text is behind a hash.
const tableHashKey = "hash_key"

var hashKeyColumns = []Column{
	{Name: "name", Type: "text", NotNull: true},
	{Name: "inner_pad", Type: "bytea", NotNull: true},
	{Name: "outer_pad", Type: "bytea", NotNull: true},
}

// hashKeyTable adds the table. Its rows are no part of a state: the key is a
// secret.
func (b *runtimeBuilder) hashKeyTable() {
	if !b.ds.Hashes() {
		return
	}
	b.table(tableHashKey, []string{"name"}, hashKeyColumns, nil)
	// Its readers are not its owner, and row security would hide the key.
	b.state.Generated[TableID(RuntimeSchema, tableHashKey)].RLS = false
	b.state.HashKeyFrom = b.p.HashKey.String()
}

// hashedText is HMAC-SHA256 of a text as a mask by hash() shows it, for a view
// whose owner may read the table of the key; null while there is no key. It
// calls built-in functions alone: a function of one's own in a view is called
// with the rights of who reads the view, who could then call it as well.
func hashedText(text sqltext.Expr) sqltext.Expr {
	pad := func(name string) sqltext.Expr {
		return sqltext.Query{X: sqltext.Column{Name: name}, From: []sqltext.FromTable{{Schema: RuntimeSchema, Name: tableHashKey, Alias: "k"}}}
	}
	bytes := sqltext.Func{Name: "convert_to", Args: []sqltext.Expr{text, sqltext.Const{Text: "UTF8", Type: sqltext.Builtin("name")}}}
	inner := sqltext.Func{Name: "sha256", Args: []sqltext.Expr{sqltext.Op{L: pad("inner_pad"), Op: "||", R: bytes}}}
	outer := sqltext.Func{Name: "sha256", Args: []sqltext.Expr{sqltext.Op{L: pad("outer_pad"), Op: "||", R: inner}}}
	return sqltext.Func{Name: "encode", Args: []sqltext.Expr{outer, sqltext.Const{Text: "hex", Type: tText}}}
}

// hashKeySecret is the plan's reference to the key.
func hashKeySecret(want *State) plan.Secret {
	return plan.Secret{Kind: plan.SecretHashKey, From: want.HashKeyFrom}
}

// setHashKey is the statement that stores the key, up to where the key stands
// as a literal, and from there on. The pads are made there, so that one form
// does for a plan and for a script.
func setHashKey(table ObjectID) (before, after sqltext.SQL, err error) {
	before, err = build(func(b *sqltext.Builder) {
		b.Raw("INSERT INTO ").Qualified(table.Schema, table.Name)
		b.Raw(" (name, inner_pad, outer_pad) SELECT 'key', ", padded(0x36), ", ", padded(0x5c))
		b.Raw(" FROM (SELECT CASE WHEN length(g.k) > 64 THEN sha256(g.k) ELSE g.k END AS k FROM (SELECT convert_to(")
	})
	return before, ", 'UTF8') AS k) AS g) AS key" +
		" ON CONFLICT (name) DO UPDATE SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad", err
}

// padded is the key filled up with zeros to a block, each byte combined with
// another by exclusive or (RFC 2104, section 2).
func padded(with int) sqltext.SQL {
	return "(SELECT string_agg(set_byte(decode('00', 'hex'), 0, CASE WHEN i < length(key.k) THEN get_byte(key.k, i) ELSE 0 END # " +
		sqltext.Int(with) + "), decode('', 'hex') ORDER BY i) FROM generate_series(0, 63) AS i)"
}

// compareHashKey adds the statement that stores the key where there is none
// yet, or another one.
func (d *differ) compareHashKey() {
	id := TableID(RuntimeSchema, tableHashKey)
	if d.want.Generated[id] == nil || d.live.Generated[id] != nil && !d.fresh[id] && !d.opts.HashKeyChanged {
		return
	}
	before, after, err := setHashKey(id)
	if err != nil {
		d.errs = append(d.errs, err)
		return
	}
	secret := hashKeySecret(d.want)
	secret.At = len(before)
	object := plan.Object{Kind: "hash key", Name: printed(id)}
	change := plan.Change(plan.Add{About: plan.About{Object: object, Span: d.place()}, After: "read from " + secret.From})
	if d.opts.HashKeyChanged {
		change = plan.Modify{About: plan.About{Object: object, Span: d.place()}, Before: "(not shown)", After: "read from " + secret.From}
	}
	d.items = append(d.items, item{phase: phaseGenerated, order: 2, id: id, change: change, statements: []plan.Statement{
		{SQL: string(before + after), Object: object, Secret: &secret},
	}})
}

// dropHashKey drops the table of the key where no mask needs it any more: a secret
// is not kept for nothing.
func (d *differ) dropHashKey(id ObjectID, have *GeneratedTable) {
	made := &GeneratedTable{Columns: hashKeyColumns, PrimaryKey: []string{"name"}}
	if id != TableID(RuntimeSchema, tableHashKey) || !sameDefinition(made, have) {
		return
	}
	d.hold(id, d.place(), false)
	object := plan.Object{Kind: "hash key", Name: printed(id)}
	d.add(item{phase: phaseCleanup, id: id, change: plan.Remove{
		About: plan.About{Object: object, Span: d.place(), Reason: "no mask by hash() is left"}, Before: "(not shown)",
	}}, sql(DropObject(id)))
}

// hashKeyChanged says whether the key that is wanted is not the one that is
// stored, as far as the connected role may know: it must be allowed to read the
// table.
func hashKeyChanged(ctx context.Context, conn *pgx.Conn, want *State, live *Live, opts PlanOptions, diags *diag.List) (bool, error) {
	id := TableID(RuntimeSchema, tableHashKey)
	if want.Generated[id] == nil || opts.Secrets == nil {
		return false, nil
	}
	text, err := opts.Secrets(ctx, hashKeySecret(want))
	if err == nil {
		err = model.HashKey(text).Check()
	}
	if err != nil {
		diags.Fail(CodeUnreadable, opts.place(), "the key of masks by hash() cannot be read", err.Error())
		return false, nil
	}
	if live.Generated[id] == nil || slices.Contains(live.Unreadable, id) {
		return false, nil
	}
	name, err := build(func(b *sqltext.Builder) { b.Qualified(id.Schema, id.Name) })
	if err != nil {
		return false, err
	}
	stored := ""
	err = newReader(conn.PgConn()).run(ctx, &catalogQuery{
		name: "hash key", sql: "SELECT encode(inner_pad, 'hex') FROM " + string(name) + " WHERE name = 'key'",
		each: func(r row) error { stored = r.text(0); return nil },
	})
	inner, _ := pads([]byte(text))
	return subtle.ConstantTimeCompare([]byte(stored), []byte(hex.EncodeToString(inner))) != 1, err
}

// hashKeyLiteral is the key as the statement holds it.
func hashKeyLiteral(ctx context.Context, s plan.Secret, secrets Secrets) (sqltext.SQL, error) {
	text, err := secrets(ctx, s)
	if err == nil {
		err = model.HashKey(text).Check()
	}
	if err != nil {
		return "", fmt.Errorf("the key of masks by hash(), %s: %w", s.From, err)
	}
	return sqltext.Literal(text)
}

// noLog keeps the statements of a transaction out of the server's log, where
// the role may say so.
const noLog = `SELECT set_config(name, value, true) FROM (VALUES ('log_statement', 'none'), ('log_min_duration_statement', '-1'),
	('log_min_error_statement', 'panic')) AS v(name, value)
	WHERE (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)`

// setsSecret reports whether a plan holds a key or a verifier when it runs.
func setsSecret(p *plan.Plan) bool {
	return slices.ContainsFunc(p.Statements, func(s plan.Statement) bool { return s.Secret != nil })
}
