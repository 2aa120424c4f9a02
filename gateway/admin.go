package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/snapback-io/snapback/domain"
)

// readyTimeout is how long /readyz waits for the log.
const readyTimeout = 2 * time.Second

// AdminHandler serves /healthz, /readyz, /metrics, /restore and /rebuild.
func (s *Server) AdminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/healthz", apiHeaders(methods{"GET": func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	}}))
	mux.Handle("/readyz", apiHeaders(methods{"GET": s.readyz}))
	mux.Handle("/restore", apiHeaders(methods{"POST": operator(s.restoreBoard)}))
	mux.Handle("/metrics", methods{"GET": promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP})
	if s.cfg.Rebuild != nil {
		mux.Handle("/rebuild", apiHeaders(methods{"POST": operator(s.rebuild)}))
	}
	mux.Handle("/", apiHeaders(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, notFound()) })))
	return mux
}

// operator keeps browsers out: the page of any site may post to this machine's
// loopback interface, and whoever opened it has no business here. Every browser
// says with a POST where the page is from.
func operator(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
			writeProblem(w, problem{code: domain.Forbidden, reason: "not for browsers"})
			return
		}
		h(w, r)
	}
}

// readiness is the answer of /readyz; `sync` says how durable an ack is.
type readiness struct {
	Ready    bool   `json:"ready"`
	Draining bool   `json:"draining"`
	Log      string `json:"log"`   // "ok" or what is wrong
	Rooms    string `json:"rooms"` // "ok" or what is wrong
	// Writes is "ok", or why the log cannot be written to here or anywhere. A node
	// is ready all the same: people read on, and are told to try again.
	Writes string `json:"writes"`
	Sync   string `json:"sync"`
	Epoch  string `json:"epoch"`
	// Checkpoints is "ok", or what the log contradicts: people go on working, but
	// nothing of that shard is signed any more.
	Checkpoints string `json:"checkpoints"`
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	a := readiness{Draining: s.draining.Load(), Log: "ok", Rooms: "ok", Writes: "ok", Sync: s.cfg.Sync, Epoch: s.store.Epoch(), Checkpoints: s.notaryState()}
	if err := s.store.Healthy(ctx); err != nil {
		a.Log = err.Error()
	}
	if s.hubs != nil && !a.Draining {
		if err := s.hubs.ready(); err != nil {
			a.Rooms = err.Error()
		}
	}
	if l, ok := s.store.(interface{ Writes() error }); ok {
		if err := l.Writes(); err != nil {
			a.Writes = err.Error()
		}
	}
	a.Ready = !a.Draining && a.Log == "ok" && a.Rooms == "ok"
	status := http.StatusOK
	if !a.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, a)
}

// metrics are what /metrics shows, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry
	verdicts *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	// The commonest of them, at hand.
	socketAcks    prometheus.Counter
	socketLatency prometheus.Observer
}

// The ways a mutation comes by and the outcome that is no code.
const (
	viaHTTP    = "http"
	viaSocket  = "socket"
	outcomeAck = "ack"
)

// newMetrics reads the hubs' totals from counters at each scrape; nil: none.
func newMetrics(counters func() counters) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "snapback_verdicts_total", Help: "Answers to mutations by outcome: ack, or the code of the refusal.",
		}, []string{"via", "outcome"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "snapback_verdict_seconds", Help: "Time from a mutation's receipt to its verdict.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"via"}),
	}
	m.socketAcks, m.socketLatency = m.verdicts.WithLabelValues(viaSocket, outcomeAck), m.latency.WithLabelValues(viaSocket)
	m.registry.MustRegister(m.verdicts, m.latency, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if counters != nil {
		m.registry.MustRegister(newTotals(counters))
	}
	return m
}

// verdict counts one that the log gave.
func (m *metrics) verdict(via, outcome string, took time.Duration) {
	m.verdicts.WithLabelValues(via, outcome).Inc()
	m.latency.WithLabelValues(via).Observe(took.Seconds())
}

// socketVerdict counts one that a socket was sent.
func (m *metrics) socketVerdict(outcome string, took time.Duration) {
	if outcome == outcomeAck {
		m.socketAcks.Inc()
	} else {
		m.verdicts.WithLabelValues(viaSocket, outcome).Inc()
	}
	m.socketLatency.Observe(took.Seconds())
}

// decided counts how a mutation over HTTP ended.
func (m *metrics) decided(v domain.Verdict, err error, took time.Duration) {
	var p problem
	var retry *retryError
	switch {
	case err == nil && v.Rejection == nil:
		m.verdict(viaHTTP, outcomeAck, took)
	case err == nil:
		m.verdict(viaHTTP, string(v.Rejection.Code), took)
	case errors.As(err, &p):
		m.verdicts.WithLabelValues(viaHTTP, string(p.code)).Inc()
	case errors.As(err, &retry):
		m.verdicts.WithLabelValues(viaHTTP, string(retry.code)).Inc()
	}
}

// totals turns the hubs' counters into metrics.
type totals struct {
	counters func() counters
	metrics  []total
}

type total struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(counters) int64
}

func newTotals(read func() counters) *totals {
	t := &totals{counters: read}
	add := func(name, help string, kind prometheus.ValueType, value func(counters) int64) {
		t.metrics = append(t.metrics, total{prometheus.NewDesc("snapback_"+name, help, nil, nil), kind, value})
	}
	const gauge, count = prometheus.GaugeValue, prometheus.CounterValue
	add("boards_watched", "Boards held in memory because somebody watches or asks.", gauge, func(c counters) int64 { return c.Boards })
	add("connections", "Open WebSocket sessions.", gauge, func(c counters) int64 { return c.Sessions })
	add("mutations_in_flight", "Mutations this node owns that have no verdict yet.", gauge, func(c counters) int64 { return c.InFlight })
	add("mutations_total", "Mutations received.", count, func(c counters) int64 { return c.Mutations })
	add("acks_total", "Acks sent.", count, func(c counters) int64 { return c.Acks })
	add("nacks_total", "Final nacks sent.", count, func(c counters) int64 { return c.Nacks })
	add("pushed_back_total", "Retryable nacks sent.", count, func(c counters) int64 { return c.Retryable })
	add("lags_total", "Times a connection fell behind.", count, func(c counters) int64 { return c.Lags })
	add("republished_total", "Commands published again because no verdict came.", count, func(c counters) int64 { return c.Republished })
	add("syncs_total", "Sync frames sent.", count, func(c counters) int64 { return c.Syncs })
	add("presences_total", "Presence frames sent.", count, func(c counters) int64 { return c.Presences })
	add("broken_frames_total", "Frames that made no sense.", count, func(c counters) int64 { return c.Broken })
	add("socket_writes_total", "Writes to sockets, each of many frames under load.", count, func(c counters) int64 { return c.Writes })
	return t
}

// Describe is prometheus.Collector.
func (t *totals) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range t.metrics {
		ch <- m.desc
	}
}

// Collect is prometheus.Collector.
func (t *totals) Collect(ch chan<- prometheus.Metric) {
	now := t.counters()
	for _, m := range t.metrics {
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, float64(m.value(now)))
	}
}
