package fault

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/node"
)

// TestDisks_OfACluster: three nodes, each on a disk of its own.
func TestDisks_OfACluster(t *testing.T) {
	var disks []*Disk
	var places []node.Place
	for range 3 {
		d := NeedDisk(t, 128<<20)
		disks, places = append(disks, d), append(places, node.Place{Data: filepath.Join(d.Dir, "data")})
	}
	nodes := node.StartNodesAt(t, places, flags...)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, c *crowd, disks []*Disk)
	}{
		{"stalled", stalledDisk}, {"one full", oneFull}, {"all full", allFull}, {"power cut of one", powerCutOfOne}, {"power cut of all", powerCutOfAll},
	} {
		if t.Failed() {
			return
		}
		t.Run(test.name, func(t *testing.T) {
			c := newCrowd(t, nodes, 20*time.Millisecond)
			c.alive("at first")
			test.run(t, c, disks)
			c.alive("at last")
			c.check()
		})
	}
}

// stalledDisk: a node, which leads some streams and follows others, waits for
// its disk for a moment, and for longer than an election takes.
func stalledDisk(t *testing.T, c *crowd, disks []*Disk) {
	for i, span := range []time.Duration{300 * time.Millisecond, 6 * time.Second} {
		if err := disks[i].Stall().During(span, nil); err != nil {
			t.Fatal(err)
		}
		c.alive("after " + span.String())
	}
}

// oneFull: the others go on, the people at the full node too; with room again
// it is one of them, which the loss of another shows.
func oneFull(t *testing.T, c *crowd, disks []*Disk) {
	n1, n2, n3 := c.servers[0], c.servers[1], c.servers[2]
	if err := disks[1].Fill(0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node says so", func() error { return writes(n2, false) })
	c.alive("one is full")
	if err := refused(n2, "north"); err == nil {
		t.Error("the full node's gateway refuses what others store")
	}
	if err := disks[1].Empty(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node says that it has room", func() error { return writes(n2, true) })
	c.alive("room again")
	n3.Kill()
	c.alive("it is needed", n1, n2)
	n3.Again()
}

func writes(s *node.Server, ok bool) error {
	told, err := readyz(s)
	if err == nil && (told.Writes == "ok") != ok {
		err = errors.New("writes: " + told.Writes)
	}
	return err
}

// allFull: everybody is refused and reads on; then everybody works.
func allFull(t *testing.T, c *crowd, disks []*Disk) {
	for _, d := range disks {
		if err := d.Fill(4 << 20); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range c.servers {
		eventually(t, "what is new is refused", func() error { return refused(s, "east") })
		eventually(t, "a newcomer is let in", func() error { return joins(t, s, "west") })
		if told, err := readyz(s); err != nil || !told.Ready || !strings.Contains(told.Writes, "full") {
			t.Errorf("%s: %+v %v", s.Name(), told, err)
		}
	}
	for _, d := range disks {
		if err := d.Empty(); err != nil {
			t.Fatal(err)
		}
	}
}

// powerCutOfOne: it catches up from the others, which the loss of another shows.
func powerCutOfOne(t *testing.T, c *crowd, disks []*Disk) {
	n1, n2, n3 := c.servers[0], c.servers[1], c.servers[2]
	cutPower(t, disks[2:], []*node.Server{n3})
	c.alive("it is back")
	n1.Kill()
	c.alive("it is needed", n2, n3)
	n1.Again()
}

// powerCutOfAll: every acked record is on a majority of the disks.
func powerCutOfAll(t *testing.T, c *crowd, disks []*Disk) {
	cutPower(t, disks, c.servers)
}
