package gateway

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// metrics are what /metrics shows, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry
	verdicts *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	told     prometheus.Histogram // the last stage
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
			Name: "snapback_verdict_seconds", Help: "Time from a mutation's receipt to its verdict, at this node; the stages are in snapback_verdict_stage_seconds.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"via"}),
		told: eventlog.StageHistogram(eventlog.StageTell),
	}
	m.socketAcks, m.socketLatency = m.verdicts.WithLabelValues(viaSocket, outcomeAck), m.latency.WithLabelValues(viaSocket)
	m.registry.MustRegister(m.verdicts, m.latency, m.told, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
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

// recordTold observes the last stage of a record that somebody waited for here,
// stored being when its worker knew that it was.
func (m *metrics) recordTold(stored, now time.Time) { eventlog.Observe(m.told, stored, now) }

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
	value func(counters) float64
}

func newTotals(read func() counters) *totals {
	t := &totals{counters: read}
	const gauge, count = prometheus.GaugeValue, prometheus.CounterValue
	add := func(name, help string, kind prometheus.ValueType, value func(counters) int64) {
		t.metrics = append(t.metrics, total{prometheus.NewDesc("snapback_"+name, help, nil, nil), kind, func(c counters) float64 { return float64(value(c)) }})
	}
	seconds := func(name, help string, value func(counters) time.Duration) {
		t.metrics = append(t.metrics, total{prometheus.NewDesc("snapback_"+name, help, nil, nil), gauge, func(c counters) float64 { return value(c).Seconds() }})
	}
	add("boards_watched", "Boards held in memory because somebody watches or asks.", gauge, func(c counters) int64 { return c.Boards })
	add("connections", "Open WebSocket sessions.", gauge, func(c counters) int64 { return c.Sessions })
	add("connections_lagging", "Sessions that have fallen behind and are being brought up to date.", gauge, func(c counters) int64 { return c.Lagging })
	add("mutations_in_flight", "Mutations this node owns that have no verdict yet.", gauge, func(c counters) int64 { return c.InFlight })
	seconds("mutation_oldest_seconds", "Age of the oldest mutation that somebody waits for at this node; 0: none.", func(c counters) time.Duration { return c.Oldest })
	seconds("views_behind_seconds", "For how long the view of a watched board has not had what it heard of, of the board where that is longest; 0: every view is current.", func(c counters) time.Duration { return c.Behind })
	add("views_behind_records", "Records that a view of a watched board has heard of and not taken in, of the board with the most.", gauge, func(c counters) int64 { return c.BehindRecords })
	add("views_behind", "Watched boards whose view has been behind for more than a second.", gauge, func(c counters) int64 { return c.BehindBoards })
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
		ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(now))
	}
}
