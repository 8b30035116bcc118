// Package equivalence makes random programs and has all engines answer for
// them, so that the whole compiler and every target are compared.
package equivalence

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/compiler/model"
)

// Program draws the source of a random, mostly well-typed program, as one block
// each. Conditions that the compiler refuses are for the caller to leave out.
// The name is the project's.
func Program(name string) *rapid.Generator[[]string] {
	return rapid.Custom(func(t *rapid.T) []string {
		g := &gen{T: t, project: name}
		return g.program()
	})
}

// gen draws one program.
type gen struct {
	*rapid.T
	project string
	attrs   []named // of the user
	request []named
	groups  []string
	levels  []string
	users   []string
	apps    []string
	tables  []*table
	blocks  []string
	related bool // tables have relations, which not all targets take
	signed  bool // clients of the database may write their own SQL
}

// named is a column or attribute.
type named struct {
	name   string
	typ    model.Type
	null   bool
	secret bool // masked, or not in all columns that policies list
	plain  bool // of the usual native type
}

type table struct {
	ref, datasource, name string
	columns               []named
	relations             []relation
	actions               []string
	listed                string // the columns that policies list, "" for all
	narrow                bool   // policies for view list different columns, and some are masked
}

type relation struct {
	name string
	to   *table
	many bool
	on   [2]string // a column of its own table, and of the other
}

func (g *gen) n(limit int) int { return rapid.IntRange(0, limit-1).Draw(g.T, "n") }

func (g *gen) one(in int) bool { return g.n(in) == 0 }

func pick[T any](g *gen, list []T) T { return list[g.n(len(list))] }

func (g *gen) block(format string, args ...any) {
	g.blocks = append(g.blocks, fmt.Sprintf(format, args...))
}

func (g *gen) program() []string {
	g.block("postern { project = %q }\n", g.project)
	g.related = g.one(4)
	g.identity()
	g.who()
	g.where()
	g.what()
	return g.blocks
}

var scalars = []model.Type{
	model.String, model.Int, model.Number, model.Bool, model.UUIDType, model.DateType, model.TimeType, model.IP, state,
}

var (
	state = model.EnumOf("open", "closed", "a")
	sets  = []model.Type{
		model.StringSet, model.SetOf(model.Int), model.SetOf(model.UUIDType), model.SetOf(model.Number), model.SetOf(state),
		model.SetOf(model.DateType), model.SetOf(model.Bool), model.SetOf(model.IP), model.SetOf(model.TimeType),
	}
)

func (g *gen) anyType() model.Type {
	if g.one(5) {
		return pick(g, sets)
	}
	return pick(g, scalars)
}

func (g *gen) identity() {
	key := pick(g, []model.Type{model.String, model.UUIDType, model.Int, model.String, state})
	g.attrs = []named{{name: "id", typ: key}}
	for i := range 3 + g.n(6) {
		g.attrs = append(g.attrs, named{name: fmt.Sprintf("a%d", i), typ: g.anyType()})
	}
	var b strings.Builder
	for i, a := range g.attrs {
		claim := ""
		if g.one(4) {
			claim = fmt.Sprintf("\n    claim = %q", fmt.Sprintf("meta.c%d", i))
		}
		fmt.Fprintf(&b, "  attribute %q {\n    type = %s%s\n  }\n", a.name, a.typ, claim)
	}
	g.block("identity {\n%s}\n", b.String())
	if g.one(3) {
		return
	}
	b.Reset()
	for i := range 1 + g.n(3) {
		a := named{name: fmt.Sprintf("q%d", i), typ: g.anyType()}
		g.request = append(g.request, a)
		fmt.Fprintf(&b, "  attribute %q { type = %s }\n", a.name, a.typ)
	}
	g.block("request {\n%s}\n", b.String())
}

func (g *gen) who() {
	for i := range 1 + g.n(4) {
		var above []string
		for _, other := range g.groups {
			if g.one(3) {
				above = append(above, "group."+other)
			}
		}
		name := fmt.Sprintf("g%d", i)
		g.block("group %q {\n  description = \"d\"\n  member_of = [%s]\n}\n", name, strings.Join(above, ", "))
		g.groups = append(g.groups, name)
	}
	g.levels = []string{"anonymous", "user", "superuser"}
	if g.one(3) {
		g.block("access_level \"staff\" { above = access_level.%s }\n", pick(g, []string{"user", "anonymous", "superuser"}))
		g.levels = append(g.levels, "staff")
	}
	keys := map[string]bool{}
	for i := range g.n(3) {
		name := fmt.Sprintf("u%d", i)
		key := g.literal(g.attrs[0].typ)
		if keys[normal(key)] {
			continue
		}
		keys[normal(key)] = true
		var lines []string
		if g.one(2) {
			lines = append(lines, "  groups = ["+g.refs("group.", g.groups)+"]")
		}
		if g.one(2) {
			lines = append(lines, "  access_level = access_level."+pick(g, g.levels))
		}
		values := []string{"id = " + key}
		for _, a := range g.attrs[1:] {
			switch g.n(5) {
			case 0:
				values = append(values, a.name+" = null")
			case 1:
				values = append(values, a.name+" = "+g.literal(a.typ))
			}
		}
		lines = append(lines, "  attributes = { "+strings.Join(values, ", ")+" }")
		g.block("user %q {\n%s\n}\n", name, strings.Join(lines, "\n"))
		g.users = append(g.users, name)
	}
}

// normal is a key in the form in which keys of users differ: HCL's strings are
// in Unicode's normal form C, and UUIDs have no case.
func normal(key string) string {
	s, err := strconv.Unquote(key)
	if err != nil {
		s = key
	}
	return norm.NFC.String(strings.ToLower(s))
}

// refs draws some of the names, as references.
func (g *gen) refs(prefix string, names []string) string {
	var out []string
	for _, n := range names {
		if g.one(2) {
			out = append(out, prefix+n)
		}
	}
	return strings.Join(out, ", ")
}

func (g *gen) where() {
	identity := pick(g, []string{"setting", "setting", "signed"})
	g.signed = identity == "signed"
	g.block("datasource \"db\" {\n  type = \"postgres\"\n  identity = %q\n  owner = %q\n}\n", identity, pick(g, []string{"bound", "exempt"}))
	for i := range 1 + g.n(3) {
		g.table("db", fmt.Sprintf("t%d", i), []string{"view", "create", "edit", "delete"})
	}
	service := g.one(3)
	if service {
		g.block("datasource \"svc\" { type = \"service\" }\n")
		g.table("svc", "res", []string{"view", "edit", "ban"})
	}
	for _, t := range g.tables {
		g.printTable(t)
	}
	if g.one(3) { // no app at all
		g.account(0)
		return
	}
	for i := range 1 + g.n(3) {
		name := fmt.Sprintf("app%d", i)
		as := pick(g, []string{"user", "user", "app"})
		g.account(i)
		users := pick(g, []string{"everyone", "everyone", g.subject(false), g.subject(false) + ", " + g.subject(false)})
		more := ""
		if service && g.one(2) {
			more = "  connect {\n    datasource = datasource.svc\n    as = " + pick(g, []string{`"user"`, `"app"`}) + "\n  }\n"
		}
		g.block("app %q {\n  description = \"d\"\n  users = [%s]\n  connect {\n    datasource = datasource.db\n    service_account = service_account.s%d\n    as = %q\n    sql = %q\n  }\n%s}\n",
			name, users, i, as, g.sql(), more)
		g.apps = append(g.apps, name)
	}
}

// sql draws who writes the SQL of an app's connection.
func (g *gen) sql() string {
	if g.signed && g.one(2) {
		return "untrusted"
	}
	return "trusted"
}

func (g *gen) account(i int) {
	g.block("service_account \"s%d\" {\n  datasource = datasource.db\n  description = \"d\"\n  role = \"%s_s%d\"\n}\n", i, g.project, i)
}

func (g *gen) table(datasource, name string, actions []string) {
	kind := "table"
	if datasource == "svc" {
		kind = "resource"
	}
	t := &table{ref: kind + "." + datasource + "." + name, datasource: datasource, name: name, actions: actions}
	t.columns = []named{{name: "id", typ: pick(g, []model.Type{model.Int, model.UUIDType, model.String})}}
	for i := range 2 + g.n(6) {
		t.columns = append(t.columns, named{name: fmt.Sprintf("c%d", i), typ: g.anyType(), null: !g.one(3) || kind == "resource"})
	}
	if g.one(3) {
		g.secrets(t)
	} else if g.one(4) {
		var names []string
		for _, c := range t.columns {
			if !g.one(3) {
				names = append(names, fmt.Sprintf("%q", c.name))
			}
		}
		if len(names) > 0 {
			t.listed = "[" + strings.Join(names, ", ") + "]"
		}
	}
	if g.related {
		for _, to := range append([]*table{t}, g.tables...) {
			if to.datasource != datasource || g.one(2) {
				continue
			}
			if from, other, ok := g.join(t, to); ok {
				t.relations = append(t.relations, relation{fmt.Sprintf("r%d", len(t.relations)), to, g.one(2), [2]string{from, other}})
			}
		}
	}
	g.tables = append(g.tables, t)
}

// natives are the database's types of a column.
func natives(t model.Type) []string {
	switch t.Kind {
	case model.KindInt:
		return []string{"", "smallint", "integer", "bigint"}
	case model.KindNumber:
		return []string{"", "numeric(12,2)", "numeric(38,0)", "numeric(40,10)"}
	case model.KindString:
		return []string{"", "text", "character varying(6)", "character varying", "character(4)", "name", "public.dm"}
	case model.KindTimestamp:
		return []string{"", "timestamp without time zone", "timestamp(3) without time zone", "timestamp(3) with time zone"}
	case model.KindEnum:
		return []string{"public.state"}
	case model.KindSet:
		switch t.Elem.Kind {
		case model.KindInt:
			return []string{"", "integer[]", "smallint[]"}
		case model.KindString:
			return []string{"", "character varying(6)[]"}
		case model.KindEnum:
			return []string{"public.state[]"}
		default:
		}
	default:
	}
	return []string{""}
}

func (g *gen) printTable(t *table) {
	var b strings.Builder
	for _, c := range t.columns {
		if t.datasource == "svc" {
			fmt.Fprintf(&b, "  attribute %q { type = %s }\n", c.name, c.typ)
			continue
		}
		extra := ""
		if c.null {
			extra += "\n    null = true"
		}
		list := natives(c.typ)
		if c.plain {
			list = list[:1]
		}
		if n := pick(g, list); n != "" {
			extra += fmt.Sprintf("\n    native = %q", n)
		}
		fmt.Fprintf(&b, "  column %q {\n    type = %s%s\n  }\n", c.name, c.typ, extra)
	}
	for _, r := range t.relations {
		fmt.Fprintf(&b, "  relation %q {\n    table = %s\n    on = { %s = %q }\n    many = %t\n  }\n", r.name, r.to.ref, r.on[0], r.on[1], r.many)
	}
	if t.datasource == "svc" {
		g.block("resource %q %q {\n%s  actions = [%s]\n}\n", t.datasource, t.name, b.String(), `"view", "edit", "ban"`)
		return
	}
	g.block("table %q %q {\n%s  primary_key = [\"id\"]\n}\n", t.datasource, t.name, b.String())
}

// join draws two columns of one type.
func (g *gen) join(a, b *table) (from, to string, ok bool) {
	var pairs [][2]string
	for _, x := range a.columns {
		for _, y := range b.columns {
			if x.typ.Equal(y.typ) && x.typ.Kind != model.KindSet {
				pairs = append(pairs, [2]string{x.name, y.name})
			}
		}
	}
	if len(pairs) == 0 {
		return "", "", false
	}
	p := pick(g, pairs)
	return p[0], p[1], true
}

// subject draws who a policy, guard or app is for.
func (g *gen) subject(apps bool) string {
	switch n := g.n(6); {
	case n == 0:
		return "everyone"
	case n == 1 && len(g.users) > 0:
		return "user." + pick(g, g.users)
	case n == 2:
		return "access_level." + pick(g, g.levels)
	case n == 3 && apps && len(g.apps) > 0:
		return "app." + pick(g, g.apps)
	}
	return "group." + pick(g, g.groups)
}

func (g *gen) subjects() string {
	first := g.subject(true)
	if second := g.subject(true); second != first && g.one(2) && first != "everyone" && second != "everyone" {
		return first + ", " + second
	}
	return first
}

func (g *gen) what() {
	for _, t := range g.tables {
		for i := range 1 + g.n(4) {
			g.policy(t, i)
		}
		g.masks(t)
		for i := range g.n(3) {
			g.block("guard \"%s_%s_%d\" {\n  description = \"d\"\n  on = [%s]\n  to = [%s]\n  require = %s\n}\n",
				t.datasource, t.name, i, t.ref, g.subjects(), g.condition(t))
		}
	}
}

func (g *gen) policy(t *table, i int) {
	var lines []string
	allow := "all"
	if t.narrow {
		allow = pick(g, t.actions)
		if i == 0 {
			allow = "view"
		}
	} else if i > 0 && g.one(2) {
		allow = pick(g, t.actions)
	}
	switch {
	case i == 0 && g.one(2):
		lines = append(lines, "  to = [everyone]")
	default:
		lines = append(lines, "  to = ["+g.subjects()+"]")
	}
	if allow == "all" {
		lines = append(lines, "  allow = all")
	} else {
		lines = append(lines, "  allow = ["+allow+"]")
	}
	if !g.one(8) {
		lines = append(lines, "  when = "+g.condition(t))
	}
	if g.one(3) && (allow == "all" || allow == "create" || allow == "edit") {
		lines = append(lines, "  check = "+g.condition(t))
	}
	if t.narrow {
		lines = append(lines, "  columns = "+g.narrowed(t, allow))
	} else if t.listed != "" {
		lines = append(lines, "  columns = "+t.listed)
	}
	if len(g.apps) > 0 && g.one(4) {
		lines = append(lines, "  via = [app."+pick(g, g.apps)+"]")
	}
	g.block("policy \"%s_%s_%d\" {\n  description = \"d\"\n  on = [%s]\n%s\n}\n", t.datasource, t.name, i, t.ref, strings.Join(lines, "\n"))
}
