package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/lang/source"
)

// Where the source says manage = "additive", what this project did not make is
// left alone, and told of: it may let others in, or accounts see more than the
// project says. What a plan of the project made stays the project's, and goes
// when it is no longer declared.

// additiveTable reports whether others may have policies and grants on a table,
// or on the declared one that it is a child of.
func (d *differ) additiveTable(id ObjectID) bool {
	if s := d.want.Scope.Tables[id]; s != nil {
		return s.Additive
	}
	if parent := d.governedParent(id); parent != nil {
		return d.additiveTable(parent.ID)
	}
	return false
}

func (d *differ) additiveAccount(role string) bool {
	a := d.accts[role]
	return a != nil && a.Additive
}

// wasOurs reports whether a plan gave a grantee something on an object. A record
// that does not say so in detail leaves it to the project.
func (d *differ) wasOurs(object ObjectID, to Grantee) bool {
	if d.live.Records == nil {
		return false
	}
	if !d.detail {
		return true
	}
	who := granteeBrief(to)
	for entry := range strings.FieldsSeq(d.live.Records[grantsRecord(object)].Live) {
		if strings.HasPrefix(entry, who) {
			return true
		}
	}
	return false
}

// leftGrant reports whether a privilege that is not wanted is left alone.
func (d *differ) leftGrant(k GrantKey) bool {
	object := wholeObject(k.Object)
	_, account := d.accts[k.Grantee.Role]
	ours := !k.Grantee.Public && (account || d.gone[k.Grantee.Role])
	switch {
	case d.generatedSchema(object):
		return false
	case object.Kind == KindTable && d.governed(object):
		if !d.additiveTable(object) || ours || d.wasOurs(object, k.Grantee) {
			return false
		}
	case object.Kind == KindSequence && d.sequences[object]:
		if !d.additiveSequence(object) || ours || d.wasOurs(object, k.Grantee) {
			return false
		}
	case ours:
		if !d.additiveAccount(k.Grantee.Role) || d.wasOurs(object, k.Grantee) {
			return false
		}
	case !d.want.Scope.Additive:
		return false
	}
	d.leave(d.grantSource(grantGroup{object: object, grantee: k.Grantee}), grantTarget(d.named([]GrantKey{k})),
		string(k.Privilege)+" of "+printedGrantee(k.Grantee))
	return true
}

// additiveSequence reports whether all tables that draw from a sequence are
// additive.
func (d *differ) additiveSequence(seq ObjectID) bool {
	for table, list := range d.live.Sequences {
		if slices.Contains(list, seq) && !d.additiveTable(table) {
			return false
		}
	}
	return true
}

// leave notes what is left alone on an object.
func (d *differ) leave(at source.Span, object, what string) {
	if d.left == nil {
		d.left = map[string]map[string]bool{}
		d.leftAt = map[string]source.Span{}
	}
	if d.left[object] == nil {
		d.left[object], d.leftAt[object] = map[string]bool{}, at
	}
	d.left[object][what] = true
}

// tellLeft warns of what was left alone.
func (d *differ) tellLeft() {
	for _, object := range slices.Sorted(maps.Keys(d.left)) {
		what := slices.Sorted(maps.Keys(d.left[object]))
		at := d.leftAt[object]
		if at.IsZero() {
			at = d.place()
		}
		d.diags.Warn(CodeAdditive, at, fmt.Sprintf("%s: what this project did not make is left alone, and access may be wider than the project says", object),
			`manage = "additive" leaves `+strings.Join(what, "; ")+`. With "authoritative", which is the default, the plan takes it away.`)
	}
}
