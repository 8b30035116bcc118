package audit

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/lang/source"
)

// wanted is the function that the project makes under this name.
func (c *catalog) wanted(f *function) *postgres.Function {
	return c.want.Functions[postgres.FunctionID(f.schema, f.name, f.args)]
}

// mentions reports whether a function's text, or what Postgres knows of it,
// names a table. A name in a text may stand for something else, and one that
// is put together is not seen.
func (f *function) mentions(t *relation) bool {
	if slices.Contains(f.reads, t) {
		return true
	}
	text, name := strings.ToLower(f.src), strings.ToLower(t.name)
	if strings.ContainsFunc(name, between) {
		return strings.Contains(text, name)
	}
	if f.words == nil {
		f.words = map[string]bool{}
		for word := range strings.FieldsFuncSeq(text, between) {
			f.words[word] = true
		}
	}
	return f.words[name]
}

// between reports characters that are no part of a name that needs no quotes.
func between(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$'
}

func functionDefiner(s *search) {
	for _, f := range s.funList {
		if !f.definer || f.trigger || s.wanted(f) != nil {
			continue
		}
		holders := s.holders(f.acl, f.owner)
		if len(holders) == 0 {
			continue
		}
		subject, severity, effect := s.aboutFunction(f), Severity(""), ""
		for _, t := range s.protectedTables() {
			switch {
			case !s.bypasses(f.owner, t) && (severity != "" || !s.mayRead(f.owner, t) || !f.mentions(t)):
			case !s.bypasses(f.owner, t):
				severity, subject = Medium, over(subject, t)
				effect = fmt.Sprintf("It gives them what the policies of %s give to %s.", shown(t.schema, t.name), shown(f.owner.name))
			case f.mentions(t):
				severity, subject = Critical, over(subject, t)
				effect = fmt.Sprintf("It reads or changes %s with the rights of %s, for whom no policy holds, and gives them what it finds.", shown(t.schema, t.name), shown(f.owner.name))
			case severity == "":
				severity = Medium
				if s.anyOpen(holders) {
					severity = High
				}
				effect = fmt.Sprintf("It runs with the rights of %s, for whom the policies of %s do not hold.", shown(f.owner.name), shown(t.schema, t.name))
			}
			if severity == Critical {
				break
			}
		}
		if severity != "" {
			s.report(severity, subject, s.who(holders...), effect, s.revokes(f.acl, f.owner, onFunction(f), func(acl) bool { return true })...)
		}
	}
}

// path is a function's search_path, and whether it has one.
func (f *function) path() ([]string, bool) {
	for _, c := range f.config {
		if value, ok := strings.CutPrefix(c, "search_path="); ok {
			var out []string
			for part := range strings.SplitSeq(value, ",") {
				part = strings.TrimSpace(part)
				if len(part) > 1 && part[0] == '"' && part[len(part)-1] == '"' {
					part = strings.ReplaceAll(part[1:len(part)-1], `""`, `"`)
				}
				if part != "" {
					out = append(out, part)
				}
			}
			return out, true
		}
	}
	return nil, false
}

// closed reports whether nobody but its owner and superusers can make objects
// in a schema.
func (s *search) closed(name string) bool {
	if strings.HasPrefix(name, "pg_") && name != "pg_temp" {
		return true
	}
	for _, n := range s.schemas {
		if n.name == name {
			return len(s.holders(n.acl, n.owner, "CREATE")) == 0
		}
	}
	return name != "$user" && name != "pg_temp"
}

func functionSearchPath(s *search) {
	powers := s.powers()
	for _, f := range s.funList {
		holders := s.holders(f.acl, f.owner)
		if !f.definer || f.parsed || f.lang == "c" || f.lang == "internal" || len(holders) == 0 || s.wanted(f) != nil {
			continue
		}
		path, set := f.path()
		open := slices.DeleteFunc(slices.Clone(path), s.closed)
		if set && (len(path) == 0 || len(open) == 1 && path[len(path)-1] == "pg_temp") {
			continue
		}
		severity := Medium
		if powers[f.owner] != "" {
			severity = High
		}
		safe := []string{"pg_catalog"}
		if !set {
			path = []string{f.schema}
		}
		for _, n := range path {
			if n != "pg_catalog" && s.closed(n) {
				safe = append(safe, n)
			}
		}
		s.report(severity, s.aboutFunction(f), s.who(holders...),
			fmt.Sprintf("With a search_path or a temporary table of their own they make it use their objects, with the rights of %s.", shown(f.owner.name)),
			s.sql(func(b *sqltext.Builder) {
				onFunction(f)(b.Raw("ALTER "))
				b.Raw(" SET search_path = ").Idents(append(safe, "pg_temp"))
			}))
	}
}

func functionLeakproof(s *search) {
	for _, f := range s.funList {
		if f.leakproof && s.wanted(f) == nil {
			s.report(Medium, s.aboutFunction(f), s.who(s.holders(f.acl, f.owner)...),
				"Postgres may call it on rows before policies have left them out: whatever it tells or raises comes from rows that are not seen.",
				s.sql(func(b *sqltext.Builder) { onFunction(f)(b.Raw("ALTER ")); b.Raw(" NOT LEAKPROOF") }))
		}
	}
}

func generatedFunction(s *search) {
	at := func(id postgres.ObjectID) subject {
		about := about("function", shown(id.Schema, id.Name)+"("+id.Sub+")", true)
		about.span = source.Span{}
		return about
	}
	for id, want := range s.want.Functions {
		have := s.live.Functions[id]
		if have == nil || s.live.AsApplied(id) || sameFunction(want, have) {
			continue
		}
		if record, recorded := s.live.Records[id]; recorded && record.Desired == "" && s.unapplied {
			continue // an older version made the record: nobody can tell an older project's from one made by hand
		}
		s.report(Critical, at(id), s.everyAccount(), "Policies call it, and it is not what the project made: they hold for whomever it says.",
			s.print(postgres.CreateFunction(want)), s.print(postgres.SetOwner(id, want.Owner)))
	}
	for id, have := range s.live.Functions {
		_, recorded := s.live.Records[id]
		if s.want.Functions[id] == nil && !recorded {
			s.report(Medium, at(id), []string{shown(have.Owner)}, "It stands among the functions that policies call, and the project did not make it.", s.print(postgres.DropObject(id)))
		}
	}
}

func sameFunction(a, b *postgres.Function) bool {
	return a.Body == b.Body && a.SecurityDefiner == b.SecurityDefiner && a.Leakproof == b.Leakproof && a.Strict == b.Strict && a.Returns == b.Returns &&
		a.Language == b.Language && a.Volatility == b.Volatility && a.Owner == b.Owner && slices.Equal(a.Config, b.Config)
}

// print is a statement of the Postgres target.
func (s *search) print(text sqltext.SQL, err error) string {
	if err != nil {
		s.errs = append(s.errs, err)
	}
	return string(text) + ";"
}

func triggerForeign(s *search) {
	for _, t := range s.trigger {
		if !t.on.protected || t.call == nil || t.call.owner == t.on.owner || t.call.owner.super {
			continue
		}
		subject := s.aboutRelation(t.on)
		subject.object.Kind, subject.object.Name = "trigger", shown(t.name)+" on "+subject.object.Name
		s.report(High, subject, s.who(t.call.owner),
			fmt.Sprintf("Each write to %s runs %s, which they can change, and it sees the rows written with the rights of whoever writes.", shown(t.on.schema, t.on.name), shown(t.call.schema, t.call.name)),
			s.sql(func(b *sqltext.Builder) {
				b.Raw("DROP TRIGGER ").Ident(t.name).Raw(" ON ").Qualified(t.on.schema, t.on.name)
			}))
	}
}
