package authzen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/engine"
)

// The paths of the API, as the standard has them by default.
const (
	EvaluationPath     = "/access/v1/evaluation"
	EvaluationsPath    = "/access/v1/evaluations"
	SearchSubjectPath  = "/access/v1/search/subject"
	SearchResourcePath = "/access/v1/search/resource"
	SearchActionPath   = "/access/v1/search/action"
	MetadataPath       = "/.well-known/authzen-configuration"
)

// MaxEvaluations is how many evaluations one request may hold.
const MaxEvaluations = 1000

// Handler answers the API's requests.
type Handler struct {
	// Policies is the engine that decides now, and what finds its records by
	// id; nil: requests carry their records. It is asked once a request.
	Policies func() (*engine.Engine, Records)
	// Observe is told of every decision and search; nil: nobody is.
	Observe func(*http.Request, *Decision)
	// Reasons has Observe told which policies and guards decided; each
	// decision is explained for it, which takes longer.
	Reasons bool
	// URL is the address of the decision point in its metadata; "": the
	// address that a request was sent to.
	URL string
	// Now is the clock; nil: the system's.
	Now func() time.Time
	// Log is told of errors that are not the client's; nil: the default.
	Log *slog.Logger
}

// Decision is one answer, as the decision log holds it. Properties are never
// part of it, so that nothing of a record but its id is.
type Decision struct {
	Endpoint                 string // "evaluation", "evaluations", "search_subject", ...
	Engine                   *engine.Engine
	SubjectType, SubjectID   string
	Action                   string
	ResourceType, ResourceID string
	Allowed                  bool
	Results                  int    // of a search
	Error                    string // why a decision could not be made; it is then a denial
	App                      string
	Duration                 time.Duration
	// Policies are those that grant what is allowed, Guards those that refuse
	// what is not; with Handler.Reasons alone, and none where it is neither.
	Policies, Guards []string
}

func (h *Handler) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}

// Register adds the API's paths to a mux.
func (h *Handler) Register(mux *http.ServeMux) {
	for path, answer := range map[string]answerer{
		EvaluationPath: (*exchange).evaluation, EvaluationsPath: (*exchange).evaluations,
		SearchSubjectPath: (*exchange).searchSubject, SearchResourcePath: (*exchange).searchResource, SearchActionPath: (*exchange).searchAction,
	} {
		mux.HandleFunc("POST "+path, h.post(answer))
	}
	mux.HandleFunc("GET "+MetadataPath, h.metadata)
}

// exchange is one request, with the policies in force when it came.
type exchange struct {
	*Handler
	request *http.Request
	engine  *engine.Engine
	records Records
}

// answerer answers one request's body.
type answerer func(*exchange, map[string]any) (any, error)

func (h *Handler) post(answer answerer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := h.answer(r, answer)
		if err == nil {
			writeJSON(w, out)
			return
		}
		status, message := problemOf(err)
		if status == http.StatusInternalServerError {
			h.log().ErrorContext(r.Context(), "a request failed", "path", r.URL.Path, "error", err)
		}
		http.Error(w, message, status)
	}
}

func (h *Handler) log() *slog.Logger {
	if h.Log == nil {
		return slog.Default()
	}
	return h.Log
}

func (h *Handler) answer(r *http.Request, answer answerer) (any, error) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, &requestError{status: http.StatusUnsupportedMediaType, message: "the Content-Type must be application/json"}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	doc, err := decode(body)
	if err != nil {
		return nil, err
	}
	e, records := h.Policies()
	return answer(&exchange{Handler: h, request: r, engine: e, records: records}, doc)
}

// problemOf is the status and the message of an error; what is not the
// client's fault says no more than that.
func problemOf(err error) (int, string) {
	var own *requestError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &own):
		return own.status, own.Error()
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", large.Limit)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusServiceUnavailable, "the request took too long"
	}
	return http.StatusInternalServerError, "the decision point failed; its log says why"
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the client may be gone; nothing is left to do then
}

// result is a decision as the API writes it.
type result struct {
	Decision bool     `json:"decision"`
	Context  *details `json:"context,omitempty"`
}

// details are what a decision tells besides.
type details struct {
	Error       *problem            `json:"error,omitempty"`
	Explanation *engine.Explanation `json:"explanation,omitempty"`
}

type problem struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// evaluation answers one evaluation. What the project does not have (a type,
// an action, a record) is a denial that says so.
func (x *exchange) evaluation(doc map[string]any) (any, error) {
	a, err := parse(doc, nil, "", needs{true, true, true})
	if err != nil {
		return nil, err
	}
	return x.one(&a, "evaluation", "")
}

// one decides; the error is one of the request as a whole.
func (x *exchange) one(a *ask, endpoint, path string) (result, error) {
	start := time.Now()
	d := a.observed(x.engine, endpoint)
	out, err := x.decide(a, path, d)
	var own *requestError
	if errors.As(err, &own) && own.status == http.StatusNotFound {
		out, err = result{Context: &details{Error: &problem{own.status, own.Error()}}}, nil
	}
	if x.Observe == nil {
		return out, err
	}
	d.Allowed, d.Duration = out.Decision, time.Since(start)
	switch {
	case err != nil:
		_, d.Error = problemOf(err)
	case out.Context != nil && out.Context.Error != nil:
		d.Error = out.Context.Error.Message
	}
	x.Observe(x.request, d)
	return out, err
}

func (a *ask) observed(e *engine.Engine, endpoint string) *Decision {
	app, _ := a.context["app"].(string)
	return &Decision{
		Endpoint: endpoint, Engine: e, SubjectType: a.subject.typ, SubjectID: a.subject.id, Action: a.action.name,
		ResourceType: a.resource.typ, ResourceID: a.resource.id, App: app,
	}
}

// decide answers, and tells d who decided if that is wanted.
func (x *exchange) decide(a *ask, path string, d *Decision) (result, error) {
	request, err := x.who(a, path)
	if err != nil {
		return result{}, err
	}
	t, err := table(x.engine, a.resource.typ, path+"resource.type")
	if err != nil {
		return result{}, err
	}
	doc, err := x.record(t, a.resource, path+"resource")
	if err != nil {
		return result{}, err
	}
	q, err := question(t, a.action, doc, path)
	if err != nil {
		return result{}, err
	}
	if !x.mayUse(t, request) {
		return result{Context: &details{Explanation: &engine.Explanation{Reason: fmt.Sprintf("The user may not use the app %q.", request.App)}}}, nil
	}
	shown := x.request.URL.RawQuery != "" && x.request.URL.Query().Has("explain")
	if !shown && !x.Reasons {
		return result{Decision: x.engine.Decide(request, q)}, nil
	}
	why := x.engine.Explain(request, q)
	d.Policies, d.Guards = deciders(&why)
	if !shown {
		return result{Decision: why.Allowed}, nil
	}
	return result{Decision: why.Allowed, Context: &details{Explanation: &why}}, nil
}

// deciders are the policies that grant what is allowed, or the guards that refuse
// what is not.
func deciders(why *engine.Explanation) (policies, guards []string) {
	add := func(list []string, name string) []string {
		if slices.Contains(list, name) {
			return list
		}
		return append(list, name)
	}
	for _, c := range why.Checks {
		for _, p := range c.Policies {
			if p.Grants && why.Allowed {
				policies = add(policies, p.Name)
			}
		}
		for _, g := range c.Guards {
			if !g.Passes {
				guards = add(guards, g.Name)
			}
		}
	}
	return policies, guards
}

// batch is the answer of evaluations.
type batch struct {
	Evaluations []result `json:"evaluations"`
}

// evaluations answers several evaluations that may share their parts. Without
// any it is an evaluation.
func (x *exchange) evaluations(doc map[string]any) (any, error) {
	list, ok := doc["evaluations"].([]any)
	if !ok && doc["evaluations"] != nil {
		return nil, badRequest("evaluations", "must be an array, not "+kind(doc["evaluations"]))
	}
	if len(list) == 0 {
		return x.evaluation(doc)
	}
	if len(list) > MaxEvaluations {
		return nil, badRequest("evaluations", fmt.Sprintf("are more than %d", MaxEvaluations))
	}
	until, err := semantic(doc)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"subject", "action", "resource", "context"} {
		if _, err := optionalObject(doc[name], name); err != nil {
			return nil, err
		}
	}
	out := batch{Evaluations: make([]result, 0, len(list))}
	for i, item := range list {
		one, err := x.member(doc, item, i)
		if err != nil {
			return nil, err
		}
		out.Evaluations = append(out.Evaluations, one)
		if until == untilDeny && !one.Decision || until == untilPermit && one.Decision {
			break
		}
	}
	return out, nil
}

// member answers one of several evaluations; what is wrong with it alone is a
// denial that says so.
func (x *exchange) member(defaults map[string]any, item any, number int) (result, error) {
	if err := x.request.Context().Err(); err != nil {
		return result{}, fmt.Errorf("evaluate: %w", err)
	}
	path := fmt.Sprintf("evaluations[%d].", number)
	own, err := requiredObject(item, path[:len(path)-1])
	var a ask
	if err == nil {
		a, err = parse(own, defaults, path, needs{true, true, true})
	}
	var out result
	if err == nil {
		out, err = x.one(&a, "evaluations", path)
	}
	var bad *requestError
	if errors.As(err, &bad) {
		return result{Context: &details{Error: &problem{bad.status, bad.Error()}}}, nil
	}
	return out, err
}

// isJSON reports whether a media type is application/json; its parameters do
// not matter, for JSON is UTF-8 (RFC 8259 section 8.1).
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}
