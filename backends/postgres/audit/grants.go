package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

func privilegesOf(list []acl, owner *role, wanted func(acl) bool) string {
	var out []string
	for _, a := range list {
		if outsider(a.grantee, owner) && wanted(a) && !slices.Contains(out, a.privilege) {
			out = append(out, a.privilege)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// grants reports, for a relation, what outsiders hold of what a rule wants.
func (s *search) grants(t *relation, about subject, severity func(holders []*role) Severity, wanted func(acl) bool, effect func(privileges string) string) {
	var list []acl
	for _, a := range t.acl {
		if outsider(a.grantee, t.owner) && wanted(a) && !s.planned(t.id, a) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return
	}
	holders := s.holders(list, t.owner)
	all := func(acl) bool { return true }
	s.report(severity(holders), about, s.who(holders...), effect(privilegesOf(list, t.owner, all)), s.revokes(list, t.owner, onRelation(t), all)...)
}

func always(s Severity) func([]*role) Severity { return func([]*role) Severity { return s } }

func grantPublic(s *search) {
	for _, t := range s.protectedTables() {
		s.grants(t, s.aboutRelation(t), always(High),
			func(a acl) bool { return a.grantee == nil && slices.Contains(rowPrivileges, a.privilege) },
			func(p string) string {
				return "Every role that reaches the database has " + p + " on it, within its policies: one that is too wide is open to all."
			})
	}
}

func grantUndeclared(s *search) {
	for _, t := range s.protectedTables() {
		if !t.declared {
			continue
		}
		s.grants(t, s.aboutRelation(t), always(Medium),
			func(a acl) bool {
				return a.grantee != nil && !s.ours(a.grantee) && slices.Contains(rowPrivileges, a.privilege)
			},
			func(p string) string { return "They have " + p + " on it, and the project does not speak of them." })
	}
}

func grantBeyondRows(s *search) {
	for _, t := range s.protectedTables() {
		strong := false
		wanted := func(a acl) bool {
			return slices.Contains([]string{"TRUNCATE", "TRIGGER", "REFERENCES", "MAINTAIN"}, a.privilege)
		}
		for _, a := range t.acl {
			strong = strong || outsider(a.grantee, t.owner) && (a.privilege == "TRUNCATE" || a.privilege == "TRIGGER")
		}
		severity := func(holders []*role) Severity {
			switch {
			case strong && s.anyOpen(holders):
				return Critical
			case strong:
				return High
			}
			return Low
		}
		s.grants(t, s.aboutRelation(t), severity, wanted, func(p string) string {
			var can []string
			for privilege, effect := range map[string]string{
				"MAINTAIN":   "lock and rewrite it",
				"REFERENCES": "learn by a foreign key which keys are there",
				"TRIGGER":    "run code of their own with the rights of whoever writes to it",
				"TRUNCATE":   "empty it, whoever owns the rows",
			} {
				if slices.Contains(strings.Split(p, ", "), privilege) {
					can = append(can, effect)
				}
			}
			slices.Sort(can)
			return "No policy holds for " + p + ": they can " + strings.Join(can, "; ") + "."
		})
	}
}

func grantOption(s *search) {
	for _, t := range s.protectedTables() {
		for _, holder := range s.holders(t.acl, t.owner) {
			var list []acl
			for _, a := range t.acl {
				if a.grantable && a.grantee == holder && holder != nil {
					list = append(list, a)
				}
			}
			if len(list) == 0 {
				continue
			}
			fix := s.revokes(list, t.owner, onRelation(t), func(acl) bool { return true })
			for i := range fix {
				fix[i] = strings.Replace(fix[i], "REVOKE ", "REVOKE GRANT OPTION FOR ", 1)
			}
			s.report(Medium, s.aboutRelation(t), s.who(holder),
				"They can give "+privilegesOf(list, t.owner, func(acl) bool { return true })+" on it to anybody.", fix...)
		}
	}
}

// grantWholeTable looks for column grants that a grant on the whole table
// makes void: a REVOKE of columns takes nothing from it.
func grantWholeTable(s *search) {
	for _, t := range s.protectedTables() {
		for _, holder := range s.holders(t.acl, t.owner) {
			columns := map[string][]string{}
			var whole []acl
			for _, a := range t.acl {
				if a.grantee == holder && a.column != "" {
					columns[a.privilege] = append(columns[a.privilege], a.column)
				}
			}
			for _, a := range t.acl {
				if a.grantee == holder && a.column == "" && len(columns[a.privilege]) > 0 {
					whole = append(whole, a)
				}
			}
			if len(whole) == 0 {
				continue
			}
			severity := Medium
			if s.anyOpen([]*role{holder}) {
				severity = High
			}
			fix := s.revokes(whole, t.owner, onRelation(t), func(acl) bool { return true })
			for _, a := range whole {
				slices.Sort(columns[a.privilege])
				fix = append(fix, s.sql(func(b *sqltext.Builder) {
					b.Raw("GRANT ", sqltext.SQL(a.privilege), " (").Idents(slices.Compact(columns[a.privilege])).Raw(") ON ").Qualified(t.schema, t.name)
					grantee(b.Raw(" TO "), holder)
				}))
			}
			s.report(severity, s.aboutRelation(t), s.who(holder), fmt.Sprintf("They have %s on all columns: the grants on single ones say nothing.",
				privilegesOf(whole, t.owner, func(acl) bool { return true })), fix...)
		}
	}
}

var defaultKinds = map[string]sqltext.SQL{"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS", "L": "LARGE OBJECTS"}

func defaultPrivileges(s *search) {
	type key struct {
		creator, to  *role
		schema, kind string
	}
	privileges := map[key][]string{}
	var order []key
	for _, d := range s.defacls {
		k := key{d.creator, d.grantee, d.schema, d.kind}
		if privileges[k] == nil {
			order = append(order, k)
		}
		privileges[k] = append(privileges[k], d.privilege)
	}
	for _, k := range order {
		if k.to == nil && k.schema == "" && k.kind == "f" {
			continue // what Postgres gives without an entry, too
		}
		declared := s.account(k.to)
		severity := Low
		if k.to == nil || declared {
			severity = Medium
			if k.kind == "r" {
				severity = High
			}
		}
		kind := defaultKinds[k.kind]
		where := ""
		if k.schema != "" {
			where = " in " + shown(k.schema)
		}
		slices.Sort(privileges[k])
		s.report(severity, about("default privilege", strings.ToLower(string(kind))+" made by "+shown(k.creator.name)+where, declared), s.who(k.to),
			fmt.Sprintf("They get %s on what %s makes%s later, new partitions of protected tables included.", strings.Join(privileges[k], ", "), shown(k.creator.name), where),
			s.sql(func(b *sqltext.Builder) {
				b.Raw("ALTER DEFAULT PRIVILEGES FOR ROLE ").Ident(k.creator.name)
				if k.schema != "" {
					b.Raw(" IN SCHEMA ").Ident(k.schema)
				}
				grantee(b.Raw(" REVOKE ALL ON ", kind, " FROM "), k.to)
			}))
	}
}

func schemaCreate(s *search) {
	for _, n := range s.schemas {
		span, governed := s.governs(n.name)
		made := s.want.Schemas[postgres.SchemaID(n.name)] != nil
		if !governed && !made && n.name != "public" {
			continue
		}
		can := func(a acl) bool {
			return a.privilege == "CREATE" && !s.planned(postgres.SchemaID(n.name), a) && (a.grantee == nil || a.grantee.name != s.want.Scope.OwnerRole)
		}
		var list []acl
		for _, a := range n.acl {
			if can(a) {
				list = append(list, a)
			}
		}
		holders := s.holders(list, n.owner)
		if len(holders) == 0 {
			continue
		}
		severity := Low
		if s.anyOpen(holders) {
			severity = High
		}
		subject := about("schema", shown(n.name), governed || made)
		subject.span = span
		s.report(severity, subject, s.who(holders...), "They can put tables, functions and operators there that others find in the place of those that they mean.",
			s.revokes(list, n.owner, func(b *sqltext.Builder) { b.Raw("SCHEMA ").Ident(n.name) }, can)...)
	}
}

func databaseTemporary(s *search) {
	severity, declared := Low, false
	for _, rule := range s.want.Scope.Denied {
		if rule.Object == postgres.DatabaseID() && rule.Privilege == postgres.PrivilegeTemporary {
			severity, declared = Medium, true
		}
	}
	temp := func(a acl) bool { return a.privilege == "TEMPORARY" && (a.grantee == nil || s.account(a.grantee)) }
	var holders []*role
	for _, a := range s.database.acl {
		if temp(a) && outsider(a.grantee, s.database.owner) {
			holders = append(holders, a.grantee)
		}
	}
	if len(holders) > 0 {
		s.report(severity, about("database", shown(s.database.name), declared), s.who(holders...),
			"They can make temporary tables, which stand before all others in a search_path, and leave them to the next client of a pooled session.",
			s.revokes(s.database.acl, s.database.owner, func(b *sqltext.Builder) { b.Raw("DATABASE ").Ident(s.database.name) }, temp)...)
	}
}

func sequenceOpen(s *search) {
	for _, q := range s.order {
		if q.kind != "S" || q.draws == nil || !q.draws.protected {
			continue
		}
		severity := Low
		for _, a := range q.acl {
			if a.privilege == "UPDATE" && outsider(a.grantee, q.owner) {
				severity = Medium
			}
		}
		s.grants(q, over(s.aboutRelation(q), q.draws), always(severity), func(a acl) bool { return a.privilege == "UPDATE" || a.privilege == "SELECT" },
			func(string) string {
				if severity == Medium {
					return "They can set its numbers, so that writes of others fail, and learn how many rows " + shown(q.draws.schema, q.draws.name) + " has had."
				}
				return "They learn how many rows " + shown(q.draws.schema, q.draws.name) + " has had."
			})
	}
}

func largeObjectOpen(s *search) {
	held := map[*role][]*object{}
	for _, o := range s.objects {
		for _, h := range s.holders(o.acl, o.owner) {
			held[h] = append(held[h], o)
		}
	}
	for _, h := range append([]*role{nil}, s.sorted()...) {
		if len(held[h]) == 0 {
			continue
		}
		severity := Low
		if s.anyOpen([]*role{h}) {
			severity = Medium
		}
		var fix, list []string
		for _, o := range held[h] {
			list = append(list, o.name)
			fix = append(fix, s.revokes(o.acl, o.owner, func(b *sqltext.Builder) { b.Raw("LARGE OBJECT ", sqltext.SQL(o.name)) },
				func(a acl) bool { return a.grantee == h })...)
		}
		s.report(severity, about("large object", few(list), s.account(h)), s.who(h), "They reach them by their numbers: large objects have no policies.", fix...)
	}
}

func largeObjectCompat(s *search) {
	if s.loCompat {
		s.report(High, about("setting", "lo_compat_privileges", false), []string{public}, "Every role reads and writes every large object.",
			s.sql(func(b *sqltext.Builder) {
				b.Raw("ALTER DATABASE ").Ident(s.database.name).Raw(" SET lo_compat_privileges = off")
			}))
	}
}

// generatedOpen looks at what others hold in the schemas that the project made.
func generatedOpen(s *search) {
	for _, t := range s.order {
		if !t.generated || t.kind == "S" {
			continue
		}
		subject := s.aboutRelation(t)
		subject.declared = true
		writes := false
		for _, a := range t.acl {
			writes = writes || outsider(a.grantee, t.owner) && !s.planned(t.id, a) && a.privilege != "SELECT" && a.privilege != "REFERENCES"
		}
		severity, effect := High, "They read what the project keeps for itself there."
		if secret := t.name == "keys" || t.name == "passwords"; secret || writes {
			severity, effect = Critical, "They can change what policies go by, and so what users see."
			if secret {
				effect = "They can sign for any user, or try passwords at leisure."
			}
		}
		s.grants(t, subject, always(severity), func(acl) bool { return true }, func(p string) string { return effect + " They have " + p + "." })
	}
}
