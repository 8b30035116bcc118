package view

import (
	"regexp"
	"strings"
)

// wrap breaks a long condition into lines: at the AND and OR that bind least,
// then within the parentheses between them, two columns deeper each time.
func wrap(s string, room int) []string {
	if columns(s) <= room {
		return []string{s}
	}
	if terms := split(s); len(terms) > 1 {
		var out []string
		for _, t := range terms {
			out = append(out, wrap(t, room)...)
		}
		return out
	}
	open, end := widest(s)
	if end == 0 {
		if cut := lastComma(s, room); cut > 0 {
			return append([]string{s[:cut]}, indented(wrap(strings.TrimLeft(s[cut:], " "), room-2))...)
		}
		return []string{s}
	}
	out := []string{s[:open+1]}
	out = append(out, indented(wrap(strings.TrimSpace(s[open+1:end]), room-2))...)
	return append(out, s[end:])
}

// alias is the name that Postgres gives to the column of a subquery.
var alias = regexp.MustCompile(`^ AS [a-z_0-9]+\)`)

// plain takes away what Postgres adds when it prints a condition: doubled
// parentheses, the space before SELECT and names of single columns.
func plain(s string) string {
	pair := pairs(s)
	drop := map[int]bool{}
	for open, end := range pair {
		if inner, ok := pair[open+1]; ok && inner == end-1 && !strings.HasPrefix(strings.TrimLeft(s[open+2:], " "), "SELECT ") {
			drop[open], drop[end] = true, true
		}
	}
	var b strings.Builder
	outside := make([]bool, len(s))
	scan(s, func(i, _ int) { outside[i] = true })
	for i := 0; i < len(s); i++ {
		switch {
		case !outside[i]:
		case drop[i]:
			continue
		case s[i] == ' ' && strings.HasPrefix(s[i:], " SELECT ") && i > 0 && s[i-1] == '(':
			continue
		case s[i] == ' ':
			if m := alias.FindString(s[i:]); m != "" {
				i += len(m) - 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// pairs maps each opening parenthesis to the one that closes it.
func pairs(s string) map[int]int {
	out := map[int]int{}
	var open []int
	scan(s, func(i, _ int) {
		switch {
		case s[i] == '(':
			open = append(open, i)
		case s[i] == ')' && len(open) > 0:
			out[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	})
	return out
}

func indented(lines []string) []string {
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// split cuts at each AND and OR that stands outside of parentheses and quotes;
// the word begins the line that it leads to.
func split(s string) []string {
	var out []string
	start := 0
	scan(s, func(i, depth int) {
		if depth == 0 && i > start && (strings.HasPrefix(s[i:], " AND ") || strings.HasPrefix(s[i:], " OR ")) {
			out = append(out, s[start:i])
			start = i + 1
		}
	})
	return append(out, s[start:])
}

// widest is the longest pair of parentheses of the outermost level with an AND
// or OR in it; end is 0 where there is none.
func widest(s string) (open, end int) {
	at := 0
	scan(s, func(i, depth int) {
		switch {
		case s[i] == '(' && depth == 1:
			at = i
		case s[i] == ')' && depth == 0 && i-at > end-open && (strings.Contains(s[at:i], " AND ") || strings.Contains(s[at:i], " OR ")):
			open, end = at, i
		}
	})
	return open, end
}

// lastComma is where the last comma outside of quotes ends within the room.
func lastComma(s string, room int) int {
	cut := 0
	scan(s, func(i, _ int) {
		if s[i] == ',' && i < room && i+1 < len(s) {
			cut = i + 1
		}
	})
	return cut
}

// scan calls f for each byte outside of quotes, with the depth of parentheses
// after it.
func scan(s string, f func(i, depth int)) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'', '"':
			i += quotedEnd(s[i:], s[i]) - 1
			continue
		case '(':
			depth++
		case ')':
			depth--
		}
		f(i, depth)
	}
}
