package cluster

import (
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"slices"
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

// leadersSettle is how long it takes until each shard is led by the node that
// works on it.
const leadersSettle = 40 * time.Second

// BenchmarkTakeover kills a node under load and prints how long it took from
// there until a board's first mutation made since was acked: of boards whose
// worker died, and with it the leaders of their streams, and of the others.
func BenchmarkTakeover(b *testing.B) {
	nodes := node.StartNodes(b, b.TempDir(), 3, "--demo=false", "--log-level=warn")
	l := start(b, nodes, measured)
	l.may = asNodesDie
	worked, others := takeovers{name: "worker died"}, takeovers{name: "another node died"}
	b.ResetTimer()
	for i := range b.N {
		n := nodes[i%len(nodes)]
		l.phase("quiet")
		time.Sleep(leadersSettle)
		owned, err := shardsOf(n)
		if err != nil {
			b.Fatal(err)
		}
		l.phase("kill")
		begin := time.Now()
		n.Kill()
		for i := range l.plan.boards {
			board := fmt.Sprint("board", i)
			to := &others
			if owned[shardOf(board)] {
				to = &worked
			}
			to.times = append(to.times, l.firstAck(board, begin))
		}
		l.phase("return")
		n.Again()
		time.Sleep(2 * time.Second)
	}
	b.StopTimer()
	l.end(settleTime)
	b.Logf("refused: %v", l.refused)
	worked.report(b)
	others.report(b)
}

// takeovers are times from a kill to the first ack.
type takeovers struct {
	name  string
	times []time.Duration
}

func (o *takeovers) report(b *testing.B) {
	if len(o.times) == 0 {
		return
	}
	slices.Sort(o.times)
	p50, most := o.times[len(o.times)/2], o.times[len(o.times)-1]
	b.Logf("%-18s %3d boards, to the first ack p50 %5d ms, max %5d ms", o.name, len(o.times), p50.Milliseconds(), most.Milliseconds())
	b.ReportMetric(float64(p50.Milliseconds()), strings.ReplaceAll(o.name, " ", "-")+"-p50-ms")
}

// firstAck waits for the first ack of a mutation of the board made since begin,
// and says how long after begin that was.
func (l *load) firstAck(board string, begin time.Time) time.Duration {
	for time.Since(begin) < settleTime {
		first := settleTime
		for _, u := range l.users {
			if u.board == board {
				first = min(first, u.firstAck(begin))
			}
		}
		if first < settleTime {
			return first
		}
		time.Sleep(10 * time.Millisecond)
	}
	l.tb.Fatalf("%s: no ack for %v", board, settleTime)
	return 0
}

func (u *user) firstAck(begin time.Time) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	first := settleTime
	for i := len(u.made) - 1; i >= 0 && u.made[i].at.After(begin); i-- {
		if m := u.made[i]; m.took > 0 && m.result.OK {
			first = min(first, m.at.Add(m.took).Sub(begin))
		}
	}
	return first
}

const shards = 8 // the default of serve

// shardOf is the board's shard (LOG.md).
func shardOf(board string) int {
	h := fnv.New32a()
	h.Write([]byte(board))
	return int(h.Sum32() % shards)
}

// shardsOf are the shards whose worker a node is.
func shardsOf(n *node.Server) (map[int]bool, error) {
	resp, err := http.Get("http://" + n.AdminAddr + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	owned := map[int]bool{}
	for shard := range shards {
		owned[shard] = strings.Contains(string(raw), fmt.Sprintf("snapback_shard_owned{shard=%q} 1\n", fmt.Sprint(shard)))
	}
	return owned, err
}

// report gives the figures of all phases as the benchmark's own.
func (l *load) report(b *testing.B) {
	for _, f := range l.figures() {
		name := strings.ReplaceAll(f.name, " ", "-")
		b.ReportMetric(float64(f.p99.Milliseconds()), fmt.Sprint(name, "-p99-ms"))
		b.ReportMetric(float64(f.max.Milliseconds()), fmt.Sprint(name, "-max-ms"))
	}
}
