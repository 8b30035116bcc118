package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/mitchellh/go-wordwrap"

	"github.com/postern-dev/postern/lang/source"
)

// Sources finds the text that diagnostics point into; *source.Set is one.
type Sources interface {
	File(name string) *source.File
}

// RenderOptions say how the text looks.
type RenderOptions struct {
	// Color uses ANSI escapes (ECMA-48, "SGR").
	Color bool
	// Width is the width in columns at which sentences wrap; 0 does not wrap.
	Width int
}

// Render writes the list, sorted, for people to read. Text from the source is
// shown without its control characters, so that it cannot steer a terminal.
func Render(w io.Writer, list List, sources Sources, opts RenderOptions) error {
	var b bytes.Buffer
	p := &printer{out: &b, sources: sources, opts: opts}
	for _, d := range list {
		if d.Secret {
			p.secrets = append(p.secrets, d.Span)
		}
	}
	for i, d := range list.Sorted() {
		if i > 0 {
			b.WriteByte('\n')
		}
		p.diagnostic(d)
	}
	_, err := w.Write(b.Bytes())
	return err
}

type printer struct {
	out     *bytes.Buffer
	sources Sources
	opts    RenderOptions
	secrets []source.Span // not shown, whatever else points at their lines
}

func (p *printer) style(sgr, text string) string {
	if !p.opts.Color || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p.out, format, args...)
	p.out.WriteByte('\n')
}

func (p *printer) wrapped(indent, text string) {
	text = visible(text)
	if p.opts.Width > 20 {
		text = wordwrap.WrapString(text, uint(p.opts.Width-len(indent)))
	}
	for _, l := range strings.Split(text, "\n") {
		p.line("%s%s", indent, l)
	}
}

func (p *printer) diagnostic(d Diagnostic) {
	title, color := "Error", "1;31"
	if d.Severity == Warning {
		title, color = "Warning", "1;33"
	}
	p.line("%s %s %s", p.style(color, title+":"), p.style("1", visible(d.Summary)), p.style("2", "["+string(d.Code)+"]"))
	if !d.Span.IsZero() {
		p.line("")
		p.snippet(d.Span, "on", color)
	}
	for _, r := range d.Related {
		if r.Span.IsZero() {
			continue
		}
		p.line("")
		p.snippet(r.Span, visible(r.Message)+":", "1;34")
	}
	if d.Detail != "" {
		p.line("")
		p.wrapped("  ", d.Detail)
	}
	if d.Fix != nil && !d.Fix.Span.IsZero() {
		p.line("")
		p.line("  Fix: replace %s with %s", p.excerpt(d.Fix.Span), p.style("32", visible(d.Fix.Text)))
	}
}

// excerpt is the source text of a short span.
func (p *printer) excerpt(s source.Span) string {
	f := p.file(s)
	if f == nil || s.Start.Byte < 0 || s.End.Byte > len(f.Data) || s.Start.Byte >= s.End.Byte || s.Start.Line != s.End.Line {
		return "this"
	}
	for _, secret := range p.secrets {
		if secret.File == s.File && secret.Start.Byte < s.End.Byte && s.Start.Byte < secret.End.Byte {
			return "this"
		}
	}
	return visible(string(f.Data[s.Start.Byte:s.End.Byte]))
}

func (p *printer) file(s source.Span) *source.File {
	if p.sources == nil {
		return nil
	}
	return p.sources.File(s.File)
}

// maxLines is how many lines of a long span are shown.
const maxLines = 6

// snippet shows where a span stands: the place, the lines, and carets below
// what is meant.
func (p *printer) snippet(s source.Span, word, color string) {
	where := fmt.Sprintf("  %s %s line %d", word, visible(s.File), s.Start.Line)
	f := p.file(s)
	if f == nil {
		p.line("%s", where)
		return
	}
	if block := enclosing(f.Data, s.Start.Byte); block != "" {
		where += ", in " + visible(block)
	}
	p.line("%s:", where)
	lines := strings.Split(strings.ReplaceAll(string(f.Data), "\r\n", "\n"), "\n")
	last := min(s.End.Line, len(lines))
	if s.End.Column == 1 && last > s.Start.Line {
		last-- // the span ends with a line break
	}
	gutter := len(fmt.Sprint(last))
	for n := max(s.Start.Line, 1); n <= last; n++ {
		if n-s.Start.Line >= maxLines {
			p.line("  %s | …", strings.Repeat(" ", gutter))
			return
		}
		from, to := 0, len(clusters(lines[n-1]))
		if n == s.Start.Line {
			from = s.Start.Column - 1
		}
		if n == s.End.Line {
			to = s.End.Column - 1
		}
		p.sourceLine(s.File, n, gutter, lines[n-1], from, to, color)
	}
}

// maxCells is how much of a long line is shown.
const maxCells = 200

// sourceLine prints one line with carets from one character to another.
func (p *printer) sourceLine(file string, n, gutter int, text string, from, to int, color string) {
	cells := p.hidden(file, n, clusters(text))
	if len(cells) > maxCells {
		start := max(0, min(from-maxCells/4, len(cells)-maxCells))
		cells = cells[start : start+maxCells]
		from, to = from-start, to-start
	}
	from = max(0, min(from, len(cells)))
	to = max(0, min(to, len(cells)))
	if from < to && to-from == len(cells) { // a whole line: not below its indentation
		for from < to && strings.TrimSpace(cells[from]) == "" {
			from++
		}
	}
	var shown, carets strings.Builder
	for i, c := range cells {
		mark := " "
		if i >= from && i < to {
			mark = "^"
		}
		out := visible(c)
		if c == "\t" {
			out = "  "
		}
		shown.WriteString(out)
		carets.WriteString(strings.Repeat(mark, displayWidth(out)))
	}
	if from >= to { // an empty span, or one behind the end of the line
		carets.Reset()
		carets.WriteString(strings.Repeat(" ", displayWidth(shownPrefix(cells, from))) + "^")
	}
	p.line("  %*d | %s", gutter, n, strings.TrimRightFunc(shown.String(), unicode.IsSpace))
	if under := strings.TrimRight(carets.String(), " "); under != "" {
		pad := len(under) - len(strings.TrimLeft(under, " "))
		p.line("  %*s | %s%s", gutter, "", under[:pad], p.style(color, under[pad:]))
	}
}

// hidden replaces the characters of secrets in a line.
func (p *printer) hidden(file string, n int, cells []string) []string {
	for _, s := range p.secrets {
		if s.File != file || n < s.Start.Line || n > s.End.Line {
			continue
		}
		from, to := 0, len(cells)
		if n == s.Start.Line {
			from = max(0, min(s.Start.Column-1, to))
		}
		if n == s.End.Line {
			to = min(s.End.Column-1, to)
		}
		for i := from; i < to; i++ {
			cells[i] = "*"
		}
	}
	return cells
}

func shownPrefix(cells []string, n int) string {
	var b strings.Builder
	for _, c := range cells[:n] {
		if c == "\t" {
			c = "  "
		}
		b.WriteString(visible(c))
	}
	return b.String()
}

// JSON is the machine's form of a list (format_version "1.0").
type document struct {
	FormatVersion string       `json:"format_version"`
	Diagnostics   []Diagnostic `json:"diagnostics"`
}

// RenderJSON writes the list, sorted, as one JSON document.
func RenderJSON(w io.Writer, list List) error {
	doc := document{FormatVersion: "1.0", Diagnostics: list.Sorted()}
	if doc.Diagnostics == nil {
		doc.Diagnostics = []Diagnostic{}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}
