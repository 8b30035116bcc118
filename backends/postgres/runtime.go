package postgres

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
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
		switch l := b.ds.Lookup(a); {
		case l != nil:
			b.accessor(a, b.lookup(l), "s")
		case len(b.p.Users) > 0: // the directory may state it in place of the claim
			b.accessor(a, "postern.subject()", "coalesce(s -> 'attributes' -> "+b.literal(a.Name)+", "+b.member("s -> 'claims'", a.Claim)+")")
		default:
			b.accessor(a, "postern.subject()", b.member("s -> 'claims'", a.Claim))
		}
	}
	for _, a := range b.p.Request {
		b.accessor(a, "postern.request()", b.member("s", a.Claim))
	}
	groups := b.body("user_groups")
	if nested(b.p) {
		groups = b.body("user_groups_nested", b.literal(b.generation))
	}
	b.entry(groupsFunction, "", "text[]", "STABLE", groups)
	b.entry(levelFunction, "", "text", "STABLE", b.body("user_access_level"))
}

// member is a member of a JSON document, through objects alone: of an array,
// a text names no element.
func (b *runtimeBuilder) member(document sqltext.SQL, path []string) sqltext.SQL {
	for _, step := range path {
		document += " -> " + b.literal(step)
	}
	return document
}

func (b *runtimeBuilder) grant(id ObjectID, to Grantee, p Privilege) {
	b.state.Grants.Add(GrantKey{Object: id, Grantee: to, Privilege: p})
}

// readers are the functions that read JSON values as typed ones; all errors of
// type become NULL, which is unknown.
func (b *runtimeBuilder) readers() {
	b.function("document", "s text", "json", "IMMUTABLE", b.body("document"))
	b.function("plain_number", "value json", "numeric", "IMMUTABLE", b.body("plain_number"))
	b.function("day", "s text", "date", "IMMUTABLE", b.body("day"))
	for _, kind := range slices.Sorted(maps.Keys(scalars)) {
		s := scalars[kind]
		if kind == model.KindEnum {
			continue
		}
		b.function(s.function, "value json", s.result, "STABLE", b.body(s.function))
		b.function(s.function+"_set", "value json", s.result+"[]", "STABLE",
			b.body("as_set", sqltext.SQL(s.function)))
	}
}

// identity is where claims come from and who they make the user.
func (b *runtimeBuilder) identity() {
	switch b.ds.Identity {
	case model.IdentitySigned:
		b.function("mac", "key integer, message text", "bytea", "STABLE", b.body("mac"))
		b.entry(openFunction, "token text", "void", "VOLATILE", b.body("open"))
		b.function("session", "", "json", "STABLE", b.body("session_signed"))
		b.function("claims", "", "json", "STABLE", b.body("claims_signed"))
		b.function("request", "", "json", "STABLE", b.body("request_signed"))
	case model.IdentityRole: // which has no request attributes
		b.function("claims", "", "json", "STABLE", b.body("claims_role", b.loginClaims(), b.groupNames()))
	case model.IdentitySetting:
		setting := b.ds.ClaimsSetting
		if setting == "" {
			setting = "postern.claims"
		}
		b.function("claims", "", "json", "STABLE", b.body("claims_setting", b.literal(setting)))
		b.function("request", "", "json", "STABLE", b.body("request_setting"))
	}
	levels := make([]string, len(b.p.Levels))
	for i, l := range b.p.Levels {
		levels[i] = l.Name
	}
	key := b.p.Identity.Key
	among, directory := sqltext.SQL(""), sqltext.SQL("")
	if key.Type.Kind == model.KindEnum {
		among = "IF id <> ALL (" + b.texts(key.Type.Enum) + ") THEN id := NULL; END IF;"
	}
	if len(b.p.Users) > 0 {
		directory = sqltext.SQL(b.body("directory", b.literal(b.generation)))
	}
	b.function("subject", "", "json", "STABLE", b.body("subject",
		sqltext.SQL(scalars[key.Type.Kind].function), b.member("claims", key.Claim), b.texts(levels), among, directory))
}

// accessor is the function of one attribute: how it is read from the document
// s.
func (b *runtimeBuilder) accessor(a *model.Attribute, document, value sqltext.SQL) {
	set := a.Type.Kind == model.KindSet
	t, suffix, array := a.Type, sqltext.SQL(""), ""
	if set {
		t, suffix, array = *a.Type.Elem, "_set", "[]"
	}
	s := scalars[t.Kind]
	read := "postern." + sqltext.SQL(s.function) + suffix + "(" + value + ")"
	body := "\nDECLARE\n    s json := " + document + ";\n"
	if t.Kind == model.KindEnum {
		test := sqltext.SQL("v = ANY (") + b.texts(t.Enum) + ")"
		if set {
			test = "v <@ " + b.texts(t.Enum)
		}
		body += "    v " + sqltext.SQL(s.result+array) + " := " + read + ";\n"
		read = "CASE WHEN " + test + " THEN v END"
	}
	body += "BEGIN\n    RETURN " + read + ";\nEND\n"
	b.entry(b.names.accessor(a), "", s.result+array, "STABLE", string(body))
}

// function adds a function that the others call. It runs with the rights and
// the path of the one that calls it: to change both at each call took more time
// than all else.
func (b *runtimeBuilder) function(name, arguments, result, volatility, body string) *Function {
	id := FunctionID(RuntimeSchema, name, arguments)
	if _, taken := b.state.Functions[id]; taken {
		b.errs = append(b.errs, fmt.Errorf("two attributes want the function %s.%s", RuntimeSchema, name))
	}
	f := &Function{
		ID: id, Arguments: arguments, Returns: result, Language: "plpgsql", Body: body,
		Volatility: volatility, Parallel: "RESTRICTED", Owner: b.owner,
	}
	b.state.Functions[id] = f
	return f
}

// entry adds a function that policies and accounts call. It runs as the owner
// of the schema, who alone can read keys and the directory and call the other
// functions. Its path holds no schema in which others could put objects of
// their own.
func (b *runtimeBuilder) entry(name, arguments, result, volatility, body string) {
	f := b.function(name, arguments, result, volatility, body)
	f.SecurityDefiner, f.Config = true, []string{"search_path=pg_catalog, pg_temp"}
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
