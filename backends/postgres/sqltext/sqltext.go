// Package sqltext writes SQL text for Postgres. It is the one place where
// identifiers and literals are quoted.
package sqltext

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// SQL is text that is already SQL: it came from the printers of this package,
// from a constant, or from Postgres itself. A value or name becomes SQL only
// through Ident, Literal and the nodes of this package.
type SQL string

// MaxIdent is the longest name in bytes; Postgres silently cuts longer ones
// (NAMEDATALEN - 1, documentation section 4.1.1).
const MaxIdent = 63

// Reasons why a name or text cannot be written.
var (
	ErrIdentEmpty = errors.New("a name cannot be empty")
	ErrIdentLong  = errors.New("a name cannot be longer than 63 bytes")
	ErrNUL        = errors.New("text cannot hold a NUL byte")
	ErrUTF8       = errors.New("text must be valid UTF-8")
)

// CheckIdent reports whether a name can be an identifier at all.
func CheckIdent(name string) error {
	switch {
	case name == "":
		return ErrIdentEmpty
	case len(name) > MaxIdent:
		return fmt.Errorf("%q: %w", name, ErrIdentLong)
	}
	return checkText(name)
}

func checkText(s string) error {
	if strings.ContainsRune(s, 0) {
		return ErrNUL
	}
	if !utf8.ValidString(s) {
		return ErrUTF8
	}
	return nil
}

// Ident is a name, always quoted: a quoted name is taken as it is, whatever
// its case and even if it is a keyword (documentation section 4.1.1).
func Ident(name string) (SQL, error) {
	if err := CheckIdent(name); err != nil {
		return "", err
	}
	return quoteIdent(name), nil
}

func quoteIdent(name string) SQL {
	return SQL(`"` + strings.ReplaceAll(name, `"`, `""`) + `"`)
}

// Literal is a string constant. It is right under
// standard_conforming_strings = on alone, where a backslash is a plain
// character (documentation section 4.1.2.1); sessions pin that setting.
func Literal(s string) (SQL, error) {
	if err := checkText(s); err != nil {
		return "", err
	}
	return quoteLiteral(s), nil
}

func quoteLiteral(s string) SQL {
	return SQL(`'` + strings.ReplaceAll(s, `'`, `''`) + `'`)
}

// EscapeLiteral is a string constant that reads the same whatever
// standard_conforming_strings is: one with a backslash is written as E'…'
// (documentation section 4.1.2.2).
func EscapeLiteral(s string) (SQL, error) {
	text, err := Literal(s)
	if err != nil || !strings.Contains(s, `\`) {
		return text, err
	}
	return "E" + SQL(strings.ReplaceAll(string(text), `\`, `\\`)), nil
}

// Int is a decimal number.
func Int(n int) SQL { return SQL(strconv.Itoa(n)) }
