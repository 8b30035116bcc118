package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// The functions of this file print single statements, without a semicolon.
// They are written for sessions that hold SessionSettings.

// SessionSettings are the settings under which statements are written and
// catalogs read: with them, names are qualified and constants are spelt the
// same everywhere.
func SessionSettings() []sqltext.SQL {
	return []sqltext.SQL{
		"SET standard_conforming_strings = on",
		"SET search_path = pg_catalog",
		"SET TimeZone = 'UTC'",
		"SET DateStyle = 'ISO, YMD'",
		"SET IntervalStyle = 'postgres'",
		"SET check_function_bodies = off",
		"SET client_encoding = 'UTF8'",
	}
}

func build(f func(b *sqltext.Builder)) (sqltext.SQL, error) {
	b := &sqltext.Builder{}
	f(b)
	return b.SQL()
}

// CreateRole is CREATE ROLE with all attributes stated. The password is not
// part of it.
func CreateRole(r *Role) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("CREATE ROLE ").Ident(r.ID.Name).Raw(" WITH")
		roleAttributes(b, r)
	})
}

// AlterRole is ALTER ROLE with all attributes stated.
func AlterRole(r *Role) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER ROLE ").Ident(r.ID.Name).Raw(" WITH")
		roleAttributes(b, r)
	})
}

func roleAttributes(b *sqltext.Builder, r *Role) {
	for _, a := range []struct {
		on  bool
		sql sqltext.SQL
	}{
		{r.Login, "LOGIN"},
		{r.Inherit, "INHERIT"},
		{r.Super, "SUPERUSER"},
		{r.CreateDB, "CREATEDB"},
		{r.CreateRole, "CREATEROLE"},
		{r.Replication, "REPLICATION"},
		{r.BypassRLS, "BYPASSRLS"},
	} {
		if a.on {
			b.Raw(" ", a.sql)
		} else {
			b.Raw(" NO", a.sql)
		}
	}
	b.Raw(" CONNECTION LIMIT ", sqltext.Int(r.ConnectionLimit))
	switch {
	case r.ValidUntil != nil:
		b.Raw(" VALID UNTIL ").Literal(r.ValidUntil.UTC().Format(time.RFC3339Nano))
	case r.Login:
		b.Raw(" VALID UNTIL 'infinity'")
	}
}

// DropRole is DROP ROLE.
func DropRole(name string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) { b.Raw("DROP ROLE ").Ident(name) })
}

// SetRoleSetting is ALTER ROLE … SET; a nil value resets.
func SetRoleSetting(role, setting string, value *string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER ROLE ").Ident(role)
		if value == nil {
			b.Raw(" RESET ").Ident(setting)
			return
		}
		b.Raw(" SET ").Ident(setting).Raw(" TO ").Literal(*value)
	})
}

// CommentOn is COMMENT ON for a role, schema, table or function.
func CommentOn(id ObjectID, comment string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("COMMENT ON ")
		objectName(b, id)
		if comment == "" {
			b.Raw(" IS NULL")
			return
		}
		b.Raw(" IS ").Literal(comment)
	})
}

// objectName writes the kind and name of an object as GRANT, COMMENT and DROP
// want them.
func objectName(b *sqltext.Builder, id ObjectID) {
	b.Raw(sqltext.SQL(strings.ToUpper(string(id.Kind))), " ")
	switch id.Kind {
	case KindRole, KindSchema:
		b.Ident(id.Name)
	case KindDatabase:
		if id.Name == "" {
			b.Raw(CurrentDatabase)
			return
		}
		b.Ident(id.Name)
	case KindFunction:
		b.Qualified(id.Schema, id.Name).Raw("(", sqltext.SQL(id.Sub), ")")
	case kindRoutine:
		b.Qualified(id.Schema, id.Name).Raw("(", sqltext.SQL(id.Sub), ")")
	case KindTable, KindSequence, KindType, KindColumn, KindPolicy, KindView:
		b.Qualified(id.Schema, id.Name)
	case kindLargeObject:
		b.Raw(sqltext.SQL(id.Name)) // a number from the catalog
	default:
		b.Ident(id.Name) // languages, foreign servers and wrappers have no schema
	}
}

// CurrentDatabase stands for the name of the database in a printed statement:
// psql puts the name in. Who runs statements another way gives the database's
// ObjectID its name.
const CurrentDatabase sqltext.SQL = `:"DBNAME"`

// GrantMembership is GRANT role TO member.
func GrantMembership(m MembershipKey) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) { b.Raw("GRANT ").Ident(m.Role).Raw(" TO ").Ident(m.Member) })
}

// RevokeMembership is REVOKE role FROM member.
func RevokeMembership(m MembershipKey) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) { b.Raw("REVOKE ").Ident(m.Role).Raw(" FROM ").Ident(m.Member) })
}

// CreateSchema is CREATE SCHEMA, with an owner when s has one.
func CreateSchema(s *Schema) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("CREATE SCHEMA ").Ident(s.ID.Name)
		if s.Owner != "" {
			b.Raw(" AUTHORIZATION ").Ident(s.Owner)
		}
	})
}

// RowSecurity is one of the four ALTER TABLE … ROW LEVEL SECURITY statements.
func RowSecurity(table ObjectID, what RowSecurityAction) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER TABLE ").Qualified(table.Schema, table.Name).Raw(" ", sqltext.SQL(what), " ROW LEVEL SECURITY")
	})
}

// RowSecurityAction says what to do with a table's row-level security.
type RowSecurityAction string

// What ALTER TABLE can do with row-level security.
const (
	EnableRLS  RowSecurityAction = "ENABLE"
	DisableRLS RowSecurityAction = "DISABLE"
	ForceRLS   RowSecurityAction = "FORCE"
	NoForceRLS RowSecurityAction = "NO FORCE"
)

// CreatePolicy is CREATE POLICY.
func CreatePolicy(p *Policy) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		kind := sqltext.SQL("PERMISSIVE")
		if !p.Permissive {
			kind = "RESTRICTIVE"
		}
		b.Raw("CREATE POLICY ").Ident(p.ID.Sub).Raw(" ON ").Qualified(p.ID.Schema, p.ID.Name)
		b.Raw(" AS ", kind, " FOR ", sqltext.SQL(p.Command), " TO ")
		grantees(b, p.To)
		policyBody(b, p)
	})
}

// AlterPolicy is ALTER POLICY, for a change of roles or expressions. Command
// and kind cannot be altered, nor can an expression be taken away.
func AlterPolicy(p *Policy) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER POLICY ").Ident(p.ID.Sub).Raw(" ON ").Qualified(p.ID.Schema, p.ID.Name).Raw(" TO ")
		grantees(b, p.To)
		policyBody(b, p)
	})
}

func policyBody(b *sqltext.Builder, p *Policy) {
	if p.Using != "" {
		b.Raw(" USING (", p.Using, ")")
	}
	if p.Check != "" {
		b.Raw(" WITH CHECK (", p.Check, ")")
	}
}

// DropPolicy is DROP POLICY.
func DropPolicy(id ObjectID) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("DROP POLICY ").Ident(id.Sub).Raw(" ON ").Qualified(id.Schema, id.Name)
	})
}

func grantees(b *sqltext.Builder, to []Grantee) {
	b.Each(len(to), ", ", func(i int) { grantee(b, to[i]) })
}

func grantee(b *sqltext.Builder, g Grantee) {
	if g.Public {
		b.Raw("PUBLIC")
		return
	}
	b.Ident(g.Role)
}

// GrantSQL grants privileges on objects to the keys' one grantee, and to
// others alike. All keys must be on one object, or on columns of one table.
func GrantSQL(keys []GrantKey, others ...Grantee) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("GRANT ")
		privileges(b, keys)
		b.Raw(" TO ")
		grantees(b, append([]Grantee{keys[0].Grantee}, others...))
	})
}

// RevokeSQL takes privileges away, under the same rule as GrantSQL. Cascade
// also takes what the grantees have passed on.
func RevokeSQL(keys []GrantKey, cascade bool, others ...Grantee) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("REVOKE ")
		privileges(b, keys)
		b.Raw(" FROM ")
		grantees(b, append([]Grantee{keys[0].Grantee}, others...))
		if cascade {
			b.Raw(" CASCADE")
		}
	})
}

// privileges writes "SELECT (a, b), UPDATE (a) ON TABLE x".
func privileges(b *sqltext.Builder, keys []GrantKey) {
	columns := map[Privilege][]string{}
	var order []Privilege
	for _, k := range keys {
		if !slices.Contains(order, k.Privilege) {
			order = append(order, k.Privilege)
		}
		if k.Object.Kind == KindColumn {
			columns[k.Privilege] = append(columns[k.Privilege], k.Object.Sub)
		}
	}
	slices.Sort(order)
	b.Each(len(order), ", ", func(i int) {
		if order[i] == "" {
			b.Raw("ALL")
		}
		b.Raw(sqltext.SQL(order[i]))
		if cols := columns[order[i]]; len(cols) > 0 {
			b.Raw(" (").Idents(cols).Raw(")")
		}
	})
	b.Raw(" ON ")
	id := keys[0].Object
	if id.Kind == KindColumn {
		id = id.Table()
	}
	objectName(b, id)
}

// CreateFunction is CREATE OR REPLACE FUNCTION; owner and privileges are set
// by statements of their own.
func CreateFunction(f *Function) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("CREATE OR REPLACE FUNCTION ").Qualified(f.ID.Schema, f.ID.Name).Raw("(", sqltext.SQL(f.Arguments), ")")
		b.Raw("\n    RETURNS ", sqltext.SQL(f.Returns), "\n    LANGUAGE ").Ident(f.Language)
		b.Raw(" ", sqltext.SQL(f.Volatility), " PARALLEL ", sqltext.SQL(f.Parallel))
		if f.Strict {
			b.Raw(" STRICT")
		}
		if f.SecurityDefiner {
			b.Raw(" SECURITY DEFINER")
		}
		for _, c := range f.Config {
			name, value, _ := strings.Cut(c, "=")
			b.Raw("\n    SET ").Ident(name).Raw(" TO ")
			configValue(b, value)
		}
		b.Raw("\n    AS ", dollarQuote(f.Body))
	})
}

// configValue writes the value of a setting that is a list of names, such as
// search_path, name by name: one literal would be one name with commas in it.
func configValue(b *sqltext.Builder, value string) {
	parts := strings.Split(value, ", ")
	b.Each(len(parts), ", ", func(i int) { b.Literal(parts[i]) })
}

// dollarQuote quotes a body so that it reads as it was written; the tag is one
// that the body does not hold.
func dollarQuote(body string) sqltext.SQL {
	tag := "$postern$"
	for n := 1; strings.Contains(body+"$", tag); n++ {
		tag = "$postern" + strconv.Itoa(n) + "$"
	}
	return sqltext.SQL(tag + body + tag)
}

// SetOwner is ALTER … OWNER TO for a schema, table or function.
func SetOwner(id ObjectID, owner string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER ")
		objectName(b, id)
		b.Raw(" OWNER TO ").Ident(owner)
	})
}

// DropObject is DROP for a schema, table or function.
func DropObject(id ObjectID) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) { b.Raw("DROP "); objectName(b, id) })
}

// CreateView is CREATE VIEW, or CREATE OR REPLACE VIEW, with the view's
// options; the owner is set by a statement of its own.
func CreateView(v *View, replace bool) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("CREATE ")
		if replace {
			b.Raw("OR REPLACE ")
		}
		b.Raw("VIEW ").Qualified(v.ID.Schema, v.ID.Name)
		viewOptions(b, v)
		b.Raw(" AS\n", v.Body)
	})
}

// SetViewOptions is ALTER VIEW … SET for all options of the view.
func SetViewOptions(v *View) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER VIEW ").Qualified(v.ID.Schema, v.ID.Name).Raw(" SET (")
		optionList(b, v)
		b.Raw(")")
	})
}

func viewOptions(b *sqltext.Builder, v *View) {
	if len(v.Options) == 0 {
		return
	}
	b.Raw(" WITH (")
	optionList(b, v)
	b.Raw(")")
}

func optionList(b *sqltext.Builder, v *View) {
	b.Each(len(v.Options), ", ", func(i int) {
		name, value, _ := strings.Cut(v.Options[i], "=")
		b.Ident(name).Raw(" = ").Literal(value)
	})
}

// CreateGenerated is CREATE TABLE for a table of the schema postern.
func CreateGenerated(t *GeneratedTable) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("CREATE TABLE ").Qualified(t.ID.Schema, t.ID.Name).Raw(" (")
		for _, c := range t.Columns {
			b.Raw("\n    ").Ident(c.Name).Raw(" ", sqltext.SQL(c.Type))
			if c.NotNull {
				b.Raw(" NOT NULL")
			}
			b.Raw(",")
		}
		b.Raw("\n    PRIMARY KEY (").Idents(t.PrimaryKey).Raw(")\n)")
	})
}

// AddTexts is ALTER TABLE that adds columns of type text, empty in the rows
// that are there.
func AddTexts(id ObjectID, names []string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER TABLE ").Qualified(id.Schema, id.Name).Raw(" ")
		b.Each(len(names), ", ", func(i int) { b.Raw("ADD COLUMN ").Ident(names[i]).Raw(" text NOT NULL DEFAULT ''") })
	})
}

// InsertRow is INSERT of one row of a filled generated table.
func InsertRow(t *GeneratedTable, row []*string) (sqltext.SQL, error) {
	if len(row) != len(t.Columns) {
		return "", fmt.Errorf("a row of %s.%s has %d values for %d columns", t.ID.Schema, t.ID.Name, len(row), len(t.Columns))
	}
	return build(func(b *sqltext.Builder) {
		names := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			names[i] = c.Name
		}
		b.Raw("INSERT INTO ").Qualified(t.ID.Schema, t.ID.Name).Raw(" (").Idents(names).Raw(") VALUES (")
		b.Each(len(row), ", ", func(i int) {
			if row[i] == nil {
				b.Raw("NULL")
				return
			}
			b.Literal(*row[i])
		})
		b.Raw(")")
	})
}

// DeleteRow is DELETE of the row with these primary key values.
func DeleteRow(t *GeneratedTable, key []string) (sqltext.SQL, error) {
	if len(key) != len(t.PrimaryKey) {
		return "", fmt.Errorf("a key of %s.%s has %d values for %d columns", t.ID.Schema, t.ID.Name, len(key), len(t.PrimaryKey))
	}
	return build(func(b *sqltext.Builder) {
		b.Raw("DELETE FROM ").Qualified(t.ID.Schema, t.ID.Name).Raw(" WHERE ")
		b.Each(len(key), " AND ", func(i int) { b.Ident(t.PrimaryKey[i]).Raw(" = ").Literal(key[i]) })
	})
}
