package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/lang/source"
)

// Texts are what rules say, by name such as "policy own_notes"; for changes
// that show them.
type Texts map[string]string

// RulesName is the file with the texts of the rules, which the next plan shows
// as what was before.
const RulesName = "rules.json"

// ProgramName is the file with the whole program as HCL, which the next plan
// compares access with.
const ProgramName = "program.hcl"

// LiveProgram is the program that a place holds; "" where it holds none, or not
// the one that its manifest names.
func LiveProgram(ctx context.Context, s Store, m *Manifest) string {
	data, err := retried(ctx, func() ([]byte, error) { return s.Get(ctx, ProgramName) })
	if err != nil || Sum(data) != m.Files[ProgramName].SHA256 {
		return ""
	}
	return string(data)
}

// Encode is the text of RulesName.
func (t Texts) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(t); err != nil {
		return nil, fmt.Errorf("writing the rules: %w", err)
	}
	return b.Bytes(), nil
}

// LiveTexts reads the texts of a place's rules; those that are not what the
// manifest says are left out, and so are all where there is no such file.
func LiveTexts(ctx context.Context, s Store, m *Manifest) Texts {
	out := Texts{}
	if m == nil {
		return out
	}
	data, err := s.Get(ctx, RulesName)
	if err != nil || json.Unmarshal(data, &out) != nil {
		return Texts{}
	}
	maps.DeleteFunc(out, func(name, text string) bool { return Sum([]byte(text)) != m.Rules[name] })
	return out
}

// Spans are where rules are written, by name.
type Spans map[string]source.Span

// Diff lists what differs between what a place holds (nil: nothing) and what it
// should hold: rules first, then the files that differ in anything else, such as
// the revision or the key that signs. The texts of rules are shown where they
// are given.
func Diff(live *Manifest, want *Manifest, before, after Texts, spans Spans) []plan.Change {
	if live == nil {
		live = &Manifest{}
	}
	var out []plan.Change
	for _, name := range union(live.Rules, want.Rules) {
		kind, rest, _ := strings.Cut(name, " ")
		about := plan.About{Object: plan.Object{Kind: plan.Kind(kind), Name: rest}, Span: spans[name]}
		if c := changed(about, live.Rules[name], want.Rules[name], before[name], after[name]); c != nil {
			out = append(out, c)
		}
	}
	for _, name := range union(live.Files, want.Files) {
		if (name == RulesName || name == ProgramName) && live.Files[name].Content != "" {
			continue // says what the rules above say
		}
		about := plan.About{Object: plan.Object{Kind: "file", Name: name}}
		was, is := live.Files[name], want.Files[name]
		if c := changed(about, was.identity(), is.identity(), was.String(), is.String()); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// identity is what makes two states of a file the same: a signature's bytes may
// differ each time.
func (f FileState) identity() string {
	if f.Content == "" {
		return ""
	}
	return f.Content + " " + f.Signed
}

// String is a file's state for a reader.
func (f FileState) String() string {
	if f.Content == "" {
		return ""
	}
	out := "sha256 " + f.Content[:min(12, len(f.Content))]
	if f.Signed != "" {
		out += ", signed with " + f.Signed
	}
	return out
}

func changed(about plan.About, was, is, before, after string) plan.Change {
	switch {
	case was == is:
		return nil
	case was == "":
		return plan.Add{About: about, After: after}
	case is == "":
		return plan.Remove{About: about, Before: before}
	}
	return plan.Modify{About: about, Before: before, After: after}
}

func union[V any](a, b map[string]V) []string {
	names := slices.Concat(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b)))
	slices.Sort(names)
	return slices.Compact(names)
}
