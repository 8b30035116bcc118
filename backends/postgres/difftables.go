package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/lang/source"
)

// server checks where the connection leads.
func (d *differ) server() {
	s := d.live.Server
	if s.Recovery {
		d.diags.Warn(CodeStandby, d.place(), "this server is a standby: a plan can be made here but not applied", "")
	}
	if s.Encoding != "UTF8" {
		d.diags.Fail(CodeEncoding, d.place(), fmt.Sprintf("the database is encoded in %s, not in UTF8", s.Encoding),
			"Strings compare by code point only in UTF8 databases. Create the database with ENCODING 'UTF8'.")
	}
}

func (d *differ) compareTables() {
	for _, id := range slices.SortedFunc(maps.Keys(d.want.Scope.Tables), ObjectID.Compare) {
		scope, have := d.want.Scope.Tables[id], d.live.Tables[id]
		if have == nil {
			d.tableMissing(id, scope)
			continue
		}
		if have.Kind != "r" && have.Kind != "p" {
			d.diags.Fail(CodeTableKind, scope.Source, fmt.Sprintf("%s is %s, not a table", printed(id), relkind(have.Kind)),
				"Row-level security exists on tables alone. Declare the tables that it reads.")
			continue
		}
		d.checkColumns(id, scope, have)
		d.checkSingle(id, scope, have)
		d.compareOwner(id, scope, have)
		d.checkOwner(id, scope, have)
	}
	for _, id := range slices.SortedFunc(maps.Keys(d.want.Tables), ObjectID.Compare) {
		if have := d.live.Tables[id]; have != nil && (have.Kind == "r" || have.Kind == "p") {
			d.protect(d.want.Tables[id], have, "")
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(d.live.Tables), ObjectID.Compare) {
		if parent := d.governedParent(id); parent != nil && d.want.Tables[id] == nil {
			have := d.live.Tables[id]
			if have.Kind == "r" || have.Kind == "p" {
				d.protect(&Table{ID: id, RLS: true, Force: parent.Force, Source: parent.Source}, have,
					"it is a partition or child of "+printed(parent.ID)+", whose policies do not hold for whoever names it directly")
			}
		}
	}
}

// governedParent is the declared table that a table is a partition or a child
// of, at any distance.
func (d *differ) governedParent(id ObjectID) *Table {
	seen := map[ObjectID]bool{}
	queue := []ObjectID{id}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if seen[next] {
			continue
		}
		seen[next] = true
		have := d.live.Tables[next]
		if have == nil {
			continue
		}
		if want := d.want.Tables[next]; want != nil && next != id {
			return want
		}
		queue = append(queue, have.Parents...)
	}
	return nil
}

// governed reports whether the project's word is the last on a table: it is
// declared, or a child of one that is.
func (d *differ) governed(id ObjectID) bool {
	return d.want.Scope.Tables[id] != nil || d.want.Tables[id] != nil || d.governedParent(id) != nil
}

func (d *differ) tableMissing(id ObjectID, scope *TableScope) {
	detail := "Create it, correct schema or name, or run postern pull again."
	if near := d.nearTable(id); near != "" {
		detail = "There is " + near + ". " + detail
	}
	d.diags.Fail(CodeTableMissing, scope.Source,
		fmt.Sprintf("table %s does not exist in database %s", printed(id), d.live.Server.Database), detail)
}

// nearTable is a table in scope whose name is the nearest, or "".
func (d *differ) nearTable(id ObjectID) string {
	var names []string
	for other := range d.live.Tables {
		if other.Schema == id.Schema {
			names = append(names, other.Name)
		}
	}
	if n := nearest(id.Name, names); n != "" {
		return printed(TableID(id.Schema, n))
	}
	return ""
}

// nearest is the name with the smallest edit distance, at most a third of the
// name's length; "" for none.
func nearest(name string, names []string) string {
	slices.Sort(names)
	best, at := "", len(name)/3+1
	for _, n := range names {
		if dist := levenshtein.Distance(name, n, nil); dist < at {
			best, at = n, dist
		}
	}
	return best
}

func relkind(kind string) string {
	switch kind {
	case "v":
		return "a view"
	case "m":
		return "a materialized view"
	case "f":
		return "a foreign table"
	}
	return "something else"
}

func (d *differ) checkColumns(id ObjectID, scope *TableScope, have *Table) {
	columns := map[string]Column{}
	for _, c := range have.Columns {
		columns[c.Name] = c
	}
	for _, want := range scope.Required {
		c, ok := columns[want.Name]
		switch {
		case !ok:
			detail := "It was dropped or renamed since the table was declared. Correct the block, or run postern pull again."
			if near := nearest(want.Name, slices.Collect(maps.Keys(columns))); near != "" {
				detail = fmt.Sprintf("There is a column %q. %s", near, detail)
			}
			d.diags.Fail(CodeColumnMissing, scope.columnSource(want.Name),
				fmt.Sprintf("table %s has no column %q", printed(id), want.Name), detail)
		case want.Type != "" && c.Type != want.Type && withoutModifier(c.Type) != want.Type:
			d.diags.Fail(CodeColumnType, scope.columnSource(want.Name),
				fmt.Sprintf("column %q of table %s is of type %s, but %s is declared", want.Name, printed(id), c.Type, want.Type),
				fmt.Sprintf("State native = %q in the column block, or run postern pull again.", c.Type))
		case scope.Compared[want.Name] && !exactText(c.Base):
			d.diags.Fail(CodeColumnType, scope.columnSource(want.Name),
				fmt.Sprintf("column %q of table %s is of type %s, which is %s underneath", want.Name, printed(id), c.Type, c.Base),
				"Conditions compare only what has one text in every session: enums, and domains over text.")
		}
	}
}

// withoutModifier is a type without its length or precision, "numeric" for
// "numeric(10,2)" and "timestamp with time zone" for "timestamp(3) with time
// zone": conditions are the same for both.
func withoutModifier(name string) string {
	before, rest, ok := strings.Cut(name, "(")
	_, after, closed := strings.Cut(rest, ")")
	if !ok || !closed {
		return name
	}
	return before + after
}

// columnSource is where a column is declared, else where its table is.
func (s *TableScope) columnSource(column string) source.Span {
	if span, ok := s.Columns[column]; ok {
		return span
	}
	return s.Source
}

func (d *differ) checkOwner(id ObjectID, scope *TableScope, have *Table) {
	if d.accts[have.Owner] != nil {
		d.diags.Fail(CodeOwnerAccount, scope.Source,
			fmt.Sprintf("table %s belongs to %s, an account of this project", printed(id), printed(RoleID(have.Owner))),
			"An owner can switch row security off. Give the table another owner: ALTER TABLE … OWNER TO ….")
		return
	}
	facts, ds := d.live.Facts[id], d.opts.Datasource
	if facts == nil || ds == nil || ds.OwnerStated || !facts.OwnerLogin {
		return
	}
	d.diags.Fail(CodeOwnerUnstated, ds.Span,
		fmt.Sprintf("the owner of table %s, %s, can log in, and the datasource does not say whether policies hold for it",
			printed(id), printed(RoleID(have.Owner))),
		`State owner = "bound" (policies hold for owners too: migrations and backups that run as it see no rows) or owner = "exempt".`)
}

// protect brings a table's row-security switches to what is wanted. Switching
// on comes before anything is granted, switching off after.
func (d *differ) protect(want, have *Table, reason string) {
	id := want.ID
	span := want.Source
	type action struct {
		on, off bool
		do      RowSecurityAction
	}
	for _, a := range []action{
		{want.RLS && !have.RLS, false, EnableRLS},
		{want.Force && !have.Force, false, ForceRLS},
		{false, !want.Force && have.Force, NoForceRLS},
		{false, !want.RLS && have.RLS, DisableRLS},
	} {
		it := item{phase: phaseProtect, id: id}
		if a.off {
			it.phase = phaseWiden
		}
		if !a.on && !a.off {
			continue
		}
		why := reason
		if why == "" && (a.on && d.protectedOnce(id) || d.switchedByHand(id, have)) {
			why = plan.ReasonDrift
		}
		it.change = plan.Modify{
			About:  plan.About{Object: plan.Object{Kind: "row security", Name: printed(id)}, Span: span, Reason: why},
			Before: describeRowSecurity(a.do, false), After: describeRowSecurity(a.do, true),
		}
		d.add(it, sql(RowSecurity(id, a.do)))
		d.lock[id] = true
		if facts := d.live.Facts[id]; a.do == ForceRLS && (facts == nil || !facts.OwnerExempt) {
			owner := printed(RoleID(have.Owner))
			d.bound[owner] = append(d.bound[owner], printed(id))
		}
	}
}

// protectedOnce reports whether a plan made policies on a table before: it has
// switched row security on as well.
func (d *differ) protectedOnce(table ObjectID) bool {
	if d.protected == nil {
		d.protected = map[ObjectID]bool{}
		for id := range d.live.Records {
			if id.Kind == KindPolicy {
				d.protected[id.Table()] = true
			}
		}
	}
	return d.protected[table]
}

func describeRowSecurity(a RowSecurityAction, done bool) string {
	if !done {
		switch a {
		case EnableRLS:
			return "disabled"
		case DisableRLS:
			return "enabled"
		case ForceRLS:
			return "not forced"
		case NoForceRLS:
			return "forced"
		}
	}
	return strings.ToLower(string(a)) + " row level security"
}

func (d *differ) comparePolicies() {
	compareKeyed(d.want.Policies, d.live.Policies, ObjectID.Compare, d.createPolicy, d.changePolicy, func(id ObjectID, have *Policy) {
		_, recorded := d.live.Records[id]
		if !recorded && d.additiveTable(id.Table()) {
			d.leave(d.tableSource(id.Table()), "table "+printed(id.Table()), "policy "+printed(PolicyID(id.Table(), id.Sub))+", "+describePolicy(have))
			return
		}
		if recorded || d.governed(id.Table()) {
			reason := plan.ReasonDrift
			if recorded {
				reason = "no longer declared"
				d.forget = append(d.forget, id)
			}
			d.add(item{phase: phasePolicies, order: policyOrder(have, true), id: id, change: plan.Remove{
				About: about(id, d.tableSource(id.Table()), reason), Before: describePolicy(have),
			}}, sql(DropPolicy(id)))
			d.lock[id.Table()] = true
		}
	})
	for _, id := range slices.SortedFunc(maps.Keys(d.live.Records), ObjectID.Compare) {
		if id.Kind == KindPolicy && d.live.Policies[id] == nil && d.want.Policies[id] == nil {
			d.forget = append(d.forget, id)
		}
	}
}

// policyOrder sorts policy statements from narrowing to widening.
func policyOrder(p *Policy, drop bool) int {
	switch {
	case !p.Permissive && !drop:
		return 0
	case p.Permissive && drop:
		return 1
	case p.Permissive:
		return 3
	}
	return 4
}

func (d *differ) tableSource(id ObjectID) source.Span {
	if s := d.want.Scope.Tables[id]; s != nil {
		return s.Source
	}
	if t := d.governedParent(id); t != nil {
		return t.Source
	}
	return source.Span{}
}

// policySource is the block that a policy comes from: a policy of the source
// rather than a guard, which all of a table's policies share.
func (d *differ) policySource(p *Policy) source.Span {
	for _, s := range p.Sources {
		if strings.HasPrefix(s.Block, "policy.") {
			return s.Span
		}
	}
	if len(p.Sources) > 0 {
		return p.Sources[0].Span
	}
	return d.tableSource(p.ID.Table())
}

func (d *differ) createPolicy(id ObjectID, want *Policy) {
	if d.live.Tables[id.Table()] == nil {
		return // that the table is missing has been said
	}
	reason := ""
	if r, ok := d.live.Records[id]; ok && r.Desired == policyHash(want.Using, want.Check) {
		reason = plan.ReasonDrift
	}
	d.add(item{phase: phasePolicies, order: policyOrder(want, false), id: id, change: plan.Add{
		About: about(id, d.policySource(want), reason), After: describePolicy(want),
	}}, sql(CreatePolicy(want)))
	d.lock[id.Table()] = true
	d.made = append(d.made, want)
}

func (d *differ) changePolicy(id ObjectID, want, have *Policy) {
	head := want.Command == have.Command && want.Permissive == have.Permissive
	same, byHand := d.samePolicyBody(want, have)
	if head && same && slices.Equal(want.To, have.To) {
		record, wish := d.live.Records[id], policyHash(want.Using, want.Check)
		if record.Desired != wish || record.Live != policyHash(have.Using, have.Check) {
			d.made = append(d.made, want)
			d.adopted = append(d.adopted, "policy "+printed(id))
		}
		return
	}
	reason := ""
	if byHand {
		reason = plan.ReasonDrift
	}
	var statements []printedSQL
	if head && (want.Using == "") == (have.Using == "") && (want.Check == "") == (have.Check == "") {
		statements = append(statements, sql(AlterPolicy(want)))
	} else {
		statements = append(statements, sql(DropPolicy(id)), sql(CreatePolicy(want)))
	}
	d.add(item{phase: phasePolicies, order: 2, id: id, change: plan.Modify{
		About: about(id, d.policySource(want), reason), Before: describePolicy(have), After: describePolicy(want),
	}}, statements...)
	d.lock[id.Table()] = true
	d.made = append(d.made, want)
}

// samePolicyBody reports whether a live policy's expressions are what is
// wanted. Postgres stores a parsed expression and prints it in its own
// spelling, so they are the same when the texts are, or when what was written
// down at apply says that this text came of that wish. Anything else counts as
// different: a policy that is made again in vain does no harm. byHand says
// that the live text is not the one that was applied.
func (d *differ) samePolicyBody(want, have *Policy) (same, byHand bool) {
	record, recorded := d.live.Records[want.ID]
	live := policyHash(have.Using, have.Check)
	byHand = recorded && record.Live != live
	if want.Using == have.Using && want.Check == have.Check || d.live.Same[want.ID] {
		return true, false
	}
	return recorded && !byHand && record.Desired == policyHash(want.Using, want.Check), byHand
}

// describePolicy shows a policy a line for each clause.
func describePolicy(p *Policy) string {
	kind := "PERMISSIVE"
	if !p.Permissive {
		kind = "RESTRICTIVE"
	}
	to := make([]string, len(p.To))
	for i, g := range p.To {
		to[i] = printedGrantee(g)
	}
	out := kind + " FOR " + string(p.Command) + " TO " + strings.Join(to, ", ")
	if p.Using != "" {
		out += "\nUSING (" + string(p.Using) + ")"
	}
	if p.Check != "" {
		out += "\nWITH CHECK (" + string(p.Check) + ")"
	}
	return out
}

func printedGrantee(g Grantee) string {
	if g.Public {
		return "PUBLIC"
	}
	return printed(RoleID(g.Role))
}
