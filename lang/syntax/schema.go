package syntax

import "github.com/hashicorp/hcl/v2"

// The labels and arguments of every block, in one place. An argument with a
// "!" is required.

func body(attrs []string, blocks ...hcl.BlockHeaderSchema) *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: blocks}
	for _, a := range attrs {
		required := a[0] == '!'
		if required {
			a = a[1:]
		}
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: a, Required: required})
	}
	return s
}

func nested(name string, labels ...string) hcl.BlockHeaderSchema {
	return hcl.BlockHeaderSchema{Type: name, LabelNames: labels}
}

// schemas are built once for each parse, so that nothing is shared.
type schemas map[string]*hcl.BodySchema

// topSchema is the blocks of ordinary files.
func topSchema() *hcl.BodySchema {
	return body(nil,
		nested("postern"), nested("variable", "name"), nested("locals"), nested("output", "name"),
		nested("module", "name"), nested("identity"), nested("request"), nested("group", "name"),
		nested("user", "name"), nested("access_level", "name"), nested("datasource", "name"),
		nested("table", "datasource", "name"), nested("resource", "datasource", "name"),
		nested("service_account", "name"), nested("app", "name"), nested("policy", "name"),
		nested("guard", "name"), nested("mask", "name"), nested("report", "name"), nested("notify", "name"), nested("publish", "name"),
	)
}

// testSchema is the blocks of *.test.hcl files.
func testSchema() *hcl.BodySchema {
	return body(nil, nested("test", "name"), nested("matrix", "name"), nested("fixtures"), nested("assert", "name"))
}

func newSchemas() schemas {
	attribute := nested("attribute", "name")
	return schemas{
		"postern":             body([]string{"required_version", "project", "hash_key"}),
		"variable":            body([]string{"description", "type", "default", "sensitive", "nullable"}, nested("validation")),
		"variable/validation": body([]string{"!condition", "!error_message"}),
		"output":              body([]string{"description", "!value", "sensitive"}),
		"identity":            body([]string{"key", "description"}, attribute),
		"identity/attribute":  body([]string{"!type", "claim", "description", "from", "match", "column"}),
		"request":             body([]string{"description"}, attribute),
		"request/attribute":   body([]string{"!type", "claim", "description"}),
		"group":               body([]string{"description", "member_of"}),
		"user":                body([]string{"description", "groups", "access_level", "attributes"}),
		"access_level":        body([]string{"description", "!above"}),
		"datasource": body([]string{"description", "for_each", "!type", "url", "identity", "claims", "owner", "manage"},
			nested("identity")),
		"datasource/identity":           body([]string{"description", "mode"}, attribute),
		"datasource/identity/attribute": body([]string{"!from", "!match", "!column", "description"}),
		"table": body([]string{"description", "for_each", "schema", "name", "primary_key", "manage", "filters"},
			nested("column", "name"), nested("relation", "name")),
		"table/column":       body([]string{"!type", "null", "tags", "native", "description"}),
		"table/relation":     body([]string{"!table", "!on", "many", "description"}),
		"resource":           body([]string{"description", "for_each", "actions", "primary_key", "filters"}, attribute, nested("relation", "name")),
		"resource/attribute": body([]string{"!type", "tags", "description"}),
		"service_account": body([]string{"description", "for_each", "!datasource", "role", "managed", "manage", "password", "read_only"},
			nested("limits")),
		"service_account/limits": body([]string{"connections", "statement_timeout", "idle_timeout", "valid_until"}),
		"app":                    body([]string{"description", "for_each", "!users"}, nested("connect")),
		"app/connect":            body([]string{"!datasource", "service_account", "as", "sql"}),
		"policy":                 body([]string{"description", "for_each", "!on", "!to", "!allow", "when", "check", "columns", "via"}),
		"guard":                  body([]string{"description", "for_each", "!on", "to", "!require"}),
		"mask":                   body([]string{"description", "for_each", "!on", "!columns", "unless", "!with"}),
		"report":                 body([]string{"description", "for_each", "!from", "where", "columns", "!to"}),
		"notify":                 body([]string{"description", "!on", "!url", "secret", "dead_letter"}),
		"publish": body([]string{"description", "targets", "wait"},
			nested("folder"), nested("git"), nested("http"), nested("oci"), nested("s3"), nested("sign"), nested("opa", "name")),
		"publish/folder": body([]string{"!path"}),
		"publish/git":    body([]string{"!url", "branch", "path", "token"}),
		"publish/http":   body([]string{"!url", "token"}),
		"publish/oci":    body([]string{"!repository", "tag", "username", "password", "plain_http"}),
		"publish/s3":     body([]string{"!endpoint", "!bucket", "prefix", "region", "!access_key", "!secret_key", "plain_http"}),
		"publish/sign":   body([]string{"!key", "!id", "algorithm"}),
		"publish/opa":    body([]string{"!url", "token"}),
		"test": body([]string{"description", "user", "app", "now", "request"},
			nested("given", "datasource", "table"), nested("expect")),
		"matrix": body([]string{"description", "!users", "app", "now", "request"},
			nested("given", "datasource", "table"), nested("allow", "action")),
		"fixtures":       body([]string{"description"}, nested("given", "datasource", "table")),
		"assert":         body([]string{"description"}, nested("never")),
		"assert/never":   body([]string{"!who", "!action", "!on", "columns", "app", "when"}),
		"expect/write":   body([]string{"from", "!to", "table", "!allowed"}),
		"expect/columns": body([]string{"!visible", "masked"}),
		"expect/report":  body([]string{"!rows"}),
	}
}
