package audit

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// The privileges that read or change rows.
var rowPrivileges = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}

func enable(b *sqltext.Builder) { b.Raw("ENABLE ROW LEVEL SECURITY") }

func rowSecurityOff(s *search) {
	for _, t := range s.order {
		if t.kind != "r" && t.kind != "p" || t.rls || t.generated || !t.declared && len(t.policies) == 0 || len(t.parents) > 0 && !s.declaredItself(t) {
			continue
		}
		holders := s.holders(t.acl, t.owner, rowPrivileges...)
		severity, effect := High, "Its policies do not hold. Nobody but its owner has a grant on it now."
		if len(holders) > 0 {
			severity, effect = Critical, "They reach all its rows: its policies do not hold."
		}
		s.report(severity, s.aboutRelation(t), s.who(holders...), effect, s.alter(t, enable))
	}
}

// declaredItself reports whether a table is declared, and not only below one.
func (c *catalog) declaredItself(t *relation) bool { return c.want.Tables[t.id] != nil }

func rowSecurityNoPolicy(s *search) {
	for _, t := range s.protectedTables() {
		if !t.rls || t.declared || slices.ContainsFunc(t.policies, func(p *policy) bool { return p.permissive }) {
			continue
		}
		if holders := s.holders(t.acl, t.owner, rowPrivileges...); len(holders) > 0 {
			s.report(Info, s.aboutRelation(t), s.who(holders...), "They have a grant on it and see no row: no policy gives any.",
				s.revokes(t.acl, t.owner, onRelation(t), func(acl) bool { return true })...)
		}
	}
}

func childUnprotected(s *search) {
	for _, t := range s.order {
		if t.rls || len(t.parents) == 0 || t.kind != "r" && t.kind != "p" && t.kind != "f" {
			continue
		}
		parent := s.protectedAbove(t)
		if parent == nil || s.declaredItself(t) {
			continue
		}
		subject := over(s.aboutRelation(t), parent)
		holders := s.holders(t.acl, t.owner, rowPrivileges...)
		severity := Medium
		effect := fmt.Sprintf("The policies of %s do not hold for whoever names it directly. Nobody but its owner has a grant on it now.", shown(parent.schema, parent.name))
		if len(holders) > 0 {
			severity = Critical
			effect = fmt.Sprintf("They reach all its rows by naming it: the policies of %s hold only for whoever names that.", shown(parent.schema, parent.name))
		}
		fix := []string{s.alter(t, enable)}
		if t.kind == "f" { // a foreign table has no row security
			fix = s.revokes(t.acl, t.owner, onRelation(t), func(acl) bool { return true })
		}
		if len(fix) > 0 {
			s.report(severity, subject, s.who(holders...), effect, fix...)
		}
	}
}

// protectedAbove is the nearest protected table that a table is below.
func (c *catalog) protectedAbove(t *relation) *relation {
	queue := slices.Clone(t.parents)
	for len(queue) > 0 {
		p := queue[0]
		queue = append(queue[1:], p.parents...)
		if p.rls || c.declaredItself(p) {
			return p
		}
	}
	return nil
}

func parentUnprotected(s *search) {
	for _, t := range s.protectedTables() {
		for _, p := range t.parents {
			holders := s.holders(p.acl, p.owner, rowPrivileges...)
			if p.rls || p.declared || len(holders) == 0 {
				continue
			}
			subject := over(s.aboutRelation(p), t)
			s.report(Critical, subject, s.who(holders...),
				fmt.Sprintf("They reach the rows of %s through it: only the policies of the table that is named hold.", shown(t.schema, t.name)),
				s.revokes(p.acl, p.owner, onRelation(p), func(a acl) bool { return slices.Contains(rowPrivileges, a.privilege) })...)
		}
	}
}

func relationWithoutKey(s *search) {
	for id, scope := range s.want.Scope.Tables {
		for _, k := range s.live.Keyless(id, scope) {
			subject := subject{declared: true, span: k.Source}
			subject.object.Kind, subject.object.Name = "table", shown(id.Schema, id.Name)
			s.report(Critical, subject, s.everyAccount(), fmt.Sprintf("A second record with the same key is taken for the one that %s leads to: whoever can write one gains what a condition gives by it.", k.Relation),
				s.sql(func(b *sqltext.Builder) {
					b.Raw("ALTER TABLE ").Qualified(id.Schema, id.Name).Raw(" ADD UNIQUE (").Idents(k.Columns).Raw(")")
				}))
		}
	}
}

func (s *search) everyAccount() []string {
	var out []string
	for _, r := range s.sorted() {
		if a := s.want.Scope.Accounts[r.name]; a != nil && (r.login || !a.Login) { // an idle login is nobody's
			out = append(out, roleName(r))
		}
	}
	return out
}

func keyOracle(s *search) {
	byTable := map[*relation][]string{}
	for _, k := range s.keys {
		if k.on.protected && (k.on.kind == "r" || k.on.kind == "p") && len(k.on.parents) == 0 {
			byTable[k.on] = append(byTable[k.on], shown(k.name))
		}
	}
	for _, t := range s.protectedTables() {
		writers := s.holders(t.acl, t.owner, "INSERT", "UPDATE")
		if list := byTable[t]; len(list) > 0 && len(writers) > 0 {
			slices.Sort(list)
			s.report(Info, s.aboutRelation(t), s.who(writers...),
				fmt.Sprintf("By writing they learn whether a value is taken by a row that they do not see: %s. Use keys that cannot be guessed.", few(list)))
		}
	}
}

func foreignKeyCascade(s *search) {
	acts := map[string]string{"c": "deletes or changes", "n": "empties columns of", "d": "resets columns of"}
	for _, k := range s.fks {
		act, ok := acts[k.onDelete]
		if !ok {
			act, ok = acts[k.onEdit]
		}
		if !ok || !k.from.protected {
			continue
		}
		writers := s.holders(k.to.acl, k.to.owner, "DELETE", "UPDATE")
		if len(writers) == 0 {
			continue
		}
		subject := s.aboutRelation(k.from)
		subject.object.Kind, subject.object.Name = "foreign key", shown(k.name)+" of "+shown(k.from.schema, k.from.name)
		s.report(Low, subject, s.who(writers...),
			fmt.Sprintf("A change of %s %s rows of %s whatever its policies say.", shown(k.to.schema, k.to.name), act, shown(k.from.schema, k.from.name)),
			s.alter(k.from, func(b *sqltext.Builder) {
				b.Raw("DROP CONSTRAINT ").Ident(k.name).Raw(", ADD CONSTRAINT ").Ident(k.name).Raw(" FOREIGN KEY (").Idents(k.columns).Raw(") REFERENCES ")
				b.Qualified(k.to.schema, k.to.name).Raw(" (").Idents(k.targets).Raw(")")
			}))
	}
}

func publicationUnfiltered(s *search) {
	var replicators []*role
	s.logins(func(r *role) {
		if r.replication && !r.super {
			replicators = append(replicators, r)
		}
	})
	for _, p := range s.pubs {
		if !p.on.protected || p.filtered {
			continue
		}
		severity := Medium
		if len(replicators) > 0 {
			severity = High
		}
		subject := s.aboutRelation(p.on)
		subject.object.Kind, subject.object.Name = "publication", shown(p.name)+" of "+subject.object.Name
		s.report(severity, subject, names(replicators), "A subscriber gets all its rows: policies do not hold for replication.",
			s.sql(func(b *sqltext.Builder) {
				switch {
				case p.all:
					b.Raw("DROP PUBLICATION ").Ident(p.name)
				case p.bySchema:
					b.Raw("ALTER PUBLICATION ").Ident(p.name).Raw(" DROP TABLES IN SCHEMA ").Ident(p.on.schema)
				default:
					b.Raw("ALTER PUBLICATION ").Ident(p.name).Raw(" DROP TABLE ").Qualified(p.on.schema, p.on.name)
				}
			}))
	}
}

func foreignTable(s *search) {
	for _, t := range s.order {
		if t.kind != "f" {
			continue
		}
		_, governed := s.governs(t.schema)
		holders := s.holders(t.acl, t.owner, rowPrivileges...)
		if len(holders) == 0 || !governed && !s.anyOpen(holders) {
			continue
		}
		severity := Medium
		if s.anyOpen(holders) {
			severity = High
		}
		s.report(severity, s.aboutRelation(t), s.who(holders...), "They reach rows of another server, for which no policy of this database holds.",
			s.revokes(t.acl, t.owner, onRelation(t), func(acl) bool { return true })...)
	}
}

func userMappingPublic(s *search) {
	for _, m := range s.maps {
		if m.user != "public" {
			continue
		}
		s.report(Medium, about("user mapping", "PUBLIC on "+shown(m.server), false), []string{public},
			"Whoever may use the server "+shown(m.server)+" logs in there as somebody else: where it leads back here, as a role with other rights.",
			s.sql(func(b *sqltext.Builder) { b.Raw("DROP USER MAPPING FOR PUBLIC SERVER ").Ident(m.server) }))
	}
}
