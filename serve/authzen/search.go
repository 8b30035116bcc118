package authzen

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
)

// found is the answer of a search.
type found struct {
	Page    *nextPage `json:"page,omitempty"`
	Results []any     `json:"results"`
}

type nextPage struct {
	NextToken string `json:"next_token"`
	Count     int    `json:"count"`
}

type foundEntity struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type foundAction struct {
	Name string `json:"name"`
}

// searchAction finds the actions that the subject may do to the resource: a
// create of it as a new record, an edit that changes nothing.
func (x *exchange) searchAction(doc map[string]any) (any, error) {
	start := time.Now()
	a, err := parse(doc, nil, "", needs{subjectID: true, resourceID: true})
	if err != nil {
		return nil, err
	}
	out := found{Results: []any{}}
	err = x.eachAction(&a, func(name string) { out.Results = append(out.Results, foundAction{name}) })
	return x.searched(&a, "search_action", start, out, err)
}

func (x *exchange) eachAction(a *ask, may func(string)) error {
	request, err := x.who(a, "")
	if err != nil {
		return err
	}
	t, err := table(x.engine, a.resource.typ, "resource.type")
	if err != nil {
		return err
	}
	record, err := x.record(t, a.resource, "resource")
	if err != nil {
		return err
	}
	if !x.mayUse(t, request) {
		return nil
	}
	s := x.engine.Session(request)
	for _, name := range t.Source().Actions {
		q, err := question(t, action{name: name}, record, "")
		if err != nil {
			return err
		}
		if s.Decide(q) {
			may(name)
		}
	}
	return nil
}

// searched tells of a search, and makes an empty answer of one for what the
// project does not have.
func (x *exchange) searched(a *ask, endpoint string, start time.Time, out found, err error) (any, error) {
	d := a.observed(x.engine, endpoint)
	d.Duration = time.Since(start)
	if err != nil {
		_, d.Error = problemOf(err)
	}
	d.Results = len(out.Results)
	if x.Observe != nil {
		x.Observe(x.request, d)
	}
	return out, err
}

// cursor is where a search goes on, in its token.
type cursor struct {
	After string `json:"a"`
	Query string `json:"q"` // hash of what was asked
}

// fingerprint is what must stay the same from page to page.
func fingerprint(doc map[string]any) (string, error) {
	asked := map[string]any{}
	for _, name := range []string{"subject", "action", "resource", "context"} {
		asked[name] = doc[name]
	}
	if p, ok := doc["page"].(map[string]any); ok {
		asked["limit"] = p["limit"]
	}
	data, err := json.Marshal(asked)
	if err != nil {
		return "", fmt.Errorf("page: %w", err)
	}
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:12]), nil
}

func (p page) after(query string) (string, error) {
	if p.token == "" {
		return "", nil
	}
	var c cursor
	data, err := base64.RawURLEncoding.DecodeString(p.token)
	if err != nil || json.Unmarshal(data, &c) != nil {
		return "", badRequest("page.token", "is not one that a search gave")
	}
	if c.Query != query {
		return "", badRequest("page.token", "is of another search: all but the token must stay as it was")
	}
	return c.After, nil
}

func token(after, query string) (string, error) {
	data, err := json.Marshal(cursor{After: after, Query: query})
	if err != nil {
		return "", fmt.Errorf("page: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

// scan is one search over candidates in the order of their ids.
type scan struct {
	page  page
	query string
	after string
}

func newScan(doc map[string]any) (scan, error) {
	p, err := parsePage(doc["page"])
	if err != nil {
		return scan{}, err
	}
	query, err := fingerprint(doc)
	if err != nil {
		return scan{}, err
	}
	after, err := p.after(query)
	return scan{page: p, query: query, after: after}, err
}

// done is the answer; more says that the search goes on after the last
// candidate.
func (s *scan) done(results []any, last string, more bool) (found, error) {
	out := found{Results: results}
	if !more && !s.page.asked {
		return out, nil
	}
	out.Page = &nextPage{Count: len(results)}
	var err error
	if more {
		out.Page.NextToken, err = token(last, s.query)
	}
	return out, err
}

// searchSubject finds the users of the project's directory who may do the
// action. Users whom only claims tell of are not known to the project.
func (x *exchange) searchSubject(doc map[string]any) (any, error) {
	start := time.Now()
	a, err := parse(doc, nil, "", needs{resourceID: true, action: true})
	if err != nil {
		return nil, err
	}
	s, err := newScan(doc)
	if err != nil {
		return nil, err
	}
	out, err := x.subjects(&a, &s)
	return x.searched(&a, "search_subject", start, out, err)
}

func (x *exchange) subjects(a *ask, s *scan) (found, error) {
	if a.subject.typ != userType {
		return found{Results: []any{}}, notFound("subject.type", fmt.Sprintf("subjects of type %q cannot be searched: only %q", a.subject.typ, userType))
	}
	t, err := table(x.engine, a.resource.typ, "resource.type")
	if err != nil {
		return found{Results: []any{}}, err
	}
	if _, err := question(t, a.action, nil, ""); err != nil {
		return found{Results: []any{}}, err
	}
	record, err := x.record(t, a.resource, "resource")
	if err != nil {
		return found{Results: []any{}}, err
	}
	results, last := []any{}, ""
	for _, u := range x.engine.Document().Directory { // sorted by name
		if u.Name <= s.after {
			continue
		}
		if len(results) == s.page.limit {
			return s.done(results, last, true)
		}
		last = u.Name
		id := entity{typ: userType, id: valueText(&u.Key), properties: a.subject.properties}
		one := *a
		one.subject = id
		request, err := x.who(&one, "")
		if err != nil {
			return found{Results: []any{}}, err
		}
		q, err := question(t, a.action, record, "")
		if err != nil {
			return found{Results: []any{}}, err
		}
		if x.mayUse(t, request) && x.engine.Decide(request, q) {
			results = append(results, foundEntity{userType, id.id})
		}
	}
	return s.done(results, last, false)
}

func valueText(v *document.Value) string {
	if v.Text == nil {
		return ""
	}
	return *v.Text
}

// searchResource finds the records that the subject may do the action to. It
// needs a datasource whose records can be looked up.
func (x *exchange) searchResource(doc map[string]any) (any, error) {
	start := time.Now()
	a, err := parse(doc, nil, "", needs{subjectID: true, action: true})
	if err != nil {
		return nil, err
	}
	s, err := newScan(doc)
	if err != nil {
		return nil, err
	}
	out, err := x.resources(&a, &s)
	return x.searched(&a, "search_resource", start, out, err)
}

// chunk is how many records a search reads at once, and maxScanned how many it
// reads for one page; a page may hold less than its limit and yet go on.
const (
	chunk      = 500
	maxScanned = 10_000
)

func (x *exchange) resources(a *ask, s *scan) (found, error) {
	none := found{Results: []any{}}
	t, err := table(x.engine, a.resource.typ, "resource.type")
	if err != nil {
		return none, err
	}
	if !hasAction(t, a.action.name) || a.action.name == "create" {
		return none, notFound("action.name", fmt.Sprintf("no record of %s.%s can be searched for the action %q", t.Datasource(), t.Name(), a.action.name))
	}
	if x.records == nil || !x.records.Has(t) {
		return none, &requestError{status: http.StatusNotImplemented, message: fmt.Sprintf(
			"the records of %s.%s cannot be searched: this server does not look them up (--records)", t.Datasource(), t.Name())}
	}
	request, err := x.who(a, "")
	if err != nil {
		return none, err
	}
	if !x.mayUse(t, request) {
		return none, nil
	}
	session := x.engine.Session(request)
	results, after := []any{}, s.after
	for scanned := 0; ; {
		list, err := x.records.List(x.request.Context(), t, after, chunk)
		if err != nil {
			return none, err
		}
		for _, candidate := range list {
			if len(results) == s.page.limit || scanned == maxScanned {
				return s.done(results, after, true)
			}
			scanned++
			after = candidate.ID
			q := &engine.Question{Datasource: t.Datasource(), Table: t.Name(), Action: a.action.name, Old: candidate.Record}
			if session.Decide(q) {
				results = append(results, foundEntity{a.resource.typ, candidate.ID})
			}
		}
		if len(list) < chunk {
			return s.done(results, after, false)
		}
	}
}

// metadata is the decision point's description of itself.
func (h *Handler) metadata(w http.ResponseWriter, r *http.Request) {
	base := strings.TrimSuffix(h.URL, "/")
	if base == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		base = scheme + "://" + r.Host
	}
	doc := map[string]string{
		"policy_decision_point": base, "access_evaluation_endpoint": base + EvaluationPath, "access_evaluations_endpoint": base + EvaluationsPath,
		"search_subject_endpoint": base + SearchSubjectPath, "search_action_endpoint": base + SearchActionPath,
	}
	if _, records := h.Policies(); records != nil {
		doc["search_resource_endpoint"] = base + SearchResourcePath
	}
	writeJSON(w, doc)
}
