package fault

import (
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
)

// TestClock_SetWhileNodesRun: nothing is refused as expired within its time
// because the clock of a node is set, forwards, backwards and right again, and
// nothing is acked that is void.
func TestClock_SetWhileNodesRun(t *testing.T) {
	t.Parallel()
	binary := node.Overlaid(t, ClockOverlay(t))
	var places []node.Place
	var clocks []*Clock
	for range 3 {
		clock, err := NewClock(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		clocks = append(clocks, clock)
		places = append(places, node.Place{Data: t.TempDir(), Binary: binary, Env: []string{clock.Env()}})
	}
	c := newCrowd(t, node.StartNodesAt(t, places, flags...), 20*time.Millisecond)
	c.alive("at first")
	for i, ahead := range []int64{300, -300} {
		others := append(c.servers[:i:i], c.servers[i+1:]...)
		during(t, clocks[i].Off(ahead), func() { c.alive("a clock is set", others...) })
		c.alive("it is right again")
	}
	c.check()
}
