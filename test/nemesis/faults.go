package main

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/snapback-io/snapback/test/fault"
	"github.com/snapback-io/snapback/test/node"
)

const (
	diskSize = 256 << 20 // of a node, where disks are broken, bytes
	scarce   = 1 << 20   // bytes free on a full one
	longest  = 300       // a wrong clock is off by so many seconds at most
)

// need is what a fault takes beside processes.
type need string

const (
	disks  need = "disks of their own" // loop devices: Linux, root
	links  need = "links of their own" // network namespaces: Linux, root
	clocks need = "clocks of their own"
)

// missing says why this machine has none.
func (n need) missing() error {
	switch n {
	case disks:
		return fault.CanDisk()
	case links:
		return fault.CanNet()
	}
	return nil
}

// way is a kind of fault: of one node, or of all, for a span.
type way struct {
	about  string
	needs  need
	lo, hi time.Duration // how long it lasts
	of     func(w *world, i int, r *rand.Rand) fault.Fault
}

// cut is the fault of clients' lines: see vexDoors.
const cut = "cut"

// ways are the faults of nodes by name.
var ways = map[string]way{
	"kill": {"SIGKILL, and started again", "", time.Second, 8 * time.Second, func(w *world, i int, _ *rand.Rand) fault.Fault {
		n := w.nodes[i]
		return fault.Fault{Begin: func() error { n.Kill(); return nil }, End: func() error { n.Again(); return nil }}
	}},
	"freeze": {"SIGSTOP, then SIGCONT, deadlines later", "", time.Second, 12 * time.Second, func(w *world, i int, _ *rand.Rand) fault.Fault {
		n := w.nodes[i]
		return fault.Fault{Begin: func() error { n.Freeze(); return nil }, End: func() error { n.Thaw(); return nil }}
	}},
	"stop": {"SIGTERM, and started again", "", time.Second, 3 * time.Second, func(w *world, i int, _ *rand.Rand) fault.Fault {
		n := w.nodes[i]
		return fault.Fault{Begin: func() error { n.Stop(); return nil }, End: func() error { n.Again(); return nil }}
	}},
	"partition": {"nothing between a node and the others", links, time.Second, 12 * time.Second, func(w *world, i int, _ *rand.Rand) fault.Fault {
		return w.net.Cut(i, w.others(i)...)
	}},
	"mute": {"nothing from a node to another, the other way it does", links, time.Second, 12 * time.Second, func(w *world, i int, r *rand.Rand) fault.Fault {
		others := w.others(i)
		return w.net.Mute(i, others[r.IntN(len(others))])
	}},
	"slownet": {"a node sends 50 kB/s", links, time.Second, 8 * time.Second, func(w *world, i int, _ *rand.Rand) fault.Fault {
		return w.net.Slow(i, 50_000)
	}},
	"full": {"a node's disk is full", disks, time.Second, 10 * time.Second, func(w *world, i int, r *rand.Rand) fault.Fault {
		return w.disks[i].Full(int64(r.IntN(2)) * scarce)
	}},
	"allfull": {"the disks of all but one node are full", disks, time.Second, 8 * time.Second, func(w *world, i int, r *rand.Rand) fault.Fault {
		var each []fault.Fault
		leave := int64(r.IntN(2)) * scarce
		for _, n := range w.others(i) {
			each = append(each, w.disks[n].Full(leave))
		}
		return together(each)
	}},
	"slowdisk": {"a node's disk writes nothing for a while", disks, time.Second, 8 * time.Second, func(w *world, i int, _ *rand.Rand) fault.Fault {
		return w.disks[i].Stall()
	}},
	"power": {"a node's power fails: what is not on disk is gone", disks, time.Second, 5 * time.Second, func(w *world, i int, _ *rand.Rand) fault.Fault {
		return w.power(i)
	}},
	"blackout": {"the power of all nodes fails", disks, time.Second, 3 * time.Second, func(w *world, _ int, _ *rand.Rand) fault.Fault {
		all := make([]int, len(w.nodes))
		for i := range all {
			all[i] = i
		}
		return w.power(all...)
	}},
	"clock": {"a node comes back with a clock that is minutes off", clocks, 3 * time.Second, 10 * time.Second, func(w *world, i int, r *rand.Rand) fault.Fault {
		n, off := w.nodes[i], w.clocks[i].Off(int64(2*r.IntN(2)-1)*longest)
		return fault.Fault{Begin: func() error {
			n.Stop()
			defer n.Launch()
			return off.Begin()
		}, End: func() error {
			n.Stop()
			defer n.Again()
			return off.End()
		}}
	}},
	"jump": {"a node's clock is set, and set right again", clocks, 2 * time.Second, 10 * time.Second, func(w *world, i int, r *rand.Rand) fault.Fault {
		return w.clocks[i].Off(int64(2*r.IntN(2)-1) * int64(2+r.IntN(longest)))
	}},
}

// power is the fault that some nodes lose theirs at the same moment.
func (w *world) power(which ...int) fault.Fault {
	return fault.Fault{Begin: func() (err error) {
		for _, i := range which {
			err = errors.Join(err, w.disks[i].CutPower())
		}
		for _, i := range which {
			w.nodes[i].Kill()
		}
		return err
	}, End: func() (err error) {
		for _, i := range which {
			err = errors.Join(err, w.disks[i].Unmount(), w.disks[i].Mount())
		}
		if err != nil {
			return err
		}
		var nodes []*node.Server
		for _, i := range which {
			nodes = append(nodes, w.nodes[i])
		}
		revive(nodes)
		return nil
	}}
}

// revive starts nodes of which one alone might wait for the others.
func revive(nodes []*node.Server) {
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(n.Again)
	}
	all.Wait()
}

// together is several faults at the same time.
func together(list []fault.Fault) fault.Fault {
	return fault.Fault{Begin: func() (err error) {
		for _, f := range list {
			err = errors.Join(err, f.Begin())
		}
		return err
	}, End: func() (err error) {
		for _, f := range list {
			err = errors.Join(err, f.End())
		}
		return err
	}}
}

// kinds are the names of all faults.
func kinds() []string { return append(slices.Sorted(maps.Keys(ways)), cut) }

// able are the faults that are possible on this machine, and why others are not.
func able() (list []string, why []string) {
	for _, name := range kinds() {
		if err := ways[name].needs.missing(); err != nil {
			why = append(why, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		list = append(list, name)
	}
	return list, why
}

// chosen reads --faults.
func chosen(text string) ([]string, error) {
	if text == "all" {
		list, _ := able()
		return list, nil
	}
	list := strings.Split(text, ",")
	for _, name := range list {
		if !slices.Contains(kinds(), name) {
			return nil, fmt.Errorf("--faults: %q is none of all, %s", name, strings.Join(kinds(), ", "))
		}
		if how := ways[name]; how.needs.missing() != nil {
			return nil, fmt.Errorf("--faults: %s takes nodes with %s: %w", name, how.needs, how.needs.missing())
		}
	}
	return list, nil
}

// menu explains the faults.
func menu() string {
	var b strings.Builder
	for _, name := range kinds() {
		how := ways[name]
		if name == cut {
			how.about = "clients' lines are cut, delayed, swallowed, and led to other nodes"
		}
		fmt.Fprintf(&b, "  %-10s %s", name, how.about)
		if how.needs == disks || how.needs == links {
			b.WriteString(" (Linux, root)")
		}
		b.WriteString("\n")
	}
	return b.String()
}
