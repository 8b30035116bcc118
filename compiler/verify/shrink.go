package verify

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
)

// Shrunk is a small project, and a question on which engines still differ.
type Shrunk struct {
	Project string
	Case    *Case
	Outcome *Outcome
}

// Txtar is the shrunk case as an archive (golang.org/x/tools/txtar) for
// testdata/equivalence.
func (s *Shrunk) Txtar(comment string) (string, error) {
	c := *s.Case
	c.Allowed, c.Columns = s.Outcome.Allowed, s.Outcome.Columns
	data, err := c.JSON()
	if err != nil {
		return "", err
	}
	return comment + "\n-- project.hcl --\n" + s.Project + "-- case.json --\n" + string(data), nil
}

// Limits of shrinking.
const (
	shrinkTries = 600
	shrinkTime  = 90 * time.Second
)

// Shrink makes a disagreement small: it leaves out what is not needed of the
// project, the records and the request, and simplifies the conditions, as long
// as the engines that start gives still differ. It returns nil when they do not
// differ about the printed project in the first place.
func Shrink(ctx context.Context, d *Disagreement, start Starter) (*Shrunk, error) {
	s := &shrinker{start: start, target: d.Target, until: time.Now().Add(shrinkTime), blocks: print.Blocks(d.Program), c: newCase(d)}
	if !s.differ(ctx, s.blocks, s.c) {
		return nil, ctx.Err()
	}
	for before := -1; before != s.kept && ctx.Err() == nil; {
		before = s.kept
		s.records(ctx)
		s.project(ctx)
		s.conditions(ctx)
		s.request(ctx)
		s.values(ctx)
	}
	return &Shrunk{Project: text(s.blocks), Case: s.c, Outcome: s.outcome}, ctx.Err()
}

func text(blocks []*print.Block) string {
	var b strings.Builder
	for _, x := range blocks {
		b.WriteString(x.String())
	}
	return b.String()
}

// shrinker holds the smallest case so far.
type shrinker struct {
	start   Starter
	target  string // the engine that differs; others may be there to hold records
	until   time.Time
	tries   int
	kept    int // changes that were kept
	blocks  []*print.Block
	c       *Case
	outcome *Outcome
}

// differ reports whether engines differ about a case, and remembers it if so.
// What does not compile or cannot be asked does not differ.
func (s *shrinker) differ(ctx context.Context, blocks []*print.Block, c *Case) bool {
	if s.tries++; s.tries > shrinkTries || time.Now().After(s.until) || ctx.Err() != nil {
		return false
	}
	p, err := Compile(ctx, text(blocks))
	if err != nil {
		return false
	}
	out, err := Ask(ctx, p, c, s.start)
	if err != nil {
		return false
	}
	if _, differs := out.Differ[s.target]; !differs {
		return false
	}
	s.blocks, s.c, s.outcome = blocks, c, out
	s.kept++
	return true
}

// records drops records that the question does not name.
func (s *shrinker) records(ctx context.Context) {
	alone := s.copyCase()
	for name := range alone.Records {
		if name != alone.Table {
			delete(alone.Records, name)
		}
	}
	if len(alone.Records) != len(s.c.Records) {
		s.differ(ctx, s.blocks, alone)
	}
	for _, name := range slices.Sorted(maps.Keys(s.c.Records)) {
		for size := len(s.c.Records[name]); size > 0; size /= 2 {
			for at := 0; at < len(s.c.Records[name]); {
				if c := s.without(name, at, size); c == nil || !s.differ(ctx, s.blocks, c) {
					at += size
				}
			}
		}
	}
}

// without is the case without some records of a table, keeping those that the
// question names; nil when nothing would go.
func (s *shrinker) without(name string, at, size int) *Case {
	c := s.copyCase()
	var kept []CaseRecord
	moved := map[int]int{}
	for i, r := range c.Records[name] {
		named := name == c.Table && (c.Old != nil && *c.Old == i || c.New != nil && *c.New == i)
		if i >= at && i < at+size && !named {
			continue
		}
		moved[i] = len(kept)
		kept = append(kept, r)
	}
	if len(kept) == len(c.Records[name]) {
		return nil
	}
	c.Records[name] = kept
	if name == c.Table {
		c.Old, c.New = renumbered(c.Old, moved), renumbered(c.New, moved)
	}
	return c
}

func renumbered(n *int, moved map[int]int) *int {
	if n == nil {
		return nil
	}
	m := moved[*n]
	return &m
}

func (s *shrinker) copyCase() *Case {
	c := *s.c
	c.Records = map[string][]CaseRecord{}
	for name, list := range s.c.Records {
		for _, r := range list {
			c.Records[name] = append(c.Records[name], CaseRecord{Doc: maps.Clone(r.Doc), Text: maps.Clone(r.Text)})
		}
	}
	c.User, c.Request = maps.Clone(s.c.User), maps.Clone(s.c.Request)
	return &c
}

// project drops blocks, and lines of blocks.
func (s *shrinker) project(ctx context.Context) {
	for i := len(s.blocks) - 1; i >= 0; i-- {
		if i < len(s.blocks) && s.blocks[i].Kind != "postern" && s.blocks[i].Kind != "identity" {
			s.differ(ctx, slices.Delete(slices.Clone(s.blocks), i, i+1), s.c)
		}
	}
	for i := range s.blocks {
		for line := len(s.blocks[i].Lines) - 1; line > 0; line-- {
			b := *s.blocks[i]
			if strings.HasPrefix(b.Lines[line], "description") || b.Kind == "postern" {
				continue
			}
			b.Lines = slices.Delete(slices.Clone(b.Lines), line, line+1)
			s.differ(ctx, replaced(s.blocks, i, &b), s.c)
		}
	}
}

func replaced(blocks []*print.Block, i int, b *print.Block) []*print.Block {
	out := slices.Clone(blocks)
	out[i] = b
	return out
}

// conditions puts parts of conditions in their place.
func (s *shrinker) conditions(ctx context.Context) {
	for i := range s.blocks {
		for n := 0; n < len(s.blocks[i].Conditions); n++ {
			if s.condition(ctx, i, n) {
				n = -1 // again from the first: they are fewer or smaller now
			}
		}
	}
}

func (s *shrinker) condition(ctx context.Context, i, n int) bool {
	b := *s.blocks[i]
	if b.Conditions[n].Name != "require" {
		b.Conditions = slices.Delete(slices.Clone(b.Conditions), n, n+1)
		if s.differ(ctx, replaced(s.blocks, i, &b), s.c) {
			return true
		}
	}
	for _, x := range smaller(s.blocks[i].Conditions[n].Expr) {
		b := *s.blocks[i]
		b.Conditions = slices.Clone(b.Conditions)
		b.Conditions[n].Expr = x
		if s.differ(ctx, replaced(s.blocks, i, &b), s.c) {
			return true
		}
	}
	return false
}

// smaller lists expressions with one part put in the place of what it is a
// part of, the largest steps first.
func smaller(x model.Expr) []model.Expr {
	var out []model.Expr
	if _, constant := x.(*model.Literal); !constant && x.ResultType().Kind == model.KindBool {
		out = append(out, &model.Literal{Node: model.Node{Type: model.Bool}, Value: true}, &model.Literal{Node: model.Node{Type: model.Bool}, Value: false})
	}
	switch e := x.(type) {
	case *model.Call:
		for _, a := range e.Args {
			if a.ResultType().Equal(e.Type) {
				out = append(out, a)
			}
		}
		if (e.Fn == model.FnAnd || e.Fn == model.FnOr) && len(e.Args) > 2 {
			for i := range e.Args {
				c := *e
				c.Args = slices.Delete(slices.Clone(e.Args), i, i+1)
				out = append(out, &c)
			}
		}
		for i, a := range e.Args {
			for _, inner := range smaller(a) {
				c := *e
				c.Args = slices.Clone(e.Args)
				c.Args[i] = inner
				out = append(out, &c)
			}
		}
	case *model.Related:
		for _, inner := range smaller(e.Body) {
			c := *e
			c.Body = inner
			out = append(out, &c)
		}
	case *model.Literal, *model.NullLiteral, *model.ColumnRef, *model.AttrRef, *model.GroupsRef, *model.LevelRef,
		*model.AppRef, *model.NowRef, *model.MemberOf, *model.Network:
	}
	return out
}

// request drops what the request states.
func (s *shrinker) request(ctx context.Context) {
	for _, key := range slices.Sorted(maps.Keys(s.c.User)) {
		c := s.copyCase()
		delete(c.User, key)
		s.differ(ctx, s.blocks, c)
	}
	for _, key := range slices.Sorted(maps.Keys(s.c.Request)) {
		c := s.copyCase()
		delete(c.Request, key)
		s.differ(ctx, s.blocks, c)
	}
	if len(s.c.User) == 0 && s.c.User != nil {
		c := s.copyCase()
		c.User = nil
		s.differ(ctx, s.blocks, c)
	}
	if s.c.Request != nil {
		c := s.copyCase()
		c.Request = nil
		s.differ(ctx, s.blocks, c)
	}
	if s.c.App != "" {
		c := s.copyCase()
		c.App = ""
		s.differ(ctx, s.blocks, c)
	}
	if s.c.Old != nil && s.c.New != nil {
		c := s.copyCase()
		c.New = nil
		s.differ(ctx, s.blocks, c)
	}
}

// values drops the columns of records.
func (s *shrinker) values(ctx context.Context) {
	for _, name := range slices.Sorted(maps.Keys(s.c.Records)) {
		for i := range s.c.Records[name] {
			for _, key := range slices.Sorted(maps.Keys(s.c.Records[name][i].Doc)) {
				if _, there := s.c.Records[name][i].Doc[key]; !there {
					continue
				}
				c := s.copyCase()
				delete(c.Records[name][i].Doc, key)
				delete(c.Records[name][i].Text, key)
				s.differ(ctx, s.blocks, c)
			}
		}
	}
}
