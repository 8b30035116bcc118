package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres"
)

// oid is an object identifier of the catalogs; 0 stands for PUBLIC where a
// role is meant.
type oid = int64

// catalog is what was read of a database: the state in the project's scope,
// and what bears on protection besides.
type catalog struct {
	want *postgres.State
	live *postgres.Live

	roles   map[oid]*role
	byName  map[string]*role
	members []*membership
	rels    map[oid]*relation
	order   []*relation // by name
	schemas []*schema
	rules   []*rewrite
	funcs   map[oid]*function
	funList []*function // by name
	trigger []*trigger
	pols    []*policy
	fks     []*foreignKey
	keys    []*uniqueKey
	pubs    []*publication
	defacls []*defaultACL
	objects []*object // large objects
	maps    []*userMapping
	presets []*preset

	database *object
	loCompat bool

	memberships map[*role][]*membership // of a member
	lists       map[string][]acl        // of relations and columns, by their text
	becoming    map[*role][]*role       // who can have a role's rights, by name; made when asked for
	unapplied   bool                    // the project says something else than what was applied last
}

type (
	role struct {
		oid                                                      oid
		name                                                     string
		login, super, createRole, replication, bypass, bootstrap bool
	}
	// membership is one grant of a role: on 16 and later there may be several
	// between two roles.
	membership struct {
		role, member        *role
		inherit, set, admin bool
		grantor             *role
	}
	// acl is one privilege of one grantee; grantee nil is PUBLIC.
	acl struct {
		grantor, grantee *role
		privilege        string
		grantable        bool
		column           string // "" for the whole object
	}
	relation struct {
		oid                 oid
		schema, name, kind  string // kind: relkind
		owner               *role
		rls, force          bool
		invoker, barrier    bool   // of a view
		definition          string // of a view
		acl                 []acl
		parents, children   []*relation
		draws               *relation // of a sequence: the table that draws from it
		declared, protected bool
		table               *postgres.Table // the declared table that it is, or is below
		id                  postgres.ObjectID
		generated           bool // in a schema that the project made
		applied             bool // a view as this project made it
		policies            []*policy
	}
	schema struct {
		name  string
		owner *role
		acl   []acl
	}
	// rewrite is one rule of a relation; that of a view is its query.
	rewrite struct {
		on     *relation
		name   string
		isView bool
		reads  []*relation
	}
	function struct {
		oid                           oid
		schema, name, args, lang, src string
		owner                         *role
		definer, leakproof, parsed    bool
		trigger                       bool
		config                        []string
		acl                           []acl
		reads                         []*relation
		words                         map[string]bool // of src, small; made when asked for
	}
	trigger struct {
		on   *relation
		name string
		call *function
	}
	policy struct {
		on           *relation
		name, cmd    string
		permissive   bool
		to           []*role // nil: PUBLIC
		using, check string
		calls        []*function
	}
	foreignKey struct {
		name             string
		from, to         *relation
		onDelete, onEdit string
		columns, targets []string
	}
	uniqueKey struct {
		on      *relation
		name    string
		columns []string
	}
	publication struct {
		name     string
		all      bool
		owner    *role
		on       *relation
		filtered bool
		bySchema bool
	}
	defaultACL struct {
		creator *role
		schema  string
		kind    string
		acl
	}
	object struct {
		name  string
		owner *role
		acl   []acl
	}
	userMapping struct{ server, user string }
	// preset is a setting that sessions begin with: of a role, nil for all, in
	// this database or, elsewhere, in every one.
	preset struct {
		role  *role
		here  bool
		name  string
		value string
	}
)

// load reads the catalogs inside the transaction that is under way: what rules
// need that may find something as bad as least.
func load(ctx context.Context, conn *pgx.Conn, want *postgres.State, live *postgres.Live, least Severity) (*catalog, error) {
	c := &catalog{
		want: want, live: live, roles: map[oid]*role{}, byName: map[string]*role{}, rels: map[oid]*relation{}, funcs: map[oid]*function{},
		database: &object{name: live.Server.Database}, memberships: map[*role][]*membership{}, becoming: map[*role][]*role{},
		lists: map[string][]acl{}, unapplied: !live.Settled(want),
	}
	for _, q := range c.queries(least == Critical) {
		if !q.needed.AtLeast(least) {
			continue
		}
		if err := each(ctx, conn, q); err != nil {
			return nil, err
		}
	}
	c.finish()
	return c, nil
}

// query is one catalog query with the reader of its rows. All columns are
// text, numbers, booleans or lists of text.
type query struct {
	name, sql string
	needed    Severity // the worst that a rule finds which needs it
	row       func(pgx.Rows) error
}

func each(ctx context.Context, conn *pgx.Conn, q query) error {
	// No prepared statement is left behind, which poolers do not like.
	rows, err := conn.Query(ctx, q.sql, pgx.QueryExecModeExec)
	if err != nil {
		return fmt.Errorf("reading %s: %w", q.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := q.row(rows); err != nil {
			return fmt.Errorf("reading %s: %w", q.name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", q.name, err)
	}
	return nil
}

// finish works out what is protected, and what is the project's.
func (c *catalog) finish() {
	for _, r := range c.order {
		r.id = postgres.TableID(r.schema, r.name)
		if s := c.want.Schemas[postgres.SchemaID(r.schema)]; s != nil && s.Managed {
			r.generated = true
		}
		if record, ok := c.live.Records[postgres.ObjectID{Kind: "view", Schema: r.schema, Name: r.name}]; ok && r.kind == "v" {
			// The same query with another owner shows other rows. Only a query that
			// leaves rows out needs the barrier; that of a subquery stands further in.
			r.applied = record.Live == hash(r.definition) && (r.barrier || !strings.Contains(r.definition, "\n  WHERE ")) && c.ours(r.owner)
			if want := c.want.Views[postgres.ViewID(r.schema, r.name)]; want != nil {
				r.applied = r.applied && want.Owner == r.owner.name
			}
		}
		if t := c.want.Tables[r.id]; t != nil && !r.generated {
			c.declare(r, t)
		}
	}
	for _, r := range c.order {
		r.protected = r.declared || r.rls && !r.generated
	}
}

// declare marks a declared table and everything below it.
func (c *catalog) declare(r *relation, t *postgres.Table) {
	if r.declared {
		return
	}
	r.declared, r.table = true, t
	for _, child := range r.children {
		c.declare(child, t)
	}
}

// protectedTables are the tables that rules are about.
func (c *catalog) protectedTables() []*relation {
	return slices.DeleteFunc(slices.Clone(c.order), func(r *relation) bool {
		return !r.protected || r.kind != "r" && r.kind != "p" && r.kind != "f"
	})
}

// unseen says what a role without privileges cannot know.
func (c *catalog) unseen() []string {
	out := []string{}
	if c.live.Records == nil {
		out = append(out, "nothing says what was applied: either nothing was, or the connected role may not read the table objects of the schema postern")
	}
	for _, id := range c.live.Unreadable {
		out = append(out, "the rows of "+id.Schema+"."+id.Name+", which the connected role may not read: whether somebody changed them")
	}
	out = append(out, "pg_hba.conf and the server's other files, other databases of the server, and programs outside of it")
	return out
}
