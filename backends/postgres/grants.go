package postgres

import (
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// Grants is what is held, by object and grantee.
type Grants map[Holder]*Holding

// Holder is a grantee and an object; a column's is its table.
type Holder struct {
	Object  ObjectID
	Grantee Grantee
}

// Compare orders holders by object and grantee.
func (h Holder) Compare(o Holder) int {
	if c := h.Object.Compare(o.Object); c != 0 {
		return c
	}
	return h.Grantee.Compare(o.Grantee)
}

// Holding is what one grantee holds on one object and on its columns.
type Holding struct {
	parts []held // sorted by column; "" is the object itself
}

// held are the privileges on one column, or on the object itself.
type held struct {
	column string
	rights rights
	option rights      // those with grant option
	by     []grantedBy // live only
}

type grantedBy struct {
	grantor string
	rights  rights
}

// rights is a set of privileges: bit i is the privilege of letter i.
type rights uint32

// aclLetters are the letters of privileges in an aclitem (Postgres
// documentation, table 5.1 "ACL Privilege Abbreviations").
const aclLetters = "rawdDxtmUCcTXsA"

var aclPrivileges = [len(aclLetters)]Privilege{
	PrivilegeSelect, PrivilegeInsert, PrivilegeUpdate, PrivilegeDelete, PrivilegeTruncate, PrivilegeReferences,
	PrivilegeTrigger, PrivilegeMaintain, PrivilegeUsage, PrivilegeCreate, PrivilegeConnect, PrivilegeTemporary,
	PrivilegeExecute, "SET", "ALTER SYSTEM",
}

func right(p Privilege) rights { return 1 << slices.Index(aclPrivileges[:], p) }

// each calls f for every privilege of the set.
func (r rights) each(f func(rights, Privilege)) {
	for ; r != 0; r &= r - 1 {
		f(r&-r, aclPrivileges[bits.TrailingZeros32(uint32(r))])
	}
}

func holderOf(k GrantKey) Holder { return Holder{Object: wholeObject(k.Object), Grantee: k.Grantee} }

// column is the name of a column's object, "" for all others.
func column(id ObjectID) string {
	if id.Kind == KindColumn {
		return id.Sub
	}
	return ""
}

// Add adds a privilege without grant option.
func (g Grants) Add(k GrantKey) { g.part(holderOf(k), column(k.Object)).rights |= right(k.Privilege) }

// part is the place for what is held on one column, or on the object itself.
// It stays in place until the next call.
func (g Grants) part(h Holder, column string) *held {
	holding := g[h]
	if holding == nil {
		holding = &Holding{}
		g[h] = holding
	}
	i, found := slices.BinarySearchFunc(holding.parts, column, func(p held, c string) int { return strings.Compare(p.column, c) })
	if !found {
		holding.parts = slices.Insert(holding.parts, i, held{column: column})
	}
	return &holding.parts[i]
}

// All lists every privilege by itself, in no particular order.
func (g Grants) All() iter.Seq2[GrantKey, Grant] {
	return func(yield func(GrantKey, Grant) bool) {
		more := true
		for h, holding := range g {
			holding.each(h, func(k GrantKey, grant Grant) { more = more && yield(k, grant) })
			if !more {
				return
			}
		}
	}
}

// each lists what is held; nothing is held in a nil Holding.
func (g *Holding) each(h Holder, f func(GrantKey, Grant)) {
	if g == nil {
		return
	}
	for _, p := range g.parts {
		id := h.Object
		if p.column != "" {
			id = ColumnID(h.Object, p.column)
		}
		p.rights.each(func(bit rights, privilege Privilege) {
			grant := Grant{Grantable: p.option&bit != 0}
			for _, by := range p.by {
				if by.rights&bit != 0 {
					grant.Grantors = append(grant.Grantors, by.grantor)
				}
			}
			slices.Sort(grant.Grantors)
			f(GrantKey{Object: id, Grantee: h.Grantee, Privilege: privilege}, grant)
		})
	}
}

// same reports whether both hold the same, with the same options.
func (g *Holding) same(o *Holding) bool {
	return g != nil && o != nil && slices.EqualFunc(g.parts, o.parts, func(x, y held) bool {
		return x.column == y.column && x.rights == y.rights && x.option == y.option
	})
}

// Has reports whether a privilege is held, on the object itself or, for a
// column, on that column.
func (g Grants) Has(k GrantKey) bool {
	holding := g[holderOf(k)]
	if holding == nil {
		return false
	}
	for _, p := range holding.parts {
		if p.column == column(k.Object) && p.rights&right(k.Privilege) != 0 {
			return true
		}
	}
	return false
}
