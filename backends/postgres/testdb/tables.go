package testdb

import (
	"context"
	"math/big"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// makeTables makes the schemas, types and tables that the program governs. The
// tables have no constraints, but that a key is not null: what is tested is
// access.
func (d *database) makeTables(ctx context.Context) error {
	if err := d.makeOwner(ctx); err != nil {
		return err
	}
	if err := d.makeAdopted(ctx); err != nil {
		return err
	}
	made := map[string]bool{"public": true}
	for _, t := range d.ds.Tables {
		if !made[t.Schema] {
			made[t.Schema] = true
			if err := d.built(ctx, new(sqltext.Builder).Raw("CREATE SCHEMA ").Ident(t.Schema)); err != nil {
				return err
			}
		}
	}
	types := map[sqltext.SQL]bool{}
	for _, t := range d.ds.Tables {
		for _, c := range t.Columns {
			if err := d.makeType(ctx, c, types); err != nil {
				return err
			}
		}
		b := new(sqltext.Builder).Raw("CREATE TABLE ").Qualified(t.Schema, t.SQLName).Raw(" (")
		for _, c := range t.Columns {
			name, err := columnType(c)
			if err != nil {
				return err
			}
			b.Ident(c.Name).Raw(" ", name.SQL())
			if len(t.PrimaryKey) > 0 && t.PrimaryKey[0] == c && !c.Null {
				b.Raw(" NOT NULL")
			}
			b.Raw(", ")
		}
		b.Ident(marker).Raw(" integer); ALTER TABLE ").Qualified(t.Schema, t.SQLName).Raw(" OWNER TO ").Ident(ownerRole)
		if err := d.built(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// ownerRole owns the tables. It cannot log in, so that a datasource need not
// say whether policies hold for it.
const ownerRole = "postern test owner"

func (d *database) makeOwner(ctx context.Context) error {
	_, err := d.makeRole(ctx, ownerRole)
	return err
}

// makeRole makes a role unless it is there, and reports whether it did.
func (d *database) makeRole(ctx context.Context, name string) (made bool, err error) {
	var there bool
	if err := d.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name).Scan(&there); err != nil || there {
		return false, err
	}
	return true, d.built(ctx, new(sqltext.Builder).Raw("CREATE ROLE ").Ident(name))
}

// makeAdopted makes the roles that the program adopts.
func (d *database) makeAdopted(ctx context.Context) error {
	for _, a := range d.ds.Accounts {
		if a.Managed {
			continue
		}
		made, err := d.makeRole(ctx, a.Role)
		if err != nil {
			return err
		}
		if made {
			d.roles = append(d.roles, a.Role)
		}
	}
	return nil
}

// usual is the native type of a column that states none.
var usual = map[model.Kind]string{
	model.KindBool: "boolean", model.KindInt: "bigint", model.KindNumber: "numeric", model.KindString: "text",
	model.KindUUID: "uuid", model.KindDate: "date", model.KindTimestamp: "timestamp with time zone", model.KindIP: "inet",
	model.KindEnum: "text",
}

func columnType(c *model.Column) (sqltext.TypeName, error) {
	switch {
	case c.Native != "":
		return sqltext.ParseType(c.Native)
	case c.Type.Kind == model.KindSet:
		return sqltext.ArrayOf(sqltext.Builtin(usual[c.Type.Elem.Kind])), nil
	}
	return sqltext.Builtin(usual[c.Type.Kind]), nil
}

// OtherLabel is a label that every enum type has here besides those that the
// project declares: as if the database had gone on.
const OtherLabel = "another label"

// makeType makes the enum or domain that a column is of, unless it is one of
// Postgres' own types.
func (d *database) makeType(ctx context.Context, c *model.Column, made map[sqltext.SQL]bool) error {
	name, err := columnType(c)
	if err != nil {
		return err
	}
	name = name.Elem()
	var there bool
	err = d.conn.QueryRow(ctx, "SELECT to_regtype($1) IS NOT NULL", string(name.SQL())).Scan(&there)
	if err != nil || there || made[name.SQL()] {
		return err
	}
	made[name.SQL()] = true
	if name.Schema != "" {
		if err := d.built(ctx, new(sqltext.Builder).Raw("CREATE SCHEMA IF NOT EXISTS ").Ident(name.Schema)); err != nil {
			return err
		}
	}
	t := c.Type
	if t.Kind == model.KindSet {
		t = *t.Elem
	}
	b := new(sqltext.Builder)
	if t.Kind == model.KindEnum {
		b.Raw("CREATE TYPE ", name.SQL(), " AS ENUM (").Each(len(t.Enum), ", ", func(i int) { b.Literal(t.Enum[i]) }).Raw(", ").Literal(OtherLabel).Raw(")")
	} else {
		b.Raw("CREATE DOMAIN ", name.SQL(), " AS ", sqltext.Builtin(usual[t.Kind]).SQL())
	}
	return d.built(ctx, b)
}

// markRows lets every account that reaches a table read its marker.
func (d *database) markRows(ctx context.Context) error {
	for _, t := range d.ds.Tables {
		for _, a := range d.ds.Accounts {
			b := new(sqltext.Builder).Raw("GRANT SELECT (").Ident(marker).Raw(") ON ").Qualified(t.Schema, t.SQLName)
			if err := d.built(ctx, b.Raw(" TO ").Ident(a.Role)); err != nil {
				return err
			}
		}
	}
	return nil
}

// literal is a value as a constant of the column's type.
func literal(b *sqltext.Builder, v model.Value, c *model.Column) {
	if v == nil {
		b.Raw("NULL")
		return
	}
	name, err := columnType(c)
	if err != nil {
		b.Literal("\x00") // an error that SQL tells
		return
	}
	b.Literal(text(v, c.Type)).Raw("::", name.SQL())
}

// text is a value as Postgres reads it in.
func text(v model.Value, t model.Type) string {
	switch x := v.(type) {
	case bool:
		if x {
			return "true"
		}
		return "false"
	case string:
		return x
	case *big.Rat:
		return model.DecimalString(x)
	case model.Set:
		items := make([]string, len(x))
		for i, e := range x {
			items[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text(e, *t.Elem)) + `"`
		}
		return "{" + strings.Join(items, ",") + "}"
	}
	s, _ := model.JSON(v, t, "").(string)
	return s
}
