// Package format prints HCL in canonical form. Comments stay where they are,
// and formatting what is formatted changes nothing.
package format

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// Applies reports whether a file has a canonical form: JSON is left alone.
func Applies(name string) bool { return strings.HasSuffix(name, ".hcl") }

// Format is the file in canonical form: two spaces for a level, aligned
// arguments and comments, quoted labels, `var.x` for `"${var.x}"`, line feeds
// alone, no spaces at the ends of lines, at most one empty line together, and
// one line feed at the end. A file with syntax errors is returned as it is,
// with the errors.
func Format(f source.File) ([]byte, diag.List) {
	var diags diag.List
	text := bytes.TrimPrefix(f.Data, []byte("\xef\xbb\xbf"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	file, problems := hclwrite.ParseConfig(text, f.Name, hcl.InitialPos)
	if problems.HasErrors() {
		syntax.FromHCL(&diags, syntax.CodeInvalid, problems)
		return f.Data, diags
	}
	labels(file.Body())
	expressions(file.Body())
	out := file.Bytes()
	for range maxPasses {
		next := tidy(hclwrite.Format(out), f.Name)
		if bytes.Equal(next, out) {
			break
		}
		out = next
	}
	return out, nil
}

// maxPasses bounds the passes after which nothing changes any more: indenting
// and aligning can each make work for the other.
const maxPasses = 8

// labels puts quotes around bare labels. hclwrite does not read labels with
// certain escapes, so blocks without a bare one are left alone, and so are
// those of which it does not read all.
func labels(body *hclwrite.Body) {
	for _, b := range body.Blocks() {
		if bare, all := countLabels(b); bare > 0 && all == len(b.Labels()) {
			b.SetLabels(b.Labels())
		}
		labels(b.Body())
	}
}

// countLabels counts a block's labels, and those without quotes.
func countLabels(b *hclwrite.Block) (bare, all int) {
	for _, t := range b.BuildTokens(nil)[1:] {
		switch t.Type {
		case hclsyntax.TokenIdent:
			bare++
			all++
		case hclsyntax.TokenOQuote:
			all++
		case hclsyntax.TokenOBrace:
			return bare, all
		default:
		}
	}
	return bare, all
}

// expressions unwraps templates that are one interpolation.
func expressions(body *hclwrite.Body) {
	for name, attr := range body.Attributes() {
		tokens := attr.Expr().BuildTokens(nil)
		if inner, ok := unwrapped(tokens); ok {
			body.SetAttributeRaw(name, inner)
		}
	}
	for _, b := range body.Blocks() {
		expressions(b.Body())
	}
}

// unwrapped is x of "${x}".
func unwrapped(tokens hclwrite.Tokens) (hclwrite.Tokens, bool) {
	n := len(tokens)
	if n < 5 || tokens[0].Type != hclsyntax.TokenOQuote || tokens[1].Type != hclsyntax.TokenTemplateInterp ||
		tokens[n-2].Type != hclsyntax.TokenTemplateSeqEnd || tokens[n-1].Type != hclsyntax.TokenCQuote ||
		len(tokens[1].Bytes) > 2 || len(tokens[n-2].Bytes) > 1 {
		return nil, false
	}
	depth := 0
	for _, t := range tokens[1 : n-1] {
		switch t.Type {
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenTemplateSeqEnd:
			depth--
			if depth == 0 && t != tokens[n-2] {
				return nil, false // two interpolations beside each other
			}
		case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit:
			if depth == 0 {
				return nil, false
			}
		case hclsyntax.TokenNewline:
			return nil, false // a bare expression ends with its line
		default:
		}
	}
	return tokens[2 : n-2], true
}

// tidy drops spaces at the ends of lines and repeated empty lines, but not
// inside heredocs, where they are part of a text.
func tidy(text []byte, name string) []byte {
	keep := heredocLines(text, name)
	var out bytes.Buffer
	blank := true // drops empty lines at the beginning
	for i, line := range bytes.Split(bytes.TrimRight(text, " \t\r\n"), []byte("\n")) {
		if !keep[i+1] {
			line = bytes.TrimRight(line, " \t\r")
			if len(line) == 0 && blank {
				continue
			}
			blank = len(line) == 0
		} else {
			blank = false
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	return out.Bytes()
}

// heredocLines are the lines, from 1, that belong to a heredoc's text, or to a
// comment of several lines.
func heredocLines(text []byte, name string) map[int]bool {
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	lines, start := map[int]bool{}, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOHeredoc:
			start = t.Range.Start.Line + 1
		case hclsyntax.TokenCHeredoc:
			for n := start; n <= t.Range.Start.Line; n++ {
				lines[n] = true
			}
		case hclsyntax.TokenComment:
			for n := t.Range.Start.Line; n < t.Range.End.Line && t.Range.End.Column > 1; n++ {
				lines[n] = true
			}
		default:
		}
	}
	return lines
}
