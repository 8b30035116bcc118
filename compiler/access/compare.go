package access

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/compiler/model"
)

// Compare decides how access under the program after a change differs from
// access under the one before it. Nil stands for a program that allows nothing: what is before the
// first apply, or after the last. The error is that of the context alone.
func Compare(ctx context.Context, before, after *model.Program, opts Options) (*Diff, error) {
	c := newComparer(before, after, opts)
	c.found = [2]liveTables{liveCells(opts.Before), liveCells(opts.After)}
	pairs := c.tables()
	results := make([]Diff, len(pairs))
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for i, pair := range pairs {
		limit <- struct{}{}
		wait.Go(func() {
			defer func() { <-limit }()
			if ctx.Err() == nil {
				results[i] = c.table(ctx, pair)
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("comparing access: %w", err)
	}
	out := &Diff{Changes: []Change{}}
	for _, r := range results {
		out.Changes = append(out.Changes, r.Changes...)
		out.Same += r.Same
	}
	return out, nil
}

// comparer compares two programs.
type comparer struct {
	opts        Options
	old, new    *model.Program
	sameContext bool
	found       [2]liveTables // what databases were found to let be done: before, after
	memo        memo
	other       redeclared
	keys        bool // the programs tell users by different attributes
}

func newComparer(before, after *model.Program, opts Options) *comparer {
	c := &comparer{opts: opts.withDefaults(), old: program(before), new: program(after)}
	if before == nil && after != nil {
		c.old = &model.Program{Identity: after.Identity}
	}
	if after == nil && before != nil {
		c.new = &model.Program{Identity: before.Identity}
	}
	c.other = c.redeclare()
	c.keys = attributeKey(c.old.Identity.Key) != attributeKey(c.new.Identity.Key)
	c.memo.answers = map[[32]byte]remembered{}
	c.sameContext = before != nil && after != nil && contextKey(before) == contextKey(after)
	return c
}

// program is the program, or one without anything.
func program(p *model.Program) *model.Program {
	if p != nil {
		return p
	}
	key := &model.Attribute{Name: "id", Scope: model.ScopeUser, Type: model.String, Claim: []string{"id"}}
	return &model.Program{Identity: model.Identity{Key: key, Attributes: []*model.Attribute{key}}}
}

// pair is one table in both programs; nil where there is none.
type pair struct{ old, new *model.Table }

// tables pairs the tables of both programs by address, sorted.
func (c *comparer) tables() []pair {
	byAddress := map[string]*pair{}
	at := func(t *model.Table) *pair {
		p := byAddress[tableAddress(t)]
		if p == nil {
			p = &pair{}
			byAddress[tableAddress(t)] = p
		}
		return p
	}
	for _, t := range c.old.Tables {
		at(t).old = t
	}
	for _, t := range c.new.Tables {
		at(t).new = t
	}
	names := make([]string, 0, len(byAddress))
	for name := range byAddress {
		names = append(names, name)
	}
	slices.Sort(names)
	out := make([]pair, len(names))
	for i, name := range names {
		out[i] = *byAddress[name]
	}
	return out
}

// apps lists the apps that a request may name to reach a table: those of its
// datasource in either program, and "" where one of them has none.
func (p pair) apps() []string {
	var out []string
	for _, t := range []*model.Table{p.old, p.new} {
		if t == nil {
			continue
		}
		for _, e := range t.Datasource.Entries() {
			name := ""
			if e.Connect != nil {
				name = e.App().Name
			}
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// newSide is a program as a request that names the app sees it.
func newSide(p *model.Program, t *model.Table, app string) *side {
	if t == nil {
		return &side{program: p}
	}
	for _, e := range t.Datasource.Entries() {
		if e.Connect == nil || e.App().Name == app {
			return &side{program: p, table: t, entry: e, ok: true, origins: origins(t.Datasource)}
		}
	}
	return &side{program: p}
}

func (s *side) subjects(a model.Action) []string {
	if l := s.live[a]; l != nil {
		return l.subjects()
	}
	if !s.ok || !s.table.HasAction(a) {
		return nil
	}
	return s.program.Subjects(s.entry, s.table, a)
}

// actions lists the actions of both tables.
func (p pair) actions() []model.Action {
	var out []model.Action
	for _, t := range []*model.Table{p.old, p.new} {
		if t == nil {
			continue
		}
		for _, a := range t.Actions {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// table compares access to one table. A table whose rules have the same hash in
// both programs is the same without a question.
func (c *comparer) table(ctx context.Context, p pair) Diff {
	unchanged := c.sameContext && p.old != nil && p.new != nil && tableHash(p.old) == tableHash(p.new) &&
		origins(p.old.Datasource) == origins(p.new.Datasource)
	var out Diff
	for _, role := range c.outsiders(p) {
		out.Changes = append(out.Changes, c.outsider(ctx, p, role)...)
	}
	apps := p.apps()
	before, after, known := map[string]*side{}, map[string]*side{}, newForms(c.other)
	for _, app := range apps {
		before[app], after[app] = newSide(c.old, p.old, app), newSide(c.new, p.new, app)
		before[app].lay(c.found[0], app)
		after[app].lay(c.found[1], app)
	}
	for _, a := range p.actions() {
		perApp := map[string][]Change{}
		for _, app := range apps {
			cell := &cell{comparer: c, action: a, app: app, old: before[app], new: after[app], forms: known}
			subjects := slices.Compact(slices.Sorted(slices.Values(append(cell.old.subjects(a), cell.new.subjects(a)...))))
			if unchanged && cell.old.live[a] == nil && cell.new.live[a] == nil {
				out.Same += len(subjects)
				continue
			}
			cell.address = cell.tableName(p)
			changes, same := cell.compare(ctx, subjects)
			out.Same += same
			perApp[app] = changes
		}
		out.Changes = append(out.Changes, mergeApps(perApp, apps)...)
	}
	return out
}

func (c *cell) tableName(p pair) string {
	if p.new != nil {
		return tableAddress(p.new)
	}
	return tableAddress(p.old)
}

// mergeApps joins changes that are alike through several apps.
func mergeApps(perApp map[string][]Change, apps []string) []Change {
	var out []Change
	through := map[string][]string{}
	index := map[string]int{}
	for _, app := range apps {
		for _, ch := range perApp[app] {
			k := ch.String() + " " + string(ch.Verdict)
			if _, seen := index[k]; !seen {
				index[k] = len(out)
				out = append(out, ch)
			}
			through[k] = append(through[k], app)
		}
	}
	for i := range out {
		if list := through[out[i].String()+" "+string(out[i].Verdict)]; len(list) < len(apps) {
			out[i].Apps = slices.DeleteFunc(list, func(s string) bool { return s == "" })
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int {
		return strings.Compare(a.Subject+"\x00"+joined(a.Columns), b.Subject+"\x00"+joined(b.Columns))
	})
	return out
}
