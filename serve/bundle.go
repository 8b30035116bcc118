package serve

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// bundleType tells OPA that the server knows long polling.
const bundleType = "application/vnd.openpolicyagent.bundles"

// maxWait is how long a request for a bundle may wait for another one.
const maxWait = 5 * time.Minute

// serveBundle answers with the bundle in force, or that it is the one the
// client has. A client that says "Prefer: wait=N" waits up to N seconds for
// another one (OPA's bundle protocol, long polling).
func (s *Server) serveBundle(w http.ResponseWriter, r *http.Request) {
	deadline := time.Now().Add(waitOf(r))
	// Answers of the API must be quick; this one may take as long as it waits.
	_ = http.NewResponseController(w).SetWriteDeadline(deadline.Add(time.Minute))
	timeout := time.NewTimer(time.Until(deadline))
	defer timeout.Stop()
	s.metrics.waiting.Inc()
	defer s.metrics.waiting.Dec()
	for {
		current, changed := s.policies.current()
		if !hasETag(r, current.etag) {
			s.sendBundle(w, current)
			return
		}
		select {
		case <-changed:
			continue
		case <-timeout.C:
		case <-r.Context().Done():
			return
		case <-s.stopping:
		}
		w.Header().Set("Content-Type", bundleType)
		w.Header().Set("ETag", current.etag)
		w.WriteHeader(http.StatusNotModified)
		return
	}
}

func (s *Server) sendBundle(w http.ResponseWriter, b bundle) {
	if b.data == nil {
		http.Error(w, "no bundle is served", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", bundleType)
	w.Header().Set("ETag", b.etag)
	w.Header().Set("Content-Length", strconv.Itoa(len(b.data)))
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(b.data) // a client that is gone asks again
}

// waitOf is the N of "Prefer: modes=snapshot;wait=N", zero without one.
func waitOf(r *http.Request) time.Duration {
	for _, field := range r.Header.Values("Prefer") {
		for _, part := range strings.FieldsFunc(field, func(c rune) bool { return c == ';' || c == ',' }) {
			text, ok := strings.CutPrefix(strings.TrimSpace(part), "wait=")
			if !ok {
				continue
			}
			if n, err := strconv.Atoi(text); err == nil && n > 0 {
				return min(time.Duration(n)*time.Second, maxWait)
			}
		}
	}
	return 0
}

// hasETag reports whether the client has the bundle with this tag already
// (RFC 9110 section 13.1.2; a weak tag is as good).
func hasETag(r *http.Request, etag string) bool {
	for _, field := range r.Header.Values("If-None-Match") {
		for tag := range strings.SplitSeq(field, ",") {
			if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == etag {
				return true
			}
		}
	}
	return false
}
