package diag

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/apparentlymart/go-textseg/v17/textseg"
	"golang.org/x/text/width"
)

// clusters splits a line into grapheme clusters (Unicode UAX 29), which is what
// columns of a span count.
func clusters(line string) []string {
	var cells []string
	for rest := []byte(line); len(rest) > 0; {
		n, cell, err := textseg.ScanGraphemeClusters(rest, true)
		if err != nil || n <= 0 {
			return append(cells, string(rest))
		}
		cells = append(cells, string(cell))
		rest = rest[n:]
	}
	return cells
}

// displayWidth is how many columns a terminal gives a text (Unicode UAX 11:
// wide characters take two).
func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case width.LookupRune(r).Kind() == width.EastAsianWide || width.LookupRune(r).Kind() == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// visible replaces control characters and direction overrides, which could
// steer a terminal or make a text read otherwise than it is.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		if unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, s)
}

// header is the first line of a top-level block of the native syntax.
var header = regexp.MustCompile(`^[A-Za-z_][\w-]*(?:[ \t]+(?:"(?:[^"\\]|\\.)*"|[A-Za-z_][\w-]*))*[ \t]*\{`)

// enclosing is the header of the top-level block around a place, such as
// `policy "x"`; "" in the header itself and outside of blocks. It relies on
// canonical form, where top-level blocks alone begin in the first column.
func enclosing(data []byte, at int) string {
	if at < 0 || at > len(data) {
		return ""
	}
	text := string(data[:at])
	for {
		i := strings.LastIndexByte(text, '\n')
		line := string(data[i+1:])
		if j := strings.IndexByte(line, '\n'); j >= 0 {
			line = line[:j]
		}
		if strings.HasPrefix(line, "}") && len(text) < at {
			return ""
		}
		if m := header.FindString(line); m != "" {
			if len(text) == at {
				return "" // the place is in the header
			}
			return strings.TrimSpace(strings.TrimSuffix(m, "{"))
		}
		if i < 0 {
			return ""
		}
		text = text[:i]
	}
}
