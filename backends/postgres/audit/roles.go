package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// logins calls f for every role that can log in, by name.
func (s *search) logins(f func(*role)) {
	for _, r := range s.sorted() {
		if r.login {
			f(r)
		}
	}
}

func (c *catalog) sorted() []*role {
	var out []*role
	for _, r := range c.roles {
		out = append(out, r)
	}
	slices.SortFunc(out, compareRoles)
	return out
}

// attribute reports roles with an attribute that they may use by logging in:
// critical on what the project declares, else what the rule says.
func (s *search) attribute(name sqltext.SQL, other Severity, has func(*role) bool, effect string) {
	for _, r := range s.sorted() {
		if !has(r) || !r.login && !s.ours(r) {
			continue
		}
		severity, fix := other, name
		switch {
		case s.ours(r):
			severity = Critical
		case r.bootstrap:
			severity, fix = Info, "LOGIN" // this one cannot lose its attributes
		case r.super && name != "SUPERUSER":
			continue // said once
		}
		if r.bootstrap && name != "SUPERUSER" {
			continue
		}
		s.report(severity, s.aboutRole(r), s.who(r), effect, s.sql(func(b *sqltext.Builder) {
			b.Raw("ALTER ROLE ").Ident(r.name).Raw(" NO", fix)
		}))
	}
}

func roleSuperuser(s *search) {
	s.attribute("SUPERUSER", Medium, func(r *role) bool { return r.super },
		"It reads and changes everything: no policy and no grant holds for a superuser.")
}

func roleBypassRLS(s *search) {
	s.attribute("BYPASSRLS", Medium, func(r *role) bool { return r.bypass },
		"No policy holds for it: it sees all rows of each table that it has a grant on.")
}

func roleReplication(s *search) {
	s.attribute("REPLICATION", Medium, func(r *role) bool { return r.replication },
		"It can copy the whole cluster, or what is published, past all policies and grants.")
}

func roleCreateRole(s *search) {
	effect := "It can make itself a member of every role that is no superuser, owners of tables and accounts among them."
	other := High
	if s.live.Server.Version >= 160000 {
		effect = "It can make itself a member of each role that it has made or administers, and change their passwords."
		other = Medium
	}
	s.attribute("CREATEROLE", other, func(r *role) bool { return r.createRole }, effect)
}

// powers are the roles whose rights are a way past policies, with what they
// can do, besides accounts.
func (s *search) powers() map[*role]string {
	owned := map[*role][]string{}
	for _, t := range s.protectedTables() {
		owned[t.owner] = append(owned[t.owner], shown(t.schema, t.name))
	}
	out := map[*role]string{}
	for r, tables := range owned {
		out[r] = fmt.Sprintf("switch off the protection of %s, which %s owns", few(tables), shown(r.name))
	}
	for _, r := range s.roles {
		switch {
		case r.super:
			out[r] = fmt.Sprintf("do everything, as the superuser %s", shown(r.name))
		case r.bypass:
			out[r] = fmt.Sprintf("read past all policies, as %s, which has BYPASSRLS", shown(r.name))
		case r.name == s.want.Scope.OwnerRole:
			out[r] = fmt.Sprintf("redefine what policies call, and read what their conditions read, as %s", shown(r.name))
		}
	}
	return out
}

func few(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// memberOfOwner looks at the memberships that lead straight to a role of
// power: logins come to them through any number of others.
func memberOfOwner(s *search) {
	powers := s.powers()
	for _, m := range s.members {
		power, ok := powers[m.role]
		if !ok || !usable(m) || m.member.super {
			continue
		}
		who := s.loginsOf(m.member)
		if len(who) == 0 {
			continue
		}
		severity := High
		for _, r := range who {
			if s.account(r) {
				severity = Critical
			}
		}
		subject := about("membership", shown(m.member.name)+" in "+shown(m.role.name), severity == Critical || s.declaresFor(m.role))
		if severity == High && m.role.name == s.want.Scope.OwnerRole && slices.ContainsFunc(who, func(r *role) bool { return r.createRole }) {
			severity = Info // it can make itself a member of it at any time, and makes it when it applies a plan
		}
		s.report(severity, subject, names(who), "They can "+power+how(m)+".", s.endMembership(m)...)
	}
}

// declaresFor reports whether a role owns a declared table.
func (s *search) declaresFor(r *role) bool {
	return slices.ContainsFunc(s.protectedTables(), func(t *relation) bool { return t.declared && t.owner == r })
}

func names(roles []*role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = roleName(r)
	}
	return out
}

// how says what a membership needs to be used, where that is not nothing.
func how(m *membership) string {
	switch {
	case m.inherit:
		return ""
	case m.set:
		return ", after SET ROLE"
	}
	return ", after granting the role to themselves"
}

func (s *search) endMembership(m *membership) []string {
	return []string{s.sql(func(b *sqltext.Builder) {
		b.Raw("REVOKE ").Ident(m.role.name).Raw(" FROM ").Ident(m.member.name)
		if s.live.Server.Version >= 160000 && m.grantor != nil {
			b.Raw(" GRANTED BY ").Ident(m.grantor.name)
		}
		b.Raw(" CASCADE")
	})}
}

func memberOfAccount(s *search) {
	for _, m := range s.members {
		wanted := s.want.Memberships[postgres.MembershipKey{Role: m.role.name, Member: m.member.name}] != nil
		if !s.account(m.role) || wanted || m.member.super || !usable(m) {
			continue
		}
		who := s.loginsOf(m.member)
		if len(who) == 0 || !m.inherit && !m.set && s.administers(m) {
			continue
		}
		subject := s.aboutRole(m.role)
		subject.object.Kind, subject.object.Name = "membership", shown(m.member.name)+" in "+shown(m.role.name)
		s.report(High, subject, names(who), fmt.Sprintf("They have the rights of the account %s%s, and read what its policies give.", shown(m.role.name), how(m)), s.endMembership(m)...)
	}
}

// administers reports a membership that whoever makes a role on PostgreSQL 16
// has in it: it gives nothing but the right to administer it.
func (s *search) administers(m *membership) bool { return m.admin && m.member.createRole }

// predefined are Postgres' own roles, with what they can do and how bad it is
// where an undeclared login has them.
var predefined = map[string]struct {
	severity Severity
	can      string
}{
	"pg_execute_server_program": {High, "run programs on the server, and so do everything"},
	"pg_write_server_files":     {High, "write files of the server, and so do everything"},
	"pg_read_server_files":      {High, "read files of the server, the tables' own among them"},
	"pg_write_all_data":         {Medium, "change rows of every table, within its policies"},
	"pg_read_all_data":          {Medium, "read every table without a grant, within its policies"},
	"pg_create_subscription":    {Medium, "fill tables from another server"},
	"pg_maintain":               {Low, "lock, vacuum and rewrite every table"},
	"pg_signal_backend":         {Low, "end other roles' sessions"},
	"pg_read_all_stats":         {Low, "read other roles' queries, the values in them included"},
	"pg_stat_scan_tables":       {Low, "learn what tables hold from scans of statistics"},
	"pg_monitor":                {Low, "read other roles' queries, the values in them included"},
	"pg_checkpoint":             {Info, "write checkpoints"},
	"pg_read_all_settings":      {Info, "read all settings of the server"},
}

func predefinedRole(s *search) {
	for _, m := range s.members {
		p, ok := predefined[m.role.name]
		if !ok || !usable(m) || m.member.super || strings.HasPrefix(m.member.name, "pg_") {
			continue
		}
		who := s.loginsOf(m.member)
		severity := p.severity
		declared := slices.ContainsFunc(who, s.account) || s.ours(m.member)
		if declared && severity != Info {
			severity = Critical
		}
		if len(who) == 0 && !declared {
			continue
		}
		subject := about("membership", shown(m.member.name)+" in "+m.role.name, declared)
		s.report(severity, subject, names(who), "They can "+p.can+how(m)+".", s.endMembership(m)...)
	}
}

func ownerNotBound(s *search) {
	for _, t := range s.protectedTables() {
		if !t.rls || t.force || t.owner.super || t.owner.bypass {
			continue
		}
		who := s.loginsOf(t.owner)
		if len(who) == 0 {
			continue
		}
		severity, effect := Medium, "They read and change all its rows: policies do not hold for an owner unless they are forced."
		want := s.want.Tables[t.id]
		switch {
		case want != nil && want.Force:
			severity = High
		case t.declared && t.table != nil && t.table.Force:
			severity = High
		case t.declared:
			severity, effect = Info, effect+` The project says so with owner = "exempt".`
		}
		if slices.ContainsFunc(who, s.account) {
			severity = Critical
		}
		s.report(severity, s.aboutRelation(t), names(who), effect, s.alter(t, func(b *sqltext.Builder) { b.Raw("FORCE ROW LEVEL SECURITY") }))
	}
}

func ownerLogin(s *search) {
	owned := map[*role][]*relation{}
	for _, t := range s.protectedTables() {
		if t.owner.login && !t.owner.super {
			owned[t.owner] = append(owned[t.owner], t)
		}
	}
	for _, r := range s.sorted() {
		tables := owned[r]
		if len(tables) == 0 {
			continue
		}
		severity, subject := Low, s.aboutRole(r)
		var list []string
		for _, t := range tables {
			list = append(list, shown(t.schema, t.name))
			if t.declared && !subject.declared {
				subject = over(subject, t)
			}
		}
		if s.account(r) {
			severity = Critical
		}
		s.report(severity, subject, s.who(r), fmt.Sprintf("Whoever logs in with it can switch off the protection of %s, and drop them.", few(list)),
			s.sql(func(b *sqltext.Builder) { b.Raw("ALTER ROLE ").Ident(r.name).Raw(" NOLOGIN") }))
	}
}
