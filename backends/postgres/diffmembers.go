package postgres

import (
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/lang/source"
)

// dropIdle leaves out what would only let the connected role apply, where there
// is nothing to apply and it could not let itself.
func (d *differ) dropIdle() {
	user := d.live.Server.User
	if !d.live.Server.Super && !d.live.Server.CreateRole && !slices.ContainsFunc(d.items, func(it item) bool { return it.membership.Member != user }) {
		d.items = nil
	}
}

func (d *differ) compareMemberships() {
	want := map[MembershipKey]*Membership{}
	maps.Copy(want, d.want.Memberships)
	for _, owner := range d.generatedOwners() {
		// Without the rights of the owner one can neither make a generated
		// schema nor read what was applied.
		admin := MembershipKey{Role: owner, Member: d.live.Server.User}
		if d.opts.Looking && d.live.Memberships[admin] == nil {
			continue
		}
		want[admin] = &Membership{MembershipKey: admin, Inherit: true, Set: true}
		if have := d.live.Memberships[admin]; have != nil {
			want[admin].Admin = have.Admin
		}
	}
	compareKeyed(want, d.live.Memberships, compareMembership,
		func(k MembershipKey, want *Membership) {
			it := item{phase: phaseWiden, id: RoleID(k.Member), membership: k}
			if d.ownsGenerated(k.Role) {
				it.phase, it.order = phaseRoles, 2
			}
			reason := ""
			if _, was := d.live.Records[membershipRecord(k)]; was {
				reason = plan.ReasonDrift
			}
			it.change = plan.Add{About: d.membershipAbout(k, reason), After: describeMembership(want)}
			d.add(it, sql(d.grantMembership(want)))
		},
		func(k MembershipKey, want, have *Membership) {
			same := want.Admin == have.Admin
			if d.live.Server.Version >= 160000 {
				same = same && want.Inherit == have.Inherit && want.Set == have.Set
			}
			if same {
				return
			}
			statements := d.revokeMembership(have)
			statements = append(statements, sql(d.grantMembership(want)))
			d.add(item{phase: phaseNarrow, id: RoleID(k.Member), membership: k, change: plan.Modify{
				About:  d.membershipAbout(k, plan.ReasonDrift),
				Before: describeMembership(have), After: describeMembership(want),
			}}, statements...)
		},
		func(k MembershipKey, have *Membership) {
			// It goes with the role, whose objects can be dropped with its rights alone.
			if k.Member == d.live.Server.User && slices.Contains(d.dropped, k.Role) {
				return
			}
			// Who administers roles can become a member of any of them anyway.
			if d.ownsGenerated(k.Role) && (d.live.Administrators[k.Member] || have.Admin) {
				return
			}
			// Whoever creates a role on PostgreSQL 16 gets a membership that gives
			// the right to administer it and nothing else.
			if !have.Inherit && !have.Set || !d.manages(k.Role) && !d.manages(k.Member) && !d.gone[k.Role] {
				return
			}
			if a := d.accts[k.Role]; a != nil && a.Open && !d.manages(k.Member) {
				return
			}
			_, was := d.live.Records[membershipRecord(k)]
			if !was && !d.gone[k.Role] && (d.additiveAccount(k.Role) || d.additiveAccount(k.Member)) {
				account := k.Role
				if !d.additiveAccount(account) {
					account = k.Member
				}
				d.leave(d.accts[account].Source, "account "+printed(RoleID(account)), "the membership of "+printed(RoleID(k.Member))+" in "+printed(RoleID(k.Role)))
				return
			}
			d.add(item{phase: phaseNarrow, id: RoleID(k.Member), membership: k, change: plan.Remove{
				About: d.membershipAbout(k, d.whyMember(k)), Before: describeMembership(have),
			}}, d.revokeMembership(have)...)
			d.stale[printed(RoleID(k.Member))] = true
		})
}

// generatedOwners are the roles that own generated objects and whose rights the
// connected role needs: none for a superuser.
func (d *differ) generatedOwners() []string {
	var out []string
	if owner := d.want.Scope.OwnerRole; owner != "" && !d.live.Server.Super {
		out = append(out, owner)
		for name, a := range d.want.Scope.Accounts {
			if a.Views {
				out = append(out, name)
			}
		}
	}
	return out
}

// ownsGenerated reports whether generated objects belong to a role.
func (d *differ) ownsGenerated(role string) bool {
	a := d.want.Scope.Accounts[role]
	return role == d.want.Scope.OwnerRole || a != nil && a.Views
}

// manages reports whether a role's rights are the project's alone.
func (d *differ) manages(role string) bool {
	a := d.accts[role]
	if a == nil {
		return false
	}
	if r := d.want.Roles[RoleID(role)]; r != nil {
		return r.Managed
	}
	return a.Managed
}

// whyMember is why a membership that is not wanted is there: an account that
// was declared until now, or somebody's hand.
func (d *differ) whyMember(k MembershipKey) string {
	if d.gone[k.Role] && d.gone[k.Member] {
		return "no longer declared"
	}
	return plan.ReasonDrift
}

func compareMembership(a, b MembershipKey) int {
	if c := strings.Compare(a.Role, b.Role); c != 0 {
		return c
	}
	return strings.Compare(a.Member, b.Member)
}

func (d *differ) membershipAbout(k MembershipKey, reason string) plan.About {
	var span source.Span
	for _, name := range []string{k.Member, k.Role} {
		if r := d.want.Roles[RoleID(name)]; r != nil && span.IsZero() {
			span = r.Source
		}
	}
	return plan.About{
		Object: plan.Object{Kind: "membership", Name: printed(RoleID(k.Member)) + " in " + printed(RoleID(k.Role))},
		Span:   span, Reason: reason,
	}
}

func describeMembership(m *Membership) string {
	out := "member"
	if !m.Inherit {
		out += ", does not inherit"
	}
	if !m.Set {
		out += ", cannot SET ROLE"
	}
	if m.Admin {
		out += ", may add members"
	}
	return out
}

func (d *differ) grantMembership(m *Membership) (sqltext.SQL, error) {
	text, err := GrantMembership(m.MembershipKey)
	if d.live.Server.Version >= 160000 {
		options := map[bool]sqltext.SQL{true: "TRUE", false: "FALSE"}
		text += " WITH INHERIT " + options[m.Inherit] + ", SET " + options[m.Set]
	}
	return text, err
}

// revokeMembership takes a membership away, whoever granted it: from
// PostgreSQL 16 on each grantor's grant stands on its own.
func (d *differ) revokeMembership(m *Membership) []printedSQL {
	text, err := RevokeMembership(m.MembershipKey)
	if d.live.Server.Version < 160000 || len(m.Grantors) == 0 {
		return []printedSQL{{text, err}}
	}
	var out []printedSQL
	for _, g := range m.Grantors {
		out = append(out, sql(build(func(b *sqltext.Builder) {
			b.Raw(text, " GRANTED BY ").Ident(g).Raw(" CASCADE")
		})))
	}
	return out
}
