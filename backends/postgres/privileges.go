package postgres

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/backends/plan"
)

// lacking collects what the connected role may not do: the privilege, and
// what it is needed for.
type lacking map[string]string

// privileges says which rights the connected role lacks for the plan.
func (d *differ) privileges() {
	s := d.live.Server
	if s.Super {
		return
	}
	lack := lacking{}
	for _, it := range d.items {
		if len(it.statements) == 0 {
			continue
		}
		if it.phase == phaseRoles || it.id.Kind == KindRole {
			d.roleRights(it, lack)
			continue
		}
		d.objectRights(it, lack)
	}
	for _, what := range slices.Sorted(maps.Keys(lack)) {
		d.diags.Fail(CodePrivilege, d.place(), fmt.Sprintf("role %s lacks %s", printed(RoleID(s.User)), what),
			"It is needed for "+lack[what]+". Plan and apply as a role that has it, or as a superuser.")
	}
}

// objectRights is what a change of a schema, table or database needs.
func (d *differ) objectRights(it item, lack lacking) {
	s := d.live.Server
	switch {
	case it.id.Kind == KindSchema && it.phase == phaseGenerated:
		if d.live.Schemas[it.id] == nil && !s.Create {
			lack["CREATE on database "+printed(ObjectID{Kind: KindDatabase, Name: s.Database})] = "schema " + printed(it.id)
		}
	case it.id.Kind == KindDatabase && !s.Owner:
		lack["the rights of the database's owner"] = "grants on the database"
	case it.id.Kind == KindSchema && d.live.Schemas[it.id] != nil && !d.live.SchemaOwned[it.id]:
		lack["the rights of "+printed(RoleID(d.live.Schemas[it.id].Owner))+", owner of schema "+printed(it.id)] = "grants on it"
	case it.id.Kind == KindTable || it.id.Kind == KindPolicy:
		table := it.id.Table()
		if facts := d.live.Facts[table]; facts != nil && !facts.Owned {
			lack["the rights of "+printed(RoleID(d.live.Tables[table].Owner))+", owner of "+printed(table)] = printed(it.id)
		}
	}
}

// roleRights is what a change of a role or membership needs. From PostgreSQL
// 16 on CREATEROLE reaches only roles that one administers, which includes
// those that one has made, and gives no attribute that one has not (its
// documentation, section 22.4).
func (d *differ) roleRights(it item, lack lacking) {
	s, about := d.live.Server, "role "+printed(it.id)
	if it.membership != (MembershipKey{}) {
		about = "the membership of " + printed(RoleID(it.membership.Member)) + " in " + printed(RoleID(it.membership.Role))
	}
	if !s.CreateRole {
		lack["CREATEROLE"] = about
	}
	changed := it.id
	if it.membership != (MembershipKey{}) {
		changed = RoleID(it.membership.Role)
		for _, g := range d.live.ForeignGrantors[it.membership] {
			lack["the rights of "+printed(RoleID(g))+", who granted a membership"] = about
		}
	}
	have := d.live.Roles[changed]
	if have == nil {
		return
	}
	modern := s.Version >= 160000
	if modern && !d.live.Administered[changed.Name] {
		lack["the ADMIN option on role "+printed(changed)] = about
	}
	if have.Super {
		lack["SUPERUSER"] = about
	}
	want := d.want.Roles[changed]
	if _, modified := it.change.(plan.Modify); !modified || want == nil || it.membership != (MembershipKey{}) {
		return
	}
	for _, a := range []struct {
		name      string
		differs   bool
		has, ever bool // the connected role has it; before PostgreSQL 16 CREATEROLE was enough
	}{
		{"CREATEDB", want.CreateDB != have.CreateDB, s.CreateDB, true},
		{"REPLICATION", want.Replication != have.Replication, s.Replication, false},
		{"BYPASSRLS", want.BypassRLS != have.BypassRLS, s.BypassRLS, false},
	} {
		switch {
		case !a.differs || modern && a.has || !modern && a.ever:
		case modern:
			lack[a.name] = "changing that attribute of " + about
		default:
			lack["SUPERUSER"] = "changing " + a.name + " of " + about
		}
	}
}
