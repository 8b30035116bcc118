package access

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

func decimal(n int) string { return strconv.Itoa(n) }

// keyer writes conditions in a form that is the same for two conditions only if
// they mean the same in every program with the same context: names of columns
// and attributes with their types, claims in place of attributes' names, terms
// in order of their own form.
type keyer struct {
	rows  map[*model.Row]string // those that loops bind
	names map[string]string     // what stands for groups' names
	forms *forms                // nil: everything is written out
	other redeclared
	// What has been written speaks of groups by name, or of the app's name.
	groups, app bool
}

func newKeyer() *keyer { return &keyer{rows: map[*model.Row]string{}} }

func condKey(c model.Cond) string { return newKeyer().cond(c) }

func quote(s string) string { return strconv.Quote(s) }

func (k *keyer) terms(op string, terms []model.Cond) string {
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = k.cond(t)
	}
	slices.Sort(parts)
	return "(" + op + " " + strings.Join(slices.Compact(parts), " ") + ")"
}

// cond is a condition's form, or the short name of it.
func (k *keyer) cond(c model.Cond) string {
	if k.forms != nil && len(k.rows) == 0 {
		return k.short(c)
	}
	return k.written(c)
}

func (k *keyer) written(c model.Cond) string {
	switch x := c.(type) {
	case model.True:
		return "true"
	case model.False:
		return "false"
	case *model.And:
		return k.terms("and", x.Terms)
	case *model.Or:
		return k.terms("or", x.Terms)
	case *model.Compare:
		return "(" + string(x.Op) + " " + k.expr(x.X) + " " + k.expr(x.Y) + ")"
	case *model.Truth:
		return fmt.Sprintf("(truth %t %s)", x.Want, k.expr(x.X))
	case *model.Null:
		return fmt.Sprintf("(null %t %s)", x.Not, k.expr(x.X))
	case *model.Empty:
		return fmt.Sprintf("(empty %t %s)", x.Not, k.expr(x.X))
	case *model.Known:
		return fmt.Sprintf("(known %t %s)", x.Not, k.expr(x.X))
	case *model.Match:
		return fmt.Sprintf("(%s %t %q %s %s)", x.Op, x.Not, x.Delimiter, k.expr(x.X), k.expr(x.Y))
	case *model.In:
		if _, groups := x.Set.(*model.GroupsRef); groups {
			if lit, ok := x.Elem.(*model.Literal); ok {
				return fmt.Sprintf("(group %t %q)", x.Not, k.group(lit))
			}
		}
		return fmt.Sprintf("(in %t %s %s)", x.Not, k.expr(x.Elem), k.expr(x.Set))
	case *model.InNetwork:
		return fmt.Sprintf("(net %t %s %s)", x.Not, x.Net, k.expr(x.X))
	case *model.ViaApp:
		return fmt.Sprintf("(via %t %q)", x.Not, x.App.Name)
	case *model.Some:
		return k.loop("some", x.From, x.Where)
	case *model.Every:
		return k.loop("every", x.From, x.Where)
	case *model.Count:
		return "(count " + string(x.Op) + " " + k.expr(x.N) + " " + k.loop("of", x.From, x.Holds, x.Fails) + ")"
	}
	return "?"
}

// group is the name of a group, or what stands for it.
func (k *keyer) group(x *model.Literal) string {
	k.groups = true
	name, _ := x.Value.(string)
	if other, ok := k.names[name]; ok {
		return other
	}
	return name
}

func (k *keyer) loop(op string, from model.RelatedRows, bodies ...model.Cond) string {
	before, bound := k.rows[from.Each]
	k.rows[from.Each] = "each" + decimal(len(k.rows))
	parts := []string{op, k.path(from.Row, from.Path), k.other.relation(from.Relation), k.rows[from.Each]}
	for _, b := range bodies {
		parts = append(parts, k.cond(b))
	}
	if bound {
		k.rows[from.Each] = before
	} else {
		delete(k.rows, from.Each)
	}
	return "(" + strings.Join(parts, " ") + ")"
}

func (k *keyer) path(row *model.Row, path []*model.Relation) string {
	out, bound := k.rows[row]
	if !bound {
		out = "record"
	}
	for _, r := range path {
		out += "/" + k.other.relation(r)
	}
	return out
}

// relationKey is a relation with what decides which records it leads to.
func relationKey(r *model.Relation) string {
	var on []string
	for _, j := range r.On {
		on = append(on, columnKey(j.From)+"="+columnKey(j.To))
	}
	return quote(r.Name) + "{" + tableAddress(r.Table) + " " + strings.Join(on, ",") + "}"
}

func columnKey(c *model.Column) string {
	return fmt.Sprintf("%q:%s:%q:%t", c.Name, c.Type, c.Native, c.Null)
}

func attributeKey(a *model.Attribute) string {
	return fmt.Sprintf("%d%q:%s", a.Scope, a.Claim, a.Type)
}

func (k *keyer) expr(x model.Expr) string {
	switch e := x.(type) {
	case *model.Literal:
		return valueKey(e.Value, e.Type)
	case *model.NullLiteral:
		return "null"
	case *model.ColumnRef:
		return k.path(e.Row, e.Path) + "." + k.other.column(e.Column)
	case *model.AttrRef:
		return "attr" + attributeKey(e.Attribute)
	case *model.GroupsRef:
		return "groups"
	case *model.LevelRef:
		return "level"
	case *model.AppRef:
		k.app = true
		return "app"
	case *model.NowRef:
		return "now"
	case *model.Call:
		parts := []string{fmt.Sprintf("call%d:%s", e.Fn, e.Type)}
		for _, a := range e.Args {
			parts = append(parts, k.expr(a))
		}
		return "(" + strings.Join(parts, " ") + ")"
	case *model.Network:
		return fmt.Sprintf("(network %s %s)", e.Net, k.expr(e.X))
	case *model.MemberOf:
		return fmt.Sprintf("(member %q)", e.Group.Name)
	case *model.Related:
		return fmt.Sprintf("(related %p)", e) // stands in no lowered condition
	}
	return "?"
}

// valueKey is a constant with its type, as no two constants share.
func valueKey(v model.Value, t model.Type) string {
	if set, ok := v.(model.Set); ok && t.Elem != nil {
		parts := make([]string, len(set))
		for i, e := range set {
			parts[i] = valueKey(e, *t.Elem)
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	if d, ok := v.(model.Duration); ok {
		return "duration:" + strconv.FormatInt(int64(d), 10)
	}
	return fmt.Sprintf("%d:%#v", t.Kind, model.JSON(v, t, ""))
}

// contextKey is what conditions mean beside their form: who users are.
func contextKey(p *model.Program) string {
	var b strings.Builder
	if p.Identity.Key != nil {
		b.WriteString("key " + attributeKey(p.Identity.Key) + "\n")
	}
	for _, l := range p.Levels {
		fmt.Fprintf(&b, "level %q\n", l.Name)
	}
	for _, g := range p.Groups {
		fmt.Fprintf(&b, "group %q %q\n", g.Name, g.Closure)
	}
	users := make([]string, len(p.Users))
	for i, u := range p.Users {
		users[i] = userKey(p, u)
	}
	slices.Sort(users)
	b.WriteString(strings.Join(users, "\n"))
	return b.String()
}

func userKey(p *model.Program, u *model.User) string {
	parts := []string{"user", valueKey(u.Key, p.Identity.Key.Type)}
	if u.Groups != nil {
		names := []string{}
		for _, g := range u.Groups {
			names = append(names, g.Name)
		}
		slices.Sort(names)
		parts = append(parts, fmt.Sprintf("groups %q", names))
	}
	if u.Level != nil {
		parts = append(parts, "level "+quote(u.Level.Name))
	}
	var values []string
	for _, v := range u.Attributes {
		value := "none"
		if v.Value != nil {
			value = valueKey(v.Value, v.Attribute.Type)
		}
		values = append(values, attributeKey(v.Attribute)+"="+value)
	}
	slices.Sort(values)
	return strings.Join(append(parts, values...), " ")
}

// policyKey, guardKey and maskKey are the parts of a table's rules.
func policyKey(t *model.PolicyTarget) string {
	via := "any"
	if t.Policy.Via != nil {
		names := []string{}
		for _, a := range t.Policy.Via {
			names = append(names, a.Name)
		}
		slices.Sort(names)
		via = fmt.Sprintf("%q", names)
	}
	var columns, allow []string
	for _, c := range t.Columns {
		columns = append(columns, columnKey(c))
	}
	for _, a := range t.Allow {
		allow = append(allow, string(a))
	}
	slices.Sort(allow)
	return fmt.Sprintf("policy to %s via %s allow %q columns %q when %s check %s",
		subjectsKey(t.Policy.To), via, allow, columns, condKey(t.When.Holds), condKey(t.Check.Holds))
}

func guardKey(t *model.GuardTarget) string {
	return "guard to " + subjectsKey(t.Guard.To) + " require " + condKey(t.Require.Holds)
}

func maskKey(t *model.MaskTarget) string {
	var columns []string
	for _, c := range t.Columns {
		columns = append(columns, columnKey(c))
	}
	with := maskKind(t.Mask.With)
	if _, null := t.Mask.With.(model.MaskNull); null {
		with = "null"
	}
	return fmt.Sprintf("mask unless %s with %q on %q", subjectsKey(t.Mask.Unless), with, columns)
}

func subjectsKey(list []model.Subject) string {
	names := make([]string, len(list))
	for i, s := range list {
		names[i] = subjectKey(s)
	}
	slices.Sort(names)
	return "[" + strings.Join(names, " ") + "]"
}

// subjectKey is a subject with what decides who is among it.
func subjectKey(s model.Subject) string {
	switch x := s.(type) {
	case model.UserSubject:
		return fmt.Sprintf("user %#v", model.JSON(x.User.Key, model.String, ""))
	case model.LevelSubject:
		names := []string{}
		for _, l := range x.Level.AtLeast {
			names = append(names, l.Name)
		}
		slices.Sort(names)
		return fmt.Sprintf("level %q %q", x.Level.Name, names)
	case model.Everyone, model.GroupSubject, model.AppSubject:
		return model.SubjectString(s)
	}
	return "?"
}

// tableHash is the hash of all that decides about access to a table's records,
// given the context.
func tableHash(t *model.Table) [32]byte {
	var parts []string
	for _, c := range t.Columns {
		parts = append(parts, "column "+columnKey(c))
	}
	for _, a := range t.Actions {
		parts = append(parts, "action "+string(a))
	}
	for _, e := range t.Datasource.Entries() {
		if e.Connect == nil {
			parts = append(parts, "no app")
			continue
		}
		parts = append(parts, fmt.Sprintf("app %q as user %t users %s", e.App().Name, e.Connect.AsUser, subjectsKey(e.App().Users)))
	}
	for _, x := range t.Policies {
		parts = append(parts, policyKey(x))
	}
	for _, x := range t.Guards {
		parts = append(parts, guardKey(x))
	}
	for _, x := range t.Masks {
		parts = append(parts, maskKey(x))
	}
	slices.Sort(parts)
	return sha256.Sum256([]byte(strings.Join(parts, "\n")))
}

// tableAddress is a table as it is referred to in HCL.
func tableAddress(t *model.Table) string {
	if t.Resource() {
		return "resource." + t.Address()
	}
	return "table." + t.Address()
}
