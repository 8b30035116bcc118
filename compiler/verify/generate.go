package verify

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// generator makes worlds of one program.
type generator struct {
	p      *model.Program
	rng    *rand.Rand
	slots  *slots
	now    model.Timestamp
	stored map[*model.Table]bool // a database holds its records
	aimed  int                   // how many requests were made for a policy; they take turns
}

// defaultNow has microseconds, and is the last day of a month in a leap year.
const defaultNow model.Timestamp = 1709209800_123456 // 2024-02-29T12:30:00.123456Z

func newGenerator(p *model.Program, seed uint64, stored map[*model.Table]bool) *generator {
	return &generator{
		p: p, rng: rand.New(rand.NewPCG(seed, 1)), slots: newSlots(p, defaultNow), now: defaultNow, stored: stored, // #nosec G404 -- repeatable on purpose
	}
}

func pick[T any](g *generator, list []T) T { return list[g.rng.IntN(len(list))] }

func (g *generator) chance(n int) bool { return g.rng.IntN(n) == 0 }

// Sizes of a world: enough that a query is worth its round trip, few enough
// that a world is soon another one.
const (
	requestsPerWorld = 12
	recordsPerTable  = 28
	tablesPerRequest = 2 // beside that of the policy that it was made for
	editsPerQuery    = 24
	depthLimit       = 12 // of the conditions that are solved
)

// world makes requests first, most of them such that a policy is for them, and
// then records that make conditions true and false for these requests.
func (g *generator) world() *World {
	if len(g.p.Tables) == 0 {
		return &World{Now: g.now}
	}
	w := &World{Now: g.now, Records: map[*model.Table][]*Record{}}
	targets := g.targets()
	w.about = map[int][]*model.Table{}
	for i := range requestsPerWorld {
		req := g.request()
		for range tablesPerRequest {
			w.about[i] = append(w.about[i], pick(g, g.p.Tables))
		}
		if i%4 != 3 && len(targets) > 0 {
			t := targets[g.aimed%len(targets)]
			g.aimed++
			g.aim(&req, t)
			w.about[i] = append(w.about[i], t.Table)
			for _, c := range []model.Expr{t.When.Source, t.Check.Source} {
				r := g.record(t.Table)
				s := g.solver(t.Table, &req, r, false)
				s.solve(c, true, depthLimit)
				for _, guard := range t.Table.Guards {
					s.solve(guard.Require.Source, true, depthLimit)
				}
				w.Records[t.Table] = append(w.Records[t.Table], r)
			}
		}
		w.Requests = append(w.Requests, req)
	}
	for _, t := range g.p.Tables {
		conds := conditions(t)
		for len(w.Records[t]) < recordsPerTable {
			r := g.record(t)
			if len(conds) > 0 && !g.chance(4) {
				req := pick(g, w.Requests)
				g.solver(t, &req, r, false).solve(pick(g, conds), !g.chance(3), depthLimit)
			}
			w.Records[t] = append(w.Records[t], r)
			w.Records[t] = append(w.Records[t], g.variants(t, r)...)
		}
	}
	return w
}

func (g *generator) targets() []*model.PolicyTarget {
	var out []*model.PolicyTarget
	for _, t := range g.p.Tables {
		out = append(out, t.Policies...)
	}
	return out
}

// variants are copies of a record with one column changed.
func (g *generator) variants(t *model.Table, r *Record) []*Record {
	var out []*Record
	for range g.rng.IntN(3) {
		c := pick(g, t.Columns)
		v := r.copy()
		g.fill(v, t, c)
		out = append(out, v)
	}
	return out
}

func (r *Record) copy() *Record {
	out := &Record{Doc: model.Document{}, Text: map[string]string{}}
	for k, v := range r.Doc {
		out.Doc[k] = v
	}
	for k, v := range r.Text {
		out.Text[k] = v
	}
	return out
}

func (g *generator) record(t *model.Table) *Record {
	r := &Record{Doc: model.Document{}, Text: map[string]string{}}
	for _, c := range t.Columns {
		g.fill(r, t, c)
	}
	return r
}

// fill draws a value for a column.
func (g *generator) fill(r *Record, t *model.Table, c *model.Column) {
	delete(r.Text, c.Name)
	stored := g.stored[t]
	if g.chance(8) && (c.Null || !stored) {
		r.Doc[c.Name] = nil
		if !stored && g.chance(2) {
			delete(r.Doc, c.Name)
		}
		return
	}
	if g.chance(8) {
		if !stored && g.chance(2) {
			r.Doc[c.Name] = pick(g, wrong(c.Type))
			return
		}
		if list := odd(c.Type, c.Native); len(list) > 0 {
			o := pick(g, list)
			r.Doc[c.Name] = o.Doc[""]
			r.Text[c.Name] = o.Text[""]
			return
		}
	}
	v := g.draw(c, c.Type)
	doc := model.JSON(v, c.Type, c.Native)
	if stored {
		doc = cut(doc, c)
	}
	r.Doc[c.Name] = doc
}

// cut shortens what a column's native type would not hold.
func cut(v any, c *model.Column) any {
	switch x := v.(type) {
	case string:
		if n := lengthOf(c.Native); n > 0 && c.Type.Kind == model.KindString {
			return string([]rune(x)[:min(n, len([]rune(x)))])
		}
	case json.Number:
		limit := map[string]string{"smallint": "32767", "integer": "2147483647"}[c.Native]
		if n := rat(x.String()); limit != "" && n != nil && n.Cmp(rat(limit)) > 0 {
			return json.Number(limit)
		} else if limit != "" && n != nil && n.Cmp(rat("-"+limit)) < 0 {
			return json.Number("-" + limit)
		}
	}
	return v
}

// lengthOf is n of character varying(n) and character(n), else 0.
func lengthOf(native string) int {
	if !strings.HasPrefix(native, "char") {
		return 0
	}
	_, rest, ok := strings.Cut(native, "(")
	if !ok || strings.HasSuffix(native, "[]") {
		if native == "character" {
			return 1
		}
		return 0
	}
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// draw chooses a value of a type: mostly one that conditions speak of.
func (g *generator) draw(x slot, t model.Type) model.Value {
	if values := g.slots.values(x, t); len(values) > 0 && !g.chance(4) {
		return pick(g, values)
	}
	values := typical(t)
	if g.chance(3) {
		if near := neighbours(pick(g, values)); len(near) > 0 {
			if v, ok := fit(pick(g, near), t); ok {
				return v
			}
		}
	}
	return pick(g, values)
}

func (g *generator) request() model.Request {
	r := model.Request{Now: g.now}
	apps := []string{"", "no such app"}
	for _, a := range g.p.Apps {
		apps = append(apps, a.Name, a.Name, a.Name)
	}
	r.App = pick(g, apps)
	if len(g.p.Request) > 0 && !g.chance(8) {
		r.Context = map[string]any{}
		for _, a := range g.p.Request {
			g.state(r.Context, a)
		}
	}
	if g.chance(10) {
		return r
	}
	r.User = map[string]any{}
	for _, a := range g.p.Identity.Attributes {
		g.state(r.User, a)
	}
	if len(g.p.Users) > 0 && g.chance(4) {
		key := g.p.Identity.Key
		put(r.User, key.Claim, spelt(g, model.JSON(pick(g, g.p.Users).Key, key.Type, "")))
	}
	g.stateGroups(r.User)
	g.stateLevel(r.User)
	return r
}

func (g *generator) stateGroups(claims map[string]any) {
	switch g.rng.IntN(10) {
	case 0:
	case 1:
		claims["groups"] = pick(g, wrong(model.StringSet))
	default:
		list := []any{}
		for _, v := range g.slots.values(slotGroups, model.String) {
			if g.chance(3) {
				list = append(list, v)
			}
		}
		if g.chance(6) {
			list = append(list, "no such group", nil)
		}
		claims["groups"] = list
	}
}

func (g *generator) stateLevel(claims map[string]any) {
	switch g.rng.IntN(8) {
	case 0:
		claims["access_level"] = pick(g, wrong(model.String))
	case 1:
		claims["access_level"] = pick(g, []any{nil, "no such level", "User", "user "})
	case 2, 3:
	default:
		claims["access_level"] = pick(g, g.p.Levels).Name
	}
}

// state puts a value for an attribute at its claim path, or leaves it out.
func (g *generator) state(doc map[string]any, a *model.Attribute) {
	switch g.rng.IntN(12) {
	case 0:
		if g.chance(2) {
			put(doc, a.Claim, nil)
		}
		return
	case 1:
		put(doc, a.Claim, pick(g, wrong(a.Type)))
		return
	}
	v := g.draw(a, a.Type)
	put(doc, a.Claim, spelt(g, model.JSON(v, a.Type, "")))
}

// spelt is another spelling of the same value: a UUID's capitals, a number's
// exponent, a time's offset.
func spelt(g *generator, v any) any {
	switch x := v.(type) {
	case string:
		if _, ok := eval.ParseUUID(x); ok && g.chance(2) {
			return strings.ToUpper(x)
		}
		if ts, ok := eval.ParseTimestamp(x); ok && g.chance(2) && ts < model.MaxTimestamp-model.Timestamp(model.Day) && ts > model.MinTimestamp+model.Timestamp(model.Day) {
			moved, _ := model.JSON(ts+model.Timestamp(90*model.Minute), model.TimeType, "timestamp without time zone").(string)
			return moved + "+01:30"
		}
	case json.Number:
		if g.chance(4) && !strings.Contains(x.String(), ".") {
			return json.Number(x.String() + ".0")
		}
	}
	return v
}

// put sets a value at a path of a document, through what is not an object.
func put(doc map[string]any, path []string, v any) {
	for _, step := range path[:len(path)-1] {
		next, ok := doc[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[step] = next
		}
		doc = next
	}
	doc[path[len(path)-1]] = v
}

// aim changes a request so that a policy is likely for it.
func (g *generator) aim(r *model.Request, t *model.PolicyTarget) {
	via := t.Policy.Via
	if via == nil {
		via = t.Table.Datasource.Apps
	}
	if len(via) > 0 {
		app := pick(g, via)
		r.App = app.Name
		g.become(r, app.Users)
	}
	g.become(r, t.Policy.To)
	// The user's part of the condition, on some record.
	record := g.record(t.Table)
	g.solver(t.Table, r, record, true).solve(t.When.Source, true, depthLimit)
}

// become makes the request's user one of the subjects.
func (g *generator) become(r *model.Request, subjects []model.Subject) {
	if len(subjects) == 0 {
		return
	}
	if r.User == nil {
		r.User = map[string]any{}
	}
	switch s := pick(g, subjects).(type) {
	case model.Everyone:
	case model.GroupSubject:
		list, _ := r.User["groups"].([]any)
		member := s.Group.Name
		for _, other := range g.p.Groups {
			if slices.Contains(other.Closure, s.Group.Name) && g.chance(3) {
				member = other.Name
			}
		}
		r.User["groups"] = append(slices.Clone(list), member)
		if r.User["access_level"] != nil {
			r.User["access_level"] = model.LevelUser
		}
	case model.LevelSubject:
		r.User["access_level"] = pick(g, s.Level.AtLeast).Name
	case model.UserSubject:
		key := g.p.Identity.Key
		put(r.User, key.Claim, model.JSON(s.User.Key, key.Type, ""))
	case model.AppSubject:
		r.App = s.App.Name
	}
}
