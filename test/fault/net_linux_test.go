package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
)

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
	for _, test := range []struct {
		name string
		run  func(t *testing.T, c *crowd, w *Net)
	}{
		{"slow", slow}, {"cut off", cutOff}, {"mute", mute}, {"frozen", frozen}, {"clock ahead", clockAhead}, {"clock behind", clockBehind},
	} {
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

// mute: each node in turn is not heard by the next one, which it hears, for longer
// than servers take to give up a leader. The queues, too, go on when that is over.
func mute(t *testing.T, c *crowd, w *Net) {
	for i := range c.servers {
		during(t, w.Mute(i, (i+1)%len(c.servers)), func() { passes(t, 10*time.Second) })
		c.alive("heard again")
	}
}

// passes lets a fault last.
func passes(t *testing.T, span time.Duration) {
	t.Helper()
	start := time.Now()
	eventually(t, "time passes", func() error {
		if time.Since(start) < span {
			return errors.New("not yet")
		}
		return nil
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
			c.alive("one is frozen", others...)
			passes(t, 5*time.Second) // and deadlines with it
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
