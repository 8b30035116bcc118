package rego

import (
	"context"
	"embed"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
)

// Emitter writes the rego target.
type Emitter struct{}

var _ backend.Emitter = Emitter{}

// Name is "rego".
func (Emitter) Name() string { return "rego" }

// Emit writes the Rego files, their data and the bundle that holds both.
func (Emitter) Emit(ctx context.Context, p *model.Program) ([]backend.Artifact, error) {
	b, err := newContent(ctx, p)
	if err != nil {
		return nil, err
	}
	packed, err := b.pack()
	if err != nil {
		return nil, err
	}
	out := []backend.Artifact{
		{Path: "rego/bundle.tar.gz", Data: packed},
		{Path: "rego/data.json", Data: b.data},
	}
	for _, f := range slices.Concat(b.files, b.schemas) {
		out = append(out, backend.Artifact{Path: "rego/" + f.path, Data: f.text})
	}
	slices.SortFunc(out, func(a, b backend.Artifact) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// content is what a bundle holds.
type content struct {
	project, revision string
	data              []byte // data.json
	files             []printed
	schemas           []printed
}

type printed struct {
	path string
	text []byte
}

// rulesPerFile keeps files small enough to read, and to format quickly.
const rulesPerFile = 500

//go:embed policy/*.rego policy/model.json
var policyFiles embed.FS

func newContent(ctx context.Context, p *model.Program) (*content, error) {
	out := &content{project: p.Project, revision: p.Revision}
	if err := out.addData(p); err != nil {
		return nil, err
	}
	var err error
	if out.schemas, err = schemaFiles(p); err != nil {
		return nil, err
	}
	files, err := libraryFiles(p)
	if err != nil {
		return nil, err
	}
	for _, ds := range p.Datasources {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		more, err := datasourceFiles(p, ds)
		if err != nil {
			return nil, fmt.Errorf("datasource %s: %w", ds.Name, err)
		}
		files = append(files, more...)
	}
	for _, f := range files {
		out.files = append(out.files, printed{f.path, printFile(f)})
	}
	slices.SortFunc(out.files, func(a, b printed) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

func (c *content) addData(p *model.Program) error {
	m, err := newModelData(p)
	if err != nil {
		return err
	}
	var doc any = m
	for _, step := range slices.Backward(modelPath(p.Project)) {
		doc = map[string]any{step: doc}
	}
	c.data, err = indented(doc)
	return err
}

// The paths below data of what a project emits.
func libPath(project string) []string   { return []string{"postern", project, "lib"} }
func modelPath(project string) []string { return append(libPath(project), "model") }

// datasourcePath is the package of a datasource. The name "lib" is the
// library's, so it and what follows it ("lib_", …) get one more underscore.
func datasourcePath(project, ds string) []string {
	if strings.TrimRight(ds, "_") == "lib" {
		ds += "_"
	}
	return []string{"postern", project, ds}
}

// libraryFiles are the typed readers and the request's documents.
func libraryFiles(p *model.Program) ([]*file, error) {
	pkg := libPath(p.Project)
	values, err := handwritten("values")
	if err != nil {
		return nil, err
	}
	request, err := handwritten("request")
	if err != nil {
		return nil, err
	}
	readers, err := attributeRules(p)
	if err != nil {
		return nil, err
	}
	about := &note{
		scope: "package", title: p.Project, description: "What a request tells of its user, and typed readers of JSON values.",
		source:  p.Span.String(),
		schemas: []typed{{ref{base: "input"}, requestSchemaPath(p.Project)}, modelTyped(p.Project)},
	}
	folder := folderOf(pkg)
	out := []*file{
		{path: folder + "values.rego", pkg: pkg, text: values},
		{path: folder + "request.rego", note: about, pkg: pkg, text: request, imports: []imported{{path: modelPath(p.Project)}}},
		{path: folder + "attributes.rego", pkg: pkg, rules: readers},
	}
	if slices.ContainsFunc(p.Tables, func(t *model.Table) bool { return len(t.Filters) > 0 }) {
		filters, err := handwritten("filters")
		if err != nil {
			return nil, err
		}
		out = append(out, &file{path: folder + "filters.rego", pkg: pkg, text: filters})
	}
	return out, nil
}

// modelTyped is the schema of the data that the decisions read.
func modelTyped(project string) typed {
	return typed{ref{"data", modelPath(project)}, modelSchemaPath(project)}
}

// folderOf is where a package's files are, as its path says.
func folderOf(pkg []string) string {
	out := ""
	for _, s := range pkg {
		out += fileName(s) + "/"
	}
	return out
}

// attributeRules read the attributes of user and request, and the user's key.
func attributeRules(p *model.Program) ([]rule, error) {
	if p.Identity.Key == nil {
		return nil, fmt.Errorf("the identity has no key")
	}
	key := p.Identity.Key
	claim := claimAt(ref{base: "claims"}, key.Claim)
	stated := &note{title: "key", description: "The user's key as the claims state it, as text.", source: key.Span.String()}
	known := &note{title: "user_key", description: "The key of a user that is known, as text.", source: key.Span.String()}
	out := []rule{
		{note: stated, name: "key", value: asText(key, read("", claim, key.Type, ""))},
		{note: known, name: "user_key", value: asText(key, ref{"user", []string{key.Name}})},
	}
	for _, a := range p.Identity.Attributes {
		raw := call{fn: "stated", args: []term{text(a.Name), steps(a.Claim)}}
		out = append(out, rule{note: attributeNote("user", a), name: "attribute", key: a.Name, value: read("", raw, a.Type, "")})
	}
	for _, a := range p.Request {
		raw := claimAt(ref{base: "context"}, a.Claim)
		out = append(out, rule{note: attributeNote("request", a), name: "request", key: a.Name, value: read("", raw, a.Type, "")})
	}
	return out, nil
}

func attributeNote(of string, a *model.Attribute) *note {
	return &note{title: of + "." + a.Name, description: "A value of type " + a.Type.String() + ".", source: a.Span.String()}
}

func claimAt(document term, path []string) term {
	return call{fn: "object.get", args: []term{document, steps(path), null{}}}
}

func steps(path []string) term {
	out := make(list, len(path))
	for i, s := range path {
		out[i] = text(s)
	}
	return out
}

// asText is the text by which the directory knows a key.
func asText(key *model.Attribute, value term) term {
	switch key.Type.Kind {
	case model.KindInt, model.KindDate, model.KindTimestamp:
		return call{fn: "format_int", args: []term{value, number{big.NewInt(10)}}}
	default:
		return value
	}
}

// datasourceFiles are the decision of a datasource and its conditions.
func datasourceFiles(p *model.Program, ds *model.Datasource) ([]*file, error) {
	pkg := datasourcePath(p.Project, ds.Name)
	folder := folderOf(pkg)
	lib := imported{path: libPath(p.Project)}
	here := imported{path: append(modelPath(p.Project), "datasources", ds.Name), alias: "model"}
	decision, err := handwritten("decision")
	if err != nil {
		return nil, err
	}
	way, imports := "open", []imported{lib}
	if len(ds.Apps) > 0 {
		way, imports = "apps", []imported{lib, here}
	}
	entry, err := handwritten(way)
	if err != nil {
		return nil, err
	}
	about := &note{
		scope: "package", title: ds.Name, description: described(ds.Description, "Decisions on the records of "+ds.Name+"."), source: ds.Span.String(),
		schemas: []typed{{ref{base: "input"}, inputSchemaPath(p.Project, ds.Name)}, modelTyped(p.Project)},
	}
	out := []*file{
		{path: folder + "decision.rego", note: about, pkg: pkg, imports: []imported{lib, here}, text: decision},
		{path: folder + "entry.rego", pkg: pkg, imports: imports, text: entry},
	}
	list, err := conditions(p, ds)
	if err != nil {
		return nil, err
	}
	filters, err := filterRules(p, ds, func(misfit) {})
	if err != nil {
		return nil, err
	}
	list = append(list, filters...)
	n := 0
	for chunk := range slices.Chunk(list, rulesPerFile) {
		n++
		f := &file{path: fmt.Sprintf("%sconditions_%03d.rego", folder, n), pkg: pkg, rules: chunk}
		if slices.ContainsFunc(chunk, func(r rule) bool { return r.body.mentions("lib") }) {
			f.imports = []imported{lib}
		}
		out = append(out, f)
	}
	return out, nil
}

// described is what the source says of something, else what can be said of it.
func described(written, otherwise string) string {
	if written == "" {
		return otherwise
	}
	return written
}

// handwritten is a policy file without its package and imports, which the
// emitter writes with the project's own names.
func handwritten(name string) (string, error) {
	data, err := policyFiles.ReadFile("policy/" + name + ".rego")
	if err != nil {
		return "", fmt.Errorf("the handwritten policy: %w", err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for len(lines) > 0 && (strings.HasPrefix(lines[0], "package ") || strings.HasPrefix(lines[0], "import ") || lines[0] == "\n") {
		lines = lines[1:]
	}
	return strings.Join(lines, ""), nil
}

// fileName is a name as a path's part on any file system: what is not a small
// letter, a digit, "_" or "-" is written as % and two hexadecimal digits.
func fileName(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}
