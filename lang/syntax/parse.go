package syntax

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/dynblock"
	"github.com/hashicorp/hcl/v2/hclparse"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// The codes of this package.
const (
	// CodeInvalid: the text is not HCL.
	CodeInvalid diag.Code = "syntax-invalid"
	// CodeUnknownArgument: a block has an argument that blocks of its kind do not have.
	CodeUnknownArgument diag.Code = "syntax-unknown-argument"
	// CodeUnknownBlock: a block stands where blocks of its kind do not stand.
	CodeUnknownBlock diag.Code = "syntax-unknown-block"
	// CodeMissingArgument: a block lacks a required argument.
	CodeMissingArgument diag.Code = "syntax-missing-argument"
	// CodeLabels: a block has too few or too many labels.
	CodeLabels diag.Code = "syntax-labels"
)

// Options say which files are parsed.
type Options struct {
	// Tests parses the *.test.hcl files as well.
	Tests bool
}

// IsTest reports whether a file holds tests.
func IsTest(name string) bool {
	return strings.HasSuffix(name, ".test.hcl") || strings.HasSuffix(name, ".test.hcl.json")
}

// IsValues reports whether a file holds values of variables.
func IsValues(name string) bool {
	return strings.HasSuffix(name, ".pvars.hcl") || strings.HasSuffix(name, ".pvars.hcl.json")
}

// Parse reads every file of the project's own folder once. It returns what could be read even
// when there are errors.
func Parse(set *source.Set, opts Options) (*Module, diag.List) {
	return ParseFiles(set.Own(), opts)
}

// ParseFiles reads the files of a module.
func ParseFiles(files []source.File, opts Options) (*Module, diag.List) {
	p := &parser{schemas: newSchemas(), module: &Module{}}
	hp := hclparse.NewParser()
	top, tests := topSchema(), testSchema()
	for _, f := range files {
		if IsValues(f.Name) || IsTest(f.Name) && !opts.Tests {
			continue
		}
		file := p.file(hp, f)
		if file == nil {
			continue
		}
		schema := top
		if IsTest(f.Name) {
			schema = tests
		}
		content, diags := file.Body.Content(schema)
		p.report(diags, nil)
		if content == nil {
			continue
		}
		for _, b := range content.Blocks {
			p.block(b)
		}
	}
	return p.module, p.diags
}

// ParseValues reads a file of variable values: its arguments.
func ParseValues(f source.File) (hcl.Attributes, diag.List) {
	p := &parser{}
	file := p.file(hclparse.NewParser(), f)
	if file == nil {
		return nil, p.diags
	}
	attrs, diags := file.Body.JustAttributes()
	p.report(diags, nil)
	return attrs, p.diags
}

type parser struct {
	schemas schemas
	module  *Module
	diags   diag.List
}

func (p *parser) file(hp *hclparse.Parser, f source.File) *hcl.File {
	var file *hcl.File
	var diags hcl.Diagnostics
	if line, deep := tooDeep(f.Data); deep {
		at := source.Pos{Line: line, Column: 1}
		p.diags.Fail(CodeInvalid, source.Span{File: f.Name, Start: at, End: at}, "The file nests too deep",
			fmt.Sprintf("Brackets and signs may nest %d levels, and one expression may have %d operators.", maxNesting, maxChain))
		return nil
	}
	if strings.HasSuffix(f.Name, ".json") {
		file, diags = hp.ParseJSON(f.Data, f.Name)
	} else {
		file, diags = hp.ParseHCL(f.Data, f.Name)
	}
	p.report(diags, nil)
	if file == nil || file.Body == nil {
		return nil
	}
	return file
}

// report converts HCL's findings, which tell their kind by their summary only.
func (p *parser) report(diags hcl.Diagnostics, header *Header) {
	for _, d := range diags {
		code := CodeInvalid
		switch {
		case d.Summary == "Unsupported argument" || d.Summary == "Extraneous JSON object property":
			code = CodeUnknownArgument
		case d.Summary == "Unsupported block type" || strings.HasPrefix(d.Summary, "Unexpected \"") && strings.HasSuffix(d.Summary, "block"):
			code = CodeUnknownBlock
		case d.Summary == "Missing required argument":
			code = CodeMissingArgument
		case strings.HasPrefix(d.Summary, "Missing ") && strings.Contains(d.Summary, " for "), strings.HasPrefix(d.Summary, "Extraneous label"):
			code = CodeLabels
		}
		var one diag.List
		FromHCL(&one, code, hcl.Diagnostics{d})
		if code == CodeMissingArgument && header != nil {
			one[0].Span = header.Span
		}
		p.diags = append(p.diags, one...)
	}
}

// content is the arguments and blocks of one body.
type content struct {
	attrs  hcl.Attributes
	blocks hcl.Blocks
}

func (c *content) expr(name string) hcl.Expression {
	if a, ok := c.attrs[name]; ok {
		return a.Expr
	}
	return nil
}

func headerOf(b *hcl.Block) Header {
	h := Header{Type: b.Type, Span: Span(b.DefRange), block: b}
	for i, l := range b.Labels {
		label := Label{Name: l}
		if i < len(b.LabelRanges) {
			label.Span = Span(b.LabelRanges[i])
		}
		h.Labels = append(h.Labels, label)
	}
	return h
}

// read decodes a body by the schema of that name and fills in the header.
func (p *parser) read(b *hcl.Block, schema string, h *Header) *content {
	*h = headerOf(b)
	s := p.schemas[schema]
	full := s
	if unfolds(schema) {
		ext := *s
		ext.Blocks = append(slices.Clip(s.Blocks), nested("dynamic", "type"))
		full = &ext
	}
	raw, diags := b.Body.Content(full)
	p.report(diags, h)
	c := &content{}
	if raw == nil {
		return c
	}
	c.attrs = raw.Attributes
	for _, inner := range raw.Blocks {
		if inner.Type == "dynamic" {
			h.dynamic = true
			continue
		}
		c.blocks = append(c.blocks, inner)
	}
	h.Description, h.ForEach = c.expr("description"), c.expr("for_each")
	return c
}

// unfolds reports whether `dynamic` blocks may stand in a body: those that
// Expand unfolds. Elsewhere they are unknown blocks, never silently dropped.
func unfolds(schema string) bool {
	switch schema {
	case "table", "resource", "app", "service_account", "identity", "request":
		return true
	}
	return false
}

// expand decodes a block again with its `dynamic` blocks unfolded.
func expand[T any](b *hcl.Block, ctx *hcl.EvalContext, diags *diag.List, decode func(*parser, *hcl.Block) T) T {
	p := &parser{schemas: newSchemas()}
	unfolded := *b
	unfolded.Body = dynblock.Expand(b.Body, ctx)
	out := decode(p, &unfolded)
	*diags = append(*diags, p.diags...)
	return out
}

// Expand is the block with its `dynamic` blocks unfolded.
func (t *Table) Expand(ctx *hcl.EvalContext, diags *diag.List) *Table {
	if !t.dynamic {
		return t
	}
	return expand(t.block, ctx, diags, (*parser).table)
}

// Expand is the block with its `dynamic` blocks unfolded.
func (a *App) Expand(ctx *hcl.EvalContext, diags *diag.List) *App {
	if !a.dynamic {
		return a
	}
	return expand(a.block, ctx, diags, (*parser).app)
}

// Expand is the block with its `dynamic` blocks unfolded.
func (a *ServiceAccount) Expand(ctx *hcl.EvalContext, diags *diag.List) *ServiceAccount {
	if !a.dynamic {
		return a
	}
	return expand(a.block, ctx, diags, (*parser).account)
}

// Expand is the block with its `dynamic` blocks unfolded.
func (a *Attributes) Expand(ctx *hcl.EvalContext, diags *diag.List) *Attributes {
	if !a.dynamic {
		return a
	}
	return expand(a.block, ctx, diags, func(p *parser, b *hcl.Block) *Attributes { return p.attributes(b, b.Type) })
}

// Dynamic reports whether the block holds `dynamic` blocks.
func (h *Header) Dynamic() bool { return h.dynamic }
