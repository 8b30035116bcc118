package targets

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/publish"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// Bundle is the artifact that OPA loads.
const Bundle = "rego/bundle.tar.gz"

// Release is what a publish block puts; key signs the bundle, nil: nothing does.
// The texts are what each rule of the project says, for a reviewer.
func Release(ctx context.Context, p *model.Program, block *model.Publish, key *rego.SigningKey) (*publish.Release, publish.Texts, error) {
	artifacts, err := Emit(ctx, p, block.Targets)
	if err != nil {
		return nil, nil, err
	}
	out := &publish.Release{Manifest: publish.Manifest{
		FormatVersion: publish.FormatVersion, Project: p.Project, Revision: p.Revision,
		Files: map[string]publish.FileState{}, Rules: map[string]string{},
	}}
	for _, a := range artifacts {
		if !slices.Contains([]string{Bundle, "json/policy.json", "json/schema.json"}, a.Path) {
			continue
		}
		state := publish.FileState{Content: publish.Sum(a.Data)}
		if a.Path == Bundle {
			if out.Manifest.Bundle, err = rego.ContentHash(a.Data); err != nil {
				return nil, nil, err
			}
			if key != nil {
				if a.Data, err = rego.Sign(a.Data, *key); err != nil {
					return nil, nil, err
				}
				state.Signed = key.ID + " " + key.Algorithm
			}
		}
		state.SHA256 = publish.Sum(a.Data)
		name := path.Base(a.Path)
		out.Files = append(out.Files, publish.File{Path: name, Data: a.Data})
		out.Manifest.Files[name] = state
	}
	texts := ruleTexts(p)
	for name, text := range texts {
		out.Manifest.Rules[name] = publish.Sum([]byte(text))
	}
	rules, err := texts.Encode()
	if err != nil {
		return nil, nil, err
	}
	for name, data := range map[string][]byte{publish.RulesName: rules, publish.ProgramName: []byte(programText(p))} {
		out.Files = append(out.Files, publish.File{Path: name, Data: data})
		out.Manifest.Files[name] = publish.FileState{SHA256: publish.Sum(data), Content: publish.Sum(data)}
	}
	slices.SortFunc(out.Files, func(a, b publish.File) int { return strings.Compare(a.Path, b.Path) })
	return out, texts, nil
}

// ruleTexts are the blocks of the program as HCL with all names resolved, by
// kind and name; what only a database is told of is left out.
func ruleTexts(p *model.Program) publish.Texts {
	out := publish.Texts{}
	for _, b := range print.Blocks(p) {
		if b.Kind == "postern" || b.Kind == "service_account" {
			continue
		}
		out[strings.TrimSpace(b.Kind+" "+b.Name)] += b.String()
	}
	return out
}

// programText is a program as HCL that compiles to what decides the same: of
// service accounts it has the names alone.
func programText(p *model.Program) string {
	var out strings.Builder
	for _, b := range print.Blocks(p) {
		if b.Kind == "service_account" {
			b.Lines = slices.DeleteFunc(b.Lines, func(l string) bool { return strings.HasPrefix(l, "role = ") })
		}
		out.WriteString(b.String())
	}
	return out.String()
}

// RuleSpans are where rules are written, by the names that Release gives them:
// one on several tables has a number for each.
func RuleSpans(p *model.Program) publish.Spans {
	out := map[string]source.Span{"identity": p.Identity.Span}
	numbered := func(kind, name string, tables int, at source.Span) {
		out[kind+" "+name] = at
		for i := range tables {
			out[fmt.Sprintf("%s %s_on_%d", kind, name, i+1)] = at
		}
	}
	for _, x := range p.Policies {
		numbered("policy", x.Name, len(x.On), x.Span)
	}
	for _, x := range p.Guards {
		numbered("guard", x.Name, len(x.On), x.Span)
	}
	for _, x := range p.Masks {
		numbered("mask", x.Name, len(x.On), x.Span)
	}
	for _, x := range p.Groups {
		out["group "+x.Name] = x.Span
	}
	for _, x := range p.Users {
		out["user "+x.Name] = x.Span
	}
	for _, x := range p.Apps {
		out["app "+x.Name] = x.Span
	}
	for _, x := range p.Datasources {
		out["datasource "+x.Name] = x.Span
	}
	for _, x := range p.Tables {
		out["table "+x.Address()] = x.Span
	}
	return out
}
