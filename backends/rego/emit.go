package rego

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
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
	for _, f := range b.files {
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
}

type printed struct {
	path string
	text []byte
}

// rulesPerFile keeps files small enough to read, and to format quickly.
const rulesPerFile = 500

//go:embed policy/*.rego
var policyFiles embed.FS

func newContent(ctx context.Context, p *model.Program) (*content, error) {
	out := &content{project: p.Project, revision: p.Revision}
	if err := out.addData(p); err != nil {
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
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("data.json: %w", err)
	}
	c.data = b.Bytes()
	return nil
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
	return []*file{
		{path: "lib/values.rego", pkg: pkg, text: values},
		{path: "lib/request.rego", pkg: pkg, text: request, imports: []imported{{path: modelPath(p.Project)}}},
		{path: "lib/attributes.rego", pkg: pkg, rules: readers},
	}, nil
}

// attributeRules read the attributes of user and request, and the user's key.
func attributeRules(p *model.Program) ([]rule, error) {
	if p.Identity.Key == nil {
		return nil, fmt.Errorf("the identity has no key")
	}
	key := p.Identity.Key
	claim := claimAt(ref{base: "claims"}, key.Claim)
	out := []rule{
		{name: "key", value: asText(key, read("", claim, key.Type, ""))},
		{name: "user_key", value: asText(key, ref{"user", []string{key.Name}})},
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
	return &note{title: of + "." + a.Name, description: a.Type.String(), source: a.Span.String()}
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
	folder := fileName(pkg[2]) + "/"
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
	about := &note{title: ds.Name, description: ds.Description, source: ds.Span.String()}
	out := []*file{
		{path: folder + "decision.rego", note: about, pkg: pkg, imports: []imported{lib, here}, text: decision},
		{path: folder + "entry.rego", pkg: pkg, imports: imports, text: entry},
	}
	list, err := conditions(p, ds)
	if err != nil {
		return nil, err
	}
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
