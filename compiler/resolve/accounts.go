package resolve

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// accounts makes the service accounts, one for each datasource they name and
// each round of their own for_each.
func (r *resolver) accounts() {
	taken := map[string]source.Span{}
	for _, b := range r.syntax.ServiceAccounts {
		label := b.Label(0)
		if first, ok := r.names.accounts[label]; ok {
			r.duplicate(b.Span, first.span, fmt.Sprintf("A second service account %q", label))
			continue
		}
		fam := &family[*model.ServiceAccount]{span: b.Span, keyed: b.ForEach != nil}
		r.names.accounts[label] = fam
		if b.Datasource == nil {
			continue
		}
		for _, round := range r.repeats(&b.Header) {
			ref, ok := r.reference(b.Datasource, round.ctx)
			if !ok || !r.expect(ref, "datasource") {
				continue
			}
			for _, d := range ref.sources {
				a := r.account(b, d, accountKey(round, d, ref.whole), round)
				if first, again := taken[a.Name]; again {
					r.duplicate(b.Span, first, fmt.Sprintf("A second service account with the address %s", a.Name))
					continue
				}
				taken[a.Name] = b.Span
				r.role(a, b)
				fam.keyed = fam.keyed || a.Key != ""
				fam.all = append(fam.all, instance[*model.ServiceAccount]{a.Key, a.Key != "", a})
				d.Accounts = append(d.Accounts, a)
				r.program.Accounts = append(r.program.Accounts, a)
			}
		}
	}
	byName := func(a, b *model.ServiceAccount) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(r.program.Accounts, byName)
	for _, d := range r.program.Datasources {
		slices.SortFunc(d.Accounts, byName)
	}
}

// accountKey is the key of an account's instance: of its own for_each, of its
// datasource's where one block is declared for several, or both.
func accountKey(round repeat, d *model.Datasource, perSource bool) string {
	switch {
	case !perSource:
		return round.key
	case !round.keyed:
		return d.Key
	}
	return d.Key + "/" + round.key
}

func (r *resolver) account(b *syntax.ServiceAccount, d *model.Datasource, key string, round repeat) *model.ServiceAccount {
	b = b.Expand(round.ctx, &r.diags)
	a := &model.ServiceAccount{
		Name: r.address(b.Label(0), key, key != ""), Label: b.Label(0), Key: key, Datasource: d,
		Description: r.description(b.Description, round.ctx), Role: r.prefix + b.Label(0),
		Managed: r.flag(b.Managed, round.ctx, true), ReadOnly: r.flag(b.ReadOnly, round.ctx, false), Span: b.Span,
	}
	if d.Type == model.Service {
		r.diags.Fail(CodeAccount, syntaxSpan(b.Datasource), fmt.Sprintf("%s is a service, which has no accounts", d.Name),
			"Remove the service account: a service asks the policy engine itself.")
	}
	a.Additive = r.additive(CodeAccount, b.Manage, round)
	if key != "" {
		a.Role += "_" + key
	}
	if b.Role != nil {
		a.Role, _ = r.text(b.Role, round.ctx)
	}
	if b.Password != nil {
		a.Password = r.secret(b.Password, round.ctx)
		if !a.Managed {
			r.diags.Fail(CodeAccount, syntaxSpan(b.Password), "The password of an adopted role cannot be set",
				"Remove the password, or `managed = false`.")
		}
	}
	for i, l := range b.Limits {
		if i > 0 {
			r.duplicate(l.Span, b.Limits[0].Span, "A second limits block")
			continue
		}
		r.limits(a, l, round)
	}
	return a
}

// reservedRoles are words that Postgres does not take as a role, quoted or
// not, and the role that owns Postern's own objects.
var reservedRoles = []string{"public", "none", "postern"}

func (r *resolver) role(a *model.ServiceAccount, b *syntax.ServiceAccount) {
	span := b.LabelSpan(0)
	if b.Role != nil {
		span = syntaxSpan(b.Role)
	}
	if !r.validName("role", a.Role, span) {
		return
	}
	folded := strings.ToLower(a.Role)
	if strings.HasPrefix(folded, "pg_") || slices.Contains(reservedRoles, folded) {
		r.diags.Fail(CodeInvalidName, span, fmt.Sprintf("The role name %q is reserved", a.Role), "Choose another name by `role = \"…\"`.")
		return
	}
	id := [2]string{a.Datasource.Name, folded}
	if first, ok := r.roles[id]; ok {
		r.duplicate(span, first.Span, fmt.Sprintf("The service accounts %s and %s have the same role %q", first.Name, a.Name, a.Role))
		return
	}
	r.roles[id] = a
}

func (r *resolver) limits(a *model.ServiceAccount, b *syntax.Limits, round repeat) {
	if b.Connections != nil {
		if v, ok := r.typed(b.Connections, round.ctx, cty.Number); ok {
			f, exact := v.AsBigFloat().Int64()
			if n := int(f); exact == 0 && n >= 0 && n <= 1<<20 {
				a.Limits.Connections = &n
			} else {
				r.diags.Fail(CodeAccount, syntaxSpan(b.Connections), "The limit of connections is not a small whole number", "Write 0 or more.")
			}
		}
	}
	a.Limits.StatementTimeout = r.timeout(b.StatementTimeout, round.ctx)
	a.Limits.IdleTimeout = r.timeout(b.IdleTimeout, round.ctx)
	if b.ValidUntil != nil {
		if v, ok := r.typed(b.ValidUntil, round.ctx, cty.String); ok {
			if t, fine := condition.Constant(v, model.TimeType, syntaxSpan(b.ValidUntil), &r.diags); fine {
				if ts, is := t.(model.Timestamp); is {
					a.Limits.ValidUntil = &ts
				}
			}
		}
	}
}

// timeout reads a duration like "30s", "5m" or "1m30s", at least a millisecond
// (Postgres' own unit) and at most 24 days (its range).
func (r *resolver) timeout(expr hcl.Expression, ctx *hcl.EvalContext) *model.Duration {
	if expr == nil {
		return nil
	}
	s, ok := r.text(expr, ctx)
	if !ok {
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Millisecond || d > 24*24*time.Hour || d%time.Millisecond != 0 {
		r.diags.Fail(CodeAccount, syntaxSpan(expr), fmt.Sprintf("%q is not a time limit", s), "Write something like \"30s\", \"5m\" or \"1m30s\".")
		return nil
	}
	out := model.Duration(d.Microseconds())
	return &out
}

// apps makes the apps and their connections.
func (r *resolver) apps() {
	taken := map[string]source.Span{}
	for _, b := range r.syntax.Apps {
		label := b.Label(0)
		if first, ok := r.names.apps[label]; ok {
			r.duplicate(b.Span, first.span, fmt.Sprintf("A second app %q", label))
			continue
		}
		r.claimName("app", &b.Header)
		fam := &family[*model.App]{span: b.Span, keyed: b.ForEach != nil}
		r.names.apps[label] = fam
		for _, round := range r.repeats(&b.Header) {
			expanded := b.Expand(round.ctx, &r.diags)
			a := r.app(expanded, round)
			if first, ok := taken[a.Name]; ok {
				r.duplicate(b.Span, first, fmt.Sprintf("A second app with the address %s", a.Name))
				continue
			}
			taken[a.Name] = b.Span
			fam.all = append(fam.all, instance[*model.App]{round.key, round.keyed, a})
			r.program.Apps = append(r.program.Apps, a)
		}
	}
}

// connections hangs the apps on their datasources, in order of name.
func (r *resolver) connections() {
	slices.SortFunc(r.program.Apps, func(a, b *model.App) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range r.program.Apps {
		for _, c := range a.Connects {
			c.Datasource.Apps = append(c.Datasource.Apps, a)
		}
	}
}

func (r *resolver) app(b *syntax.App, round repeat) *model.App {
	a := &model.App{
		Name: r.address(b.Label(0), round.key, round.keyed), Label: b.Label(0), Key: round.key,
		Description: r.description(b.Description, round.ctx), Span: b.Span,
	}
	if b.Users != nil {
		users, ok := r.subjects(b.Users, round.ctx, false)
		a.Users = users
		if ok && len(users) == 0 {
			r.diags.Fail(CodeEmpty, syntaxSpan(b.Users), fmt.Sprintf("Nobody may use the app %q", b.Label(0)), "Name groups, users, access levels or `everyone`.")
		}
	}
	for _, cb := range b.Connects {
		r.connect(a, cb, round)
	}
	slices.SortFunc(a.Connects, func(x, y *model.Connect) int { return strings.Compare(x.Datasource.Name, y.Datasource.Name) })
	return a
}

// connect makes the connections of one block: one for each datasource that it
// names.
func (r *resolver) connect(a *model.App, b *syntax.Connect, round repeat) {
	if b.Datasource == nil {
		return
	}
	sources, ok := r.datasourceRefs(b.Datasource, round.ctx)
	if !ok {
		return
	}
	as := r.choice(CodeApp, b.As, round.ctx, "user", "user", "app")
	sql := r.choice(CodeApp, b.SQL, round.ctx, "trusted", "trusted", "untrusted")
	var accounts []*model.ServiceAccount
	if b.ServiceAccount != nil {
		ref, ok := r.reference(b.ServiceAccount, round.ctx)
		if !ok || !r.expect(ref, "service_account") {
			return
		}
		accounts = ref.accounts
	}
	for _, d := range sources {
		if first := a.Connect(d); first != nil {
			r.duplicate(b.Span, first.Span, fmt.Sprintf("A second connection of app.%s to %s", a.Name, d.Name))
			continue
		}
		c := &model.Connect{App: a, Datasource: d, AsUser: as != "app", Untrusted: sql == "untrusted", Span: b.Span}
		r.connectAccount(c, b, accounts)
		if c.Untrusted && d.Identity == model.IdentitySetting {
			r.diags.Fail(CodeUntrusted, syntaxSpan(b.SQL), "Untrusted SQL could choose its own user",
				fmt.Sprintf("The users of %s reach it through a setting, which any SQL client can set. Use identity = \"signed\" there, or sql = \"trusted\" here.", d.Name))
		}
		if c.Untrusted && d.Type == model.Service {
			r.diags.Fail(CodeApp, syntaxSpan(b.SQL), "A service takes no SQL", "Remove the argument.")
		}
		a.Connects = append(a.Connects, c)
	}
}

func (r *resolver) connectAccount(c *model.Connect, b *syntax.Connect, accounts []*model.ServiceAccount) {
	if c.Datasource.Type == model.Service {
		if b.ServiceAccount != nil {
			r.diags.Fail(CodeApp, syntaxSpan(b.ServiceAccount), "A service has no service accounts", "Remove the argument.")
		}
		return
	}
	if b.ServiceAccount == nil {
		r.diags.Fail(CodeApp, b.Span, "The connection has no service account", "Add `service_account = service_account.NAME`: every app has a login of its own.")
		return
	}
	var fits []*model.ServiceAccount
	for _, s := range accounts {
		if s.Datasource == c.Datasource {
			fits = append(fits, s)
		}
	}
	switch {
	case len(fits) == 0:
		r.diags.Fail(CodeApp, syntaxSpan(b.ServiceAccount), fmt.Sprintf("The service account is not one of %s", c.Datasource.Name),
			"Name an account that is declared for the datasource.")
		return
	case len(fits) > 1:
		r.diags.Fail(CodeApp, syntaxSpan(b.ServiceAccount), "The reference means several service accounts", "Name one by its key.")
		return
	}
	c.Account = fits[0]
	if other := c.Account.App; other != nil {
		r.diags.Fail(CodeAccountShared, syntaxSpan(b.ServiceAccount), fmt.Sprintf("The service account %s is already used by app.%s", c.Account.Name, other.Name),
			"Give each app an account of its own, so that each has no more than it needs.")
		return
	}
	c.Account.App = c.App
}
