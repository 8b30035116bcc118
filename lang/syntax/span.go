package syntax

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/lang/source"
)

// Span is an HCL range as a source span. The zero range gives the zero span.
func Span(r hcl.Range) source.Span {
	if r.Filename == "" {
		return source.Span{}
	}
	return source.Span{File: r.Filename, Start: pos(r.Start), End: pos(r.End)}
}

func pos(p hcl.Pos) source.Pos {
	return source.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte}
}
