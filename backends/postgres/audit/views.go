package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// reach is who reads a relation, directly or through views that run with the
// rights of somebody who may.
type reach struct {
	roles []*role
	over  []*relation // the relation, and the views over it
}

// readers follows views over views, at any depth.
func (s *search) readers(of *relation) reach {
	out, queue := reach{over: []*relation{of}}, []*relation{of}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		for _, h := range s.holders(next.acl, next.owner) {
			if !slices.Contains(out.roles, h) {
				out.roles = append(out.roles, h)
			}
		}
		for _, w := range s.rules {
			// Through a view that runs as its invoker, the invoker needs the right
			// itself, and is counted by that.
			if !w.isView || !slices.Contains(w.reads, next) || slices.Contains(out.over, w.on) || w.on.invoker || !s.mayRead(w.on.owner, next) {
				continue
			}
			out.over = append(out.over, w.on)
			queue = append(queue, w.on)
		}
	}
	slices.SortFunc(out.roles, compareRoles)
	return out
}

// mayRead reports whether a role holds any privilege on a relation.
func (c *catalog) mayRead(r *role, t *relation) bool {
	return c.has(r, t.owner) || slices.ContainsFunc(t.acl, func(a acl) bool { return a.grantee == nil || c.has(r, a.grantee) })
}

// bound leaves out roles for which the policies of a table do not hold anyway.
func (s *search) bound(roles []*role, t *relation) []*role {
	return slices.DeleteFunc(slices.Clone(roles), func(r *role) bool { return r != nil && s.exempt(r, t) })
}

func through(r reach) string {
	if len(r.over) < 2 {
		return ""
	}
	var names []string
	for _, v := range r.over[1:] {
		names = append(names, shown(v.schema, v.name))
	}
	return ", also through " + few(names)
}

func (s *search) revokeAll(list []*relation) []string {
	var out []string
	for _, r := range list {
		out = append(out, s.revokes(r.acl, r.owner, onRelation(r), func(acl) bool { return true })...)
	}
	return out
}

func viewOwnerRights(s *search) {
	for _, w := range s.rules {
		v := w.on
		if !w.isView || v.kind != "v" || v.invoker || v.applied {
			continue
		}
		r := s.readers(v)
		for _, t := range w.reads {
			if !t.protected || t.kind == "v" || t.kind == "m" {
				continue
			}
			roles := s.bound(r.roles, t)
			if len(roles) == 0 || !s.mayRead(v.owner, t) && !v.owner.super {
				continue
			}
			severity, effect := Medium, fmt.Sprintf("They see what the policies of %s give to %s%s.", shown(t.schema, t.name), shown(v.owner.name), through(r))
			if s.bypasses(v.owner, t) {
				severity, effect = Critical, fmt.Sprintf("They see rows of %s past its policies, with the rights of %s%s.", shown(t.schema, t.name), shown(v.owner.name), through(r))
			}
			fix := s.revokeAll(r.over)
			if s.live.Server.Version >= 150000 {
				fix = []string{s.alter(v, func(b *sqltext.Builder) { b.Raw("SET (security_invoker = true)") })}
			}
			s.report(severity, over(s.aboutRelation(v), t), s.who(roles...), effect, fix...)
		}
	}
}

func viewNoBarrier(s *search) {
	for _, w := range s.rules {
		v := w.on
		if !w.isView || v.kind != "v" || v.invoker || v.barrier || v.applied || !strings.Contains(strings.ToUpper(v.definition), "WHERE") {
			continue
		}
		for _, t := range w.reads {
			if holders := s.holders(v.acl, v.owner); t.protected && len(holders) > 0 {
				s.report(Medium, over(s.aboutRelation(v), t), s.who(holders...),
					fmt.Sprintf("A function in their own WHERE may see rows of %s before the view's condition has left them out.", shown(t.schema, t.name)),
					s.alter(v, func(b *sqltext.Builder) { b.Raw("SET (security_barrier = true)") }))
				break
			}
		}
	}
}

// beneath are the protected tables that a view's query comes to, at any depth.
func (s *search) beneath(v *relation) []*relation {
	var out []*relation
	seen, queue := map[*relation]bool{v: true}, []*relation{v}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		for _, w := range s.rules {
			if w.on != next || !w.isView {
				continue
			}
			for _, t := range w.reads {
				if seen[t] {
					continue
				}
				seen[t] = true
				queue = append(queue, t)
				if t.protected {
					out = append(out, t)
				}
			}
		}
	}
	return out
}

func materializedView(s *search) {
	for _, m := range s.order {
		if m.kind != "m" {
			continue
		}
		r := s.readers(m)
		for _, t := range s.beneath(m) {
			roles := s.bound(r.roles, t)
			if len(roles) == 0 {
				continue
			}
			severity := Medium
			if s.bypasses(m.owner, t) {
				severity = Critical
			}
			s.report(severity, over(s.aboutRelation(m), t), s.who(roles...),
				fmt.Sprintf("They see the rows of %s that %s saw when it was refreshed%s: a copy has no policies.", shown(t.schema, t.name), shown(m.owner.name), through(r)),
				s.revokeAll(r.over)...)
			break
		}
	}
}

func ruleOnTable(s *search) {
	for _, w := range s.rules {
		if w.isView || w.on.generated {
			continue
		}
		subject, touched := s.aboutRelation(w.on), w.on
		if !w.on.protected {
			n := slices.IndexFunc(w.reads, func(t *relation) bool { return t.protected })
			if n < 0 {
				continue
			}
			touched = w.reads[n]
		}
		subject = over(subject, touched)
		subject.object.Kind, subject.object.Name = "rule", shown(w.name)+" on "+subject.object.Name
		s.report(High, subject, s.who(s.holders(w.on.acl, w.on.owner)...),
			fmt.Sprintf("What they write to %s does something else with the rights of %s, its owner.", shown(w.on.schema, w.on.name), shown(w.on.owner.name)),
			s.sql(func(b *sqltext.Builder) {
				b.Raw("DROP RULE ").Ident(w.name).Raw(" ON ").Qualified(w.on.schema, w.on.name)
			}))
	}
}
