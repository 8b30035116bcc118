package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// datasources makes the databases and services.
func (r *resolver) datasources() {
	addresses := map[string]source.Span{}
	for _, b := range r.syntax.Datasources {
		label := b.Label(0)
		if first, ok := r.names.datasources[label]; ok {
			r.duplicate(b.Span, first.span, fmt.Sprintf("A second datasource %q", label))
			continue
		}
		r.validName("datasource", label, b.LabelSpan(0))
		fam := &family[*model.Datasource]{span: b.Span, keyed: b.ForEach != nil}
		r.names.datasources[label] = fam
		for _, round := range r.repeats(&b.Header) {
			d := r.datasource(b, round)
			if first, ok := addresses[d.Name]; ok {
				r.duplicate(b.Span, first, fmt.Sprintf("A second datasource with the address %s", d.Name))
				continue
			}
			addresses[d.Name] = b.Span
			fam.all = append(fam.all, instance[*model.Datasource]{round.key, round.keyed, d})
			r.program.Datasources = append(r.program.Datasources, d)
		}
	}
	slices.SortFunc(r.program.Datasources, func(a, b *model.Datasource) int { return strings.Compare(a.Name, b.Name) })
}

func (r *resolver) datasource(b *syntax.Datasource, round repeat) *model.Datasource {
	d := &model.Datasource{
		Name: r.address(b.Label(0), round.key, round.keyed), Label: b.Label(0), Key: round.key,
		Description: r.description(b.Description, round.ctx), Span: b.Span,
		Type:       model.DatasourceType(r.choice(CodeDatasource, b.TypeExpr, round.ctx, "", string(model.Postgres), string(model.Service))),
		OwnerBound: true,
	}
	r.datasourceIdentity(b, d, round)
	if d.Type == model.Service {
		for _, expr := range []hcl.Expression{b.URL, b.Identity, b.Claims, b.Owner, b.Manage} {
			if expr != nil {
				r.diags.Fail(CodeDatasource, syntaxSpan(expr), "A service has no url, identity, claims, owner or manage",
					"Remove the argument: a service asks the policy engine itself.")
			}
		}
		return d
	}
	if b.URL != nil {
		d.URL = r.secret(b.URL, round.ctx)
	}
	d.Identity = model.IdentityMode(r.choice(CodeDatasource, r.identityMode(b), round.ctx, string(model.IdentitySigned),
		string(model.IdentityRole), string(model.IdentitySetting), string(model.IdentitySigned)))
	r.claimsSetting(d, b, round)
	if owner := r.choice(CodeDatasource, b.Owner, round.ctx, "", "bound", "exempt"); owner != "" {
		d.OwnerStated, d.OwnerBound = true, owner == "bound"
	}
	d.Additive = r.additive(CodeDatasource, b.Manage, round)
	return d
}

// additive reports whether `manage` leaves alone what the project did not make.
func (r *resolver) additive(code diag.Code, manage hcl.Expression, round repeat) bool {
	return r.choice(code, manage, round.ctx, "authoritative", "authoritative", "additive") == "additive"
}

func (r *resolver) claimsSetting(d *model.Datasource, b *syntax.Datasource, round repeat) {
	if d.Identity == model.IdentitySetting {
		d.ClaimsSetting = "postern.claims"
	}
	if b.Claims == nil {
		return
	}
	name, ok := r.text(b.Claims, round.ctx)
	if !ok {
		return
	}
	if d.Identity != model.IdentitySetting {
		r.diags.Fail(CodeDatasource, syntaxSpan(b.Claims), "Claims are read from a setting only with identity = \"setting\"", "Remove one of the two.")
	}
	if !settingForm(name) {
		r.diags.Fail(CodeInvalidName, syntaxSpan(b.Claims), fmt.Sprintf("%q is not a name for a setting", name),
			"A setting of one's own has two or more parts of letters, digits and `_`, like `request.jwt.claims`.")
		return
	}
	d.ClaimsSetting = name
}

// settingForm is the form of a customized option (Postgres, "Customized
// Options"): identifiers joined by dots.
func settingForm(name string) bool {
	parts := strings.Split(name, ".")
	return len(parts) >= 2 && len(name) <= maxName && !slices.ContainsFunc(parts, func(p string) bool {
		return p == "" || p[0] >= '0' && p[0] <= '9' || strings.ContainsFunc(p, func(c rune) bool {
			return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
		})
	})
}

// secret reads a reference to a secret: env("X"), file("path"), or a sensitive
// variable.
func (r *resolver) secret(expr hcl.Expression, ctx *hcl.EvalContext) *model.Secret {
	span := syntaxSpan(expr)
	const help = "Write `env(\"NAME\")`, `file(\"PATH\")` or `vault(\"PATH\", \"FIELD\")`, or use a variable declared with sensitive = true."
	if call, diags := hcl.ExprCall(syntax.Native(expr)); !diags.HasErrors() && secretFunctions[call.Name] {
		want, words := 1, "one argument"
		if call.Name == "vault" {
			want, words = 2, "a path and the name of a field"
		}
		if len(call.Arguments) != want {
			r.diags.Fail(CodeSecret, span, call.Name+"() takes "+words, help)
			return nil
		}
		name, ok := r.text(call.Arguments[0], ctx)
		if !ok {
			return nil
		}
		if name == "" || strings.ContainsAny(name, "\x00=") && call.Name == "env" || strings.ContainsRune(name, 0) {
			r.diags.Fail(CodeSecret, syntaxSpan(call.Arguments[0]), "This cannot be a name of a secret", help)
			return nil
		}
		out := &model.Secret{Kind: model.SecretKind(call.Name), Name: name, Span: span}
		if out.Kind == model.SecretVault {
			return r.vault(out, call.Arguments[1], ctx)
		}
		return out
	}
	v, ok := r.value(expr, ctx)
	if !ok {
		return nil
	}
	plain, marks := v.UnmarkDeep()
	if len(marks) == 0 {
		r.diags.Add(diag.Diagnostic{Code: CodeSecret, Span: span, Summary: "A secret stands in the source", Detail: help, Secret: true})
		return nil
	}
	if plain.IsNull() || !plain.IsKnown() || plain.Type().FriendlyName() != "string" {
		r.diags.Fail(CodeSecret, span, "A secret is a string", help)
		return nil
	}
	return &model.Secret{Kind: model.SecretLiteral, Literal: plain.AsString(), Span: span}
}

// vault completes a reference to a field of a secret in a vault.
func (r *resolver) vault(s *model.Secret, field hcl.Expression, ctx *hcl.EvalContext) *model.Secret {
	var ok bool
	if s.Field, ok = r.text(field, ctx); !ok {
		return nil
	}
	path := strings.Split(s.Name, "/")
	switch {
	case len(path) < 2 || slices.ContainsFunc(path, func(p string) bool { return p == "" || p == "." || p == ".." }) || strings.ContainsAny(s.Name, "?#%\\ \r\n\t"):
		r.diags.Fail(CodeSecret, s.Span, "This cannot be the path of a secret in a vault", "Write the path as Vault's API has it, such as `secret/data/crm`: the mount, `data`, and the name.")
		return nil
	case s.Field == "":
		r.diags.Fail(CodeSecret, syntaxSpan(field), "The field's name is empty", "Name the field of the secret that holds the value.")
		return nil
	}
	return s
}

// tableBlock is a table on its way: its relations wait until all tables are
// there.
type tableBlock struct {
	block *syntax.Table
	table *model.Table
	round repeat
}

// tables makes the tables and resources, one for each instance of their
// datasource and each round of their own for_each.
func (r *resolver) tables() {
	taken := map[string]source.Span{}
	for _, b := range r.syntax.Tables {
		labels := [2]string{b.Label(0), b.Label(1)}
		if first, ok := r.names.tables[labels]; ok {
			r.duplicate(b.Span, first.span, fmt.Sprintf("A second %s %q of %s", b.Type, labels[1], labels[0]))
			continue
		}
		sources, ok := r.names.datasources[labels[0]]
		if !ok {
			r.unknown(b.LabelSpan(0), "datasource", labels[0], sortedKeys(r.names.datasources), "")
			continue
		}
		fam := &family[*model.Table]{span: b.Span, keyed: b.ForEach != nil}
		r.names.tables[labels] = fam
		for _, round := range r.repeats(&b.Header) {
			expanded := b.Expand(round.ctx, &r.diags)
			for _, d := range sources.all {
				t := r.table(expanded, d.object, round)
				if t != nil && sources.foreign {
					t.Name = r.path + t.Name // beside those of the module that has the datasource
				}
				if t == nil || r.takenTable(t, taken) {
					continue
				}
				fam.all = append(fam.all, instance[*model.Table]{round.key, round.keyed, t})
				r.program.Tables = append(r.program.Tables, t)
				d.object.Tables = append(d.object.Tables, t)
				r.tableBlocks = append(r.tableBlocks, tableBlock{expanded, t, round})
			}
		}
	}
	slices.SortFunc(r.program.Tables, compareTables)
	for _, d := range r.program.Datasources {
		slices.SortFunc(d.Tables, compareTables)
	}
}

// takenTable reports two tables that cannot be told apart, by address or in
// the database.
func (r *resolver) takenTable(t *model.Table, taken map[string]source.Span) bool {
	if first, ok := taken[t.Address()]; ok {
		r.duplicate(t.Span, first, fmt.Sprintf("A second table with the address %s", t.Address()))
		return true
	}
	taken[t.Address()] = t.Span
	if t.Resource() {
		return false
	}
	id := [3]string{t.Datasource.Name, t.Schema, t.SQLName}
	if first, ok := r.stored[id]; ok {
		r.duplicate(t.Span, first.Span, fmt.Sprintf("A second block for the table %s.%s of the database", t.Schema, t.SQLName))
		return true
	}
	r.stored[id] = t
	return false
}

// table makes one table; nil when it stands in the wrong kind of datasource.
func (r *resolver) table(b *syntax.Table, d *model.Datasource, round repeat) *model.Table {
	if b.Type == "resource" && d.Type == model.Postgres {
		r.diags.Fail(CodeDatasource, b.Span, fmt.Sprintf("The records of %s are tables, not resources", d.Name), "Write a `table` block.")
		return nil
	}
	if b.Type == "table" && d.Type == model.Service {
		r.diags.Fail(CodeDatasource, b.Span, fmt.Sprintf("The records of %s are resources, not tables", d.Name), "Write a `resource` block.")
		return nil
	}
	label := b.Label(1)
	t := &model.Table{
		Datasource: d, Name: address(label, round.key, round.keyed), Label: label, Key: round.key,
		Description: r.description(b.Description, round.ctx), Span: b.Span,
	}
	if t.Resource() {
		r.validName("resource", label, b.LabelSpan(1))
		t.Actions = r.resourceActions(b, round)
	} else {
		t.Actions = []model.Action{model.View, model.Create, model.Edit, model.Delete}
		r.sqlNames(t, b, round)
		t.Additive = r.additive(CodeDatasource, b.Manage, round)
	}
	t.Filters = r.filters(t, b, round)
	first := map[string]source.Span{}
	for _, cb := range b.Columns {
		name := cb.Label(0)
		if at, ok := first[name]; ok {
			r.duplicate(cb.Span, at, fmt.Sprintf("A second column %q", name))
			continue
		}
		first[name] = cb.Span
		if c := r.column(t, cb, round); c != nil {
			t.Columns = append(t.Columns, c)
		}
	}
	if len(b.Columns) == 0 {
		r.diags.Fail(CodeEmpty, b.Span, fmt.Sprintf("The %s %q has no columns", b.Type, label), "Declare the columns that it has.")
	}
	if b.PrimaryKey != nil {
		r.primaryKey(t, b, round)
	}
	return t
}

func (r *resolver) sqlNames(t *model.Table, b *syntax.Table, round repeat) {
	t.Schema, t.SQLName = "public", b.Label(1)
	if round.keyed {
		t.SQLName += "_" + round.key
	}
	span := b.LabelSpan(1)
	if b.Name != nil {
		t.SQLName, _ = r.text(b.Name, round.ctx)
		span = syntaxSpan(b.Name)
	}
	r.validName("table", t.SQLName, span)
	if b.Schema == nil {
		return
	}
	name, ok := r.text(b.Schema, round.ctx)
	if !ok || !r.validName("schema", name, syntaxSpan(b.Schema)) {
		return
	}
	t.Schema = name
	if strings.HasPrefix(name, "pg_") || name == "information_schema" {
		r.diags.Fail(CodeInvalidName, syntaxSpan(b.Schema), fmt.Sprintf("The schema %q belongs to Postgres itself", name),
			"Tables of the system cannot be governed.")
	}
}

func (r *resolver) primaryKey(t *model.Table, b *syntax.Table, round repeat) {
	names, ok := r.texts(b.PrimaryKey, round.ctx)
	if ok && len(names) == 0 {
		r.diags.Fail(CodeKey, syntaxSpan(b.PrimaryKey), "The primary key has no columns", "Name them, or remove the argument.")
	}
	for _, n := range names {
		c := t.Column(n.text)
		switch {
		case c == nil:
			r.unknownColumn(t, n)
		case slices.Contains(t.PrimaryKey, c):
			r.repeated(n.span, fmt.Sprintf("the column %q", n.text))
		case c.Null && !t.Resource():
			r.diags.Fail(CodeKey, n.span, fmt.Sprintf("The column %q of the primary key may be null", n.text), "Remove `null = true` from it.")
		default:
			t.PrimaryKey = append(t.PrimaryKey, c)
		}
	}
}

func (r *resolver) unknownColumn(t *model.Table, n item) {
	candidates := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		candidates[i] = c.Name
	}
	r.unknown(n.span, "column of "+t.Address(), n.text, candidates, "")
}

// resourceActions reads the actions of a service's own; without them, a
// resource has the four that tables have.
func (r *resolver) resourceActions(b *syntax.Table, round repeat) []model.Action {
	if b.Actions == nil {
		return []model.Action{model.View, model.Create, model.Edit, model.Delete}
	}
	names, ok := r.texts(b.Actions, round.ctx)
	if ok && len(names) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(b.Actions), "The resource has no actions", "Name at least one.")
	}
	var out []model.Action
	for _, n := range names {
		switch a := model.Action(n.text); {
		case slices.Contains(out, a):
			r.repeated(n.span, "the action "+n.text)
		case n.text == "all" || !actionForm.MatchString(n.text):
			r.diags.Fail(CodeInvalidName, n.span, fmt.Sprintf("%q is not a name for an action", n.text),
				"A name begins with a letter and has letters, digits, `_` and `-`; `all` means all of them.")
		default:
			out = append(out, a)
		}
	}
	return out
}
