package postgres

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// RuntimeSchema is the generated schema that tells policies who asks.
const RuntimeSchema = "postern"

// The functions of the schema that accounts call; those of attributes are
// user_NAME and request_NAME.
const (
	groupsFunction = "user_groups"
	levelFunction  = "user_access_level"
	openFunction   = "open"
)

// bodies are the function bodies. They are fixed but for {{1}}, {{2}} and
// {{3}}, which stand for printed SQL.
//
//go:embed runtime/*.sql
var bodies embed.FS

// accessors names the function of each attribute of a program. They are the
// same in every datasource.
type accessors struct {
	names map[*model.Attribute]string
}

func newAccessors(p *model.Program) *accessors {
	a := &accessors{names: map[*model.Attribute]string{}}
	for _, attr := range p.Identity.Attributes {
		a.names[attr] = shortName("user_" + attr.Name)
	}
	for _, attr := range p.Request {
		a.names[attr] = shortName("request_" + attr.Name)
	}
	return a
}

func (a *accessors) accessor(attr *model.Attribute) string { return a.names[attr] }

// shortName is the name itself, or, when Postgres would cut it, its start and
// a hash of the whole.
func shortName(name string) string {
	if len(name) <= sqltext.MaxIdent {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	end := sqltext.MaxIdent - 17
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end] + "_" + hex.EncodeToString(sum[:8])
}

// runtimeBuilder collects the generated schema into a state.
type runtimeBuilder struct {
	state *State
	ds    *model.Datasource
	p     *model.Program
	names *accessors
	owner string
	// generation is a hash of the rows that subject and user_groups read.
	generation string
	errs       []error
}

// scalar names the function that reads a JSON value as a type, and the type.
type scalar struct{ function, result string }

var scalars = map[model.Kind]scalar{
	model.KindBool:      {"as_bool", "boolean"},
	model.KindInt:       {"as_int", "bigint"},
	model.KindNumber:    {"as_number", "numeric"},
	model.KindString:    {"as_string", "text"},
	model.KindEnum:      {"as_string", "text"},
	model.KindUUID:      {"as_uuid", "uuid"},
	model.KindDate:      {"as_date", "date"},
	model.KindTimestamp: {"as_timestamp", "timestamp with time zone"},
	model.KindIP:        {"as_ip", "inet"},
}

func (b *runtimeBuilder) build() {
	id := SchemaID(RuntimeSchema)
	b.state.Schemas[id] = &Schema{ID: id, Owner: b.owner, Comment: Mark(b.p.Project), Managed: true}
	b.grant(id, Public(), PrivilegeUsage)
	b.tables()
	b.readers()
	b.identity()
	for _, a := range b.p.Identity.Attributes {
		b.accessor(a, func(path sqltext.SQL) sqltext.SQL {
			if l := b.ds.Lookup(a); l != nil {
				return b.lookup(l)
			}
			return "postern.attribute(" + b.literal(a.Name) + ", " + path + ")"
		})
	}
	for _, a := range b.p.Request {
		b.accessor(a, func(path sqltext.SQL) sqltext.SQL {
			return "postern.claim(postern.session() -> 'request', " + path + ")"
		})
	}
	b.function(groupsFunction, "", "text[]", "STABLE", b.body("user_groups"))
	b.function(levelFunction, "", "text", "STABLE", b.body("user_access_level"))
}

func (b *runtimeBuilder) grant(id ObjectID, to Grantee, p Privilege) {
	b.state.Grants.Add(GrantKey{Object: id, Grantee: to, Privilege: p})
}

// readers are the functions that read JSON values as typed ones; all errors of
// type become NULL, which is unknown.
func (b *runtimeBuilder) readers() {
	b.function("document", "s text", "json", "IMMUTABLE", b.body("document"))
	b.function("claim", "document json, path text[]", "json", "IMMUTABLE", b.body("claim"))
	b.function("plain_number", "value json", "numeric", "IMMUTABLE", b.body("plain_number"))
	b.function("day", "s text", "date", "IMMUTABLE", b.body("day"))
	for _, kind := range slices.Sorted(maps.Keys(scalars)) {
		s := scalars[kind]
		if kind == model.KindEnum {
			continue
		}
		b.function(s.function, "value json", s.result, "STABLE", b.body(s.function))
		b.function(s.function+"_set", "value json", s.result+"[]", "STABLE",
			b.body("as_set", sqltext.SQL(s.result), sqltext.SQL(s.function)))
	}
}

// identity is where claims come from and who they make the user.
func (b *runtimeBuilder) identity() {
	switch b.ds.Identity {
	case model.IdentitySigned:
		b.function("mac", "key integer, message text", "bytea", "STABLE", b.body("mac"))
		b.function(openFunction, "token text", "void", "VOLATILE", b.body("open"))
		b.function("session", "", "json", "STABLE", b.body("session_signed"))
	case model.IdentityRole:
		b.function("session", "", "json", "STABLE", b.body("session_role", b.loginClaims(), b.groupNames()))
	case model.IdentitySetting:
		setting := b.ds.ClaimsSetting
		if setting == "" {
			setting = "postern.claims"
		}
		b.function("session", "", "json", "STABLE", b.body("session_setting", b.literal(setting)))
	}
	levels := make([]string, len(b.p.Levels))
	for i, l := range b.p.Levels {
		levels[i] = l.Name
	}
	key := b.p.Identity.Key
	among := sqltext.SQL("")
	if key.Type.Kind == model.KindEnum {
		among = "IF id <> ALL (" + b.texts(key.Type.Enum) + ") THEN id := NULL; END IF;"
	}
	b.function("subject", "", "json", "STABLE", b.body("subject",
		sqltext.SQL(scalars[key.Type.Kind].function), b.texts(key.Claim), b.texts(levels), among, b.literal(b.generation)))
	b.function("attribute", "name text, path text[]", "json", "STABLE", b.body("attribute"))
}

// accessor is the function of one attribute.
func (b *runtimeBuilder) accessor(a *model.Attribute, value func(path sqltext.SQL) sqltext.SQL) {
	source := value(b.texts(a.Claim))
	set := a.Type.Kind == model.KindSet
	t, suffix, array := a.Type, sqltext.SQL(""), ""
	if set {
		t, suffix, array = *a.Type.Elem, "_set", "[]"
	}
	s := scalars[t.Kind]
	read := "postern." + sqltext.SQL(s.function) + suffix + "(" + source + ")"
	body := "\nBEGIN\n    RETURN " + read + ";\nEND\n"
	if t.Kind == model.KindEnum {
		test := sqltext.SQL("v = ANY (") + b.texts(t.Enum) + ")"
		if set {
			test = "v <@ " + b.texts(t.Enum)
		}
		body = "\nDECLARE\n    v " + sqltext.SQL(s.result+array) + " := " + read + ";\nBEGIN\n    RETURN CASE WHEN " + test + " THEN v END;\nEND\n"
	}
	b.function(b.names.accessor(a), "", s.result+array, "STABLE", string(body))
}

// function adds a function that runs as the owner of the schema, who alone can
// read keys and the directory. Its path holds no schema in which others could
// put objects of their own.
func (b *runtimeBuilder) function(name, arguments, result, volatility, body string) {
	id := FunctionID(RuntimeSchema, name, arguments)
	if _, taken := b.state.Functions[id]; taken {
		b.errs = append(b.errs, fmt.Errorf("two attributes want the function %s.%s", RuntimeSchema, name))
	}
	b.state.Functions[id] = &Function{
		ID: id, Arguments: arguments, Returns: result, Language: "plpgsql", Body: body, SecurityDefiner: true,
		Volatility: volatility, Parallel: "RESTRICTED", Config: []string{"search_path=pg_catalog, pg_temp"}, Owner: b.owner,
	}
}

// body reads an embedded body and puts printed SQL in its places.
func (b *runtimeBuilder) body(name string, parts ...sqltext.SQL) string {
	text, err := bodies.ReadFile("runtime/" + name + ".sql")
	if err != nil {
		b.errs = append(b.errs, err)
	}
	var pairs []string
	for i, p := range parts {
		pairs = append(pairs, "{{"+strconv.Itoa(i+1)+"}}", string(p))
	}
	return strings.NewReplacer(pairs...).Replace(string(text))
}

// literal is a string constant of a function's body. A body is read by the
// session that calls it, whatever its standard_conforming_strings is.
func (b *runtimeBuilder) literal(s string) sqltext.SQL {
	text, err := sqltext.EscapeLiteral(s)
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("%q: %w", s, err))
	}
	return text
}

// texts is an array of text constants.
func (b *runtimeBuilder) texts(list []string) sqltext.SQL {
	var out sqltext.Builder
	out.Raw("ARRAY[").Each(len(list), ", ", func(i int) { out.Raw(b.literal(list[i])) }).Raw("]::text[]")
	text, err := out.SQL()
	if err != nil {
		b.errs = append(b.errs, err)
	}
	return text
}

// tables adds the tables of the schema. Only the owner may read them, but for
// objects, which holds nothing but names and hashes.
func (b *runtimeBuilder) tables() {
	text := func(names ...string) (out []Column) {
		for _, n := range names {
			out = append(out, Column{Name: n, Type: "text", NotNull: true})
		}
		return out
	}
	null := func(name string) Column { return Column{Name: name, Type: "text"} }
	directory, closure := b.directory(), b.closure()
	b.table("directory", []string{"key"}, append(text("key"), null("level"), null("groups"), null("attributes")), directory)
	b.table("group_closure", []string{"name", "above"}, text("name", "above"), closure)
	name := "identity"
	b.generation = generationOf(directory, closure)
	b.table("generation", []string{"name"}, text("name", "hash"), [][]*string{{&name, &b.generation}})
	for _, t := range bookkeepingTables(RuntimeSchema, b.owner) {
		b.state.Generated[t.ID] = t
		if t.ID.Name == tableObjects {
			b.grant(t.ID, Public(), PrivilegeSelect)
			continue
		}
		t.RLS = true
	}
	b.hashKeyTable()
	if b.ds.Identity == model.IdentitySigned {
		b.table("keys", []string{"id"}, []Column{
			{Name: "id", Type: "integer", NotNull: true},
			{Name: "inner_pad", Type: "bytea", NotNull: true},
			{Name: "outer_pad", Type: "bytea", NotNull: true},
		}, nil)
	}
}

func (b *runtimeBuilder) table(name string, key []string, columns []Column, rows [][]*string) {
	t := &GeneratedTable{
		ID: TableID(RuntimeSchema, name), Owner: b.owner, Columns: columns, PrimaryKey: key, Filled: rows != nil, Rows: rows,
		RLS: true,
	}
	b.state.Generated[t.ID] = t
}

// directory is one row for each user block: the key in Postgres' text form,
// and what it states. NULL states nothing.
func (b *runtimeBuilder) directory() [][]*string {
	rows := make([][]*string, 0, len(b.p.Users))
	for _, u := range b.p.Users {
		key, err := literalText(u.Key)
		if err != nil {
			b.errs = append(b.errs, err)
		}
		row := []*string{&key, nil, nil, nil}
		if u.Level != nil {
			row[1] = &u.Level.Name
		}
		if u.Groups != nil {
			names := make([]string, len(u.Groups))
			for i, g := range u.Groups {
				names[i] = g.Name
			}
			row[2] = b.json(names)
		}
		if len(u.Attributes) > 0 {
			stated := map[string]any{}
			for _, v := range u.Attributes {
				stated[v.Attribute.Name] = b.claimValue(v.Value)
			}
			row[3] = b.json(stated)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(x, y []*string) int { return cmp.Compare(*x[0], *y[0]) })
	return rows
}

func (b *runtimeBuilder) closure() [][]*string {
	rows := [][]*string{}
	for _, g := range b.p.Groups {
		for _, above := range g.Closure {
			rows = append(rows, []*string{&g.Name, &above})
		}
	}
	slices.SortFunc(rows, func(x, y []*string) int {
		return cmp.Or(cmp.Compare(*x[0], *y[0]), cmp.Compare(*x[1], *y[1]))
	})
	return rows
}

// generationOf is a hash of the rows of tables. A transaction whose snapshot is
// older than an apply runs the new functions on the old rows; the two are told
// apart by it.
func generationOf(tables ...[][]*string) string {
	var text strings.Builder
	for i, rows := range tables {
		for _, r := range rows {
			text.WriteString(strconv.Itoa(i) + ": " + describeRow(r) + "\n")
		}
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:8])
}

func (b *runtimeBuilder) json(v any) *string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		b.errs = append(b.errs, err)
	}
	text := strings.TrimSpace(out.String())
	return &text
}

// claimValue is a constant as claims carry it.
func (b *runtimeBuilder) claimValue(v model.Value) any {
	switch x := v.(type) {
	case nil, bool, string:
		return x
	case model.Unknown:
		return nil
	case model.Set:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = b.claimValue(e)
		}
		return out
	case model.Timestamp:
		return strings.Replace(instantText(x), " ", "T", 1) + "Z"
	}
	text, err := literalText(v)
	if err != nil {
		b.errs = append(b.errs, err)
	}
	if _, number := numberOf(v); number {
		return json.Number(text)
	}
	return text
}
