package sqltext

import (
	"errors"
	"strings"
)

// Builder puts a statement together. Its methods return it, so that calls
// chain; the first thing that cannot be written is kept and told by SQL.
type Builder struct {
	b    strings.Builder
	errs []error
}

// Raw appends SQL text: a constant, or what was printed before.
func (b *Builder) Raw(parts ...SQL) *Builder {
	for _, p := range parts {
		b.b.WriteString(string(p))
	}
	return b
}

// Ident appends a quoted name.
func (b *Builder) Ident(name string) *Builder {
	s, err := Ident(name)
	return b.checked(s, err)
}

// Qualified appends SCHEMA.NAME, both quoted.
func (b *Builder) Qualified(schema, name string) *Builder {
	return b.Ident(schema).Raw(".").Ident(name)
}

// Literal appends a string constant.
func (b *Builder) Literal(s string) *Builder {
	text, err := Literal(s)
	return b.checked(text, err)
}

// Each appends n parts with sep between them.
func (b *Builder) Each(n int, sep SQL, part func(i int)) *Builder {
	for i := range n {
		if i > 0 {
			b.Raw(sep)
		}
		part(i)
	}
	return b
}

// Idents appends a comma-separated list of quoted names.
func (b *Builder) Idents(names []string) *Builder {
	return b.Each(len(names), ", ", func(i int) { b.Ident(names[i]) })
}

// Comment appends "-- text" and a line end. The text is printed on one line,
// without characters that could end the comment.
func (b *Builder) Comment(text string) *Builder {
	flat := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff {
			return ' '
		}
		return r
	}, text)
	return b.Raw("-- ", SQL(strings.ToValidUTF8(flat, "?")), "\n")
}

func (b *Builder) checked(s SQL, err error) *Builder {
	if err != nil {
		b.errs = append(b.errs, err)
		return b
	}
	return b.Raw(s)
}

// SQL is what was built, or the reasons why it cannot be written.
func (b *Builder) SQL() (SQL, error) {
	if len(b.errs) > 0 {
		return "", errors.Join(b.errs...)
	}
	return SQL(b.b.String()), nil
}
