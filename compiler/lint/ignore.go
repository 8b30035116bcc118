package lint

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/lang/source"
)

// ignoreMark begins a comment that ignores a rule: `# postern:ignore RULE reason`.
const ignoreMark = "postern:ignore"

// ignore is such a comment.
type ignore struct {
	span   source.Span // of the comment
	line   int         // of the block that it is about
	rule   string
	reason string
	used   bool
}

func (c ignore) covers(f Finding) bool {
	return c.reason != "" && c.rule == f.Rule && c.span.File == f.Span.File && c.line == f.Span.Start.Line
}

// finding is what is wrong with a comment.
func (c ignore) finding() (Finding, bool) {
	switch {
	case c.rule == "":
		return Finding{Rule: IgnoreUnknown, Span: c.span, Message: "The comment names no rule: write postern:ignore RULE and why."}, true
	case !known(c.rule):
		return Finding{Rule: IgnoreUnknown, Span: c.span, Message: fmt.Sprintf("There is no rule %q.", c.rule)}, true
	case c.reason == "":
		return Finding{Rule: IgnoreReason, Span: c.span, Message: fmt.Sprintf("The comment does not say why %s is ignored.", c.rule)}, true
	case !c.used:
		return Finding{Rule: IgnoreUnused, Span: c.span, Message: fmt.Sprintf("There is no finding %s here to ignore.", c.rule)}, true
	}
	return Finding{}, false
}

// ignores lists the comments of a project that ignore a rule.
func ignores(set *source.Set) []ignore {
	if set == nil {
		return nil
	}
	var out []ignore
	for _, f := range set.Files {
		if strings.HasSuffix(f.Name, ".hcl") && strings.Contains(string(f.Data), ignoreMark) {
			out = append(out, ignoresOf(f)...)
		}
	}
	return out
}

// ignoresOf lists the comments of a file. One that stands alone is about the
// line below it, or below the comments that follow it.
func ignoresOf(f source.File) []ignore {
	tokens, _ := hclsyntax.LexConfig(f.Data, f.Name, hcl.InitialPos) // the file was parsed: it has no errors
	code, comment := map[int]bool{}, map[int]bool{}
	for _, t := range tokens {
		lines := code
		switch t.Type {
		case hclsyntax.TokenComment:
			lines = comment
		case hclsyntax.TokenNewline, hclsyntax.TokenEOF:
			continue
		default: // all else is code
		}
		for line := t.Range.Start.Line; line <= t.Range.Start.Line+strings.Count(strings.TrimSuffix(string(t.Bytes), "\n"), "\n"); line++ {
			lines[line] = true
		}
	}
	var out []ignore
	for _, t := range tokens {
		text, ok := marked(t)
		if !ok {
			continue
		}
		rule, reason, _ := strings.Cut(text, " ")
		at := t.Range.Start.Line
		if !code[at] {
			for comment[at] && !code[at] {
				at++
			}
		}
		end := t.Range.Start
		end.Byte += len(strings.TrimRight(string(t.Bytes), "\r\n"))
		end.Column += len([]rune(strings.TrimRight(string(t.Bytes), "\r\n")))
		out = append(out, ignore{span: source.Span{File: f.Name, Start: place(t.Range.Start), End: place(end)}, line: at, rule: rule, reason: strings.TrimSpace(reason)})
	}
	return out
}

// marked is what follows the mark in a comment of one line.
func marked(t hclsyntax.Token) (string, bool) {
	text := strings.TrimSpace(string(t.Bytes))
	if t.Type != hclsyntax.TokenComment || strings.HasPrefix(text, "/*") {
		return "", false
	}
	text = strings.TrimLeft(text, "#/ \t")
	rest, ok := strings.CutPrefix(text, ignoreMark)
	if !ok || rest != "" && !strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, "\t") {
		return "", false
	}
	return strings.TrimSpace(strings.ReplaceAll(rest, "\t", " ")), true
}

func place(p hcl.Pos) source.Pos { return source.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }
