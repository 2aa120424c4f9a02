package eventlog

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

// The stages of a mutation's way to its verdict, in order. Each is observed once
// a commit or record, for its first command that a client waits for.
const (
	StageQueue  = "queue"  // receipt by the gateway to the queue's timestamp
	StageDecide = "decide" // ... to the end of deciding, loading the board included
	StageAppend = "append" // ... to the log's answer that it is stored
	StageTell   = "tell"   // ... to the frames being queued to the connections of a node
)

// StageHistogram is the metric of one stage. The clocks at its two ends may be
// those of two machines.
func StageHistogram(stage string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "snapback_verdict_stage_seconds", Help: "Time of a mutation in each stage of the way to its verdict, one a commit.",
		ConstLabels: prometheus.Labels{"stage": stage},
		Buckets:     []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
}

// Observe adds a stage that took from one time to another; of clocks that
// disagree on the order it took no time.
func Observe(h prometheus.Histogram, from, to time.Time) {
	h.Observe(max(0, to.Sub(from).Seconds()))
}

// counters are what a Log counts while it runs.
type counters struct {
	redelivered prometheus.Counter
	unreadable  prometheus.Counter
	unsent      prometheus.Counter
	discarded   prometheus.Counter
	gained      prometheus.Counter
	lost        prometheus.Counter

	mu      sync.Mutex
	pullers map[int]*puller // by shard, of Commands that run
}

func newCounters() *counters {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "snapback_" + name, Help: help})
	}
	const changes = "snapback_shard_changes_total"
	change := func(to string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{
			Name: changes, Help: "Times this node began, or ceased, to ask for the commands of a shard.", ConstLabels: prometheus.Labels{"change": to},
		})
	}
	return &counters{
		redelivered: counter("redelivered_total", "Messages of commands that the queue delivered to this node again."),
		unreadable:  counter("commands_unreadable_total", "Commands in the queue that could not be read and were dropped."),
		unsent:      counter("commands_unsent_total", "Messages of commands that could not be sent to the queue; they are published again."),
		discarded:   counter("queues_discarded_total", "Queues of commands that this node had made again because nothing came out of them."),
		gained:      change("gained"), lost: change("lost"),
		pullers: make(map[int]*puller),
	}
}

// working says that this node begins, or ceases, to ask for a shard's commands.
func (c *counters) working(p *puller, yes bool) {
	c.mu.Lock()
	if yes {
		c.pullers[p.shard] = p
	} else if c.pullers[p.shard] == p {
		delete(c.pullers, p.shard)
	}
	c.mu.Unlock()
	change, what := c.gained, "shard gained"
	if !yes {
		change, what = c.lost, "shard lost"
	}
	change.Inc()
	level := slog.LevelInfo
	if p.log.cfg.Replicas == 1 { // a node alone has them all
		level = slog.LevelDebug
	}
	p.log.log.Log(context.Background(), level, what, "shard", p.shard)
}

// delivered counts a message that came again.
func (c *counters) delivered(meta *nats.MsgMetadata) {
	if meta.NumDelivered > 1 {
		c.redelivered.Inc()
	}
}

// oldest is when the oldest command was queued that was delivered and is not
// done; zero: there is none.
func (p *puller) oldest() (at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.open {
		if at.IsZero() || b.at.Before(at) {
			at = b.at
		}
	}
	return at
}

// Metrics are what a Log tells of itself, for a registry.
func (l *Log) Metrics() []prometheus.Collector {
	c := l.counts
	return []prometheus.Collector{c.redelivered, c.unreadable, c.unsent, c.discarded, c.gained, c.lost, logState{l}}
}

// logState is what is looked up at each scrape.
type logState struct{ log *Log }

var (
	descOwned      = prometheus.NewDesc("snapback_shard_owned", "1 if this node asks for the commands of the shard.", []string{"shard"}, nil)
	descOldest     = prometheus.NewDesc("snapback_shard_oldest_command_seconds", "Age of the oldest command of the shard that this node has taken and whose verdict is not announced; 0: none.", []string{"shard"}, nil)
	descConnected  = prometheus.NewDesc("snapback_log_connected", "1 if the connection to the NATS server is there.", []string{"connection"}, nil)
	descReconnects = prometheus.NewDesc("snapback_log_reconnects_total", "Times the connection to the NATS server was made again.", []string{"connection"}, nil)
	descWritable   = prometheus.NewDesc("snapback_log_writable", "1 if the log takes writes as far as this node knows, 0 if it is full.", nil, nil)
	descLeaders    = prometheus.NewDesc("snapback_leaders", "Streams and consumers that the server in this node leads for all nodes.", []string{"of"}, nil)
	descHeadsAge   = prometheus.NewDesc("snapback_heads_checked_age_seconds", "Time since the leader of a shard with watched boards last told how far it is, of the shard where that is longest ago.", nil, nil)
)

// Describe is prometheus.Collector.
func (logState) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descOwned, descOldest, descConnected, descReconnects, descWritable, descLeaders, descHeadsAge} {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (s logState) Collect(ch chan<- prometheus.Metric) {
	l := s.log
	now := time.Now()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for shard := range l.shards {
		l.counts.mu.Lock()
		p := l.counts.pullers[shard]
		l.counts.mu.Unlock()
		age := 0.0
		if p != nil {
			if at := p.oldest(); !at.IsZero() {
				age = max(0, now.Sub(at).Seconds())
			}
		}
		label := strconv.Itoa(shard)
		gauge(descOwned, truth(p != nil), label)
		gauge(descOldest, age, label)
	}
	for _, c := range []struct {
		name string
		conn *nats.Conn
	}{{"write", l.write}, {"live", l.live}, {"bulk", l.bulk}} {
		gauge(descConnected, truth(c.conn.IsConnected()), c.name)
		ch <- prometheus.MustNewConstMetric(descReconnects, prometheus.CounterValue, float64(c.conn.Stats().Reconnects), c.name)
	}
	gauge(descWritable, truth(l.Writes() == nil))
	if server, ok := l.cfg.InProcess.(interface {
		Leads() (streams, consumers int)
	}); ok && l.replicated() {
		streams, consumers := server.Leads()
		gauge(descLeaders, float64(streams), "streams")
		gauge(descLeaders, float64(consumers), "consumers")
	}
	gauge(descHeadsAge, l.watches.unchecked(now).Seconds())
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// unchecked is for how long the longest no leader has told how far a shard is
// that has watched boards.
func (ws *watches) unchecked(now time.Time) (longest time.Duration) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for shard, set := range ws.sets {
		if len(set) > 0 && !ws.checked[shard].IsZero() {
			longest = max(longest, now.Sub(ws.checked[shard]))
		}
	}
	return longest
}
