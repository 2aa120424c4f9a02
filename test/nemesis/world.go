package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/crowd"
	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/fault"
	"github.com/snapback-io/snapback/test/node"
)

// shards of the log.
const shards = 4

// settleTime is how long everything may take to be decided once all is mended.
const settleTime = 120 * time.Second

// plan is one run.
type plan struct {
	seed                   uint64
	nodes, boards, clients int
	gateways               int           // further nodes that serve clients and decide nothing; the others then decide only
	span                   time.Duration // of trouble; 0: until the script is done
	pace                   time.Duration // between two mutations of a client, on average
	faults                 []string
	binary                 string              // "": that of the source
	most                   time.Duration       // that one lasts; 0: what its kind may
	settle                 time.Duration       // how long everything may take to be decided once all is mended; 0: settleTime
	script                 []step              // what happens, instead of faults by chance
	enough                 func(w *world) bool // asked after each fault whether the trouble may end; nil: no
	say                    func(format string, args ...any)
}

// asks says whether one of the faults to come takes this.
func (p *plan) asks(what need) bool {
	return slices.ContainsFunc(p.faults, func(name string) bool { return ways[name].needs == what }) ||
		slices.ContainsFunc(p.script, func(s step) bool { return ways[s.kind].needs == what })
}

// world is a cluster of real processes, the people who use it, and an eye that
// reads its log past everything:
//
//	Go clients, raw sockets ── cutter.Proxy ─┐
//	callers (HTTP) ──────────────────────────┴─ snapback n1..n3 ── routes ── eye
//
// With plan.gateways they come to n4 and on, and n1 to n3 decide.
type world struct {
	tb     testing.TB
	plan   plan
	start  time.Time
	boards []string
	pools  map[string]*crowd.Pool
	nodes  []*node.Server
	gates  []*node.Server // those of nodes that serve clients
	disks  []*fault.Disk  // nil: ordinary directories
	clocks []*fault.Clock // nil: they cannot be set
	net    *fault.Net     // nil: all on loopback
	eye    *eye
	tap    *cutter.Recorder
	doors  []*cutter.Proxy
	people []person
	keens  []*crowd.Keen
	notary *notary

	faults  []check.Fault            // that were
	healing map[string]time.Duration // by kind, the longest
	found   []string                 // what is not in the history: healing, copies

	mu     sync.Mutex
	counts map[string]int
}

func (w *world) count(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what] += n
}

func newWorld(tb testing.TB, p plan) *world {
	tb.Helper()
	w := &world{tb: tb, plan: p, start: time.Now(), pools: map[string]*crowd.Pool{}, tap: &cutter.Recorder{}, notary: &notary{ctx: tb.Context()},
		healing: map[string]time.Duration{}, counts: map[string]int{}}
	places := w.places()
	args := []string{"--demo=false", fmt.Sprint("--shards=", shards), "--log-level=warn"}
	if w.net != nil {
		args = append(args, "--insecure-open")
	}
	w.nodes = node.StartNodesAt(tb, places, args...)
	w.gates = w.nodes
	if p.gateways > 0 {
		w.gates = w.nodes[p.nodes:]
	}
	var peers []string
	for _, n := range w.nodes {
		peers = append(peers, n.ClusterAddr)
	}
	w.eye = newEye(tb, peers)
	for i := range p.boards {
		board := fmt.Sprint("b", i)
		w.boards, w.pools[board] = append(w.boards, board), crowd.NewPool()
		w.furnish(board)
	}
	w.invite()
	return w
}

// places are where the nodes run, with what the faults need of them.
func (w *world) places() []node.Place {
	w.tb.Helper()
	dir, binary := w.tb.TempDir(), w.plan.binary
	places := make([]node.Place, w.plan.nodes+w.plan.gateways)
	if w.plan.asks(links) {
		w.net = fault.NeedNet(w.tb, len(places))
	}
	if w.plan.asks(clocks) {
		binary = node.Overlaid(w.tb, fault.ClockOverlay(w.tb))
	}
	for i := range places {
		p := &places[i]
		p.Data, p.Binary = filepath.Join(dir, fmt.Sprint("n", i+1)), binary
		if w.plan.asks(disks) {
			disk := fault.NeedDisk(w.tb, diskSize)
			w.disks = append(w.disks, disk)
			p.Data = filepath.Join(disk.Dir, "data")
		}
		if w.plan.asks(clocks) {
			clock, err := fault.NewClock(w.tb.TempDir())
			if err != nil {
				w.tb.Fatal(err)
			}
			w.clocks, p.Env = append(w.clocks, clock), []string{clock.Env()}
		}
		if w.net != nil {
			p.Host, p.Inside = w.net.Host(i), w.net.Inside(i)
		}
		switch {
		case i >= w.plan.nodes:
			p.Args = []string{"--roles=gateway"}
		case w.plan.gateways > 0:
			p.Args = []string{"--roles=domain"}
		}
	}
	return places
}

func (w *world) newDoor(addr string) *cutter.Proxy {
	p, err := cutter.New(addr, w.tap)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(p.Close)
	w.doors = append(w.doors, p)
	return p
}

func (w *world) furnish(board string) {
	w.tb.Helper()
	title, _ := json.Marshal(map[string]any{"id": board, "title": "Board"})
	w.must(check.Request{Method: http.MethodPost, Body: string(title)})
	for i, c := range crowd.Furniture() {
		w.make(board, fmt.Sprint("furnish-", i), c)
	}
}

// make makes something as the owner.
func (w *world) make(board, id string, c crowd.Change) {
	w.tb.Helper()
	body, _ := json.Marshal(map[string]any{"type": "mutate", "clientMutationId": id, "entityId": c.EntityID, "patch": c.Patch, "ttlMs": 30_000})
	w.must(check.Request{Board: board, Method: http.MethodPost, Path: "mutations", Body: string(body)})
}

// must asks the nodes in turn until one has done it.
func (w *world) must(r check.Request) {
	w.tb.Helper()
	r.User = "owner"
	ctx, cancel := context.WithTimeout(w.tb.Context(), settleTime)
	defer cancel()
	turn := 0
	var last check.Request
	err := crowd.Poll(ctx, func() bool {
		last = w.notary.ask(w.gates[turn%len(w.gates)], r)
		turn++
		return last.Status >= 200 && last.Status < 300
	})
	if err != nil {
		w.tb.Fatalf("%s %s/%s: %d %.300s", r.Method, r.Board, r.Path, last.Status, last.Answer)
	}
}

// run lets everybody work while things break, mends everything, and waits until
// all is decided and seen.
func (w *world) run() {
	w.tb.Helper()
	ctx, cancel := context.WithCancel(w.tb.Context())
	if w.plan.span > 0 {
		ctx, cancel = context.WithTimeout(w.tb.Context(), w.plan.span)
	}
	defer cancel()
	var all sync.WaitGroup
	for i, p := range w.people {
		r := rand.New(rand.NewPCG(w.plan.seed, uint64(200+i)))
		all.Go(func() {
			for ctx.Err() == nil {
				p.Act()
				pause(ctx, time.Duration(1+r.Int64N(2*int64(w.plan.pace))))
			}
		})
	}
	if slices.Contains(w.plan.faults, cut) {
		all.Go(func() { w.vexDoors(ctx, rand.New(rand.NewPCG(w.plan.seed, 4))) })
	}
	w.trouble(ctx, rand.New(rand.NewPCG(w.plan.seed, 3)))
	cancel()
	all.Wait()
	if err := w.tb.Context().Err(); err != nil {
		w.tb.Fatal(stopped)
	}
	w.mendDoors()
	w.settle()
}

// stopped is the failure of a run that was ended before its time.
const stopped = "stopped: nothing is judged"

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *world) settle() {
	w.tb.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.tb.Context(), cmp.Or(w.plan.settle, settleTime))
	defer cancel()
	var all sync.WaitGroup
	for _, p := range w.people {
		all.Go(func() {
			if err := p.Settle(ctx); err != nil {
				w.tb.Errorf("not settled: %v", err)
			}
		})
	}
	all.Wait()
	if w.tb.Failed() {
		return // what there is will do
	}
	for _, board := range w.boards {
		w.make(board, "the-end", crowd.Change{EntityID: "the-end", Patch: map[string]any{"kind": "label", "name": "end"}})
	}
	for _, k := range w.keens {
		if err := k.Sees(ctx, "the-end"); err != nil {
			w.tb.Errorf("does not see the end: %v", err)
		}
	}
	if crowd.Poll(ctx, func() bool { return check.Unanswered(w.tap.Conns()) == 0 }) != nil {
		w.tb.Errorf("%d sendings on living connections without a verdict", check.Unanswered(w.tap.Conns()))
	}
	w.plan.say("quiet after %v", time.Since(began).Round(time.Millisecond))
}

// summary is the counts in order of name.
func summary(counts map[string]int) string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%s %d, ", what, counts[what])
	}
	return strings.TrimSuffix(b.String(), ", ")
}
