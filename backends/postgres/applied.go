package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
)

// What was applied is on record object by object, so that a change made by
// hand is told from one that the source asks for, also while both are there.
// Of policies the record is made by the database itself (recordPolicies); of
// everything else the catalogs show what was written, so that the same
// description is made of what is wanted and of what is found.

// Kinds of records that are not objects of their own.
const (
	kindMembership Kind = "membership" // Name: the role, Sub: its member
	kindGrants     Kind = "grants"     // what is held on an object that is no table; Sub: its kind and Sub
)

// brief is a hash that tells versions of one object apart.
func brief(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

func roleBrief(r *Role) string         { return brief(describeRole(r)) }
func functionBrief(f *Function) string { return brief(describeFunction(f) + "\x00" + f.Comment) }

func rowsBrief(t *GeneratedTable) string {
	lines := make([]string, len(t.Rows))
	for i, r := range t.Rows {
		lines[i] = describeRow(r)
	}
	slices.Sort(lines)
	return brief(strings.Join(lines, "\n"))
}

// switches are a table's row-security switches and its owner.
func switches(rls, force bool, owner string) string {
	return fmt.Sprintf("%t %t %s", rls, force, owner)
}

func (g *Holding) brief() string {
	if g == nil {
		return ""
	}
	var b strings.Builder
	for _, p := range g.parts {
		fmt.Fprintf(&b, "%q %d %d\n", p.column, p.rights, p.option)
	}
	return brief(b.String())
}

func granteeBrief(g Grantee) string { return brief(fmt.Sprintf("%t %s", g.Public, g.Role)) }

// grantsRecord is the record that says what is held on an object.
func grantsRecord(object ObjectID) ObjectID {
	if object.Kind == KindTable {
		return object
	}
	return ObjectID{Kind: kindGrants, Schema: object.Schema, Name: object.Name, Sub: strings.TrimSpace(string(object.Kind) + " " + object.Sub)}
}

// wantedRecords is what is to be on record once the plan has run.
func (d *differ) wantedRecords() map[ObjectID]Record {
	out := map[ObjectID]Record{}
	for id, r := range d.want.Roles {
		if r.Managed {
			out[id] = Record{Desired: roleBrief(r)}
		}
	}
	for k, m := range d.want.Memberships {
		out[membershipRecord(k)] = Record{Desired: brief(describeMembership(m))}
	}
	for id, s := range d.want.Schemas {
		if s.Managed && id.Name != RuntimeSchema {
			out[id] = Record{Desired: brief(s.Owner)}
		}
	}
	for id, f := range d.want.Functions {
		out[id] = Record{Desired: functionBrief(f)}
	}
	for id, t := range d.want.Tables {
		if have := d.live.Tables[id]; have != nil {
			out[id] = Record{Desired: switches(t.RLS, t.Force, have.Owner)}
		}
	}
	for id, t := range d.want.Generated {
		if t.Filled {
			out[id] = Record{Desired: rowsBrief(t)}
		}
	}
	held := map[ObjectID][]string{}
	for h, holding := range d.held {
		if d.want.Tables[h.Object] != nil && d.live.Tables[h.Object] == nil {
			continue // that it is missing has been said
		}
		held[h.Object] = append(held[h.Object], granteeBrief(h.Grantee)+holding.brief())
	}
	for object, list := range held {
		slices.Sort(list)
		id := grantsRecord(object)
		record := out[id]
		record.Live = strings.Join(list, " ")
		out[id] = record
	}
	d.recordOutside(out)
	return out
}

func membershipRecord(k MembershipKey) ObjectID {
	return ObjectID{Kind: kindMembership, Name: k.Role, Sub: k.Member}
}

// recordApplied adds the statements that bring the records up to date. They go
// with others, or with records that are missing: a record that says less than
// it could is no reason for a plan.
func (d *differ) recordApplied(table ObjectID) {
	if len(d.items) == 0 {
		return
	}
	want := d.wantedRecords()
	var changed []ObjectID
	for id, r := range want {
		if have, ok := d.live.Records[id]; !ok || have != r {
			changed = append(changed, id)
		}
	}
	for id := range d.live.Records {
		switch id.Kind {
		case kindMembership, kindGrants, KindTable:
			if _, wanted := want[id]; !wanted {
				d.forget = append(d.forget, id)
			}
		default: // forgotten where they are compared
		}
	}
	if d.live.Outside != nil {
		d.forget = append(d.forget, d.goneOutside()...)
	}
	if len(changed) > 0 {
		slices.SortFunc(changed, ObjectID.Compare)
		d.add(item{phase: phaseRecord, order: 1, id: table}, sql(recordObjects(table, changed, want)))
	}
}

// detailed reports whether the records hold what was applied, object by object.
func (d *differ) detailed() bool {
	for id := range d.live.Records {
		if id.Kind == kindMembership || id.Kind == kindGrants {
			return true
		}
	}
	return false
}

// heldByHand reports whether what a grantee holds on an object is something
// else than what was applied last.
func (d *differ) heldByHand(object ObjectID, to Grantee) bool {
	if !d.detail {
		return false
	}
	now := d.live.Grants[Holder{Object: object, Grantee: to}].brief()
	who := granteeBrief(to)
	for entry := range strings.FieldsSeq(d.live.Records[grantsRecord(object)].Live) {
		if rest, ok := strings.CutPrefix(entry, who); ok {
			return rest != now
		}
	}
	return now != ""
}

// byHand is the reason for a change of an object that is not as it was applied;
// "" where it is, or where nothing is on record.
func byHand(record Record, now string) string {
	if record.Desired != "" && record.Desired != now {
		return plan.ReasonDrift
	}
	return ""
}

// compareOwner says that a table has another owner than when a plan was applied
// last. The project does not say who owns a table, so it is told and accepted.
func (d *differ) compareOwner(id ObjectID, scope *TableScope, have *Table) {
	parts := strings.SplitN(d.live.Records[id].Desired, " ", 3)
	if len(parts) < 3 || parts[2] == have.Owner {
		return
	}
	d.add(item{phase: phaseRecord, id: id, change: plan.Modify{
		About: plan.About{
			Object: plan.Object{Kind: "owner", Name: printed(id)}, Span: scope.Source,
			Reason: "made outside this project; apply takes it as it is", Drift: true,
		},
		Before: "owned by " + printed(RoleID(have.Owner)), After: "owned by " + printed(RoleID(parts[2])) + " when a plan was applied last",
	}})
}

// switchedByHand reports whether a table's row security is not as it was
// applied.
func (d *differ) switchedByHand(id ObjectID, have *Table) bool {
	parts := strings.SplitN(d.live.Records[id].Desired, " ", 3)
	return len(parts) == 3 && (parts[0] != fmt.Sprint(have.RLS) || parts[1] != fmt.Sprint(have.Force))
}
