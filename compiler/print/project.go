package print

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// Block is one top-level block of a project.
type Block struct {
	Kind, Name string // such as "policy" and its name
	Lines      []string
	// Conditions are the block's conditions; they are printed as attributes.
	Conditions []Condition
}

// Condition is an attribute that holds a condition: when, check or require.
type Condition struct {
	Name string
	Expr model.Expr
}

// String is the block as HCL.
func (b *Block) String() string {
	var out strings.Builder
	out.WriteString(b.Lines[0] + " {\n")
	for _, l := range b.Lines[1:] {
		out.WriteString("  " + l + "\n")
	}
	for _, c := range b.Conditions {
		out.WriteString("  " + c.Name + " = " + Expr(c.Expr) + "\n")
	}
	out.WriteString("}\n")
	return out.String()
}

// Project prints a whole program.
func Project(p *model.Program) string {
	var out strings.Builder
	for _, b := range Blocks(p) {
		out.WriteString(b.String())
	}
	return out.String()
}

// Blocks lists the blocks of a program. A policy or guard on several tables
// becomes one for each, since its conditions are typed for each on its own.
func Blocks(p *model.Program) []*Block {
	var out []*Block
	add := func(kind, name, head string, lines ...string) *Block {
		b := &Block{Kind: kind, Name: name, Lines: append([]string{head}, lines...)}
		out = append(out, b)
		return b
	}
	settings := []string{"project = " + Quote(p.Project)}
	if p.HashKey != nil {
		settings = append(settings, `hash_key = env("HASH_KEY")`)
	}
	add("postern", "", "postern", settings...)
	add("identity", "", "identity", append([]string{"key = " + Quote(p.Identity.Key.Name)}, attributes(p.Identity.Attributes)...)...)
	if len(p.Request) > 0 {
		add("request", "", "request", attributes(p.Request)...)
	}
	for _, l := range p.Levels {
		if !builtin(l.Name) {
			add("access_level", l.Name, "access_level "+Quote(l.Name), "above = ["+joined(below(p, l))+"]")
		}
	}
	for _, g := range p.Groups {
		lines := []string{`description = "Group"`}
		if len(g.MemberOf) > 0 {
			var names []string
			for _, m := range g.MemberOf {
				names = append(names, "group"+step(m.Name))
			}
			lines = append(lines, "member_of = ["+joined(names)+"]")
		}
		add("group", g.Name, "group "+Quote(g.Name), lines...)
	}
	for _, u := range p.Users {
		add("user", u.Name, "user "+Quote(u.Name), user(p, u)...)
	}
	for _, d := range p.Datasources {
		add("datasource", d.Name, "datasource "+Quote(label(d.Name)), datasource(d)...)
	}
	for _, t := range p.Tables {
		kind := "table"
		if t.Resource() {
			kind = "resource"
		}
		add("table", t.Address(), fmt.Sprintf("%s %s %s", kind, Quote(label(t.Datasource.Name)), Quote(t.Name)), table(t)...)
	}
	for _, a := range p.Accounts {
		add("service_account", a.Name, "service_account "+Quote(label(a.Name)), account(a)...)
	}
	for _, a := range p.Apps {
		add("app", a.Name, "app "+Quote(label(a.Name)), app(a)...)
	}
	for _, pol := range p.Policies {
		for i, t := range pol.On {
			out = append(out, policy(pol, t, i))
		}
	}
	for _, g := range p.Guards {
		for i, t := range g.On {
			name := numbered(g.Name, i, len(g.On))
			b := add("guard", name, "guard "+Quote(name), `description = "Guard"`, "on = ["+TableRef(t.Table)+"]", "to = ["+subjects(g.To)+"]")
			b.Conditions = []Condition{{"require", t.Require.Source}}
		}
	}
	for _, m := range p.Masks {
		for i, t := range m.On {
			name := numbered(m.Name, i, len(m.On))
			add("mask", name, "mask "+Quote(name), `description = "Mask"`, "on = ["+TableRef(t.Table)+"]", "columns = ["+columns(t.Columns)+"]",
				"unless = ["+subjects(m.Unless)+"]", "with = "+maskFn(m.With))
		}
	}
	for _, r := range p.Reports {
		out = append(out, report(r))
	}
	return out
}

func account(a *model.ServiceAccount) []string {
	lines := []string{"datasource = datasource." + label(a.Datasource.Name), `description = "Account"`, "role = " + Quote(a.Role)}
	if a.ReadOnly {
		lines = append(lines, "read_only = true")
	}
	if !a.Managed {
		lines = append(lines, "managed = false")
	}
	if a.Additive {
		lines = append(lines, additive)
	}
	return lines
}

func report(r *model.Report) *Block {
	name := label(r.Name)
	return &Block{Kind: "report", Name: name, Lines: []string{
		"report " + Quote(name), `description = "Report"`, "from = " + TableRef(r.From), "columns = [" + columns(r.Columns) + "]",
		"to = [" + subjects(r.To) + "]",
	}, Conditions: []Condition{{"where", r.Where.Source}}}
}

// maskFn is what a mask shows, as it is written.
func maskFn(fn model.MaskFn) string {
	switch f := fn.(type) {
	case *model.MaskConstant:
		return Value(f.Value)
	case model.MaskLast:
		return fmt.Sprintf("last(%d)", f.N)
	case model.MaskFirst:
		return fmt.Sprintf("first(%d)", f.N)
	case model.MaskHash:
		return "hash()"
	case model.MaskNull:
	}
	return "null"
}

// label is an object's name as one word: instances of for_each become objects
// of their own.
func label(name string) string {
	if plain(name) {
		return name
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, name)
}

// AppName is the name that an app has in the printed project.
func AppName(a *model.App) string { return label(a.Name) }

// DatasourceName is the name that a datasource has in the printed project.
func DatasourceName(d *model.Datasource) string { return label(d.Name) }

// TableRef is a reference to a table.
func TableRef(t *model.Table) string {
	kind := "table"
	if t.Resource() {
		kind = "resource"
	}
	return kind + "." + label(t.Datasource.Name) + step(t.Name)
}

func numbered(name string, i, n int) string {
	if n == 1 {
		return label(name)
	}
	return fmt.Sprintf("%s_on_%d", label(name), i+1)
}

func builtin(level string) bool {
	return level == model.LevelAnonymous || level == model.LevelUser || level == model.LevelSuperuser
}

// below lists the levels directly under l: those that count l as theirs or
// higher, and of those the highest.
func below(p *model.Program, l *model.Level) []string {
	under := func(x, y *model.Level) bool { return x != y && slices.Contains(x.AtLeast, y) }
	var out []string
	for _, x := range p.Levels {
		direct := under(x, l)
		for _, y := range p.Levels {
			direct = direct && (!under(x, y) || !under(y, l))
		}
		if direct {
			out = append(out, "access_level"+step(x.Name))
		}
	}
	return out
}

func attributes(list []*model.Attribute) []string {
	var out []string
	for _, a := range list {
		claim := ""
		if len(a.Claim) != 1 || a.Claim[0] != a.Name {
			claim = "\n    claim = " + Quote(strings.Join(a.Claim, "."))
		}
		out = append(out, "attribute "+Quote(a.Name)+" {\n    type = "+a.Type.String()+claim+"\n  }")
	}
	return out
}

func user(p *model.Program, u *model.User) []string {
	var out []string
	if u.Groups != nil {
		var names []string
		for _, g := range u.Groups {
			names = append(names, "group"+step(g.Name))
		}
		out = append(out, "groups = ["+joined(names)+"]")
	}
	if u.Level != nil {
		out = append(out, "access_level = access_level"+step(u.Level.Name))
	}
	values := []string{p.Identity.Key.Name + " = " + Value(u.Key)}
	for _, v := range u.Attributes {
		if v.Attribute != p.Identity.Key {
			values = append(values, v.Attribute.Name+" = "+Value(v.Value))
		}
	}
	return append(out, "attributes = { "+joined(values)+" }")
}

// additive says that what the project did not make is left alone.
const additive = `manage = "additive"`

func datasource(d *model.Datasource) []string {
	out := []string{"type = " + Quote(string(d.Type))}
	if d.Type == model.Service {
		return out
	}
	owner := "exempt"
	if d.OwnerBound {
		owner = "bound"
	}
	if d.Additive {
		out = append(out, additive)
	}
	if d.ClaimsSetting != "" && d.ClaimsSetting != "postern.claims" {
		out = append(out, "claims = "+Quote(d.ClaimsSetting))
	}
	out = append(out, "identity = "+Quote(string(d.Identity)), "owner = "+Quote(owner))
	if len(d.Lookups) > 0 {
		block := "identity {"
		for _, l := range d.Lookups {
			block += fmt.Sprintf("\n    attribute %s {\n      from = %s\n      match = %s\n      column = %s\n    }",
				Quote(l.Attribute.Name), TableRef(l.Table), Quote(l.Match.Name), Quote(l.Column.Name))
		}
		out = append(out, block+"\n  }")
	}
	return out
}

func table(t *model.Table) []string {
	var out []string
	if t.Resource() {
		for _, c := range t.Columns {
			out = append(out, "attribute "+Quote(c.Name)+" {\n    type = "+c.Type.String()+"\n  }")
		}
		var actions []string
		for _, a := range t.Actions {
			actions = append(actions, Quote(string(a)))
		}
		out = append(out, "actions = ["+joined(actions)+"]")
	} else {
		out = append(out, "schema = "+Quote(t.Schema), "name = "+Quote(t.SQLName))
		for _, c := range t.Columns {
			extra := ""
			if c.Null {
				extra += "\n    null = true"
			}
			if c.Native != "" {
				extra += "\n    native = " + Quote(c.Native)
			}
			out = append(out, "column "+Quote(c.Name)+" {\n    type = "+c.Type.String()+extra+"\n  }")
		}
		if t.Additive {
			out = append(out, additive)
		}
		if len(t.PrimaryKey) > 0 {
			out = append(out, "primary_key = ["+columns(t.PrimaryKey)+"]")
		}
	}
	if len(t.Filters) > 0 {
		out = append(out, "filters = ["+filters(t)+"]")
	}
	for _, r := range t.Relations {
		var on []string
		for _, pair := range r.On {
			on = append(on, Quote(pair.From.Name)+" = "+Quote(pair.To.Name))
		}
		many := ""
		if r.Many {
			many = "\n    many = true"
		}
		out = append(out, "relation "+Quote(r.Name)+" {\n    table = "+TableRef(r.Table)+"\n    on = { "+joined(on)+" }"+many+"\n  }")
	}
	return out
}

func app(a *model.App) []string {
	out := []string{`description = "App"`, "users = [" + subjects(a.Users) + "]"}
	for _, c := range a.Connects {
		as := "app"
		if c.AsUser {
			as = "user"
		}
		account := ""
		if c.Account != nil {
			account = "\n    service_account = service_account." + label(c.Account.Name)
		}
		if c.Untrusted {
			account += "\n    sql = \"untrusted\""
		}
		out = append(out, "connect {\n    datasource = datasource."+label(c.Datasource.Name)+account+"\n    as = "+Quote(as)+"\n  }")
	}
	return out
}

func policy(pol *model.Policy, t *model.PolicyTarget, i int) *Block {
	name := numbered(pol.Name, i, len(pol.On))
	var allow []string
	for _, a := range t.Allow {
		allow = append(allow, Quote(string(a)))
	}
	lines := []string{
		"policy " + Quote(name), `description = "Policy"`, "on = [" + TableRef(t.Table) + "]",
		"to = [" + subjects(pol.To) + "]", "allow = [" + joined(allow) + "]",
	}
	if len(t.Columns) != len(t.Table.Columns) {
		lines = append(lines, "columns = ["+columns(t.Columns)+"]")
	}
	if pol.Via != nil {
		var via []string
		for _, a := range pol.Via {
			via = append(via, "app."+label(a.Name))
		}
		lines = append(lines, "via = ["+joined(via)+"]")
	}
	b := &Block{Kind: "policy", Name: name, Lines: lines, Conditions: []Condition{{"when", t.When.Source}}}
	if t.Check.Source != nil && t.Check.Source != t.When.Source {
		b.Conditions = append(b.Conditions, Condition{"check", t.Check.Source})
	}
	return b
}

func subjects(list []model.Subject) string {
	var out []string
	for _, s := range list {
		switch x := s.(type) {
		case model.AppSubject:
			out = append(out, "app."+label(x.App.Name))
		case model.GroupSubject:
			out = append(out, "group"+step(x.Group.Name))
		case model.LevelSubject:
			out = append(out, "access_level"+step(x.Level.Name))
		case model.UserSubject:
			out = append(out, "user"+step(x.User.Name))
		case model.Everyone:
			out = append(out, "everyone")
		}
	}
	return joined(out)
}

func columns(list []*model.Column) string {
	var out []string
	for _, c := range list {
		out = append(out, Quote(c.Name))
	}
	return joined(out)
}

func joined(list []string) string { return strings.Join(list, ", ") }

func filters(t *model.Table) string {
	var out []string
	for _, f := range t.Filters {
		out = append(out, Quote(string(f.Action)))
	}
	return joined(out)
}
