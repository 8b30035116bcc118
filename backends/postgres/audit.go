package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// The codes of what Postgres cannot hold.
const (
	CodeType      diag.Code = "postgres-type-unsupported"      // a column in a condition, or the key of the directory, has a type that cannot be compared exactly
	CodeName      diag.Code = "postgres-name-invalid"          // a name that Postgres would cut or refuse
	CodeColumns   diag.Code = "postgres-columns-differ"        // policies on one table and account write different columns
	CodeReadOnly  diag.Code = "postgres-account-read-only"     // a write is granted through an account that may only read
	CodeUntrusted diag.Code = "postgres-identity-forgeable"    // untrusted SQL could state its own identity
	CodeDelimiter diag.Code = "postgres-delimiter-unsupported" // is_under with a delimiter that is not one printable ASCII character
	CodeMask      diag.Code = "postgres-mask-value"            // what a mask shows is no value of the column's native type
	CodeWritten   diag.Code = "postgres-column-not-writable"   // a column that is masked, or not seen on every record, could be written
	CodeReport    diag.Code = "postgres-report-unread"         // (warning) no service account may read a report
	CodeViewName  diag.Code = "postgres-view-name"             // two views of one account would have the same name, or a view's schema is taken
	CodeInternal  diag.Code = "postgres-internal"              // a form that the printer does not know: a defect of Postern
)

// audit collects what of one datasource Postgres cannot express.
type audit struct {
	p     *model.Program
	ds    *model.Datasource
	diags diag.List

	known     map[armsKey][]*model.PolicyTarget
	refused   map[maskedAt]bool // said already
	appTables appTables
}

// armsKey names arms that are looked up once: entries differ on a table only
// where it speaks of apps, or where nothing is known of the user.
type armsKey struct {
	table  *model.Table
	action model.Action
	asApp  bool
	app    *model.App
}

// auditDatasource lists what of a program a Postgres datasource cannot hold.
func auditDatasource(p *model.Program, ds *model.Datasource) diag.List {
	a := &audit{p: p, ds: ds, known: map[armsKey][]*model.PolicyTarget{}, refused: map[maskedAt]bool{}, appTables: appTables{}}
	a.identity()
	a.names()
	a.lookups()
	for _, t := range ds.Tables {
		for _, target := range t.Policies {
			a.cond(target.When.Holds, target.Span)
			a.cond(target.Check.Holds, target.Span)
		}
		for _, g := range t.Guards {
			a.cond(g.Require.Holds, g.Span)
		}
		for _, r := range t.Reports {
			a.cond(r.Where.Holds, r.Span)
		}
	}
	for _, acc := range ds.Accounts {
		if e, ok := acc.EntryOf(); ok {
			a.account(acc, e)
		}
	}
	a.reports()
	return a.diags.Sorted()
}

func (a *audit) identity() {
	for _, g := range a.p.Groups {
		if a.ds.Identity == model.IdentityRole && !model.LoginName(g.Name) {
			a.diags.Fail(CodeName, g.Span, fmt.Sprintf("No role can have the name of the group %s", inQuotes(g.Name)),
				"Where users are login roles (identity = \"role\"), groups are roles. Give the group another name.")
		}
	}
	for _, app := range a.ds.Apps {
		if c := app.Connect(a.ds); c != nil && c.Untrusted && c.AsUser && a.ds.Identity == model.IdentitySetting {
			a.diags.Fail(CodeUntrusted, c.Span, `A client that writes its own SQL can change a setting and so be any user`,
				`Use identity = "signed" on the datasource, or as = "app" in this connection.`)
		}
	}
	key := a.p.Identity.Key
	switch key.Type.Kind {
	case model.KindString, model.KindEnum, model.KindUUID, model.KindInt:
	default:
		if len(a.p.Users) > 0 {
			a.diags.Fail(CodeType, key.Span, "The directory cannot be keyed by an attribute of type "+key.Type.String(),
				"Make the identity's key a string, uuid, int or enum, or remove the user blocks.")
		}
	}
}

// names checks every name that becomes one in the database.
func (a *audit) names() {
	for _, t := range a.ds.Tables {
		a.name("schema", t.Schema, t.Span)
		a.name("table", t.SQLName, t.Span)
		for _, c := range t.Columns {
			a.name("column", c.Name, c.Span)
		}
	}
	for _, acc := range a.ds.Accounts {
		a.name("role", acc.Role, acc.Span)
		if strings.HasPrefix(acc.Role, "pg_") || acc.Role == "public" || acc.Role == "none" {
			a.diags.Fail(CodeName, acc.Span, fmt.Sprintf("Postgres reserves the role name %q", acc.Role),
				"Choose another role name for the service account.")
		}
	}
	a.roleCollisions()
}

// roleCollisions finds accounts whose role is one that the project makes for
// something else: its own, or the login of another account. Of one role to be
// both, the one would have the other's rights.
func (a *audit) roleCollisions() {
	taken := map[string]string{OwnerRole(a.p.Project): "the role that owns the schema postern"}
	for _, acc := range a.ds.Accounts {
		if acc.Managed {
			for _, letter := range []string{"a", "b"} {
				taken[LoginName(acc.Role, letter)] = "a login of service_account." + acc.Name
			}
		}
		taken[ViewsName(acc.Role)] = "the owner of the views of service_account." + acc.Name
	}
	for _, acc := range a.ds.Accounts {
		if what, ok := taken[acc.Role]; ok {
			a.diags.Fail(CodeName, acc.Span, fmt.Sprintf("The role %s of service_account.%s is %s", inQuotes(acc.Role), acc.Name, what),
				"Give the account another role, by `role = \"…\"`.")
		}
	}
}

func (a *audit) name(kind, name string, span source.Span) {
	if err := sqltext.CheckIdent(name); err != nil {
		a.diags.Fail(CodeName, span, fmt.Sprintf("The %s name %s cannot be a name in Postgres", kind, inQuotes(name)),
			err.Error()+"; choose another name.")
	}
}

func inQuotes(name string) string { return fmt.Sprintf("%q", name) }

// cond looks for what no SQL can say yet.
func (a *audit) cond(c model.Cond, span source.Span) {
	if c == nil {
		return
	}
	a.each(c, span)
	model.Walk(c, func(atom model.Cond) {
		a.relations(atom, span)
		if x, ok := atom.(*model.Match); ok {
			if x.Op == model.MatchUnder && (len(x.Delimiter) != 1 || x.Delimiter[0] >= 0x7f || x.Delimiter[0] == 0) {
				a.diags.Fail(CodeDelimiter, span, fmt.Sprintf("The delimiter %q is not one printable ASCII character", x.Delimiter),
					"Use a delimiter such as . or /.")
			}
		}
		for _, o := range model.Operands(atom) {
			model.WalkExpr(o, func(e model.Expr) { a.operand(e, span) })
		}
	})
}

func (a *audit) operand(e model.Expr, span source.Span) {
	ref, ok := e.(*model.ColumnRef)
	if !ok {
		return
	}
	if !ref.Span.IsZero() {
		span = ref.Span
	}
	if _, err := columnType(ref.Column); err != nil {
		a.diags.Fail(CodeType, span, fmt.Sprintf("The column %s cannot stand in a condition: %s", inQuotes(ref.Column.Name), err),
			"Leave it out of the condition, or change its type in the database.")
	}
}

// account checks what one account gets: the same columns from all policies,
// and no write when it is read-only.
func (a *audit) account(acc *model.ServiceAccount, e model.Entry) {
	a.viewNames(acc, e)
	for _, t := range a.ds.Tables {
		a.views(acc, t, e)
		for _, action := range []model.Action{model.View, model.Create, model.Edit, model.Delete} {
			arms := a.arms(e, t, action)
			if acc.ReadOnly && action != model.View && len(arms) > 0 {
				a.diags.Fail(CodeReadOnly, arms[0].Span,
					fmt.Sprintf("Policy %s lets the read-only service account %s %s records", inQuotes(arms[0].Policy.Name), inQuotes(acc.Name), action),
					"Remove the action, restrict the policy with via, or drop read_only from the service account.")
			}
			for i := 1; i < len(arms) && (action == model.Create || action == model.Edit); i++ {
				if !slices.Equal(arms[0].Columns, arms[i].Columns) {
					a.columns(acc, t, action, arms[0], arms[i])
				}
			}
		}
	}
}

func (a *audit) columns(acc *model.ServiceAccount, t *model.Table, action model.Action, x, y *model.PolicyTarget) {
	a.diags.Add(diag.Diagnostic{
		Code: CodeColumns, Severity: diag.Error, Span: y.Span,
		Summary: fmt.Sprintf("Policies %s and %s grant %s on different columns of %s to the service account %s",
			inQuotes(x.Policy.Name), inQuotes(y.Policy.Name), action, t.Address(), inQuotes(acc.Name)),
		Detail:  "Give both the same columns, or restrict them with via to apps with different service accounts.",
		Related: []diag.Related{{Span: x.Span, Message: "the other policy"}},
	})
}

// arms are the policies that can ever grant the action through an entry.
func (a *audit) arms(e model.Entry, t *model.Table, action model.Action) []*model.PolicyTarget {
	key := armsKey{table: t, action: action, asApp: e.AsApp()}
	if key.asApp || a.appTables.has(t) {
		key.app = e.App()
	}
	out, done := a.known[key]
	if !done {
		out = grantingPolicies(a.p, e, t, action)
		a.known[key] = out
	}
	return out
}
