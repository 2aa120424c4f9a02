package service

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/snapback-io/snapback/eventlog"
)

// metrics are what a Service counts while it runs: once a commit or more
// rarely, never once a mutation.
type metrics struct {
	s *Service

	commits, decisions               prometheus.Counter
	conflicts, unknown, full, voids  prometheus.Counter
	repeats, dropped                 prometheus.Counter
	snapshots, unsnapped             prometheus.Counter
	toQueue, toDecision, toLog, load prometheus.Histogram
}

func newMetrics(s *Service) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "snapback_" + name, Help: help})
	}
	return &metrics{
		s:          s,
		commits:    counter("commits_total", "Commits this node stored in the log."),
		decisions:  counter("decisions_total", "Decisions in the commits this node stored."),
		conflicts:  counter("append_conflicts_total", "Appends refused because the board had moved on: another node, or an earlier try, was faster."),
		unknown:    counter("append_unknown_total", "Appends without an answer, whose outcome was then read from the log."),
		full:       counter("append_full_total", "Appends refused because the log takes no more: its disk is full or broken."),
		voids:      counter("commits_void_total", "Commits of this node that were stored too late to take effect; what they held is decided again."),
		repeats:    counter("repeats_total", "Commands that the log had a verdict for already; it was told again."),
		dropped:    counter("commands_dropped_total", "Commands dropped because too many are undecided; their gateways publish them again."),
		snapshots:  counter("snapshots_total", "Snapshots of boards stored."),
		unsnapped:  counter("snapshots_failed_total", "Snapshots of boards that could not be made or stored."),
		toQueue:    eventlog.StageHistogram(eventlog.StageQueue),
		toDecision: eventlog.StageHistogram(eventlog.StageDecide),
		toLog:      eventlog.StageHistogram(eventlog.StageAppend),
		load: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "snapback_board_load_seconds", Help: "Time to read a board from snapshot and log before anything is decided on it.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
	}
}

// stored observes the stages of a commit's first command, the commit being built
// and stored at these times.
func (m *metrics) stored(f *flight, now time.Time) {
	m.commits.Inc()
	m.decisions.Add(float64(len(f.entries)))
	if first := f.entries[0]; !first.queued.IsZero() {
		eventlog.Observe(m.toQueue, first.cmd.ReceivedAt, first.queued)
		eventlog.Observe(m.toDecision, first.queued, f.built)
	}
	eventlog.Observe(m.toLog, f.built, now)
}

// unsettled counts an append that was neither stored nor refused for good.
func (m *metrics) unsettled(conflict bool) {
	if conflict {
		m.conflicts.Inc()
	} else {
		m.unknown.Inc()
	}
}

func (m *metrics) snapshot(err error) {
	if err != nil {
		m.unsnapped.Inc()
	} else {
		m.snapshots.Inc()
	}
}

// Metrics are what a Service tells of itself, for a registry.
func (s *Service) Metrics() []prometheus.Collector {
	m := s.metrics
	return []prometheus.Collector{
		m.commits, m.decisions, m.conflicts, m.unknown, m.full, m.voids, m.repeats, m.dropped,
		m.snapshots, m.unsnapped, m.toQueue, m.toDecision, m.toLog, m.load, state{s},
	}
}

// state is what is looked up at each scrape.
type state struct{ s *Service }

var (
	descBacklog      = prometheus.NewDesc("snapback_backlog_commands", "Commands taken from the queue and not decided.", nil, nil)
	descBacklogBytes = prometheus.NewDesc("snapback_backlog_bytes", "Memory of the commands taken from the queue and not decided, about.", nil, nil)
	descBoards       = prometheus.NewDesc("snapback_boards_deciding", "Boards with a worker: they have undecided commands, or had some a moment ago.", nil, nil)
	descCached       = prometheus.NewDesc("snapback_boards_cached", "Boards kept in memory for their next command.", []string{"as"}, nil)
	descListings     = prometheus.NewDesc("snapback_directory_pending", "Boards whose entry in the directory of boards is not written yet.", nil, nil)
	descListingsAge  = prometheus.NewDesc("snapback_directory_lag_seconds", "Time since every entry in the directory of boards was written; 0: they are.", nil, nil)
)

// Describe is prometheus.Collector.
func (state) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descBacklog, descBacklogBytes, descBoards, descCached, descListings, descListingsAge} {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (c state) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	s := c.s
	s.mu.Lock()
	commands, bytes, boards := 0, s.backlog, len(s.active)
	for _, w := range s.active {
		commands += w.backlog
	}
	open, packed := s.idle.open.Len(), s.idle.packed.Len()
	s.mu.Unlock()
	gauge(descBacklog, float64(commands))
	gauge(descBacklogBytes, float64(bytes))
	gauge(descBoards, float64(boards))
	gauge(descCached, float64(open), "open")
	gauge(descCached, float64(packed), "packed")
	pending, age := s.directory.lag(s.Now())
	gauge(descListings, float64(pending))
	gauge(descListingsAge, age.Seconds())
}

// lag is how many listings are to be written, and since when any is.
func (d *directory) lag(now time.Time) (pending int, age time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if pending = len(d.pending); pending > 0 {
		age = max(0, now.Sub(d.behind))
	}
	return pending, age
}
