package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/node"
)

func (w *world) others(i int) []int {
	var list []int
	for n := range w.nodes {
		if n != i {
			list = append(list, n)
		}
	}
	return list
}

// Whom a fault is for: who decides on some board, who leads its stream, a
// gateway that decides nothing (--topology split), anybody.
const (
	worker  = "worker"
	leader  = "leader"
	gateway = "gateway"
	anybody = "any"
)

// targets are whom faults are for, in turn.
func (w *world) targets() []string {
	if w.plan.gateways > 0 {
		return []string{worker, gateway, leader, anybody}
	}
	return []string{worker, leader, anybody}
}

// victim chooses a node.
func (w *world) victim(r *rand.Rand, target string) int {
	shard := r.IntN(shards)
	hit := -1
	switch target {
	case worker:
		hit = slices.IndexFunc(w.nodes, func(n *node.Server) bool { return w.eye.owned(n.Name())[shard] })
	case leader:
		leads := w.eye.leader(fmt.Sprint("EVT_", shard))
		hit = slices.IndexFunc(w.nodes, func(n *node.Server) bool { return n.Name() == leads })
	case gateway:
		hit = slices.Index(w.nodes, w.gates[r.IntN(len(w.gates))])
	}
	if hit < 0 {
		return r.IntN(len(w.nodes))
	}
	w.count(target+" hit", 1)
	return hit
}

// step is one fault of a run.
type step struct {
	kind, target string
	calm         bool // it is waited until everybody is answered again
}

// steps gives the faults: those of the script and no more; or each of those
// asked for, first of workers, in turn, then at random, one in two of them while
// the last one still has its effect.
func (w *world) steps(r *rand.Rand) func(n int) (step, bool) {
	if script := w.plan.script; script != nil {
		return func(n int) (step, bool) {
			if n >= len(script) {
				return step{}, false
			}
			return script[n], true
		}
	}
	var list []string
	for _, name := range w.plan.faults {
		if name != cut {
			list = append(list, name)
		}
	}
	targets := w.targets()
	return func(n int) (step, bool) {
		switch {
		case len(list) == 0:
			return step{}, false
		case n < len(list)*len(targets):
			return step{list[n%len(list)], targets[(n/len(list))%len(targets)], n < len(list) || r.IntN(2) == 0}, true
		}
		return step{list[r.IntN(len(list))], targets[r.IntN(len(targets))], r.IntN(2) == 0}, true
	}
}

// trouble has one node after the other suffer until ctx ends or there is no
// step left.
func (w *world) trouble(ctx context.Context, r *rand.Rand) {
	next := w.steps(r)
	for n := 0; ; n++ {
		s, more := next(n)
		if !more {
			break
		}
		pause(ctx, time.Duration(500+r.IntN(2000))*time.Millisecond)
		if ctx.Err() != nil {
			return
		}
		w.suffer(ctx, s, w.victim(r, s.target), r)
		if w.plan.enough != nil && w.plan.enough(w) {
			return
		}
	}
	if w.plan.script == nil {
		<-ctx.Done()
	}
}

// suffer lets a fault happen to node i, counts who took over from it, and asks
// what people are told meanwhile and after it.
func (w *world) suffer(ctx context.Context, s step, i int, r *rand.Rand) {
	how, name := ways[s.kind], w.nodes[i].Name()
	hi := how.hi
	if w.plan.most > 0 {
		hi = max(how.lo+1, min(hi, w.plan.most))
	}
	span := how.lo + time.Duration(r.Int64N(int64(hi-how.lo)))
	had := w.eye.owned(name)
	w.plan.say("%s %s for %v; it works on %v", s.kind, name, span.Round(time.Millisecond), slices.Sorted(maps.Keys(had)))
	f, began := how.of(w, i, r), time.Now()
	if err := f.Begin(); err != nil {
		w.tb.Errorf("%s: %v", s.kind, err)
	}
	w.count("fault "+s.kind, 1)
	asked := w.ask(r)
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
	if err := f.End(); err != nil {
		w.tb.Errorf("%s: %v", s.kind, err)
	}
	ended := time.Now()
	w.faults = append(w.faults, check.Fault{Kind: s.kind, Node: name, From: began, To: ended})
	w.plan.say("%s %s ended after %v, %d shards taken over", s.kind, name, ended.Sub(began).Round(time.Millisecond), taken)
	w.heal(ctx, s, asked)
}
