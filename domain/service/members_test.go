package service

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// fleet is services among members on one log and one network.
type fleet struct {
	*world
	net   *logtest.Network
	nodes map[string]*fleetNode
	small func(*Config)
	skews map[string]*atomic.Int64 // of the nodes' wall clocks, ns

	graves []chan struct{} // closed when a node that crashed has ended
	joined int             // while others were there
}

// fleetNode is one of them. Its calls wait while it is frozen.
type fleetNode struct {
	*script
	s    *Service
	told *eventlog.Members
	stop func() // as planned
}

func newFleet(t *testing.T, seed uint64, faults logtest.Faults, shards int, lose float64) *fleet {
	w := newWorld(t, seed, faults)
	w.log = logtest.New(logtest.Config{Seed: seed, Faults: faults, Shards: shards})
	return &fleet{world: w, net: logtest.NewNetwork(seed, lose, 20*time.Millisecond), nodes: map[string]*fleetNode{}, skews: map[string]*atomic.Int64{}, small: func(*Config) {}}
}

// join starts a node, or its next run.
func (f *fleet) join(name string) *fleetNode {
	f.t.Helper()
	n := &fleetNode{script: &script{Log: f.log}}
	f.scripts = append(f.scripts, n.script)
	n.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
		f.net.Thawed(name)
		seq, err := store()
		f.net.Thawed(name)
		return seq, err
	}
	n.onDeliver = func() { f.net.Thawed(name) }
	skew := new(atomic.Int64)
	f.skews[name] = skew
	var err error
	n.told, err = eventlog.NewMembers(eventlog.MembersConfig{Bus: f.net.Bus(name), Node: name, Epoch: f.log.Epoch(), Decides: true, Logger: quiet,
		Now: func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }})
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); n.told.Run(ctx) }()
	var stop func()
	n.s, stop = f.serve(func(c *Config) { f.small(c); c.Log, c.Members = n.script, n.told })
	n.stop = func() { stop(); cancel(); <-done }
	f.nodes[name] = n
	return n
}

// crash ends a node without a word.
func (f *fleet) crash(name string) {
	f.net.Kill(name)
	f.nodes[name].kill()
	stop, ended := f.nodes[name].stop, make(chan struct{})
	go func() { defer close(ended); stop() }() // it makes no difference to anybody
	f.graves = append(f.graves, ended)
	delete(f.nodes, name)
}

// owners says how many nodes take each shard, and how many each node takes.
func (f *fleet) owners() (takers []int, sizes map[string]int) {
	takers, sizes = make([]int, f.log.Shards()), map[string]int{}
	for name, n := range f.nodes {
		for _, h := range n.s.Ownership() {
			takers[h.Shard]++
			sizes[name]++
		}
	}
	return takers, sizes
}

// even says that every shard has one taker and no node one more than another has less.
func (f *fleet) even() {
	f.t.Helper()
	takers, sizes := f.owners()
	for shard, n := range takers {
		if n != 1 {
			f.t.Errorf("shard %d has %d takers", shard, n)
		}
	}
	for name := range f.nodes {
		if low := len(takers) / len(f.nodes); sizes[name] < low || sizes[name] > low+1 {
			f.t.Errorf("%s takes %d of %d shards of %d nodes", name, sizes[name], len(takers), len(f.nodes))
		}
	}
}

// unpinned says how often nodes that are there took the pin of a shard.
func (f *fleet) unpinned(want int) {
	f.t.Helper()
	got := 0
	for _, x := range f.scripts {
		x.mu.Lock()
		got += x.unpins
		x.mu.Unlock()
	}
	if got != want {
		f.t.Errorf("pins were taken %d times, not %d", got, want)
	}
}

func inFleet(t *testing.T, shards int, test func(t *testing.T, f *fleet)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1, logtest.Faults{}, shards, 0)
		test(t, f)
		f.bury()
	})
}

func (f *fleet) bury() {
	for _, n := range f.nodes {
		n.stop()
	}
	for _, ended := range f.graves {
		<-ended
	}
	time.Sleep(time.Minute)
}

// Shards spread evenly over the nodes that are there: at once when one stops
// as planned or joins, within half a second when one cannot be reached.
func TestOwnership_FollowsTheMembers(t *testing.T) {
	inFleet(t, 8, func(t *testing.T, f *fleet) {
		f.join("n1")
		time.Sleep(300 * time.Millisecond)
		f.even()
		f.join("n2")
		f.join("n3")
		time.Sleep(500 * time.Millisecond)
		f.even()
		f.unpinned(8) // by the first: who had them before it is not known
		n2 := f.nodes["n2"]
		n2.stop()
		if list := n2.s.Ownership(); len(list) > 0 {
			t.Errorf("a node that has stopped takes %v", list)
		}
		delete(f.nodes, "n2")
		f.even()
		f.join("n2")
		time.Sleep(500 * time.Millisecond)
		f.even()
		f.unpinned(8) // nobody takes a pin from who is there
		had := len(f.nodes["n3"].s.Ownership())
		f.crash("n3")
		time.Sleep(500 * time.Millisecond)
		f.even()
		f.unpinned(8 + had)
	})
}

// Who leaves has not left before another stands by, and commands are decided
// meanwhile without being sent again.
func TestOwnership_HandOverLosesNoTime(t *testing.T) {
	inFleet(t, 1, func(t *testing.T, f *fleet) {
		n1 := f.join("n1")
		time.Sleep(time.Second)
		g := f.gateway("b")
		defer g.stop()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		s := &session{g: g, user: "ann", name: "s", ctx: ctx}
		s.mutate(newID(f.rng, time.Now()), 4*time.Second, boardChange("b"), columnChange("wide", 0)).accepted(t)
		f.join("n2")
		done := make(chan struct{})
		go func() { defer close(done); time.Sleep(time.Second); n1.stop(); delete(f.nodes, "n1") }()
		for i := range 200 {
			start := time.Now()
			s.mutate(newID(f.rng, time.Now()), 4*time.Second, cardChange(fmt.Sprint("c", i), "wide")).accepted(t)
			if d := time.Since(start); d > 100*time.Millisecond {
				t.Errorf("mutation %d took %v", i, d)
			}
			time.Sleep(10 * time.Millisecond)
		}
		<-done
		for _, x := range f.check("b") {
			t.Error(x)
		}
	})
}

// Nodes that cannot hear each other both take everything; when they can, each
// has its own again. A frozen node has lost its shards when it wakes, and gets
// them back as planned.
func TestOwnership_ApartAndFrozen(t *testing.T) {
	inFleet(t, 4, func(t *testing.T, f *fleet) {
		for _, n := range []string{"n1", "n2", "n3"} {
			f.join(n)
		}
		time.Sleep(time.Second)
		f.net.Isolate("n1", true)
		time.Sleep(time.Second)
		if _, sizes := f.owners(); sizes["n1"] != 4 || sizes["n2"]+sizes["n3"] != 4 {
			t.Errorf("apart: %v", sizes)
		}
		f.net.Isolate("n1", false)
		time.Sleep(time.Second)
		f.even()
		f.net.Freeze("n2", 10*time.Second)
		time.Sleep(5 * time.Second)
		if _, sizes := f.owners(); sizes["n1"]+sizes["n3"] != 4 {
			t.Errorf("while one is frozen: %v", sizes)
		}
		time.Sleep(6 * time.Second)
		f.even()
	})
}

// What one node does with what it knows.
func TestPlan(t *testing.T) {
	now := time.Now()
	owners := balance(4, []string{"me", "you"})
	var mine, yours []int
	for shard, o := range owners {
		if o == "me" {
			mine = append(mine, shard)
		} else {
			yours = append(yours, shard)
		}
	}
	all := []int{0, 1, 2, 3}
	long := map[int]time.Time{}
	for _, s := range all {
		long[s] = now.Add(-vacantFor)
	}
	for _, test := range []struct {
		name                         string
		has, takes                   []int
		meAstray, meLeaving, youGone bool
		vacant                       map[int]time.Time
		start, stop                  []int
		abandoned                    int
	}{
		{name: "nobody has anything", start: mine, abandoned: 2},
		{name: "the other has all", takes: all, start: mine},
		{name: "I have all, the other does not stand by", has: all},
		{name: "I have all, the other stands by", has: all, takes: yours, stop: yours},
		{name: "the other is gone", has: mine, youGone: true, start: yours, abandoned: 2},
		{name: "the other does not take its own for long", has: mine, vacant: long, start: yours, abandoned: 2},
		{name: "I am leaving and the other stands by", has: mine, takes: all, meLeaving: true, stop: mine},
		{name: "I am leaving and nobody stands by", has: mine, takes: yours, meLeaving: true},
		{name: "I am leaving and alone", has: all, meLeaving: true, youGone: true},
		{name: "I am leaving and nobody has had it for long", vacant: long, meLeaving: true},
		{name: "my clock is wrong and the other stands by", has: mine, takes: all, meAstray: true, stop: mine},
		{name: "my clock is wrong and nobody is able", has: all, meAstray: true, youGone: true, stop: all},
	} {
		members := []eventlog.Member{{Node: "me", Self: true, Decides: true, Astray: test.meAstray, Leaving: test.meLeaving}}
		if !test.youGone {
			members = append(members, eventlog.Member{Node: "you", Decides: true, Takes: test.takes})
		}
		vacant := test.vacant
		if vacant == nil {
			vacant = map[int]time.Time{}
		}
		p := plan(4, members, func(s int) bool { return slices.Contains(test.has, s) }, vacant, now)
		if !slices.Equal(p.start, test.start) || !slices.Equal(p.stop, test.stop) {
			t.Errorf("%s: start %v, stop %v; want %v, %v", test.name, p.start, p.stop, test.start, test.stop)
		}
		n := 0
		for _, s := range p.start {
			if p.abandoned[s] {
				n++
			}
		}
		if n != test.abandoned {
			t.Errorf("%s: %d abandoned, want %d", test.name, n, test.abandoned)
		}
	}
}
