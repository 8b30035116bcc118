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
	project, revision string

	schema      map[document.TableRef]*document.Table
	tables      map[document.TableRef]*table
	datasources map[string]*datasource
	appUsers    map[string][]subject

	userAttrs, contextAttrs             []attribute
	userAttrNumbers, contextAttrNumbers map[string]int
	keyAttr                             int
	decodeKey                           func(any) (key, bool)

	groups    map[string]int
	closures  [][]int // by number of group
	levels    map[string][]string
	directory directory

	nobody   *user // of whom nothing is known
	sessions sync.Pool
}

// datasource tells the ways in. Without apps everybody comes in without one.
type datasource struct {
	apps map[string]bool // by name: as = "user"
}

// table is what is allowed on one table.
type table struct {
	datasource *datasource
	columns    []string
	arms       map[string][]*arm // by action
	guards     []*guard
	masks      [][]*mask // by number of column, those that show null first
}

// arm is one policy's part in an action.
type arm struct {
	gate        gate
	when, check cond
	columns     []int // numbers of the table's columns
}

// guard is one guard's part in a table.
type guard struct {
	to      []subject
	require cond
}

// Load reads a document strictly and compiles it. It refuses whatever
// document.Parse refuses, and conditions that name what is not there or whose
// operands' types do not go together. It does not panic, whatever data holds.
func Load(data []byte) (*Engine, error) {
	d, err := document.Parse(data)
	if err != nil {
		return nil, err
	}
	e := &Engine{project: d.Project, revision: d.Revision}
	for _, step := range []func(*document.Document) error{
		e.loadIdentity, e.loadDirectory, e.loadSchema, e.loadPolicies, e.loadGuards, e.loadMasks,
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
func (e *Engine) Project() string { return e.project }

// Revision is the git commit of the document's source, "" when unknown.
func (e *Engine) Revision() string { return e.revision }

func (e *Engine) newUser() *user {
	return &user{groups: make(bitset, len(e.groups)/64+1), attrs: make([]any, len(e.userAttrs)), entry: -1}
}

func (e *Engine) loadIdentity(d *document.Document) error {
	e.userAttrs, e.userAttrNumbers = attributesOf(d.Identity.Attributes)
	e.contextAttrs, e.contextAttrNumbers = attributesOf(d.Request)
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
	var err error
	e.decodeKey, err = keyDecoder(e.userAttrs[e.keyAttr].typ)
	return err
}

func attributesOf(list []document.Attribute) ([]attribute, map[string]int) {
	out, numbers := make([]attribute, len(list)), make(map[string]int, len(list))
	for i, a := range list {
		out[i] = attribute{name: a.Name, typ: a.Type, claim: a.Claim}
		numbers[a.Name] = i
	}
	return out, numbers
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
	k, ok := e.decodeKey(raw)
	if !ok {
		return fmt.Errorf("its key is not a value of the identity's key")
	}
	if other, taken := e.directory.byKey[k]; taken {
		return fmt.Errorf("it has the key of entry %d", other)
	}
	e.directory.byKey[k] = number
	e.directory.byName[u.Name] = number
	stated := entry{level: u.Level, statesGroups: u.Groups != nil, groups: make(bitset, len(e.groups)/64+1)}
	if u.Groups != nil {
		for _, name := range *u.Groups {
			for _, above := range e.closures[e.groups[name]] {
				stated.groups.set(above)
			}
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
	e.schema = make(map[document.TableRef]*document.Table, len(d.Tables))
	e.tables = make(map[document.TableRef]*table, len(d.Tables))
	for i := range d.Tables {
		t := &d.Tables[i]
		compiled := &table{datasource: e.datasources[t.Datasource], arms: make(map[string][]*arm, len(t.Actions))}
		for _, c := range t.Columns {
			compiled.columns = append(compiled.columns, c.Name)
		}
		for _, a := range t.Actions {
			compiled.arms[a] = nil
		}
		ref := document.TableRef{Datasource: t.Datasource, Table: t.Name}
		e.schema[ref], e.tables[ref] = t, compiled
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
			if err := e.loadTarget(&p.Targets[k], g); err != nil {
				return fmt.Errorf("policy %q: %w", p.Name, err)
			}
		}
	}
	return nil
}

func (e *Engine) loadTarget(t *document.PolicyTarget, g gate) error {
	for _, ref := range t.Tables {
		when, err := e.compile(ref, t.When)
		if err != nil {
			return err
		}
		a := &arm{gate: g, when: when, check: when}
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
		for number, name := range tab.columns {
			if t.Columns == nil || listed[name] {
				a.columns = append(a.columns, number)
			}
		}
		for _, action := range t.Allow {
			tab.arms[action] = append(tab.arms[action], a)
		}
	}
	return nil
}

func (e *Engine) loadGuards(d *document.Document) error {
	for _, g := range d.Guards {
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
				e.tables[ref].guards = append(e.tables[ref].guards, &guard{to: to, require: require})
			}
		}
	}
	return nil
}

func (e *Engine) compile(ref document.TableRef, c *document.Cond) (cond, error) {
	k := &compiler{engine: e}
	k.tables[0] = e.schema[ref]
	compiled, err := k.cond(c)
	if err != nil {
		return nil, fmt.Errorf("table %q of datasource %q: %w", ref.Table, ref.Datasource, err)
	}
	return compiled, nil
}
