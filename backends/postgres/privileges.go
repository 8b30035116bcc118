package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
)

// lacking collects what the connected role may not do, by the privilege.
type lacking map[string]need

// need is what a privilege is needed for, and the statement that gives it; ""
// where there is none, but for being a superuser.
type need struct{ what, mend string }

// privileges says which rights the connected role lacks for the plan.
func (d *differ) privileges() {
	s := d.live.Server
	if len(d.unread) > 0 {
		slices.Sort(d.unread)
		d.diags.Warn(CodeRowsUnread, d.place(), fmt.Sprintf("role %s may not read %s", printed(RoleID(s.User)), strings.Join(d.unread, ", ")),
			"Rows changed there by hand are not seen, and a plan that is saved fits for this role alone. A member of "+
				printed(RoleID(d.want.Scope.OwnerRole))+" and a superuser may read them.")
	}
	if s.Super || d.opts.Looking {
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
		d.actingRights(it, lack)
	}
	for _, what := range slices.Sorted(maps.Keys(lack)) {
		d.diags.Fail(CodePrivilege, d.place(), fmt.Sprintf("role %s lacks %s", printed(RoleID(s.User)), what),
			"It is needed for "+lack[what].what+". "+mended(lack[what].mend))
	}
}

// mended is the way out of a missing privilege.
func mended(statement string) string {
	if statement == "" {
		return "Plan and apply as a superuser."
	}
	return statement + "; or plan and apply as a role that has it, or as a superuser."
}

// rightsOf is the statement that gives the connected role the rights of another.
// Whoever is a member of a superuser can become it: that is never the way out.
func (d *differ) rightsOf(role string) string {
	if slices.Contains(d.live.Server.Superusers, role) {
		return ""
	}
	return "GRANT " + printed(RoleID(role)) + " TO " + printed(RoleID(d.live.Server.User))
}

// rightsOn is the statement that gives it the rights of an object's owner; an
// object that a superuser owns is given another one.
func (d *differ) rightsOn(id ObjectID, owner string) string {
	if owner == "pg_database_owner" { // has no members but the database's owner
		id, owner = ObjectID{Kind: KindDatabase, Name: d.live.Server.Database}, d.live.Server.DatabaseOwner
	}
	if grant := d.rightsOf(owner); grant != "" {
		return grant
	}
	return "ALTER " + strings.ToUpper(string(id.Kind)) + " " + printed(id) + " OWNER TO " + printed(RoleID(d.live.Server.User))
}

// attribute is the statement that gives the connected role an attribute.
func (d *differ) attribute(name string) string {
	return "ALTER ROLE " + printed(RoleID(d.live.Server.User)) + " " + name
}

// objectRights is what a change of a schema, table or database needs.
func (d *differ) objectRights(it item, lack lacking) {
	s := d.live.Server
	switch {
	case it.id.Kind == KindSchema && it.phase == phaseGenerated && d.live.Schemas[it.id] == nil:
		if !s.Create {
			database := printed(ObjectID{Kind: KindDatabase, Name: s.Database})
			lack["CREATE on database "+database] = need{"schema " + printed(it.id), "GRANT CREATE ON DATABASE " + database + " TO " + printed(RoleID(s.User))}
		}
	case it.id.Kind == KindDatabase && !s.Owner:
		lack["the rights of the database's owner"] = need{"grants on the database", d.rightsOn(ObjectID{Kind: KindDatabase, Name: s.Database}, s.DatabaseOwner)}
	case it.id.Kind == KindSchema && d.live.Schemas[it.id] != nil && !d.live.SchemaOwned[it.id] && !d.ownsGenerated(d.live.Schemas[it.id].Owner):
		owner := d.live.Schemas[it.id].Owner
		lack["the rights of "+printed(RoleID(owner))+", owner of schema "+printed(it.id)] = need{it.what(), d.rightsOn(it.id, owner)}
	case it.id.Kind == KindTable || it.id.Kind == KindPolicy:
		table := it.id.Table()
		if facts := d.live.Facts[table]; facts != nil && !facts.Owned {
			owner := d.live.Tables[table].Owner
			lack["the rights of "+printed(RoleID(owner))+", owner of "+printed(table)] = need{printed(it.id), d.rightsOn(table, owner)}
		}
	}
}

// actingRights is what a change needs of what is no table or schema of the
// project: REVOKE counts for what the owner, or whoever granted it, has given.
func (d *differ) actingRights(it item, lack lacking) {
	object := it.id.Table()
	_, schema := d.live.SchemaOwned[it.id]
	if d.live.Facts[object] != nil && (it.id.Kind == KindTable || it.id.Kind == KindPolicy) || schema || it.id.Kind == KindDatabase {
		return // objectRights has said so
	}
	roles := it.acting
	if owner := d.ownerOf(it.id); owner != "" && it.phase == phaseGenerated {
		roles = append(roles, owner)
	}
	for _, role := range roles {
		if role == "" || slices.Contains(d.live.Server.Rights, role) || d.ownsGenerated(role) {
			continue
		}
		what, mend := "the rights of "+printed(RoleID(role)), d.rightsOf(role)
		switch owner := d.live.Owners[it.id]; {
		case it.id.Kind == kindParameter:
			mend = ""
		case role == owner || it.phase == phaseGenerated:
			what, mend = what+", owner of "+string(it.id.Kind)+" "+printed(it.id), d.rightsOn(it.id, role)
		case it.id.Kind != "":
			what += ", who granted something on " + string(it.id.Kind) + " " + printed(it.id)
		}
		lack[what] = need{it.what(), mend}
	}
}

// what is the change in a few words.
func (it item) what() string {
	if it.change == nil {
		return printed(it.id)
	}
	return it.change.What().Object.String()
}

// ownerOf is who owns a generated object now; "" where it is not there.
func (d *differ) ownerOf(id ObjectID) string {
	if f := d.live.Functions[id]; f != nil {
		return f.Owner
	}
	if v := d.live.Views[id]; v != nil {
		return v.Owner
	}
	if t := d.live.Generated[id]; t != nil {
		return t.Owner
	}
	return ""
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
		lack["CREATEROLE"] = need{about, d.attribute("CREATEROLE")}
	}
	changed := it.id
	if it.membership != (MembershipKey{}) {
		changed = RoleID(it.membership.Role)
		for _, g := range d.live.ForeignGrantors[it.membership] {
			lack["the rights of "+printed(RoleID(g))+", who granted a membership"] = need{about, d.rightsOf(g)}
		}
	}
	have := d.live.Roles[changed]
	if have == nil {
		return
	}
	modern := s.Version >= 160000
	if modern && !d.live.Administered[changed.Name] {
		lack["the ADMIN option on role "+printed(changed)] = need{about, "GRANT " + printed(changed) + " TO " + printed(RoleID(s.User)) + " WITH ADMIN OPTION"}
	}
	if have.Super {
		lack["SUPERUSER"] = need{what: about}
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
			lack[a.name] = need{"changing that attribute of " + about, d.attribute(a.name)}
		default:
			lack["SUPERUSER"] = need{what: "changing " + a.name + " of " + about}
		}
	}
}
