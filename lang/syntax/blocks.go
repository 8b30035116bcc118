package syntax

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// block decodes one top-level block into the module.
func (p *parser) block(b *hcl.Block) {
	m := p.module
	switch b.Type {
	case "postern":
		m.Settings = append(m.Settings, p.settings(b))
	case "variable":
		m.Variables = append(m.Variables, p.variable(b))
	case "locals":
		for _, a := range p.free(b.Body) {
			m.Locals = append(m.Locals, &Local{Name: a.Name, Span: a.Span, Value: a.Value})
		}
	case "output":
		o := &Output{}
		c := p.read(b, "output", &o.Header)
		o.Value, o.Sensitive = c.expr("value"), c.expr("sensitive")
		m.Outputs = append(m.Outputs, o)
	case "module":
		m.Modules = append(m.Modules, p.moduleCall(b))
	case "notify":
		n := &Notify{}
		c := p.read(b, "notify", &n.Header)
		n.Description, n.On, n.URL, n.Secret, n.DeadLetter = c.expr("description"), c.expr("on"), c.expr("url"), c.expr("secret"), c.expr("dead_letter")
		m.Notifies = append(m.Notifies, n)
	case "publish":
		m.Publishes = append(m.Publishes, p.publish(b))
	case "identity":
		m.Identities = append(m.Identities, p.attributes(b, "identity"))
	case "request":
		m.Requests = append(m.Requests, p.attributes(b, "request"))
	case "test":
		m.Tests = append(m.Tests, p.test(b))
	case "matrix":
		m.Matrices = append(m.Matrices, p.matrix(b))
	case "assert":
		m.Asserts = append(m.Asserts, p.assert(b))
	case "fixtures":
		f := &Fixtures{}
		c := p.read(b, "fixtures", &f.Header)
		f.Given = p.given(c.blocks)
		m.Fixtures = append(m.Fixtures, f)
	default:
		p.object(b)
	}
}

// object decodes the blocks that become objects of the model.
func (p *parser) object(b *hcl.Block) {
	m := p.module
	switch b.Type {
	case "group":
		g := &Group{}
		g.MemberOf = p.read(b, "group", &g.Header).expr("member_of")
		m.Groups = append(m.Groups, g)
	case "user":
		u := &User{}
		c := p.read(b, "user", &u.Header)
		u.Groups, u.AccessLevel, u.Attributes = c.expr("groups"), c.expr("access_level"), c.expr("attributes")
		m.Users = append(m.Users, u)
	case "access_level":
		l := &Level{}
		l.Above = p.read(b, "access_level", &l.Header).expr("above")
		m.Levels = append(m.Levels, l)
	case "datasource":
		m.Datasources = append(m.Datasources, p.datasource(b))
	case "table", "resource":
		m.Tables = append(m.Tables, p.table(b))
	case "service_account":
		m.ServiceAccounts = append(m.ServiceAccounts, p.account(b))
	case "app":
		m.Apps = append(m.Apps, p.app(b))
	case "policy":
		x := &Policy{}
		c := p.read(b, "policy", &x.Header)
		x.On, x.To, x.Allow = c.expr("on"), c.expr("to"), c.expr("allow")
		x.When, x.Check, x.Columns, x.Via = c.expr("when"), c.expr("check"), c.expr("columns"), c.expr("via")
		m.Policies = append(m.Policies, x)
	case "guard":
		g := &Guard{}
		c := p.read(b, "guard", &g.Header)
		g.On, g.To, g.Require = c.expr("on"), c.expr("to"), c.expr("require")
		m.Guards = append(m.Guards, g)
	case "mask":
		x := &Mask{}
		c := p.read(b, "mask", &x.Header)
		x.On, x.Columns, x.Unless, x.With = c.expr("on"), c.expr("columns"), c.expr("unless"), c.expr("with")
		m.Masks = append(m.Masks, x)
	case "report":
		x := &Report{}
		c := p.read(b, "report", &x.Header)
		x.From, x.Where, x.Columns, x.To = c.expr("from"), c.expr("where"), c.expr("columns"), c.expr("to")
		m.Reports = append(m.Reports, x)
	}
}

// moduleCall reads the arguments of a module block: three of its own, and the
// inputs.
func (p *parser) moduleCall(b *hcl.Block) *ModuleCall {
	c := &ModuleCall{Header: headerOf(b)}
	for _, a := range p.free(b.Body) {
		switch a.Name {
		case "source":
			c.Source = a.Value
		case "for_each":
			c.ForEach = a.Value
		case "description":
			c.Description = a.Value
		default:
			c.Inputs = append(c.Inputs, a)
		}
	}
	if c.Source == nil {
		p.diags.Fail(CodeMissingArgument, c.Span, "Missing required argument", `The argument "source" is required, but no definition was found.`)
	}
	return c
}

func (p *parser) settings(b *hcl.Block) *Settings {
	s := &Settings{}
	c := p.read(b, "postern", &s.Header)
	s.RequiredVersion, s.Project, s.HashKey = c.expr("required_version"), c.expr("project"), c.expr("hash_key")
	return s
}

func (p *parser) variable(b *hcl.Block) *Variable {
	v := &Variable{}
	c := p.read(b, "variable", &v.Header)
	v.TypeExpr, v.Default = c.expr("type"), c.expr("default")
	v.Sensitive, v.Nullable = c.expr("sensitive"), c.expr("nullable")
	for _, inner := range c.blocks {
		x := &Validation{}
		vc := p.read(inner, "variable/validation", &x.Header)
		x.Condition, x.ErrorMessage = vc.expr("condition"), vc.expr("error_message")
		v.Validations = append(v.Validations, x)
	}
	return v
}

func (p *parser) attributes(b *hcl.Block, schema string) *Attributes {
	a := &Attributes{}
	c := p.read(b, schema, &a.Header)
	a.Key, a.Mode = c.expr("key"), c.expr("mode")
	inner := schema + "/attribute"
	for _, ab := range c.blocks {
		x := &Attribute{}
		ac := p.read(ab, inner, &x.Header)
		x.TypeExpr, x.Claim = ac.expr("type"), ac.expr("claim")
		x.From, x.Match, x.Column = ac.expr("from"), ac.expr("match"), ac.expr("column")
		for _, e := range []hcl.Expression{x.From, x.Match, x.Column} {
			if x.Lookup == nil {
				x.Lookup = e
			}
		}
		a.Attributes = append(a.Attributes, x)
	}
	return a
}

func (p *parser) datasource(b *hcl.Block) *Datasource {
	d := &Datasource{}
	if identityIsBlock(b.Body) {
		s := *p.schemas["datasource"]
		s.Attributes = slices.DeleteFunc(slices.Clone(s.Attributes), func(a hcl.AttributeSchema) bool { return a.Name == "identity" })
		p.schemas["datasource in JSON"] = &s
		c := p.read(b, "datasource in JSON", &d.Header)
		p.datasourceBody(d, c)
		return d
	}
	c := p.read(b, "datasource", &d.Header)
	p.datasourceBody(d, c)
	return d
}

// identityIsBlock reports whether a body of the JSON syntax has an object where
// a datasource's `identity` stands. There one name cannot be an argument and a
// block, so that the block states the argument, as `mode`.
func identityIsBlock(body hcl.Body) bool {
	if _, native := body.(*hclsyntax.Body); native {
		return false
	}
	content, _, _ := body.PartialContent(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "identity"}}})
	if content == nil || content.Attributes["identity"] == nil {
		return false
	}
	expr := content.Attributes["identity"].Expr
	_, mapped := hcl.ExprMap(expr)
	_, listed := hcl.ExprList(expr)
	return !mapped.HasErrors() || !listed.HasErrors()
}

func (p *parser) datasourceBody(d *Datasource, c *content) {
	d.TypeExpr, d.URL, d.Identity = c.expr("type"), c.expr("url"), c.expr("identity")
	d.Claims, d.Owner, d.Manage = c.expr("claims"), c.expr("owner"), c.expr("manage")
	for _, inner := range c.blocks {
		d.Identities = append(d.Identities, p.attributes(inner, "datasource/identity"))
	}
}

func (p *parser) table(b *hcl.Block) *Table {
	t := &Table{}
	c := p.read(b, b.Type, &t.Header)
	t.Schema, t.Name, t.Manage = c.expr("schema"), c.expr("name"), c.expr("manage")
	t.PrimaryKey, t.Actions, t.Filters = c.expr("primary_key"), c.expr("actions"), c.expr("filters")
	for _, inner := range c.blocks {
		if inner.Type == "relation" {
			r := &Relation{}
			rc := p.read(inner, "table/relation", &r.Header)
			r.Table, r.On, r.Many = rc.expr("table"), rc.expr("on"), rc.expr("many")
			t.Relations = append(t.Relations, r)
			continue
		}
		col := &Column{}
		cc := p.read(inner, b.Type+"/"+inner.Type, &col.Header)
		col.TypeExpr, col.Null, col.Tags, col.Native = cc.expr("type"), cc.expr("null"), cc.expr("tags"), cc.expr("native")
		t.Columns = append(t.Columns, col)
	}
	return t
}

func (p *parser) account(b *hcl.Block) *ServiceAccount {
	a := &ServiceAccount{}
	c := p.read(b, "service_account", &a.Header)
	a.Datasource, a.Role, a.Managed = c.expr("datasource"), c.expr("role"), c.expr("managed")
	a.Manage = c.expr("manage")
	a.Password, a.ReadOnly = c.expr("password"), c.expr("read_only")
	for _, inner := range c.blocks {
		l := &Limits{}
		lc := p.read(inner, "service_account/limits", &l.Header)
		l.Connections, l.StatementTimeout = lc.expr("connections"), lc.expr("statement_timeout")
		l.IdleTimeout, l.ValidUntil = lc.expr("idle_timeout"), lc.expr("valid_until")
		a.Limits = append(a.Limits, l)
	}
	return a
}

func (p *parser) app(b *hcl.Block) *App {
	a := &App{}
	c := p.read(b, "app", &a.Header)
	a.Users = c.expr("users")
	for _, inner := range c.blocks {
		x := &Connect{}
		cc := p.read(inner, "app/connect", &x.Header)
		x.Datasource, x.ServiceAccount = cc.expr("datasource"), cc.expr("service_account")
		x.As, x.SQL = cc.expr("as"), cc.expr("sql")
		a.Connects = append(a.Connects, x)
	}
	return a
}

func (p *parser) test(b *hcl.Block) *Test {
	t := &Test{}
	c := p.read(b, "test", &t.Header)
	t.User, t.App, t.Now, t.Request = c.expr("user"), c.expr("app"), c.expr("now"), c.expr("request")
	t.Given = p.given(c.blocks)
	for _, inner := range c.blocks {
		if inner.Type == "expect" {
			t.Expects = append(t.Expects, p.expect(inner))
		}
	}
	return t
}

func (p *parser) matrix(b *hcl.Block) *Matrix {
	m := &Matrix{}
	c := p.read(b, "matrix", &m.Header)
	m.Users, m.App, m.Now, m.Request = c.expr("users"), c.expr("app"), c.expr("now"), c.expr("request")
	m.Given = p.given(c.blocks)
	for _, inner := range c.blocks {
		if inner.Type == "allow" {
			m.Allows = append(m.Allows, &Allow{Header: headerOf(inner), Users: p.free(inner.Body)})
		}
	}
	return m
}

func (p *parser) assert(b *hcl.Block) *Assert {
	a := &Assert{}
	for _, inner := range p.read(b, "assert", &a.Header).blocks {
		n := &Never{}
		c := p.read(inner, "assert/never", &n.Header)
		n.Who, n.Action, n.On = c.expr("who"), c.expr("action"), c.expr("on")
		n.Columns, n.App, n.When = c.expr("columns"), c.expr("app"), c.expr("when")
		a.Never = append(a.Never, n)
	}
	return a
}

func (p *parser) given(blocks hcl.Blocks) []*Given {
	var out []*Given
	for _, b := range blocks {
		if b.Type == "given" {
			out = append(out, &Given{Header: headerOf(b), Records: p.free(b.Body)})
		}
	}
	return out
}

func (p *parser) expect(b *hcl.Block) *Expect {
	e := &Expect{Header: headerOf(b)}
	c, rest, diags := b.Body.PartialContent(body(nil, nested("write", "name"), nested("columns", "record"), nested("report", "name")))
	p.report(diags, &e.Header)
	for _, inner := range c.Blocks {
		if inner.Type == "columns" {
			s := &Sight{}
			sc := p.read(inner, "expect/columns", &s.Header)
			s.Visible, s.Masked = sc.expr("visible"), sc.expr("masked")
			e.Sights = append(e.Sights, s)
			continue
		}
		if inner.Type == "report" {
			r := &Rows{}
			r.Rows = p.read(inner, "expect/report", &r.Header).expr("rows")
			e.Rows = append(e.Rows, r)
			continue
		}
		w := &Write{}
		wc := p.read(inner, "expect/write", &w.Header)
		w.From, w.To, w.Table, w.Allowed = wc.expr("from"), wc.expr("to"), wc.expr("table"), wc.expr("allowed")
		e.Writes = append(e.Writes, w)
	}
	e.Actions = p.freeBeside(b.Body, rest, "write", "columns", "report")
	return e
}

// freeBeside is the free arguments of a body that may have blocks of some types
// too, which HCL's native syntax does not allow for.
func (p *parser) freeBeside(whole, rest hcl.Body, blocks ...string) []*NamedExpr {
	native, ok := whole.(*hclsyntax.Body)
	if !ok {
		return p.free(rest)
	}
	for _, b := range native.Blocks {
		if !slices.Contains(blocks, b.Type) {
			span := Span(b.TypeRange)
			p.diags.Fail(CodeUnknownBlock, span, "Unsupported block type", fmt.Sprintf("Blocks of type %q are not expected here, only \"%s\".", b.Type, strings.Join(blocks, "\" and \"")))
		}
	}
	attrs := make(hcl.Attributes, len(native.Attributes))
	for name, a := range native.Attributes {
		attrs[name] = a.AsHCLAttribute()
	}
	return named(attrs)
}

// free is the arguments of a body that may have any, in source order.
func (p *parser) free(b hcl.Body) []*NamedExpr {
	attrs, diags := b.JustAttributes()
	p.report(diags, nil)
	return named(attrs)
}

func named(attrs hcl.Attributes) []*NamedExpr {
	out := make([]*NamedExpr, 0, len(attrs))
	for _, a := range attrs {
		out = append(out, &NamedExpr{Name: a.Name, Span: Span(a.NameRange), Value: a.Expr})
	}
	slices.SortFunc(out, func(a, b *NamedExpr) int { return cmp.Compare(a.Span.Start.Byte, b.Span.Start.Byte) })
	return out
}
