package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/postern-dev/postern/backends/jsondoc/engine"
)

// metrics are what Prometheus is told. Labels hold names of endpoints and
// results alone, so that no client can make series.
type metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec   // endpoint, decision
	requests  *prometheus.HistogramVec // endpoint, code; seconds
	reloads   *prometheus.CounterVec   // result
	lastGood  prometheus.Gauge
	loadedAt  prometheus.Gauge
	info      *prometheus.GaugeVec // project, revision, digest
	waiting   prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "postern_decisions_total", Help: "Decisions made, by endpoint and by what they said: allow, deny or error.",
		}, []string{"endpoint", "decision"}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "postern_request_duration_seconds", Help: "How long requests took.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .1, .5, 1, 5},
		}, []string{"endpoint", "code"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "postern_policy_reloads_total", Help: "Times the policies were loaded, by result: ok or error.",
		}, []string{"result"}),
		lastGood: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "postern_policy_last_reload_successful", Help: "1 when the policies in force are those of the source, 0 when the source has errors.",
		}),
		loadedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "postern_policy_loaded_timestamp_seconds", Help: "When the policies in force were loaded.",
		}),
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "postern_policy_info", Help: "The policies in force: their project, git revision and the SHA-256 of the document.",
		}, []string{"project", "revision", "digest"}),
	}
	m.waiting = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "postern_bundle_waiting", Help: "Clients that wait for another bundle than they have.",
	})
	m.registry.MustRegister(m.waiting, m.decisions, m.requests, m.reloads, m.lastGood, m.loadedAt, m.info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) reloaded(ok bool) {
	result, good := "error", 0.0
	if ok {
		result, good = "ok", 1.0
	}
	m.reloads.WithLabelValues(result).Inc()
	m.lastGood.Set(good)
}

func (m *metrics) inForce(e *engine.Engine, document []byte) {
	sum := sha256.Sum256(document)
	m.info.Reset()
	m.info.WithLabelValues(e.Project(), e.Revision(), hex.EncodeToString(sum[:])).Set(1)
	m.loadedAt.SetToCurrentTime()
}

func (m *metrics) decided(endpoint string, allowed, failed bool) {
	said := "deny"
	switch {
	case failed:
		said = "error"
	case allowed:
		said = "allow"
	}
	m.decisions.WithLabelValues(endpoint, said).Inc()
}

func (m *metrics) answered(endpoint string, code int, took time.Duration) {
	m.requests.WithLabelValues(endpoint, strconv.Itoa(code)).Observe(took.Seconds())
}
