package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/serve/authzen"
)

// logLine is one decision in the decision log. Properties of subjects and
// records are never in it.
type logLine struct {
	Time      string    `json:"time"`
	RequestID string    `json:"request_id,omitempty"`
	Client    string    `json:"client,omitempty"` // the name in the client's certificate
	Endpoint  string    `json:"endpoint"`
	Project   string    `json:"project"`
	Revision  string    `json:"revision,omitempty"`
	Subject   logEntity `json:"subject"`
	App       string    `json:"app,omitempty"`
	Action    string    `json:"action,omitempty"`
	Resource  logEntity `json:"resource"`
	Decision  *bool     `json:"decision,omitempty"` // of evaluations
	Policies  []string  `json:"policies,omitempty"` // that grant, if the log holds them
	Guards    []string  `json:"guards,omitempty"`   // that refuse
	Results   *int      `json:"results,omitempty"`  // of searches
	Error     string    `json:"error,omitempty"`
	Micros    int64     `json:"duration_us"`
}

type logEntity struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
}

// decisionLog writes a line for each decision.
type decisionLog struct {
	mu  sync.Mutex
	out *json.Encoder
	log *slog.Logger
}

func newDecisionLog(w io.Writer, log *slog.Logger) *decisionLog {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &decisionLog{out: enc, log: log}
}

func (l *decisionLog) write(r *http.Request, d *authzen.Decision) {
	line := logLine{
		Time: time.Now().UTC().Format(time.RFC3339Nano), RequestID: r.Header.Get(requestID), Client: clientName(r),
		Endpoint: d.Endpoint, Project: d.Engine.Project(), Revision: d.Engine.Revision(),
		Subject: logEntity{d.SubjectType, d.SubjectID}, App: d.App, Action: d.Action,
		Resource: logEntity{d.ResourceType, shownID(d.Engine, d.ResourceType, d.ResourceID)},
		Policies: d.Policies, Guards: d.Guards, Error: d.Error, Micros: d.Duration.Microseconds(),
	}
	if strings.HasPrefix(d.Endpoint, "search_") {
		line.Results = &d.Results
	} else {
		line.Decision = &d.Allowed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.out.Encode(line); err != nil {
		l.log.Error("the decision log cannot be written", "error", err)
	}
}

func clientName(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return ""
	}
	return r.TLS.PeerCertificates[0].Subject.CommonName
}

// shownID is a record's id as the log may hold it: of a table that masks a
// column of its primary key, only a hash, so that lines of one record can still
// be told.
func shownID(e *engine.Engine, typ, id string) string {
	if id == "" || !masksKey(e.Document(), typ) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func masksKey(d *document.Document, typ string) bool {
	for i := range d.Masks {
		for _, target := range d.Masks[i].Targets {
			for _, ref := range target.Tables {
				if typ != ref.Table && typ != ref.Datasource+"."+ref.Table {
					continue
				}
				for j := range d.Tables {
					t := &d.Tables[j]
					if t.Name == ref.Table && t.Datasource == ref.Datasource && slices.ContainsFunc(target.Columns, func(c string) bool {
						return slices.Contains(t.PrimaryKey, c)
					}) {
						return true
					}
				}
			}
		}
	}
	return false
}
