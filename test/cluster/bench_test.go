package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
)

// measured is the load of a benchmark.
var measured = plan{boards: 10, users: 60, every: 300 * time.Millisecond}

// BenchmarkRollingRestart restarts the three nodes of a cluster one after the
// other under load and prints what mutations took, made while nothing was
// stopping, while a node did, while it was away and while it came back.
func BenchmarkRollingRestart(b *testing.B) {
	nodes := node.StartNodes(b, b.TempDir(), 3, "--demo=false", "--log-level=warn")
	l := start(b, nodes, measured)
	time.Sleep(time.Second) // until everybody is at work
	b.ResetTimer()
	for range b.N {
		for _, n := range nodes {
			l.phase("quiet")
			time.Sleep(2 * time.Second)
			l.phase("stop " + n.Name())
			begin := time.Now()
			n.Stop()
			b.Logf("%s stopped in %d ms", n.Name(), time.Since(begin).Milliseconds())
			l.phase("away")
			time.Sleep(time.Second)
			l.phase("return")
			n.Again()
			time.Sleep(2 * time.Second)
		}
	}
	b.StopTimer()
	l.end(settleTime)
	l.report(b)
}

// report gives the figures of all phases as the benchmark's own.
func (l *load) report(b *testing.B) {
	for _, f := range l.figures() {
		name := strings.ReplaceAll(f.name, " ", "-")
		b.ReportMetric(float64(f.p99.Milliseconds()), fmt.Sprint(name, "-p99-ms"))
		b.ReportMetric(float64(f.max.Milliseconds()), fmt.Sprint(name, "-max-ms"))
	}
}
