package postgres

import (
	"cmp"
	"maps"
	"slices"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// phase orders the statements of a plan: what narrows comes first, what widens
// comes last, and each object after those it needs.
type phase int

const (
	phaseRoles     phase = iota // create and correct roles: none of it grants anything
	phaseNarrow                 // revoke privileges and memberships
	phaseProtect                // switch row security on
	phaseGenerated              // schema, tables and functions that policies call
	phasePolicies               // per table: restrictive ones first, permissive ones last
	phaseWiden                  // grant privileges and memberships
	phaseCleanup                // drop what nothing refers to any more
	phaseRecord                 // write down what was made
)

// item is one difference with the statements that make it.
type item struct {
	phase      phase
	order      int // within the phase
	id         ObjectID
	membership MembershipKey // set where id is the member of a membership
	change     plan.Change   // nil for statements that go with others
	acting     []string      // roles whose rights the statements need, besides those of what the tables and schemas belong to
	statements []plan.Statement
}

// Options say what a comparison needs to know besides the two states.
type Options struct {
	Datasource *model.Datasource
	// Passwords says which are to be changed. Other logins are given theirs only
	// when they are created.
	Passwords passwordChanges
	// RetireLogins ends the logins that take the password before.
	RetireLogins bool
	// Looking says that nothing is to be applied: what the connected role may not
	// do is then no error.
	Looking bool
	// HashKeyChanged says that the key of masks by hash() that is stored is not
	// the one that is wanted.
	HashKeyChanged bool
}

// differ compares a desired with a live state.
type differ struct {
	want    *State
	source  *State // want as the source states it: without which login is in use
	live    *Live
	opts    Options
	items   []item
	diags   diag.List
	errs    []error
	lost    map[string]map[string]bool // role outside the project -> objects it loses rights on
	unread  []string                   // generated tables that are taken to hold what was applied
	stale   map[string]bool            // roles whose open sessions keep rights
	lock    map[ObjectID]bool          // tables that need ACCESS EXCLUSIVE
	bound   map[string][]string        // owner -> tables whose rules hold for it from now on
	dropped []string                   // roles that are dropped
	accts   map[string]*AccountScope   // accounts and the owner role, by role name
	fresh   map[ObjectID]bool          // generated tables that are made anew
	gone    map[string]bool            // recorded roles that are no longer declared
	// sequences are those that governed tables draw from.
	sequences map[ObjectID]bool
	forget    []ObjectID // records of what is gone
	made      []*Policy  // policies to record
	views     []*View    // views to record
	denied    map[Holder][]GrantRule
	protected map[ObjectID]bool // tables that a plan made policies on
	sum       string            // digest of want, once it is known
	// adopted names objects of the project that are not on record.
	adopted  []string
	left     map[string]map[string]bool // what is not the project's and stays, by object
	leftAt   map[string]source.Span
	turns    map[string]turn // logins that change over
	switched []plan.SwitchesLogin
	ended    []string // logins that nobody can log in with any more
	detail   bool     // the records hold what was applied, object by object
	held     Grants   // what is to be held
}

// Diff compares what a database should hold with what it holds. When the
// diagnostics hold an error, the result is no plan to run.
func Diff(want *State, live *Live, opts Options) (*plan.Plan, diag.List, error) {
	d := &differ{
		want: want, source: want, live: live, opts: opts,
		lost: map[string]map[string]bool{}, stale: map[string]bool{}, lock: map[ObjectID]bool{},
		bound: map[string][]string{}, fresh: map[ObjectID]bool{}, gone: map[string]bool{},
		sequences: map[ObjectID]bool{}, accts: maps.Clone(want.Scope.Accounts),
	}
	if d.accts == nil {
		d.accts = map[string]*AccountScope{}
	}
	if owner := want.Scope.OwnerRole; owner != "" {
		d.accts[owner] = &AccountScope{Managed: true, Source: d.place()}
	}
	d.detail = d.detailed()
	d.server()
	d.resolveLogins()
	d.compareRoles()
	d.compareMemberships()
	d.compareSchemas()
	d.compareTables()
	d.compareGenerated()
	d.compareHashKey()
	d.compareFunctions()
	d.compareViews()
	d.comparePolicies()
	d.compareGrants()
	d.compareDefaultPrivileges()
	d.compareOutside()
	d.dropIdle()
	d.origins()
	d.tellLeft()
	d.record()
	d.privileges()
	p, err := d.plan()
	return p, d.diags.Sorted(), err
}

// place is where the datasource is declared.
func (d *differ) place() source.Span {
	if d.opts.Datasource == nil {
		return source.Span{}
	}
	return d.opts.Datasource.Span
}

// add appends an item with the statements that were printed for it.
func (d *differ) add(it item, statements ...printedSQL) {
	object := plan.Object{Kind: plan.Kind(it.id.Kind), Name: printed(it.id)}
	switch {
	case it.change != nil:
		object = it.change.What().Object
	case it.phase == phaseRecord && it.id.Kind == KindTable:
		object.Kind = "record" // plan.Covers leaves these out where there is nothing to record
	}
	for _, s := range statements {
		if s.err != nil {
			d.errs = append(d.errs, s.err)
			continue
		}
		it.statements = append(it.statements, plan.Statement{SQL: string(s.sql), Object: object})
	}
	d.items = append(d.items, it)
}

// printedSQL is what a statement printer returned.
type printedSQL struct {
	sql sqltext.SQL
	err error
}

func sql(s sqltext.SQL, err error) printedSQL { return printedSQL{s, err} }

// about describes an object of the plan.
func about(id ObjectID, span source.Span, reason string) plan.About {
	return plan.About{Object: plan.Object{Kind: plan.Kind(id.Kind), Name: printed(id)}, Span: span, Reason: reason}
}

// printed is an object's name as a reader sees it; names that cannot be SQL
// are shown as they are.
func printed(id ObjectID) string {
	text, err := build(func(b *sqltext.Builder) {
		switch id.Kind {
		case KindDatabase:
			b.Ident(id.Name)
		case KindPolicy:
			b.Ident(id.Sub).Raw(" on ").Qualified(id.Schema, id.Name)
		case KindColumn:
			b.Qualified(id.Schema, id.Name).Raw(" (").Ident(id.Sub).Raw(")")
		case KindFunction:
			b.Qualified(id.Schema, id.Name).Raw("(", sqltext.SQL(id.Sub), ")")
		case KindTable, KindView, KindSequence, KindType, kindRoutine:
			b.Qualified(id.Schema, id.Name)
		case KindRole, KindSchema:
			b.Ident(id.Name)
		case kindLargeObject:
			b.Raw(sqltext.SQL(id.Name)) // a number from the catalog
		default:
			b.Ident(id.Name)
		}
	})
	if err != nil {
		return id.Schema + " " + id.Name + " " + id.Sub
	}
	return string(text)
}

// Kinds that are never made here, but on which an account may hold privileges.
const (
	kindRoutine     Kind = "routine" // a procedure or aggregate
	kindLargeObject Kind = "large object"
	kindParameter   Kind = "parameter"
)

// compareKeyed walks two maps by their keys, in order: the one comparison that all
// kinds of objects go through. Each function sees every key that is only
// wanted, in both, or only there.
func compareKeyed[K comparable, V any](want, have map[K]V, order func(a, b K) int, missing func(K, V), both func(K, V, V), extra func(K, V)) {
	for _, k := range slices.SortedFunc(maps.Keys(want), order) {
		if h, ok := have[k]; ok {
			both(k, want[k], h)
		} else {
			missing(k, want[k])
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(have), order) {
		if _, ok := want[k]; !ok {
			extra(k, have[k])
		}
	}
}

// plan puts the items in order.
func (d *differ) plan() (*plan.Plan, error) {
	slices.SortStableFunc(d.items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.phase, b.phase), cmp.Compare(a.order, b.order))
	})
	p := &plan.Plan{
		Project: d.want.Project, Server: d.live.Server.Text, ServerVersion: d.live.Server.Version,
		Database: d.live.Server.Database, Fingerprint: d.live.Fingerprint, Scope: d.live.Scope,
	}
	if d.opts.Datasource != nil {
		p.Datasource = d.opts.Datasource.Name
	}
	for _, it := range d.items {
		if it.change != nil {
			p.Changes = append(p.Changes, it.change)
		}
		p.Statements = append(p.Statements, it.statements...)
	}
	p.Hazards = d.hazards()
	for _, id := range slices.SortedFunc(maps.Keys(d.lock), ObjectID.Compare) {
		p.LockTables = append(p.LockTables, printed(id))
	}
	if len(d.errs) > 0 {
		return nil, joinErrors(d.errs)
	}
	return p, nil
}

func (d *differ) hazards() []plan.Hazard {
	var out []plan.Hazard
	if len(d.lock) > 0 {
		h := plan.Locks{Mode: "ACCESS EXCLUSIVE"}
		for _, id := range slices.SortedFunc(maps.Keys(d.lock), ObjectID.Compare) {
			h.Tables = append(h.Tables, printed(id))
		}
		out = append(out, h)
	}
	for _, role := range slices.Sorted(maps.Keys(d.lost)) {
		out = append(out, plan.LosesAccess{Role: role, Objects: slices.Sorted(maps.Keys(d.lost[role]))})
	}
	if len(d.stale) > 0 {
		out = append(out, plan.KeepsRights{Roles: slices.Sorted(maps.Keys(d.stale))})
	}
	for _, owner := range slices.Sorted(maps.Keys(d.bound)) {
		out = append(out, plan.BindsOwner{Owner: owner, Tables: d.bound[owner]})
	}
	for _, h := range d.switched {
		out = append(out, h)
	}
	slices.Sort(d.ended)
	for _, login := range d.ended {
		out = append(out, plan.EndsLogin{Role: login})
	}
	slices.Sort(d.dropped)
	for _, role := range d.dropped {
		out = append(out, plan.DropsRole{Role: role})
	}
	return out
}
