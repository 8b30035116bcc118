// Package engine decides by a JSON document who may do what. It needs nothing
// but the document: no compiler, no database, no policy engine. Load reads and
// compiles a document once; the Engine then answers from many goroutines.
//
// Documents of requests and records are JSON values as encoding/json decodes
// them with UseNumber: nil, bool, json.Number, string, []any and
// map[string]any. A value of any other Go type (a float64, say) is not exact
// and counts as unknown, which never grants.
package engine

import (
	"fmt"
	"sync"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// Engine is a loaded document. It is never changed after Load.
type Engine struct {
	document *document.Document

	tables      map[document.TableRef]*table
	datasources map[string]*datasource
	appUsers    map[string][]subject

	userAttrs, contextAttrs             []attribute
	userAttrNumbers, contextAttrNumbers map[string]int
	keyAttr                             int
	readKey                             func(*slot) (key, bool)

	groups    map[string]int
	closures  [][]int // by number of group
	levels    map[string][]string
	directory directory

	hashKey  string // of masks by hash, "" when there is none
	nobody   *user  // of whom nothing is known
	sessions sync.Pool
}

// datasource tells the ways in. Without apps everybody comes in without one.
type datasource struct {
	apps map[string]bool // by name: as = "user"
}

// table is what is allowed on one table.
type table struct {
	ref        document.TableRef
	datasource *datasource
	schema     *schema
	actions    []action
	view       *arms
	guards     []*guard
	masks      [][]*mask // by number of column, those that show null first
}

// action is what is allowed by one action.
type action struct {
	name string
	arms *arms
}

// action is the arms of an action, nil when the table does not have it. Tables
// have so few actions that this is faster than a map.
func (t *table) action(name string) *arms {
	for i := range t.actions {
		if t.actions[i].name == name {
			return t.actions[i].arms
		}
	}
	return nil
}

// arm is one policy's part in an action.
type arm struct {
	policy      *document.Policy
	target      *document.PolicyTarget
	schema      *schema // of the table
	gate        gate
	when, check cond
	columns     []int // numbers of the table's columns
}

// guard is one guard's part in a table.
type guard struct {
	source  *document.Guard
	to      []subject
	require cond
}

// Load reads a document strictly and compiles it. It refuses whatever
// document.Parse refuses, and conditions that name what is not there or whose
// operands' types do not go together. It does not panic, whatever data holds.
func Load(data []byte, options ...Option) (*Engine, error) {
	d, err := document.Parse(data)
	if err != nil {
		return nil, err
	}
	e := &Engine{document: d}
	for _, option := range options {
		if err := option(e); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(*document.Document) error{
		e.loadIdentity, e.loadDirectory, e.loadSchema, e.loadPolicies, e.loadGuards, e.loadMasks, e.index,
	} {
		if err := step(d); err != nil {
			return nil, fmt.Errorf("load the JSON document: %w", err)
		}
	}
	e.nobody = e.newUser()
	e.nobody.clear()
	e.sessions.New = func() any { return e.newSession() }
	return e, nil
}

// Project is the name of the project that the document is of.
func (e *Engine) Project() string { return e.document.Project }

// Revision is the git commit of the document's source, "" when unknown.
func (e *Engine) Revision() string { return e.document.Revision }

// Document is the document as it was read. It must not be changed.
func (e *Engine) Document() *document.Document { return e.document }

func (e *Engine) newUser() *user {
	return &user{groups: make(bitset, len(e.groups)/64+1), attrs: make([]slot, len(e.userAttrs)), entry: -1}
}

func (e *Engine) loadIdentity(d *document.Document) error {
	var err error
	if e.userAttrs, e.userAttrNumbers, err = attributesOf(d.Identity.Attributes); err != nil {
		return err
	}
	if e.contextAttrs, e.contextAttrNumbers, err = attributesOf(d.Request); err != nil {
		return err
	}
	e.keyAttr = e.userAttrNumbers[d.Identity.Key]
	e.groups = make(map[string]int, len(d.Groups))
	for i, g := range d.Groups {
		e.groups[g.Name] = i
	}
	e.closures = make([][]int, len(d.Groups))
	for i, g := range d.Groups {
		e.closures[i] = []int{i}
		for _, above := range g.Closure {
			e.closures[i] = append(e.closures[i], e.groups[above])
		}
	}
	e.levels = make(map[string][]string, len(d.Levels))
	for _, l := range d.Levels {
		e.levels[l.Name] = l.AtLeast
	}
	e.readKey, err = keyReader(e.userAttrs[e.keyAttr].typ)
	return err
}

func attributesOf(list []document.Attribute) ([]attribute, map[string]int, error) {
	out, numbers := make([]attribute, len(list)), make(map[string]int, len(list))
	for i, a := range list {
		fill, err := fillerOf(a.Type, "")
		if err != nil {
			return nil, nil, fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		out[i] = attribute{name: a.Name, typ: a.Type, claim: a.Claim, fill: fill}
		numbers[a.Name] = i
	}
	return out, numbers, nil
}

func (e *Engine) loadDirectory(d *document.Document) error {
	e.directory = directory{
		entries: make([]entry, len(d.Directory)), byKey: make(map[key]int, len(d.Directory)),
		byName: make(map[string]int, len(d.Directory)),
	}
	for i, u := range d.Directory {
		if err := e.loadUser(i, &u); err != nil {
			return fmt.Errorf("user %q: %w", u.Name, err)
		}
	}
	return nil
}

func (e *Engine) loadUser(number int, u *document.User) error {
	raw, err := rawValue(e.userAttrs[e.keyAttr].typ, &u.Key)
	if err != nil {
		return err
	}
	k, ok := e.keyOf(raw)
	if !ok {
		return fmt.Errorf("its key is not a value of the identity's key")
	}
	if other, taken := e.directory.byKey[k]; taken {
		return fmt.Errorf("it has the key of entry %d", other)
	}
	e.directory.byKey[k] = number
	e.directory.byName[u.Name] = number
	stated := entry{level: u.Level, statesGroups: u.Groups != nil}
	if u.Groups != nil {
		for _, name := range *u.Groups {
			stated.groups = append(stated.groups, e.closures[e.groups[name]]...)
		}
	}
	for _, a := range u.Attributes {
		value := statedAttr{number: e.userAttrNumbers[a.Name]}
		if a.Value != nil {
			if value.raw, err = rawValue(e.userAttrs[value.number].typ, a.Value); err != nil {
				return fmt.Errorf("attribute %q: %w", a.Name, err)
			}
		}
		stated.attrs = append(stated.attrs, value)
	}
	e.directory.entries[number] = stated
	return nil
}

func (e *Engine) loadSchema(d *document.Document) error {
	e.datasources = make(map[string]*datasource, len(d.Datasources))
	for _, ds := range d.Datasources {
		e.datasources[ds.Name] = &datasource{apps: map[string]bool{}}
	}
	e.appUsers = make(map[string][]subject, len(d.Apps))
	for _, a := range d.Apps {
		users, err := e.subjects(a.Users)
		if err != nil {
			return fmt.Errorf("app %q: %w", a.Name, err)
		}
		e.appUsers[a.Name] = users
		for _, c := range a.Connects {
			e.datasources[c.Datasource].apps[a.Name] = c.As == document.AsUser
		}
	}
	return e.loadTables(d)
}

func (e *Engine) loadTables(d *document.Document) error {
	e.tables = make(map[document.TableRef]*table, len(d.Tables))
	for i := range d.Tables {
		t := &d.Tables[i]
		loaded := &table{
			ref: document.TableRef{Datasource: t.Datasource, Table: t.Name}, datasource: e.datasources[t.Datasource],
			schema: &schema{source: t, columns: make([]column, len(t.Columns))}, view: &arms{},
		}
		for n, c := range t.Columns {
			fill, err := fillerOf(c.Type, c.Native)
			if err != nil {
				return fmt.Errorf("column %q of table %q: %w", c.Name, t.Name, err)
			}
			loaded.schema.columns[n] = column{name: c.Name, typ: c.Type, native: c.Native, fill: fill}
		}
		for _, a := range t.Actions {
			loaded.actions = append(loaded.actions, action{a, &arms{}})
		}
		if a := loaded.action(view); a != nil {
			loaded.view = a
		}
		e.tables[loaded.ref] = loaded
	}
	for _, t := range e.tables {
		for _, r := range t.schema.source.Relations {
			t.schema.relations = append(t.schema.relations, related{name: r.Name, many: r.Many, to: e.tables[r.Table].schema})
		}
	}
	return nil
}

func (e *Engine) loadPolicies(d *document.Document) error {
	for i := range d.Policies {
		p := &d.Policies[i]
		g, err := e.gate(p)
		if err != nil {
			return fmt.Errorf("policy %q: %w", p.Name, err)
		}
		for k := range p.Targets {
			if err := e.loadTarget(p, &p.Targets[k], g); err != nil {
				return fmt.Errorf("policy %q: %w", p.Name, err)
			}
		}
	}
	return nil
}

func (e *Engine) loadTarget(p *document.Policy, t *document.PolicyTarget, g gate) error {
	for _, ref := range t.Tables {
		when, err := e.compile(ref, t.When)
		if err != nil {
			return err
		}
		a := &arm{policy: p, target: t, schema: e.tables[ref].schema, gate: g, when: when, check: when}
		if t.Check != nil {
			if a.check, err = e.compile(ref, t.Check); err != nil {
				return err
			}
		}
		tab := e.tables[ref]
		listed := map[string]bool{}
		if t.Columns != nil {
			for _, name := range *t.Columns {
				listed[name] = true
			}
		}
		for number := range tab.schema.columns {
			if t.Columns == nil || listed[tab.schema.columns[number].name] {
				a.columns = append(a.columns, number)
			}
		}
		for _, action := range t.Allow {
			list := tab.action(action)
			list.all = append(list.all, a)
		}
	}
	return nil
}

func (e *Engine) loadGuards(d *document.Document) error {
	for i := range d.Guards {
		g := &d.Guards[i]
		to, err := e.subjects(g.To)
		if err != nil {
			return fmt.Errorf("guard %q: %w", g.Name, err)
		}
		for _, t := range g.Targets {
			for _, ref := range t.Tables {
				require, err := e.compile(ref, t.Require)
				if err != nil {
					return fmt.Errorf("guard %q: %w", g.Name, err)
				}
				e.tables[ref].guards = append(e.tables[ref].guards, &guard{source: g, to: to, require: require})
			}
		}
	}
	return nil
}

func (e *Engine) compile(ref document.TableRef, c *document.Cond) (cond, error) {
	k := &compiler{engine: e}
	k.tables[0] = e.tables[ref].schema
	compiled, err := k.cond(c)
	if err != nil {
		return nil, fmt.Errorf("table %q of datasource %q: %w", ref.Table, ref.Datasource, err)
	}
	return compiled, nil
}
