package postgres

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// Script prints a desired state as a psql script for a database that has the
// governed tables and nothing of Postern yet. What is narrower comes first and
// grants come last, though one transaction holds it all. It cannot know what
// others hold in the database: taking that away, and USAGE on the sequences
// behind column defaults, is left to plan and apply.
func Script(s *State, datasource, revision string) (sqltext.SQL, error) {
	w := &scriptWriter{state: s}
	w.header(datasource, revision)
	w.keys()
	w.roles()
	w.runtime()
	w.denied()
	w.tables()
	w.grants()
	w.b.Raw("\nCOMMIT;\n")
	if w.err != nil {
		return "", w.err
	}
	return w.b.SQL()
}

type scriptWriter struct {
	b     sqltext.Builder
	state *State
	err   error
}

// stmt appends a statement that a printer made.
func (w *scriptWriter) stmt(s sqltext.SQL, err error) {
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b.Raw(s, ";\n")
}

// keys writes what ends the script where a key is missing that its conditions
// go by.
func (w *scriptWriter) keys() {
	statement, err := requireKeys(w.state)
	if statement != "" || err != nil {
		w.section("Keys that conditions over related records need")
		w.stmt(statement, err)
	}
}

func (w *scriptWriter) section(title string) { w.b.Raw("\n").Comment(title) }

func sortedIDs[V any](m map[ObjectID]V) []ObjectID {
	return slices.SortedFunc(maps.Keys(m), ObjectID.Compare)
}

func (w *scriptWriter) header(datasource, revision string) {
	w.b.Comment("Postern: what the database of datasource " + datasource + " holds for project " + w.state.Project + ".")
	if revision != "" {
		w.b.Comment("Compiled from revision " + revision + ".")
	}
	w.b.Comment("Run it with psql, once, on a database that has the governed tables, as a superuser or as a role that")
	w.b.Comment("may create roles and owns the tables. Where passwords are set, give each as a variable, best as a")
	w.b.Comment("SCRAM-SHA-256 verifier, so that the password itself never reaches the server:")
	for _, id := range sortedIDs(w.state.Roles) {
		if r := w.state.Roles[id]; r.Login && r.PasswordFor != "" {
			w.b.Comment("    -v " + passwordVariable(id.Name) + "=…    the login " + id.Name)
		}
	}
	if w.state.HashKeyFrom != "" {
		w.b.Comment("    -v " + hashKeyVariable + "=…    the key of masks by hash()")
	}
	for _, id := range sortedIDs(w.state.Scope.Tables) {
		if len(w.state.Scope.Tables[id].Inserters) > 0 {
			w.b.Comment("Roles that insert also need USAGE on the sequences behind column defaults (serial); plan and apply see to it.")
			break
		}
	}
	w.b.Raw("\\set ON_ERROR_STOP on\nBEGIN;\n")
	for _, s := range SessionSettings() {
		w.b.Raw(s, ";\n")
	}
}

// passwordVariable is the psql variable with a login's password. psql takes
// letters, digits and underscores.
func passwordVariable(login string) string {
	return "password_" + strings.ReplaceAll(fileName(login), "-", "_")
}

// hashKeyVariable is the psql variable with the key of masks by hash().
const hashKeyVariable = "hash_key"

func (w *scriptWriter) roles() {
	w.section("Roles")
	for _, id := range sortedIDs(w.state.Roles) {
		r := w.state.Roles[id]
		if !r.Managed {
			continue
		}
		if !r.Source.IsZero() {
			w.b.Comment(r.Source.String())
		}
		s, err := CreateRole(r)
		if r.Login && r.PasswordFor != "" {
			s += " PASSWORD :'" + sqltext.SQL(passwordVariable(id.Name)) + "'"
		}
		w.stmt(s, err)
		w.stmt(CommentOn(id, r.Comment))
		for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
			w.stmt(setRoleSetting(id.Name, name, r.Settings[name]))
		}
	}
	keys := slices.SortedFunc(maps.Keys(w.state.Memberships), func(x, y MembershipKey) int {
		return cmp.Or(cmp.Compare(x.Role, y.Role), cmp.Compare(x.Member, y.Member))
	})
	for _, k := range keys {
		w.stmt(GrantMembership(k))
	}
}

// runtime writes the generated schema.
func (w *scriptWriter) runtime() {
	w.section("Who asks: the generated schema")
	for _, id := range sortedIDs(w.state.Schemas) {
		w.stmt(CreateSchema(w.state.Schemas[id]))
		w.stmt(CommentOn(id, w.state.Schemas[id].Comment))
	}
	for _, id := range sortedIDs(w.state.Generated) {
		t := w.state.Generated[id]
		w.stmt(CreateGenerated(t))
		if t.RLS {
			w.stmt(RowSecurity(id, EnableRLS))
		}
		for _, row := range t.Rows {
			w.stmt(InsertRow(t, row))
		}
		w.stmt(SetOwner(id, t.Owner))
		if id.Name == tableHashKey {
			before, after, err := setHashKey(id)
			w.stmt(before+":'"+hashKeyVariable+"'"+after, err)
		}
	}
	for _, id := range sortedIDs(w.state.Functions) {
		f := w.state.Functions[id]
		w.stmt(CreateFunction(f))
		w.stmt(RevokeSQL([]GrantKey{{Object: id, Grantee: Public()}}, false))
		w.stmt(SetOwner(id, f.Owner))
	}
	for _, related := range []bool{true, false} {
		for _, id := range sortedIDs(w.state.Views) {
			if v := w.state.Views[id]; (v.Role == "") == related {
				w.stmt(CreateView(v, false))
				w.stmt(SetOwner(id, v.Owner))
			}
		}
	}
}

func (w *scriptWriter) denied() {
	w.section("What nobody may hold")
	for _, rule := range w.state.Scope.Denied {
		if t := w.state.Scope.Tables[rule.Object]; w.state.Scope.Additive || t != nil && t.Additive {
			continue
		}
		w.stmt(RevokeSQL([]GrantKey{{Object: rule.Object, Grantee: rule.Grantee, Privilege: rule.Privilege}}, false))
	}
}

func (w *scriptWriter) tables() {
	w.section("Row-level security")
	for _, id := range sortedIDs(w.state.Tables) {
		t := w.state.Tables[id]
		w.stmt(RowSecurity(id, EnableRLS))
		if t.Force {
			w.stmt(RowSecurity(id, ForceRLS))
		}
	}
	for _, id := range sortedIDs(w.state.Policies) {
		p := w.state.Policies[id]
		w.b.Raw("\n")
		for _, o := range p.Sources {
			w.b.Comment(o.Block + "  " + o.Span.String())
		}
		w.stmt(CreatePolicy(p))
	}
}

// grants writes one GRANT for all who hold the same on one object.
func (w *scriptWriter) grants() {
	w.section("Grants")
	held := map[grantGroup][]GrantKey{}
	for k := range w.state.Grants.All() {
		g := grantGroup{object: wholeObject(k.Object), grantee: k.Grantee}
		held[g] = append(held[g], k)
	}
	for _, s := range mergeGrants(held, nil) {
		w.stmt(GrantSQL(s.keys, s.others...))
	}
}
