package compiler_test

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
)

// TestCompile prints what each project means.
func TestCompile(t *testing.T) {
	t.Parallel()
	for _, file := range cases(t, "../testdata/compile/*.txtar") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			arch, set, in := readCase(t, file)
			p, tests, diags := compiler.CompileTests(t.Context(), set, in)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			d := &dump{}
			d.program(p)
			for _, test := range tests {
				d.test(test)
			}
			golden(t, file, arch, d.String())
		})
	}
}

// TestOrderDoesNotMatter compiles each project again with its files the other
// way round and under other names.
func TestOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	for _, file := range cases(t, "../testdata/compile/*.txtar") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			_, set, in := readCase(t, file)
			first, diags := compiler.Compile(t.Context(), set, in)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			for i := range set.Files {
				dir, base := path.Split(set.Files[i].Name)
				set.Files[i].Name = dir + fmt.Sprintf("%02d_%s", len(set.Files)-i, base)
			}
			slices.Reverse(set.Files)
			second, diags := compiler.Compile(t.Context(), set, in)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			a, b := &dump{}, &dump{}
			a.program(first)
			b.program(second)
			if a.String() != b.String() {
				t.Errorf("first:\n%s\nsecond:\n%s", a, b)
			}
		})
	}
}

// dump prints a program: what of it is not in its conditions, whose form
// compiler/condition tests.
type dump struct{ strings.Builder }

func (d *dump) line(format string, args ...any) { _, _ = fmt.Fprintf(d, format+"\n", args...) }

func (d *dump) program(p *model.Program) {
	d.line("project %s", p.Project)
	if p.HashKey != nil {
		d.line("hash_key %s", p.HashKey)
	}
	d.line("identity key=%s", p.Identity.Key.Name)
	for _, a := range append(slices.Clone(p.Identity.Attributes), p.Request...) {
		d.line("  attribute %s %s scope=%d claim=%s", a.Name, a.Type, a.Scope, strings.Join(a.Claim, "/"))
	}
	for _, l := range p.Levels {
		d.line("level %s at least: %s", l.Name, join(l.AtLeast, func(l *model.Level) string { return l.Name }))
	}
	for _, g := range p.Groups {
		d.line("group %s in: %s %q", g.Name, strings.Join(g.Closure, " "), g.Description)
	}
	for _, u := range p.Users {
		d.user(u)
	}
	for _, s := range p.Datasources {
		d.line("datasource %s %s identity=%s claims=%s bound=%t url=%s tables=%d apps=%d accounts=%d", s.Name, s.Type, s.Identity,
			s.ClaimsSetting, s.OwnerBound, s.URL, len(s.Tables), len(s.Apps), len(s.Accounts))
	}
	for _, t := range p.Tables {
		d.table(t)
	}
	for _, a := range p.Accounts {
		d.line("account %s role=%q on %s managed=%t read_only=%t password=%s limits=%s", a.Name, a.Role, a.Datasource.Name, a.Managed,
			a.ReadOnly, a.Password, asJSON(a.Limits))
	}
	for _, a := range p.Apps {
		d.line("app %s for: %s", a.Name, join(a.Users, model.SubjectString))
		for _, c := range a.Connects {
			account := ""
			if c.Account != nil {
				account = c.Account.Name
			}
			d.line("  connect %s by %s as_user=%t untrusted=%t", c.Datasource.Name, account, c.AsUser, c.Untrusted)
		}
	}
	d.rules(p)
}

func (d *dump) user(u *model.User) {
	level, groups := "-", "-"
	if u.Level != nil {
		level = u.Level.Name
	}
	if u.Groups != nil {
		groups = "[" + join(u.Groups, func(g *model.Group) string { return g.Name }) + "]"
	}
	d.line("user %s key=%v level=%s groups=%s", u.Name, model.JSON(u.Key, model.String, ""), level, groups)
	for _, a := range u.Attributes {
		d.line("  %s = %v", a.Attribute.Name, model.JSON(a.Value, a.Attribute.Type, ""))
	}
}

func (d *dump) table(t *model.Table) {
	d.line("table %s stored=%s.%s key=%s actions=%v", t.Address(), t.Schema, t.SQLName, columns(t.PrimaryKey), t.Actions)
	for _, c := range t.Columns {
		d.line("  column %s %s null=%t native=%q tags=%v", c.Name, c.Type, c.Null, c.Native, c.Tags)
	}
	for _, r := range t.Relations {
		d.line("  relation %s to %s many=%t on %s", r.Name, r.Table.Address(), r.Many,
			join(r.On, func(j model.JoinPair) string { return j.From.Name + "=" + j.To.Name }))
	}
}

func (d *dump) rules(p *model.Program) {
	for _, x := range p.Policies {
		via := "any app"
		if x.Via != nil {
			via = join(x.Via, func(a *model.App) string { return a.Name })
		}
		d.line("policy %s to: %s via: %s allow: %v", x.Name, join(x.To, model.SubjectString), via, x.Allow)
		for _, t := range x.On {
			d.line("  on %s allow=%v columns=%s when=%s check=%s", t.Table.Address(), t.Allow, columns(t.Columns), kind(t.When), kind(t.Check))
		}
	}
	for _, x := range p.Guards {
		d.line("guard %s to: %s", x.Name, join(x.To, model.SubjectString))
		for _, t := range x.On {
			d.line("  on %s require=%s", t.Table.Address(), kind(t.Require))
		}
	}
	for _, x := range p.Masks {
		d.line("mask %s unless: %s with: %s", x.Name, join(x.Unless, model.SubjectString), maskForm(x.With))
		for _, t := range x.On {
			d.line("  on %s columns=%s", t.Table.Address(), columns(t.Columns))
		}
	}
}

func (d *dump) test(t *model.Test) {
	d.line("test %s now=%v user=%s context=%s app=%q", t.Name, model.JSON(t.Request.Now, model.TimeType, ""), asJSON(t.Request.User),
		asJSON(t.Request.Context), t.Request.App)
	for _, f := range t.Fixtures {
		d.line("  given %s of %s: %s", f.Name, f.Table.Address(), values(f.Table, f.Values))
	}
	for _, e := range t.Expects {
		d.line("  expect %s: %s", e.Action, join(e.Fixtures, func(f *model.Fixture) string { return f.Name }))
	}
	for _, s := range t.Sights {
		d.line("  sight of %s: visible %v masked %s", s.Fixture.Name, s.Sight.Visible, asJSON(s.Sight.Masked))
	}
	for _, w := range t.Writes {
		from := "nothing"
		if w.From != nil {
			from = w.From.Name
		}
		d.line("  write %s from %s changes %v allowed=%t: %s", w.Name, from, w.Changed, w.Allowed, values(w.Table, w.To))
	}
}

// maskForm is what a mask gives, without the addresses of what it points to.
func maskForm(m model.MaskFn) string {
	if c, ok := m.(*model.MaskConstant); ok {
		return fmt.Sprintf("constant %s %v", c.Type, model.JSON(c.Value, c.Type, ""))
	}
	return fmt.Sprintf("%#v", m)
}

func values(t *model.Table, v map[string]model.Value) string {
	return join(t.Columns, func(c *model.Column) string {
		return fmt.Sprintf("%s=%v", c.Name, model.JSON(v[c.Name], c.Type, c.Native))
	})
}

func columns(list []*model.Column) string {
	return "[" + join(list, func(c *model.Column) string { return c.Name }) + "]"
}

// kind is the outermost form of a condition.
func kind(c model.Condition) string { return strings.TrimPrefix(fmt.Sprintf("%T", c.Holds), "*model.") }

func asJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

func join[T any](list []T, name func(T) string) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = name(x)
	}
	return strings.Join(parts, " ")
}
