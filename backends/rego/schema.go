package rego

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// The JSON schemas (draft 7, which the engine reads) of the documents that the
// Rego reads, for `opa check --schema` and for whoever writes inputs.

type schema = map[string]any

const draft = "http://json-schema.org/draft-07/schema#"

// The schemas' names below `schema`, which are their files' paths as well.
func requestSchemaPath(project string) []string {
	return []string{fileName(project), "lib", "input"}
}

func modelSchemaPath(project string) []string {
	return []string{fileName(project), "lib", "model"}
}

func inputSchemaPath(project, ds string) []string {
	return []string{fileName(project), fileName(datasourcePath(project, ds)[2]), "input"}
}

// schemaFiles are the schemas of a project's inputs and of its data.
func schemaFiles(p *model.Program) ([]printed, error) {
	documents, err := policyFiles.ReadFile("policy/model.json")
	if err != nil {
		return nil, fmt.Errorf("the handwritten schema: %w", err)
	}
	out := []printed{{schemaFile(modelSchemaPath(p.Project)), documents}}
	add := func(path []string, s schema) error {
		text, err := indented(s)
		out = append(out, printed{schemaFile(path), text})
		return err
	}
	if err := add(requestSchemaPath(p.Project), requestSchema()); err != nil {
		return nil, err
	}
	for _, ds := range p.Datasources {
		if err := add(inputSchemaPath(p.Project, ds.Name), inputSchema(ds)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func schemaFile(path []string) string {
	out := "schemas"
	for _, s := range path {
		out += "/" + s
	}
	return out + ".json"
}

func requestSchema() schema {
	return schema{
		"$schema": draft, "title": "What a request tells",
		"type": "object", "properties": requestProperties(),
	}
}

func requestProperties() schema {
	return schema{
		"user":    nullable("object", "The claims; null or missing: anonymous."),
		"app":     nullable("string", "The app that the request comes through; null or missing: none."),
		"request": nullable("object", "What else the request tells."),
		"now":     schema{"type": []string{"string", "null"}, "format": "date-time", "description": "The start of the request; null or missing: the engine's clock."},
		"set":     schema{"type": []string{"array", "null"}, "items": schema{"type": "string"}, "description": "The columns that a write sets; null or missing: not asked."},
	}
}

func nullable(t, description string) schema {
	return schema{"type": []string{t, "null"}, "description": description}
}

// inputSchema describes the questions to a datasource's package. The records
// of its tables are defined by their tables' names.
func inputSchema(ds *model.Datasource) schema {
	tables, actions := []string{}, []string{}
	records := schema{}
	for _, t := range ds.Tables {
		tables = append(tables, t.Name)
		records[t.Name] = recordSchema(t)
		for _, a := range t.Actions {
			actions = append(actions, string(a))
		}
	}
	slices.Sort(actions)
	properties := requestProperties()
	properties["table"] = schema{"type": "string", "description": "One of " + spoken(tables) + "."}
	properties["action"] = schema{"type": "string", "description": "One of " + spoken(slices.Compact(actions)) + "."}
	properties["record"] = nullable("object", "The record as it stands.")
	properties["new"] = nullable("object", "The record that a create or an edit makes; null or missing for an edit: no change.")
	properties["records"] = schema{"type": "array", "description": "For filter: the records to choose from."}
	return schema{
		"$schema": draft, "title": "What is asked of " + ds.Name,
		"type": "object", "required": []string{"table", "action"},
		"properties": properties, "definitions": records,
	}
}

func spoken(names []string) string {
	out := "none"
	for i, n := range names {
		if i == 0 {
			out = n
			continue
		}
		out += ", " + n
	}
	return out
}

func recordSchema(t *model.Table) schema {
	properties := schema{}
	for _, c := range t.Columns {
		properties[c.Name] = columnSchema(c.Type, c.Native)
	}
	for _, r := range t.Relations {
		related := schema{"$ref": "#/definitions/" + pointer(r.Table.Name)}
		if r.Many {
			properties[r.Name] = schema{"type": "array", "items": related}
		} else {
			properties[r.Name] = schema{"anyOf": []any{schema{"type": "null"}, related}}
		}
	}
	return schema{"type": "object", "properties": properties}
}

// columnSchema is how a column's value is written; each may be null.
func columnSchema(t model.Type, native string) schema {
	switch t.Kind {
	case model.KindBool:
		return schema{"type": []string{"boolean", "null"}}
	case model.KindInt:
		return schema{"type": []string{"integer", "null"}}
	case model.KindNumber:
		return schema{"type": []string{"number", "null"}}
	case model.KindEnum:
		values := make([]any, 0, len(t.Enum)+1)
		for _, v := range t.Enum {
			values = append(values, v)
		}
		return schema{"enum": append(values, nil)}
	case model.KindSet:
		return schema{"type": []string{"array", "null"}, "items": columnSchema(*t.Elem, "")}
	case model.KindUUID:
		return formatted("uuid")
	case model.KindDate:
		return formatted("date")
	case model.KindTimestamp:
		if !model.LocalTime(native) {
			return formatted("date-time")
		}
	case model.KindString, model.KindIP, model.KindDuration:
	}
	return schema{"type": []string{"string", "null"}}
}

func formatted(format string) schema {
	return schema{"type": []string{"string", "null"}, "format": format}
}

// pointer is a name as a part of a reference: a JSON pointer (RFC 6901) in a
// URI's fragment.
func pointer(name string) string {
	var out bytes.Buffer
	for _, c := range []byte(name) {
		switch {
		case c == '~':
			out.WriteString("~0")
		case c == '/':
			out.WriteString("~1")
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-':
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}

func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	return b.Bytes(), nil
}
