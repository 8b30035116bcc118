package view

import "time"

// Line prints one line, or one member of a JSON object.
func Line(o Output, member, text string) error {
	if o.JSON {
		return writeJSON(o.W, map[string]string{"format_version": FormatVersion, member: text})
	}
	p := &printer{Output: o}
	p.printf("%s\n", safeLine(text))
	return p.err
}

// Token prints a signed token.
func Token(o Output, token, role, database string, expires time.Time) error {
	if o.JSON {
		return writeJSON(o.W, map[string]any{
			"format_version": FormatVersion, "token": token, "role": role, "database": database, "expires": expires,
		})
	}
	return Line(o, "", token)
}

// Keys lists the numbers of a datasource's signing keys.
func Keys(o Output, datasource string, ids []int) error {
	if o.JSON {
		if ids == nil {
			ids = []int{}
		}
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "datasource": datasource, "keys": ids})
	}
	p := &printer{Output: o}
	if len(ids) == 0 {
		p.printf("datasource.%s has no key: no token opens a transaction there.\n", safeLine(datasource))
	}
	for _, id := range ids {
		p.printf("%d\n", id)
	}
	return p.err
}
