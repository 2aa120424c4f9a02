package convergence

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
)

var (
	seeds   = flag.Int("seeds", 20, "how many seeds to run, from 1 on")
	oneSeed = flag.Uint64("seed", 0, "run this seed only")
	minutes = flag.Float64("minutes", 0, "go on with further seeds for so long")
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "4") // a world waits most of the time
	node.Main(m)
}

// total adds up what all worlds did.
type total struct {
	mu     sync.Mutex
	counts map[string]int
	ran    int
}

func (s *total) add(counts map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ran++
	for what, n := range counts {
		s.counts[what] += n
	}
}

func TestConvergence(t *testing.T) {
	t.Parallel()
	sum := &total{counts: map[string]int{}}
	from, to := uint64(1), uint64(*seeds)
	if *oneSeed > 0 {
		from, to = *oneSeed, *oneSeed
	}
	start := time.Now()
	for round := uint64(0); ; round++ {
		t.Run("seeds", func(t *testing.T) {
			for seed := from; seed <= to; seed++ {
				t.Run(fmt.Sprint("seed", seed+round*to), func(t *testing.T) {
					t.Parallel()
					runSeed(t, seed+round*to, sum)
				})
			}
		})
		if time.Since(start).Minutes() >= *minutes || t.Failed() || *oneSeed > 0 {
			break
		}
	}
	t.Logf("%d seeds: %s", sum.ran, summary(sum.counts))
	if *oneSeed > 0 || *seeds < 20 || t.Failed() {
		return
	}
	sum.asked(t,
		"cuts", "cuts at a byte", "delays", "long uplink delays", "stalls", "long stalls", "servers killed", "workers taken over",
		"live lost|live doubled", "cmd lost", "cmd doubled", "appends doubled|append answers lost", "log connections cut",
		"acked", "nack invalid", "nack too_large", "nack not_found", "nack conflict", "nack wip_limit", "nack name_taken|nack not_empty|nack archived",
		"nack expired", "nack withdrawn", "nack id_reused", "resumed", "broken frames", "error", "in order", "deadlines", "client mutations",
	)
}

// asked fails the test if one of these never happened; of those with a | between
// one is enough, as chance decides which, and a slow machine how often.
func (s *total) asked(t *testing.T, list ...string) {
	t.Helper()
	for _, what := range list {
		n := 0
		for _, one := range strings.Split(what, "|") {
			n += s.counts[one]
		}
		if n == 0 {
			t.Errorf("no %q in %d seeds: the test does not do what it says", what, s.ran)
		}
	}
}

func runSeed(t *testing.T, seed uint64, sum *total) {
	p := newPlan(seed)
	w := newWorld(t, p, (*world).usual)
	w.run(w.faults)
	w.judge()
	w.mu.Lock()
	defer w.mu.Unlock()
	sum.add(w.counts)
	t.Logf("%+v: %s", p, summary(w.counts))
	if t.Failed() {
		t.Logf("to run it again: go test -race ./test/convergence -run TestConvergence -seed %d", seed)
	}
}
