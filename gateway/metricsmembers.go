package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/snapback-io/snapback/eventlog"
)

// Members is what a Server needs of an [eventlog.Members].
type Members interface {
	Present() (list []eventlog.Member, settled bool, next <-chan struct{})
	Astray() (astray bool, ahead time.Duration)
}

// memberMetrics shows the nodes that this one hears. Series are by node: a
// cluster has few.
type memberMetrics struct{ members Members }

var (
	descMembers = prometheus.NewDesc("snapback_members", "Nodes that are there as far as this one hears, itself included.", nil, nil)
	descAhead   = prometheus.NewDesc("snapback_clock_ahead_seconds", "By how much this node's clock is ahead of the nodes' median.", nil, nil)
	descAstray  = prometheus.NewDesc("snapback_clock_astray", "1 if this node's clock is so far off the others' that it decides nothing.", nil, nil)
	descOffset  = prometheus.NewDesc("snapback_member_clock_offset_seconds", "By how much another node's clock is ahead of this one's.", []string{"member"}, nil)
	descError   = prometheus.NewDesc("snapback_member_clock_error_seconds", "By how much the offset may be wrong.", []string{"member"}, nil)
	descSilent  = prometheus.NewDesc("snapback_member_silent_seconds", "Time since another node was last heard.", []string{"member"}, nil)
	descTakes   = prometheus.NewDesc("snapback_member_shards", "Shards whose commands a node says it asks for.", []string{"member"}, nil)
)

// Describe is prometheus.Collector.
func (memberMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descMembers, descAhead, descAstray, descOffset, descError, descSilent, descTakes} {
		ch <- d
	}
}

// Collect is prometheus.Collector.
func (c memberMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	list, _, _ := c.members.Present()
	gauge(descMembers, float64(len(list)))
	astray, ahead := c.members.Astray()
	gauge(descAhead, ahead.Seconds())
	off := 0.0
	if astray {
		off = 1
	}
	gauge(descAstray, off)
	for i := range list {
		m := &list[i]
		gauge(descTakes, float64(len(m.Takes)), m.Node)
		if m.Self {
			continue
		}
		gauge(descSilent, m.Silent.Seconds(), m.Node)
		if m.Compared {
			gauge(descOffset, m.Offset.Seconds(), m.Node)
			gauge(descError, m.Error.Seconds(), m.Node)
		}
	}
}
