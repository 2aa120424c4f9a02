package fault

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
)

// partitions are apart: of a queue in memory nats-server 2.15 may lose, when a
// node comes back, what it needs to bring that node up to date, and then a shard
// stands still for minutes. test/nemesis does them, too.
var partitions = flag.Bool("partitions", false, "cut nodes off and freeze them, too, and wait until everything goes on")

// TestNet_OfACluster: three nodes, each in a network namespace of its own, and
// with a clock that can be wrong.
func TestNet_OfACluster(t *testing.T) {
	t.Parallel()
	w := NeedNet(t, 3)
	var places []node.Place
	for i := range 3 {
		places = append(places, node.Place{
			Data: t.TempDir(), Host: w.Host(i), Inside: w.Inside(i), Binary: node.Overlaid(t, ClockOverlay(t)),
		})
	}
	nodes := node.StartNodesAt(t, places, flags...)
	type test struct {
		name string
		run  func(t *testing.T, c *crowd, w *Net)
	}
	tests := []test{{"slow", slow}, {"clock ahead", clockAhead}, {"clock behind", clockBehind}}
	if *partitions {
		tests = append(tests, test{"cut off", cutOff}, test{"frozen", frozen})
	}
	for _, test := range tests {
		if t.Failed() {
			return
		}
		t.Run(test.name, func(t *testing.T) {
			c := newCrowd(t, nodes, 20*time.Millisecond)
			c.alive("at first")
			test.run(t, c, w)
			c.alive("at last")
			c.check()
		})
	}
}

// during lets f happen until seen returns.
func during(t *testing.T, f Fault, seen func()) {
	t.Helper()
	if err := f.Begin(); err != nil {
		t.Fatal(f.Name, err)
	}
	defer func() {
		if err := f.End(); err != nil {
			t.Error(f.Name, err)
		}
	}()
	seen()
}

// cutOff: the others go on; who is cut off promises nothing meanwhile, and its
// people get their verdicts when it is back.
func cutOff(t *testing.T, c *crowd, w *Net) {
	away, rest := c.servers[2], c.servers[:2]
	during(t, w.Cut(2, 0, 1), func() {
		c.alive("without the one that is cut off", rest...)
		before := c.acks(away)
		c.alive("a while later", rest...)
		if now := c.acks(away); now != before {
			t.Errorf("%d acks of a node that is cut off", now-before)
		}
	})
}

// slow: what a node sends goes by 100 kB a second.
func slow(t *testing.T, c *crowd, w *Net) {
	during(t, w.Slow(0, 100_000), func() { c.alive("a slow link", c.servers[1:]...) })
}

// frozen: each node in turn is stopped until others have taken over what it
// works on; it wakes with what it had in hand.
func frozen(t *testing.T, c *crowd, _ *Net) {
	for i, s := range c.servers[:2] {
		others := slices.Delete(slices.Clone(c.servers), i, i+1)
		freeze := Fault{Name: "freeze", Begin: func() error { s.Freeze(); return nil }, End: func() error { s.Thaw(); return nil }}
		during(t, freeze, func() {
			start := time.Now()
			c.alive("one is frozen", others...)
			eventually(t, "deadlines pass", func() error {
				if time.Since(start) < 5*time.Second {
					return errors.New("not yet")
				}
				return nil
			})
		})
		c.alive("it woke")
	}
}

func clockAhead(t *testing.T, c *crowd, _ *Net)  { clock(t, c, 300) }
func clockBehind(t *testing.T, c *crowd, _ *Net) { clock(t, c, -300) }

// clock: a node that is minutes off owns no shard and leads no stream, says so,
// and does no harm.
func clock(t *testing.T, c *crowd, offset int) {
	off := c.servers[2]
	off.Stop()
	off.Env = []string{fmt.Sprint(ClockOffset, "=", offset)}
	off.Launch()
	eventually(t, "it says that its clock is off", func() error {
		told, err := readyz(off)
		if err == nil && (told.Ready || !strings.Contains(fmt.Sprint(told.Reasons), "clock")) {
			err = fmt.Errorf("%+v", told)
		}
		return err
	})
	c.alive("one clock is off", c.servers[:2]...)
	off.Stop()
	off.Env = nil
	off.Again()
}
