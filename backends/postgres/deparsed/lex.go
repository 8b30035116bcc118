package deparsed

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrSyntax says that an expression is not of the part that is read.
var ErrSyntax = errors.New("not read")

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // an unquoted word, as it is written
	tokenName             // a quoted name
	tokenText             // a quoted text
	tokenNumber           // digits, perhaps with a point
	tokenSign             // ( ) [ ] , . ::
	tokenOp               // an operator
)

type token struct {
	kind tokenKind
	text string
	at   int
}

// lex splits an expression into tokens.
func lex(s string) ([]token, error) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return nil, fmt.Errorf("%w: it is not valid UTF-8", ErrSyntax)
	}
	var out []token
	for i := 0; i < len(s); {
		c := s[i]
		var t token
		var n int
		switch {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			i++
			continue
		case c == 'E' && i+1 < len(s) && s[i+1] == '\'':
			t, n = quotedText(s[i+1:], true)
			n++
		case c == '\'':
			t, n = quotedText(s[i:], false)
		case c == '"':
			t, n = quotedName(s[i:])
		case wordStart(c):
			n = 1
			for i+n < len(s) && (wordStart(s[i+n]) || digit(s[i+n])) {
				n++
			}
			t = token{kind: tokenWord, text: s[i : i+n]}
		case digit(c):
			t, n = number(s[i:])
		case strings.IndexByte("()[],.", c) >= 0:
			t, n = token{kind: tokenSign, text: s[i : i+1]}, 1
		case strings.HasPrefix(s[i:], "::"):
			t, n = token{kind: tokenSign, text: "::"}, 2
		default:
			n = operatorLength(s[i:])
			t = token{kind: tokenOp, text: s[i : i+n]}
		}
		if n <= 0 || t.kind == tokenEnd {
			return nil, fmt.Errorf("%w: %q", ErrSyntax, excerpt(s[i:]))
		}
		t.at = i
		out = append(out, t)
		i += n
	}
	return append(out, token{at: len(s)}), nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func wordStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quotedText reads a text; escapes are those of E'…' as ruleutils writes it:
// doubled backslashes alone.
func quotedText(s string, escapes bool) (token, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' && i+1 < len(s) && s[i+1] == '\'':
			b.WriteByte('\'')
			i++
		case c == '\'':
			return token{kind: tokenText, text: b.String()}, i + 1
		case c == '\\' && (!escapes || i+1 >= len(s) || s[i+1] != '\\'):
			return token{}, 0
		case c == '\\':
			b.WriteByte('\\')
			i++
		default:
			b.WriteByte(c)
		}
	}
	return token{}, 0
}

func quotedName(s string) (token, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] != '"':
			b.WriteByte(s[i])
		case i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		default:
			return token{kind: tokenName, text: b.String()}, i + 1
		}
	}
	return token{}, 0
}

func number(s string) (token, int) {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	if n+1 < len(s) && s[n] == '.' && digit(s[n+1]) {
		n++
		for n < len(s) && digit(s[n]) {
			n++
		}
	}
	if n < len(s) && wordStart(s[n]) {
		return token{}, 0
	}
	return token{kind: tokenNumber, text: s[:n]}, n
}

func operatorLength(s string) int {
	n := 0
	for n < len(s) && strings.IndexByte("+-*/<>=~!@#%^&|`?", s[n]) >= 0 {
		n++
	}
	if strings.Contains(s[:n], "--") || strings.Contains(s[:n], "/*") {
		return 0
	}
	return n
}

// excerpt is the beginning of what could not be read.
func excerpt(s string) string {
	const most = 40
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
