package service

import (
	"context"
	"testing"
	"time"
)

// BenchmarkTakeover tells what changes among three nodes in one process cost
// those who mutate meanwhile: 16 boards, a mutation every 10 ms on each, over
// the node that stays. max-ms is the longest time from a mutation to its
// verdict, mean-ms the mean of each change's longest, repeats how many commands
// had to be published again per change.
//
//	go test -run '^$' -bench Takeover -benchtime 5x ./domain/service
func BenchmarkTakeover(b *testing.B) {
	for _, bench := range []struct {
		name string
		do   func(c *nodes)
	}{
		{"nothing", func(*nodes) {}},
		{"leave", func(c *nodes) { c.leave(0) }},
		{"join", func(c *nodes) { c.serve(0) }},
		{"crash", func(c *nodes) { c.crash(0) }},
		{"events-leader", func(c *nodes) { c.moveLeader(0) }},
		{"commands-leader", func(c *nodes) { c.moveLeader(1) }},
		{"consumer-leader", func(c *nodes) { c.moveLeader(2) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			c := newNodes(b)
			c.leadAfter, c.leadEvery = time.Hour, time.Hour
			c.startAll(3)
			crowd := newCrowd(b, c.list[2].log, 16, 10*time.Millisecond)
			var longest, sum time.Duration
			repeats := 0
			for b.Loop() {
				if bench.name == "join" {
					c.leave(0)
				}
				c.even()
				crowd.more(200)
				start := time.Now()
				bench.do(c)
				c.even()
				time.Sleep(time.Second)
				crowd.more(200)
				d, again := crowd.slowest(start)
				longest, sum, repeats = max(longest, d), sum+d, repeats+again
				if c.list[0].s == nil {
					if c.list[0].log.Healthy(context.Background()) != nil {
						c.connect(0)
					}
					c.serve(0)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(longest.Microseconds())/1000, "max-ms")
			b.ReportMetric(float64(sum.Microseconds())/1000/float64(b.N), "mean-ms")
			b.ReportMetric(float64(repeats)/float64(b.N), "repeats")
		})
	}
}

// moveLeader has another node lead the n-th thing of each shard, one after the other.
func (c *nodes) moveLeader(n int) {
	c.t.Helper()
	log := c.list[2].log
	for shard := range 8 {
		until(c.t, "another leader", func() bool {
			list, err := log.Leaders(context.Background(), shard)
			return err == nil && len(list[n].Ready) > 0 && log.Lead(context.Background(), list[n], list[n].Ready[0]) == nil
		})
		time.Sleep(100 * time.Millisecond)
	}
}
