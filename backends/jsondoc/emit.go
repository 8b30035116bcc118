// Package jsondoc is the json target: it writes a program as one JSON document
// (package document) with its JSON Schema, and answers questions from such a
// document by the engine (package engine).
package jsondoc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/compiler/model"
)

// The artifacts of the target.
const (
	DocumentPath = "json/policy.json"
	SchemaPath   = "json/schema.json"
)

// Emitter writes the JSON document and its schema.
type Emitter struct{}

var _ backend.Emitter = Emitter{}

// Name is "json".
func (Emitter) Name() string { return "json" }

// Emit writes json/policy.json and json/schema.json.
func (Emitter) Emit(ctx context.Context, p *model.Program) ([]backend.Artifact, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("write the JSON document: %w", err)
	}
	d, err := Document(p)
	if err != nil {
		return nil, err
	}
	data, err := document.Marshal(d)
	if err != nil {
		return nil, err
	}
	if len(data) > document.MaxBytes {
		return nil, fmt.Errorf("write the JSON document: its %d bytes are more than the limit of %d", len(data), document.MaxBytes)
	}
	return []backend.Artifact{{Path: DocumentPath, Data: data}, {Path: SchemaPath, Data: document.Schema()}}, nil
}

// Document is a program in the form of the JSON document. Secrets, addresses
// of servers and service accounts are not part of it.
func Document(p *model.Program) (*document.Document, error) {
	d := &document.Document{
		SchemaVersion: document.SchemaVersion, Project: p.Project, Revision: p.Revision,
		Identity: document.Identity{Key: p.Identity.Key.Name, Attributes: convert(p.Identity.Attributes, attribute)},
		Request:  convert(p.Request, attribute),
		Levels:   convert(p.Levels, level),
		Groups:   convert(p.Groups, group),
		Apps:     convert(p.Apps, app),
		Tables:   convert(p.Tables, table),
		Datasources: convert(p.Datasources, func(ds *model.Datasource) document.Datasource {
			return document.Datasource{Name: ds.Name, Type: string(ds.Type), Description: ds.Description}
		}),
	}
	for _, step := range []func(*model.Program, *document.Document) error{directory, policies, guards, masks} {
		if err := step(p, d); err != nil {
			return nil, fmt.Errorf("write the JSON document: %w", err)
		}
	}
	sortDocument(d)
	return d, nil
}

// sortDocument orders the lists whose order means nothing.
func sortDocument(d *document.Document) {
	slices.SortFunc(d.Apps, func(a, b document.App) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Datasources, func(a, b document.Datasource) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Directory, func(a, b document.User) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Groups, func(a, b document.Group) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Guards, func(a, b document.Guard) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Masks, func(a, b document.Mask) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Policies, func(a, b document.Policy) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.Tables, func(a, b document.Table) int {
		return compareRefs(document.TableRef{Datasource: a.Datasource, Table: a.Name}, document.TableRef{Datasource: b.Datasource, Table: b.Name})
	})
}

func compareRefs(a, b document.TableRef) int {
	if c := strings.Compare(a.Datasource, b.Datasource); c != 0 {
		return c
	}
	return strings.Compare(a.Table, b.Table)
}

// convert maps a list; the result is never nil, so that it is written as [].
func convert[S, T any](list []S, f func(S) T) []T {
	out := make([]T, len(list))
	for i, x := range list {
		out[i] = f(x)
	}
	return out
}

func typeOf(t model.Type) document.Type {
	out := document.Type{Kind: document.Kind(t.Kind.String()), Values: slices.Clone(t.Enum)}
	if t.Elem != nil {
		elem := typeOf(*t.Elem)
		out.Elem = &elem
	}
	return out
}

func attribute(a *model.Attribute) document.Attribute {
	return document.Attribute{Name: a.Name, Type: typeOf(a.Type), Claim: slices.Clone(a.Claim)}
}

func level(l *model.Level) document.Level {
	return document.Level{
		Name: l.Name, Description: l.Description,
		AtLeast: convert(l.AtLeast, func(x *model.Level) string { return x.Name }),
	}
}

func group(g *model.Group) document.Group {
	return document.Group{Name: g.Name, Description: g.Description, Closure: convert(g.Closure, func(s string) string { return s })}
}

func app(a *model.App) document.App {
	return document.App{
		Name: a.Name, Description: a.Description, Users: convert(a.Users, subject),
		Connects: convert(a.Connects, func(c *model.Connect) document.Connect {
			as := document.AsApp
			if c.AsUser {
				as = document.AsUser
			}
			return document.Connect{Datasource: c.Datasource.Name, As: as}
		}),
	}
}

func subject(s model.Subject) document.Subject {
	switch x := s.(type) {
	case model.Everyone:
		return document.Subject{Kind: document.Everyone}
	case model.GroupSubject:
		return document.Subject{Kind: document.GroupSubject, Name: x.Group.Name}
	case model.UserSubject:
		return document.Subject{Kind: document.UserSubject, Name: x.User.Name}
	case model.LevelSubject:
		return document.Subject{Kind: document.LevelSubject, Name: x.Level.Name}
	case model.AppSubject:
		return document.Subject{Kind: document.AppSubject, Name: x.App.Name}
	}
	return document.Subject{}
}

func table(t *model.Table) document.Table {
	return document.Table{
		Datasource: t.Datasource.Name, Name: t.Name, Schema: t.Schema, SQLName: t.SQLName, Description: t.Description,
		Actions:    convert(t.Actions, func(a model.Action) string { return string(a) }),
		PrimaryKey: convert(t.PrimaryKey, columnName),
		Columns: convert(t.Columns, func(c *model.Column) document.Column {
			return document.Column{Name: c.Name, Type: typeOf(c.Type), Null: c.Null, Tags: slices.Clone(c.Tags), Native: c.Native}
		}),
		Relations: convert(t.Relations, func(r *model.Relation) document.Relation {
			return document.Relation{
				Name: r.Name, Many: r.Many, Table: tableRef(r.Table),
				On: convert(r.On, func(j model.JoinPair) document.JoinPair {
					return document.JoinPair{From: j.From.Name, To: j.To.Name}
				}),
			}
		}),
	}
}

func columnName(c *model.Column) string { return c.Name }

func tableRef(t *model.Table) document.TableRef {
	return document.TableRef{Datasource: t.Datasource.Name, Table: t.Name}
}
