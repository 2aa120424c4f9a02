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
	span                   time.Duration // of trouble
	pace                   time.Duration // between two mutations of a client, on average
	faults                 []string
	binary                 string        // "": that of the source
	most                   time.Duration // that one lasts; 0: what its kind may
	settle                 time.Duration // how long everything may take to be decided once all is mended; 0: settleTime
	say                    func(format string, args ...any)
}

// world is a cluster of real processes, the people who use it, and an eye that
// reads its log past everything:
//
//	Go clients, raw sockets ── cutter.Proxy ─┐
//	callers (HTTP) ──────────────────────────┴─ snapback n1..n3 ── routes ── eye
type world struct {
	tb     testing.TB
	plan   plan
	start  time.Time
	boards []string
	pools  map[string]*crowd.Pool
	nodes  []*node.Server
	disks  []*fault.Disk // nil: ordinary directories
	net    *fault.Net    // nil: all on loopback
	eye    *eye
	tap    *cutter.Recorder
	doors  []*cutter.Proxy
	people []person
	keens  []*crowd.Keen
	notary *notary

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
	w := &world{tb: tb, plan: p, start: time.Now(), pools: map[string]*crowd.Pool{}, tap: &cutter.Recorder{}, notary: &notary{}, counts: map[string]int{}}
	dir := tb.TempDir()
	args := []string{"--demo=false", fmt.Sprint("--shards=", shards), "--log-level=warn"}
	places := make([]node.Place, p.nodes)
	if w.asked("partition", "mute", "slownet") {
		w.net = fault.NeedNet(tb, p.nodes)
		args = append(args, "--insecure-open")
	}
	for i := range places {
		places[i] = node.Place{Data: filepath.Join(dir, fmt.Sprint("n", i+1)), Binary: p.binary}
		if w.asked("full", "slowdisk", "power") {
			disk := fault.NeedDisk(tb, diskSize)
			w.disks = append(w.disks, disk)
			places[i].Data = filepath.Join(disk.Dir, "data")
		}
		if w.net != nil {
			places[i].Host, places[i].Inside = w.net.Host(i), w.net.Inside(i)
		}
	}
	w.nodes = node.StartNodesAt(tb, places, args...)
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

// asked says whether one of these faults is to happen.
func (w *world) asked(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(w.plan.faults, name) })
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
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	turn := 0
	var last check.Request
	err := crowd.Poll(ctx, func() bool {
		last = w.notary.ask(w.nodes[turn%len(w.nodes)], r)
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
	ctx, cancel := context.WithTimeout(context.Background(), w.plan.span)
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
	if w.asked("cut") {
		all.Go(func() { w.vexDoors(ctx, rand.New(rand.NewPCG(w.plan.seed, 4))) })
	}
	w.trouble(ctx, rand.New(rand.NewPCG(w.plan.seed, 3)))
	all.Wait()
	w.mendDoors()
	w.settle()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *world) settle() {
	w.tb.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(w.plan.settle, settleTime))
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

// history asks every node for everything, reads the log, and gives all of it.
func (w *world) history() *check.History {
	w.tb.Helper()
	h := &check.History{Start: w.start, About: fmt.Sprintf("%+v", w.plan), Conns: w.tap.Conns(), Requests: w.notary.requests()}
	if w.tb.Failed() { // not all is decided
		return w.read(h)
	}
	w.inquire(check.Sent(h))
	h.Requests = w.notary.requests()
	for _, k := range w.keens {
		h.Views = append(h.Views, k.Holds())
		told, missing := k.Told()
		h.Told = append(h.Told, told...)
		for _, id := range missing {
			w.tb.Errorf("%s has no verdict", id)
		}
	}
	return w.read(h)
}

// read adds the log.
func (w *world) read(h *check.History) *check.History {
	w.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	var err error
	if h.Records, err = check.ReadLog(ctx, w.eye.nc); err != nil {
		w.tb.Fatalf("the log: %v", err)
	}
	return h
}

// inquiries is how many requests are asked at a time when all is quiet.
const inquiries = 16

// inquire asks every node for each board and for the verdict of each mutation.
func (w *world) inquire(sent []check.ID) {
	w.tb.Helper()
	var all sync.WaitGroup
	slots := make(chan struct{}, inquiries)
	ask := func(n *node.Server, r check.Request) {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			for range 100 { // as long as it is rate limited
				if got := w.notary.ask(n, r); got.Status != http.StatusTooManyRequests && got.Status != http.StatusServiceUnavailable {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			w.tb.Errorf("%s does not answer %s/%s", n.Name(), r.Board, r.Path)
		})
	}
	for _, n := range w.nodes {
		for _, board := range w.boards {
			rev := uint64(0)
			for _, k := range w.keens {
				if v := k.Holds(); v.Board == board {
					rev = max(rev, v.Rev)
				}
			}
			ask(n, check.Request{User: "owner", Board: board, Method: http.MethodGet, Path: fmt.Sprint("?minRev=", rev), Quiet: true})
		}
		for _, id := range sent {
			ask(n, check.Request{User: id.User, Board: id.Board, Method: http.MethodGet, Path: "mutations/" + id.ID, Quiet: true})
		}
	}
	all.Wait()
}

// summary is the counts in order of name.
func summary(counts map[string]int) string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%s %d, ", what, counts[what])
	}
	return strings.TrimSuffix(b.String(), ", ")
}
