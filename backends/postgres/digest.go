package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// kindProject is the record of all that was desired when a plan was applied
// last: while it is what is desired now, whatever differs was made by hand.
const kindProject Kind = "project"

func projectRecord() ObjectID { return ObjectID{Kind: kindProject} }

// digest is a SHA-256, in hexadecimal, of what a state wants; places in the
// source are not part of it.
func digest(want *State) string {
	h := sha256.New()
	digestMap(h, "role", want.Roles, ObjectID.Compare, func(r *Role) string { return describeRole(r) + " " + r.PasswordFor })
	digestMap(h, "membership", want.Memberships, compareMembership, describeMembership)
	digestMap(h, "schema", want.Schemas, ObjectID.Compare, func(s *Schema) string { return s.Owner + " " + s.Comment })
	digestMap(h, "table", want.Tables, ObjectID.Compare, func(t *Table) string { return fmt.Sprint(t.RLS, t.Force) })
	digestMap(h, "policy", want.Policies, ObjectID.Compare, describePolicy)
	digestMap(h, "grant", want.Grants, Holder.Compare, func(g *Holding) string { return fmt.Sprint(g.parts) })
	digestMap(h, "function", want.Functions, ObjectID.Compare, func(f *Function) string { return describeFunction(f) + f.Comment })
	digestMap(h, "generated", want.Generated, ObjectID.Compare, func(t *GeneratedTable) string {
		rows := make([]string, len(t.Rows))
		for i, r := range t.Rows {
			rows[i] = describeRow(r)
		}
		return fmt.Sprintf("%s %v %v %q", describeGenerated(t), t.Columns, t.PrimaryKey, rows)
	})
	digestMap(h, "view", want.Views, ObjectID.Compare, describeView)
	digestMap(h, "scope", want.Scope.Tables, ObjectID.Compare, func(s *TableScope) string {
		return strings.Join(slices.Sorted(slices.Values(s.Inserters)), " ")
	})
	digestMap(h, "account", want.Scope.Accounts, strings.Compare, func(a *AccountScope) string { return fmt.Sprint(a.Managed, a.Login) })
	return hex.EncodeToString(h.Sum(nil))
}

func digestMap[K comparable, V any](h hash.Hash, what string, m map[K]V, order func(a, b K) int, text func(V) string) {
	for _, k := range slices.SortedFunc(maps.Keys(m), order) {
		_, _ = fmt.Fprintf(h, "%s %q %q\n", what, fmt.Sprint(k), text(m[k])) // a hash's Write never fails
	}
}

// settled reports whether what is desired is what was applied last.
func (d *differ) settled() bool {
	record, ok := d.live.Records[projectRecord()]
	return ok && record.Desired == d.digest()
}

// digest is the digest of what is wanted, made once.
func (d *differ) digest() string {
	if d.sum == "" {
		d.sum = digest(d.source)
	}
	return d.sum
}

// origins says of each change whether it undoes what was made by hand.
func (d *differ) origins() {
	if len(d.items) == 0 {
		return
	}
	settled, applied := d.settled(), d.live.Records != nil
	for i := range d.items {
		if d.items[i].change == nil {
			continue
		}
		about := d.items[i].change.What()
		switch {
		case !applied && about.Reason == plan.ReasonDrift:
			about.Reason = plan.ReasonBefore
		case about.Reason == plan.ReasonDrift, settled && about.Object.Kind != "password" && about.Object.Kind != kindLogin:
			about.Drift = true
			if about.Reason == "" {
				about.Reason = plan.ReasonDrift
			}
		}
		d.items[i].change = plan.With(d.items[i].change, about)
	}
}

// recordProject writes down what is desired. It goes with other statements: it
// alone is no reason for a plan.
func (d *differ) recordProject(table ObjectID) {
	if len(d.items) == 0 || d.settled() {
		return
	}
	sum := d.digest()
	d.add(item{phase: phaseRecord, order: 1, id: table}, sql(build(func(b *sqltext.Builder) {
		b.Raw("INSERT INTO ").Qualified(table.Schema, table.Name)
		b.Raw(" (kind, schema, name, sub, desired, live) VALUES (").Literal(string(kindProject)).Raw(", '', '', '', ").Literal(sum)
		b.Raw(", '')", replaceRecord)
	})))
}
