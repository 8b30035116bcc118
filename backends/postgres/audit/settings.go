package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// risky are settings that sessions should not begin with, and what they do.
var risky = map[string]string{
	"lo_compat_privileges":      "They read and write every large object.",
	"session_replication_role":  "Triggers and foreign keys do not hold for what they write.",
	"role":                      "Their sessions begin as another role.",
	"local_preload_libraries":   "Code that the project does not know runs in their sessions.",
	"session_preload_libraries": "Code that the project does not know runs in their sessions.",
}

// identifies reports whether a function of the project reads a setting: it
// then says who the user is, or what the request is.
func (c *catalog) identifies(setting string) bool {
	for _, f := range c.want.Functions {
		if strings.Contains(f.Body, "'"+setting+"'") {
			return true
		}
	}
	return false
}

func settingPreset(s *search) {
	for _, p := range s.presets {
		effect, known := risky[strings.ToLower(p.name)]
		severity := Medium
		declared := p.role == nil || s.account(p.role)
		if strings.Contains(p.name, ".") && s.identifies(p.name) && p.value != "" {
			severity, effect, known = Critical, "Whoever does not say who asks is taken for the user that it names.", true
			declared = declared || s.ours(p.role)
		}
		if !known || slices.Contains([]string{"", "off", "origin", "none"}, p.value) {
			continue
		}
		name := fmt.Sprintf("%s of %s", p.name, roleName(p.role))
		if p.here {
			name += " in " + shown(s.database.name)
		}
		s.report(severity, about("setting", name, declared), s.who(p.role), effect, s.sql(func(b *sqltext.Builder) {
			switch {
			case p.role == nil && p.here:
				b.Raw("ALTER DATABASE ").Ident(s.database.name)
			case p.role == nil:
				b.Raw("ALTER ROLE ALL")
			default:
				b.Raw("ALTER ROLE ").Ident(p.role.name)
				if p.here {
					b.Raw(" IN DATABASE ").Ident(s.database.name)
				}
			}
			b.Raw(" RESET ").Ident(p.name)
		}))
	}
}
