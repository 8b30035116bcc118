package postgres

import (
	"errors"
	"fmt"
	"strings"
)

// errACL says that an access list is not written as Postgres writes it.
var errACL = errors.New("this is no access list")

// aclItem is one entry of an access list.
type aclItem struct {
	grantee        Grantee
	rights, option rights
	grantor        string
}

// parseACL reads an aclitem[] in text form, such as {postgres=arwd/postgres,=r*/"a b"}.
// It reads what aclitemout prints (src/backend/utils/adt/acl.c), inside what
// array_out prints (Postgres documentation, section 8.15.6).
func parseACL(text string) ([]aclItem, error) {
	elements, err := parseArray(text)
	if err != nil {
		return nil, err
	}
	items := make([]aclItem, len(elements))
	for i, e := range elements {
		if items[i], err = parseACLItem(e); err != nil {
			return nil, err
		}
	}
	return items, nil
}

// parseArray splits a one-dimensional array in text form that has no NULL.
func parseArray(text string) ([]string, error) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, fmt.Errorf("%w: %q", errACL, text)
	}
	rest := text[1 : len(text)-1]
	var out []string
	for rest != "" {
		var element strings.Builder
		i, quoted := 0, false
		for ; i < len(rest) && (quoted || rest[i] != ','); i++ {
			switch c := rest[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && i+1 < len(rest):
				i++
				element.WriteByte(rest[i])
			default:
				element.WriteByte(c)
			}
		}
		if quoted || i == len(rest)-1 {
			return nil, fmt.Errorf("%w: %q", errACL, text)
		}
		out = append(out, element.String())
		rest = rest[min(i+1, len(rest)):]
	}
	return out, nil
}

// parseACLItem reads GRANTEE=PRIVILEGES/GRANTOR; an empty grantee is PUBLIC.
func parseACLItem(text string) (aclItem, error) {
	refused := func() (aclItem, error) { return aclItem{}, fmt.Errorf("%w: %q", errACL, text) }
	grantee, rest, ok := roleName(text)
	if !ok || !strings.HasPrefix(rest, "=") {
		return refused()
	}
	item := aclItem{grantee: ToRole(grantee)}
	if text[0] == '=' {
		item.grantee = Public()
	}
	letters, rest, ok := strings.Cut(rest[1:], "/")
	if !ok {
		return refused()
	}
	var last rights
	for i := range len(letters) {
		if letters[i] == '*' && last != 0 {
			item.option |= last
			continue
		}
		n := strings.IndexByte(aclLetters, letters[i])
		if n < 0 {
			return aclItem{}, fmt.Errorf("%w: %q has a privilege %q that this version does not know", errACL, text, letters[i])
		}
		last = 1 << n
		item.rights |= last
	}
	if item.grantor, rest, ok = roleName(rest); !ok || rest != "" {
		return refused()
	}
	return item, nil
}

// roleName reads a name that is quoted where it has more than letters, digits
// and underscores, and gives what follows.
func roleName(text string) (name, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexAny(text, `="/`)
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], true
	}
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '"':
			out.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '"':
			out.WriteByte('"')
			i++
		default:
			return out.String(), text[i+1:], true
		}
	}
	return "", "", false
}
