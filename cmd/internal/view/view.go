// Package view prints results: one record of what happened, as text for a
// person or as JSON for a program. Nothing here decides anything.
package view

import (
	"encoding/json"
	"fmt"
	"io"
)

// FormatVersion is the version of the JSON that all commands print. A minor
// step adds members; a major one may change or drop them.
const FormatVersion = "1.0"

// Output is where and how results are printed.
type Output struct {
	W     io.Writer
	JSON  bool
	Color bool
	Width int // columns of the terminal
	// Verbose shows what is folded otherwise.
	Verbose bool
}

// printer collects the first write error, so that callers check once.
type printer struct {
	Output
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.W, format, args...)
	}
}

// The colours of the terminal (ECMA-48, select graphic rendition).
const (
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

func (p *printer) paint(color, s string) string {
	if !p.Color || s == "" || color == "" {
		return s
	}
	return color + s + reset
}

// writeJSON prints one indented JSON value.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}

// Version prints the program's version.
func Version(o Output, version string) error {
	if o.JSON {
		return writeJSON(o.W, map[string]string{"format_version": FormatVersion, "version": version})
	}
	p := &printer{Output: o}
	p.printf("postern %s\n", version)
	return p.err
}

// plural is "1 test" or "3 tests".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
