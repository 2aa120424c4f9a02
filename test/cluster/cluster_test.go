package cluster

import (
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

// bearable is how long a mutation may take in a test, on a slow machine. What
// it takes on a quiet one the benchmarks tell.
const bearable = 4 * time.Second

// test is the load of a test.
var test = plan{boards: 6, users: 24, every: 500 * time.Millisecond}

// end judges a load, and logs its figures.
func (l *load) end(slowest time.Duration) {
	l.tb.Helper()
	l.settle()
	l.judge()
	for _, f := range l.figures() {
		l.tb.Log(f)
		if f.max > slowest {
			l.tb.Errorf("%s: a verdict took %v", f.name, f.max)
		}
	}
}

// DESIGN.md, "Drain on SIGTERM": whichever node stops, and with it leaders and
// workers, its clients go on with the others; nothing is lost, doubled or
// refused.
func TestPlannedStop_UnderLoad(t *testing.T) {
	t.Parallel()
	nodes := node.StartNodes(t, t.TempDir(), 3, "--demo=false", "--log-level=warn")
	l := start(t, nodes, test)
	l.phase("quiet")
	l.works(2)
	l.phase("stop")
	nodes[1].Stop()
	l.phase("away")
	l.works(2)
	l.phase("return")
	nodes[1].Again()
	l.works(2)
	l.end(bearable)
}

// All three nodes are restarted, one after the other.
func TestRollingRestart_UnderLoad(t *testing.T) {
	t.Parallel()
	nodes := node.StartNodes(t, t.TempDir(), 3, "--demo=false", "--log-level=warn")
	l := start(t, nodes, test)
	for _, n := range nodes {
		l.phase("quiet")
		l.works(1)
		l.phase("stop")
		n.Stop()
		l.phase("return")
		n.Again()
	}
	l.phase("quiet")
	l.works(1)
	l.end(bearable)
}

// DESIGN.md: "clients see pending, then nack `expired` or ack, never a wrong
// verdict" when a node dies, and with it leaders of streams and workers.
func TestCrash_UnderLoad(t *testing.T) {
	t.Parallel()
	nodes := node.StartNodes(t, t.TempDir(), 3, "--demo=false", "--log-level=warn")
	l := start(t, nodes, test)
	l.may = asNodesDie
	l.phase("quiet")
	l.works(1)
	l.phase("kill")
	nodes[1].Kill()
	l.works(2)
	l.phase("return")
	nodes[1].Again()
	l.works(1)
	l.end(settleTime)
	t.Logf("refused: %v", l.refused)
}

// asNodesDie are the refusals of which a leader's election, longer than a
// mutation lives, is reason enough: of itself, of what follows a card that was
// never made, or because its client has asked after five seconds.
var asNodesDie = []domain.Code{domain.Expired, domain.Withdrawn, domain.NotFound}

// works waits until every user has made so many mutations more and has their
// verdicts.
func (l *load) works(more int) {
	l.tb.Helper()
	begin := time.Now()
	for _, u := range l.users {
		for !u.acked(begin, more) {
			if time.Since(begin) > settleTime {
				l.tb.Fatalf("%s gets no verdicts; %s, last %v", u.name, u.c.State(), u.c.Err())
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// acked says whether so many mutations made since begin have their verdict.
func (u *user) acked(begin time.Time, n int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := len(u.made) - 1; i >= 0 && n > 0 && u.made[i].at.After(begin); i-- {
		if u.made[i].took > 0 {
			n--
		}
	}
	return n <= 0
}
