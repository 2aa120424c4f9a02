package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/fault"
	"github.com/snapback-io/snapback/test/node"
)

const (
	diskSize = 256 << 20 // of a node, where disks are broken
	leave    = 1 << 20   // bytes free on a full one
)

// way is a kind of fault: of one node, for a span.
type way struct {
	about  string
	lo, hi time.Duration // how long it lasts
	of     func(w *world, i int) fault.Fault
}

// ways are the faults by name; "cut" is of clients' lines, see vexDoors.
var ways = map[string]way{
	"kill": {"SIGKILL, and started again", time.Second, 8 * time.Second, func(w *world, i int) fault.Fault {
		n := w.nodes[i]
		return fault.Fault{Begin: func() error { n.Kill(); return nil }, End: func() error { n.Again(); return nil }}
	}},
	"freeze": {"SIGSTOP, then SIGCONT, deadlines later", time.Second, 12 * time.Second, func(w *world, i int) fault.Fault {
		n := w.nodes[i]
		return fault.Fault{Begin: func() error { n.Freeze(); return nil }, End: func() error { n.Thaw(); return nil }}
	}},
	"stop": {"SIGTERM, and started again", time.Second, 3 * time.Second, func(w *world, i int) fault.Fault {
		n := w.nodes[i]
		return fault.Fault{Begin: func() error { n.Stop(); return nil }, End: func() error { n.Again(); return nil }}
	}},
	"partition": {"nothing between one node and the others (network namespaces: Linux, root)", time.Second, 12 * time.Second, func(w *world, i int) fault.Fault {
		return w.net.Cut(i, w.others(i)...)
	}},
	"mute": {"nothing from one node to another, the other way it does", time.Second, 12 * time.Second, func(w *world, i int) fault.Fault {
		return w.net.Mute(i, w.others(i)[0])
	}},
	"slownet": {"a node sends 50 kB/s", time.Second, 8 * time.Second, func(w *world, i int) fault.Fault {
		return w.net.Slow(i, 50_000)
	}},
	"full": {"a node's disk is full (loop devices: Linux, root)", time.Second, 10 * time.Second, func(w *world, i int) fault.Fault {
		return fault.Fault{Begin: func() error { return w.disks[i].Fill(leave) }, End: w.disks[i].Empty}
	}},
	"slowdisk": {"a node's disk writes nothing for a while", time.Second, 8 * time.Second, func(w *world, i int) fault.Fault {
		return fault.Fault{Begin: w.disks[i].Freeze, End: w.disks[i].Thaw}
	}},
	"power": {"a node's power fails, what was not on disk is gone", time.Second, 5 * time.Second, (*world).power},
}

func (w *world) power(i int) fault.Fault {
	n, disk := w.nodes[i], w.disks[i]
	return fault.Fault{Begin: func() error {
		err := disk.CutPower()
		n.Kill()
		return err
	}, End: func() error {
		if err := disk.Unmount(); err != nil {
			return err
		}
		if err := disk.Mount(); err != nil {
			return err
		}
		n.Again()
		return nil
	}}
}

func (w *world) others(i int) []int {
	var list []int
	for n := range w.nodes {
		if n != i {
			list = append(list, n)
		}
	}
	return list
}

// targets are whom a fault is for, in turn: who decides on some board, who leads
// its stream, anybody.
var targets = []string{"worker", "leader", "any"}

// victim chooses a node.
func (w *world) victim(r *rand.Rand, target string) int {
	shard := r.IntN(shards)
	hit := -1
	switch target {
	case "worker":
		hit = slices.IndexFunc(w.nodes, func(n *node.Server) bool { return w.eye.owned(n.Name())[shard] })
	case "leader":
		leader := w.eye.leader(fmt.Sprint("EVT_", shard))
		hit = slices.IndexFunc(w.nodes, func(n *node.Server) bool { return n.Name() == leader })
	}
	if hit < 0 {
		return r.IntN(len(w.nodes))
	}
	w.count(target+" hit", 1)
	return hit
}

// trouble has one node after the other suffer until ctx ends: each of the
// faults first of the worker of a shard, in turn, then at random.
func (w *world) trouble(ctx context.Context, r *rand.Rand) {
	var kinds []string
	for _, name := range slices.Sorted(maps.Keys(ways)) {
		if slices.Contains(w.plan.faults, name) {
			kinds = append(kinds, name)
		}
	}
	if len(kinds) == 0 {
		<-ctx.Done()
		return
	}
	for n := 0; ; n++ {
		pause(ctx, time.Duration(500+r.IntN(2000))*time.Millisecond)
		if ctx.Err() != nil {
			return
		}
		kind, target := kinds[n%len(kinds)], targets[(n/len(kinds))%len(targets)]
		if n >= len(kinds)*len(targets) {
			kind, target = kinds[r.IntN(len(kinds))], targets[r.IntN(len(targets))]
		}
		w.suffer(ctx, kind, w.victim(r, target), r)
	}
}

// suffer lets a fault happen to node i and counts who took over from it.
func (w *world) suffer(ctx context.Context, kind string, i int, r *rand.Rand) {
	how := ways[kind]
	hi := how.hi
	if w.plan.most > 0 {
		hi = min(hi, w.plan.most)
	}
	span := how.lo + time.Duration(r.Int64N(int64(hi-how.lo)))
	had := w.eye.owned(w.nodes[i].Name())
	w.plan.say("%s %s for %v; it works on %v", kind, w.nodes[i].Name(), span.Round(time.Millisecond), slices.Sorted(maps.Keys(had)))
	f := how.of(w, i)
	if err := f.Begin(); err != nil {
		w.tb.Errorf("%s: %v", kind, err)
	}
	w.count("fault "+kind, 1)
	began := time.Now()
	pause(ctx, span)
	taken := 0
	for _, n := range w.others(i) {
		for shard := range w.eye.owned(w.nodes[n].Name()) {
			if had[shard] {
				taken++
			}
		}
	}
	w.count("shards taken over", taken)
	lasted := time.Since(began)
	if err := f.End(); err != nil {
		w.tb.Errorf("%s: %v", kind, err)
	}
	w.plan.say("%s %s ended after %v, %d shards taken over", kind, w.nodes[i].Name(), lasted.Round(time.Millisecond), taken)
}

// vexDoors has clients' lines cut, delayed, swallowed and led to other nodes
// until ctx ends.
func (w *world) vexDoors(ctx context.Context, r *rand.Rand) {
	for n := 0; ; n++ {
		pause(ctx, time.Duration(100+r.IntN(900))*time.Millisecond)
		if ctx.Err() != nil {
			return
		}
		door, k := w.doors[r.IntN(len(w.doors))], r.IntN(5)
		if n < 5 {
			k = n // so that none is left to chance
		}
		switch k {
		case 0:
			w.count("lines cut", door.CutAll())
		case 1:
			door.Set(cutter.Faults{Delay: [2]time.Duration{time.Duration(r.IntN(1500)) * time.Millisecond, time.Duration(r.IntN(500)) * time.Millisecond}})
			w.count("lines delayed", 1)
		case 2: // to another node, who is asked for what the first one may have decided
			door.Retarget(w.nodes[r.IntN(len(w.nodes))].Addr)
			door.CutAll()
			w.count("clients moved", 1)
		case 3: // the server's, or the client's, words are lost; then the line breaks
			var f cutter.Faults
			f.Swallow[r.IntN(2)] = true
			door.Set(f)
			pause(ctx, time.Duration(200+r.IntN(1500))*time.Millisecond)
			door.Set(cutter.Faults{})
			door.CutAll()
			w.count("lines swallowed", 1)
		case 4:
			door.Set(cutter.Faults{})
		}
	}
}

func (w *world) mendDoors() {
	for _, door := range w.doors {
		door.Set(cutter.Faults{})
		door.Release()
	}
}
