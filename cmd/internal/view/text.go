package view

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// safe shows control characters of untrusted text as escapes, so that a
// hostile name cannot rewrite a reviewer's terminal and stays visible.
func safe(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\n' || !hidden(r) {
			b.WriteRune(r)
		} else {
			escape(&b, r)
		}
	}
	return b.String()
}

// safeLine is safe for text that must stay on its line.
func safeLine(s string) string { return strings.ReplaceAll(safe(s), "\n", `\n`) }

func escape(b *strings.Builder, r rune) {
	switch {
	case r == '\t':
		b.WriteString(`\t`)
	case r == '\r':
		b.WriteString(`\r`)
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// hidden reports characters that are not seen or that move others: controls,
// format characters (Unicode category Cf, which holds the bidirectional
// controls of Unicode TR 36), separators other than the space, and bytes that
// are no UTF-8.
func hidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == utf8.RuneError
}

// columns is how many columns a terminal gives a text (Unicode UAX 11: wide
// characters take two).
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case r < 0x80:
			n++
		case unicode.In(r, unicode.Mn, unicode.Me):
		case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// unquoted takes the quotes off identifiers that do not need them, in text
// that a printer of SQL made: PUBLIC and "PUBLIC" stay different.
func unquoted(s string) string {
	var b strings.Builder
	for s != "" {
		switch s[0] {
		case '\'':
			n := quotedEnd(s, '\'')
			b.WriteString(s[:n])
			s = s[n:]
		case '"':
			n := quotedEnd(s, '"')
			name := strings.ReplaceAll(strings.Trim(s[:n], `"`), `""`, `"`)
			if n > 2 && `"`+name+`"` == s[:n] {
				b.WriteString(string(sqltext.Shown(name)))
			} else {
				b.WriteString(s[:n])
			}
			s = s[n:]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}

// quotedEnd is where a quoted text that s begins with ends; a doubled quote
// does not end it.
func quotedEnd(s string, quote byte) int {
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			continue
		}
		if i+1 < len(s) && s[i+1] == quote {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}
