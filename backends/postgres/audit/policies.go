package audit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

func (p *policy) id() postgres.ObjectID { return postgres.PolicyID(p.on.id, p.name) }

// oursPolicy reports whether the project makes, or made, a policy.
func (c *catalog) oursPolicy(p *policy) bool {
	_, recorded := c.live.Records[p.id()]
	return recorded || c.want.Policies[p.id()] != nil
}

// foreign calls f for policies on protected tables that are not the project's.
func (s *search) foreign(f func(*policy)) {
	for _, t := range s.protectedTables() {
		for _, p := range t.policies {
			if !s.oursPolicy(p) {
				f(p)
			}
		}
	}
}

// commands are what the letters of pg_policy stand for.
var commands = map[string]postgres.Command{
	"*": postgres.CommandAll, "r": postgres.CommandSelect, "a": postgres.CommandInsert, "w": postgres.CommandUpdate, "d": postgres.CommandDelete,
}

// privileges are those that a policy is for.
func (p *policy) privileges() []string {
	switch p.cmd {
	case "r":
		return []string{"SELECT"}
	case "a":
		return []string{"INSERT"}
	case "w":
		return []string{"UPDATE"}
	case "d":
		return []string{"DELETE"}
	}
	return rowPrivileges
}

// users are the roles that a policy holds for and that have a grant for it.
func (s *search) users(p *policy) []*role {
	holders := s.holders(p.on.acl, p.on.owner, p.privileges()...)
	if p.to == nil {
		return holders
	}
	var out []*role
	for _, r := range p.to {
		if slices.ContainsFunc(holders, func(h *role) bool { return h == nil || s.has(r, h) }) {
			out = append(out, r)
		}
	}
	return out
}

func (s *search) drop(p *policy) string {
	return s.sql(func(b *sqltext.Builder) {
		b.Raw("DROP POLICY ").Ident(p.name).Raw(" ON ").Qualified(p.on.schema, p.on.name)
	})
}

func policyByHand(s *search) {
	s.foreign(func(p *policy) {
		if !p.on.declared {
			return
		}
		users := s.users(p)
		severity, effect := High, "It gives rows that the project does not. Nobody that it names has a grant on the table now."
		switch {
		case !p.permissive:
			severity, effect = Low, "It keeps rows back that the project gives."
		case len(users) > 0:
			severity, effect = Critical, "It gives them rows that the project does not."
		}
		s.report(severity, s.aboutPolicy(p), s.who(users...), effect, s.drop(p))
	})
}

func policyChanged(s *search) {
	for _, p := range s.pols {
		id := p.id()
		want := s.want.Policies[id]
		record, recorded := s.live.Records[id]
		if !recorded && want == nil || s.live.AsApplied(id) && !s.redirected(want, p) {
			continue
		}
		if !recorded && (s.live.Records == nil || string(want.Using) == p.using && string(want.Check) == p.check) {
			continue
		}
		severity, effect := Critical, "It is not what was applied, and may give any rows."
		if !recorded || record.Live == "" {
			severity, effect = High, "Nothing says that its conditions are the project's."
		}
		fix := []string{s.drop(p)}
		if want != nil {
			fix = append(fix, s.print(postgres.CreatePolicy(want)))
		}
		s.report(severity, s.aboutPolicy(p), s.who(s.users(p)...), effect, fix...)
	}
}

// redirected reports whether a policy is for others, or for another command,
// than the project says. While the project says something new, only what no
// project ever says counts.
func (c *catalog) redirected(want *postgres.Policy, have *policy) bool {
	if have.to == nil {
		return true
	}
	if want == nil || c.unapplied {
		return false
	}
	to := make([]postgres.Grantee, len(have.to))
	for i, r := range have.to {
		to[i] = postgres.ToRole(r.name)
	}
	slices.SortFunc(to, postgres.Grantee.Compare)
	return want.Command != commands[have.cmd] || want.Permissive != have.permissive || !slices.Equal(want.To, to)
}

func policySetting(s *search) {
	reads := func(text string) bool { return strings.Contains(strings.ToLower(text), "current_setting(") }
	s.foreign(func(p *policy) {
		found := reads(p.using + p.check)
		where := ""
		for _, f := range p.calls {
			if !found && reads(f.src) {
				found, where = true, " in "+shown(f.schema, f.name)
			}
		}
		if found && p.permissive {
			s.report(Medium, s.aboutPolicy(p), s.who(s.users(p)...),
				"It goes by a setting"+where+", which whoever writes SQL on the connection can set to any value.", s.drop(p))
		}
	})
}

// failsOpen finds conditions that hold when something is missing, as
// pg_get_expr prints them.
var failsOpen = regexp.MustCompile(`(?i)IS DISTINCT FROM|IS NOT TRUE|IS NOT FALSE|COALESCE\(.*, true\)|current_setting\(.*IS NULL`)

func policyFailsOpen(s *search) {
	s.foreign(func(p *policy) {
		text := p.using + " " + p.check
		found := failsOpen.FindString(text)
		if found != "" && p.permissive {
			s.report(High, s.aboutPolicy(p), s.who(s.users(p)...),
				"It may hold when a value is missing or a setting is not set: "+strings.ToUpper(strings.SplitN(found, "(", 2)[0])+".", s.drop(p))
		}
	})
}

func policyCheckTrue(s *search) {
	s.foreign(func(p *policy) {
		if !p.permissive || p.check != "true" || p.using == "true" || p.cmd != "a" && p.cmd != "w" && p.cmd != "*" {
			return
		}
		fix := s.drop(p)
		if p.using != "" {
			fix = s.sql(func(b *sqltext.Builder) {
				b.Raw("ALTER POLICY ").Ident(p.name).Raw(" ON ").Qualified(p.on.schema, p.on.name).Raw(" WITH CHECK (", sqltext.SQL(p.using), ")")
			})
		}
		s.report(Medium, s.aboutPolicy(p), s.who(s.users(p)...), "They can write rows that belong to others: WITH CHECK (true) holds for every row.", fix)
	})
}

func policyWiderWrite(s *search) {
	s.foreign(func(p *policy) {
		if !p.permissive || p.cmd != "w" && p.cmd != "d" {
			return
		}
		read := false
		all := true
		for _, o := range p.on.policies {
			if o.permissive && (o.cmd == "r" || o.cmd == "*") && shares(o.to, p.to) {
				read, all = true, all && o.using != "true"
			}
		}
		switch {
		case !read:
			s.report(Medium, s.aboutPolicy(p), s.who(s.users(p)...), "They change rows that they cannot see, and learn from how many were changed what these hold: no policy lets them read.", s.drop(p))
		case p.using == "true" && all:
			s.report(High, s.aboutPolicy(p), s.who(s.users(p)...), fmt.Sprintf("An %s without WHERE reaches all rows, whatever they may read: it does not ask the policies of SELECT.",
				map[string]string{"w": "UPDATE", "d": "DELETE"}[p.cmd]), s.drop(p))
		}
	})
}

// shares reports whether two policies are for a common role.
func shares(a, b []*role) bool {
	return a == nil || b == nil || slices.ContainsFunc(a, func(r *role) bool { return slices.Contains(b, r) })
}
