package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// Case is one question with all that it depends on, and the right answer. It is
// kept as case.json beside the project, since tests in HCL are typed and so
// cannot state what is wrong on purpose.
type Case struct {
	Now     string         `json:"now"` // RFC 3339
	App     string         `json:"app,omitempty"`
	User    map[string]any `json:"user"` // null: anonymous
	Request map[string]any `json:"request,omitempty"`
	Table   string         `json:"table"` // DATASOURCE.NAME
	Action  string         `json:"action"`
	// Records are the records that there are, by table. Text holds, for columns
	// whose JSON does not say it all, the value as Postgres reads it in.
	Records map[string][]CaseRecord `json:"records"`
	Old     *int                    `json:"old,omitempty"` // the number of the record
	New     *int                    `json:"new,omitempty"` // the number of the record that a write makes
	Allowed bool                    `json:"allowed"`
	Columns []string                `json:"columns,omitempty"` // for view: those that the user sees
}

// CaseRecord is one record of a case.
type CaseRecord struct {
	Doc  model.Document    `json:"doc"`
	Text map[string]string `json:"text,omitempty"`
}

// ParseCase reads a case.json.
func ParseCase(data []byte) (*Case, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	c := &Case{}
	if err := dec.Decode(c); err != nil {
		return nil, fmt.Errorf("case.json: %w", err)
	}
	return c, nil
}

// JSON is the case as case.json.
func (c *Case) JSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("case.json: %w", err)
	}
	return b.Bytes(), nil
}

// Starter starts engines for a program; end is called when they are done with.
type Starter func(ctx context.Context, p *model.Program) (engines []Engine, end func() error, err error)

// Outcome is what the evaluator and the engines said to a case.
type Outcome struct {
	Allowed bool
	Columns []string
	// Differ tells of each engine that differs from the evaluator how.
	Differ map[string]string
}

// errCase says that a case does not fit its project.
var errCase = errors.New("the case does not fit the project")

// Compile compiles the text of a project.
func Compile(ctx context.Context, text string) (*model.Program, error) {
	p, diags := compiler.Compile(ctx, &source.Set{Files: []source.File{{Name: "project.hcl", Data: []byte(text)}}}, compiler.Inputs{})
	if p == nil {
		return nil, diags.Err()
	}
	return p, nil
}

// Ask puts a case to the evaluator and to engines.
func Ask(ctx context.Context, p *model.Program, c *Case, start Starter) (out *Outcome, err error) {
	w, t, err := c.world(p)
	if err != nil {
		return nil, err
	}
	engines, end, err := start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	for _, e := range engines {
		if k, ok := e.(Keeper); ok && k.Covers(t) {
			if err := k.Keep(ctx, w); err != nil {
				return nil, err
			}
		}
	}
	q := &Query{Request: w.lookUp(p, t, w.Requests[0]), Stated: &w.Requests[0], Table: t, Records: w.documents(p)[t]}
	if !comes(p, q) {
		return nil, fmt.Errorf("%w: its user cannot be a login role", errCase)
	}
	if len(q.Records) != len(c.Records[c.Table]) {
		return nil, fmt.Errorf("%w: an engine cannot hold a record", errCase)
	}
	if c.Old != nil && c.New != nil {
		q.Edits = [][2]int{{*c.Old, *c.New}}
	}
	want, err := newReference(p).Ask(ctx, q)
	if err != nil {
		return nil, err
	}
	out = &Outcome{Allowed: c.answer(want), Differ: map[string]string{}}
	if c.Action == string(model.View) && out.Allowed {
		q.Columns = []int{*c.Old}
		if want, err = newReference(p).Ask(ctx, q); err != nil {
			return nil, err
		}
		out.Columns = shownColumns(t, want.Sights[0])
	}
	for _, e := range engines {
		if !e.Covers(t) {
			continue
		}
		got, err := e.Ask(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("asking %s: %w", e.Name(), err)
		}
		if got.Only != nil && (len(q.Edits) > 0 || !slices.Contains(got.Only, model.Action(c.Action))) {
			continue // it does not tell of that
		}
		if a := c.answer(got); a != out.Allowed {
			out.Differ[e.Name()] = verdict(a)
		} else if out.Columns != nil && got.Only == nil {
			if w, g := look(t, want, got, 0, q.Records[*c.Old]); w != g {
				out.Differ[e.Name()] = g
			}
		}
	}
	return out, nil
}

// answer picks the answer to the case's question.
func (c *Case) answer(a *Answer) bool {
	switch {
	case c.Old != nil && c.New != nil:
		return a.Edits[0]
	case c.Old != nil:
		return a.Allowed[model.Action(c.Action)][*c.Old]
	}
	return a.Allowed[model.Create][*c.New]
}

// world makes the world of a case, and checks that its question can be asked.
func (c *Case) world(p *model.Program) (*World, *model.Table, error) {
	now, ok := eval.ParseTimestamp(c.Now)
	if !ok {
		return nil, nil, fmt.Errorf("%w: %q is no time", errCase, c.Now)
	}
	w := &World{Now: now, Records: map[*model.Table][]*Record{}}
	w.Requests = []model.Request{{User: c.User, App: c.App, Context: c.Request, Now: now}}
	var table *model.Table
	for _, t := range p.Tables {
		if t.Address() == c.Table {
			table = t
		}
		for _, r := range c.Records[t.Address()] {
			w.Records[t] = append(w.Records[t], &Record{Doc: r.Doc, Text: r.Text})
		}
	}
	if table == nil || !table.HasAction(model.Action(c.Action)) {
		return nil, nil, fmt.Errorf("%w: there is no action %s on %s", errCase, c.Action, c.Table)
	}
	for _, n := range []*int{c.Old, c.New} {
		if n != nil && (*n < 0 || *n >= len(w.Records[table])) {
			return nil, nil, fmt.Errorf("%w: there is no record %d", errCase, *n)
		}
	}
	if c.Old == nil && (c.New == nil || c.Action != string(model.Create)) {
		return nil, nil, fmt.Errorf("%w: it names no record", errCase)
	}
	return w, table, nil
}

// newCase is a disagreement's question.
func newCase(d *Disagreement) *Case {
	now, _ := model.JSON(d.Request.Now, model.TimeType, "timestamp without time zone").(string)
	c := &Case{
		Now: now + "Z", App: d.Request.App, User: d.Request.User, Request: d.Request.Context,
		Table: address(d.Table), Action: string(d.Action), Records: map[string][]CaseRecord{},
	}
	for _, a := range d.Program.Apps {
		if a.Name == c.App {
			c.App = print.AppName(a)
		}
	}
	for _, t := range d.Program.Tables {
		for _, r := range d.World.Records[t] {
			c.Records[address(t)] = append(c.Records[address(t)], CaseRecord{Doc: maps.Clone(r.Doc), Text: maps.Clone(r.Text)})
		}
	}
	if d.Old >= 0 {
		c.Old = &d.Old
	}
	if d.New >= 0 {
		c.New = &d.New
	}
	return c
}

// address is a table's address in the printed project.
func address(t *model.Table) string { return print.DatasourceName(t.Datasource) + "." + t.Name }
