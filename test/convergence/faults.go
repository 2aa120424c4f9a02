package convergence

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
)

// fates decides what becomes of single NATS messages: announcements, commands
// and their deliveries are lost or doubled, appends doubled, their answers lost.
type fates struct {
	w *world

	mu      sync.Mutex
	r       *rand.Rand
	healthy bool
	mute    map[string]bool // inboxes whose answer gets lost
}

func newFates(w *world, r *rand.Rand) *fates {
	return &fates{w: w, r: r, mute: map[string]bool{}, healthy: true}
}

// percent of messages that are lost, and as many doubled.
const percent = 2

func (f *fates) of(way cutter.Way, subject, reply string) cutter.Fate {
	kind, _, _ := strings.Cut(subject, ".")
	f.mu.Lock()
	defer f.mu.Unlock()
	if way == cutter.Down && f.mute[subject] {
		delete(f.mute, subject)
		f.w.count("append answers lost", 1)
		return cutter.Lose
	}
	if f.healthy {
		return cutter.Pass
	}
	dice := f.r.IntN(100)
	switch {
	case kind == "evt" && way == cutter.Up && reply != "" && dice < percent:
		f.mute[reply] = true
	case kind == "evt" && way == cutter.Up && dice < 2*percent:
		f.w.count("appends doubled", 1)
		return cutter.Double
	case kind != "live" && kind != "cmd":
	case dice < percent:
		f.w.count(kind+" lost", 1)
		return cutter.Lose
	case dice < 2*percent:
		f.w.count(kind+" doubled", 1)
		return cutter.Double
	}
	return cutter.Pass
}

func (f *fates) set(healthy bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.healthy = healthy
}

// dealt is what every seed begins with: a cut, a delay, a cut between node and
// log, the longest stall, a kill.
var dealt = []int{1, 4, 8, 7, 0}

// faults breaks things until ctx ends.
func (w *world) faults(ctx context.Context, r *rand.Rand) {
	if w.fates != nil {
		w.fates.set(false)
	}
	for _, p := range w.proxies {
		p.CutAfter(cuts(rand.New(rand.NewPCG(r.Uint64(), 0)), w))
	}
	if w.plan.uplink > 20*time.Second { // once, on one line, to the full
		w.count("long uplink delays", 1)
		w.proxies[0].Set(cutter.Faults{Delay: [2]time.Duration{cutter.Up: w.plan.uplink}})
	}
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(100+r.IntN(500)) * time.Millisecond):
		}
		k := r.IntN(12)
		if n < len(dealt) { // so that none is left to chance, on a slow machine neither
			k = dealt[n]
		}
		switch {
		case n < len(dealt) && k == 7:
			w.stall(ctx, w.plan.stall)
		case n < len(dealt) && k == 0 || k == 0 && w.plan.activity > 10*time.Second:
			w.kill(r)
		case k <= 3:
			w.count("cuts", w.proxies[r.IntN(len(w.proxies))].CutAll())
		case k <= 6:
			w.delay(r)
		case k == 7:
			w.stall(ctx, 200*time.Millisecond+time.Duration(r.Int64N(int64(min(w.plan.stall, 3*time.Second)))))
		case k == 8 && w.nats != nil:
			w.lines[r.IntN(len(w.lines))].CutAll()
			w.count("log connections cut", 1)
		case k == 10:
			w.count("sockets stalled", w.proxies[r.IntN(len(w.proxies))].Stall(cutter.Way(r.IntN(2))))
		case k == 11:
			for _, p := range w.proxies {
				p.Release()
			}
		case k == 9 && len(w.servers) > 1: // to another node at the next connection
			w.proxies[r.IntN(len(w.proxies))].Retarget(w.servers[r.IntN(len(w.servers))].Addr)
		}
	}
}

// cuts gives each new connection's budget of bytes.
func cuts(r *rand.Rand, w *world) func() (int, int) {
	return func() (int, int) {
		up, down := -1, -1
		if r.IntN(3) == 0 {
			up = 300 + r.IntN(20_000)
		}
		if r.IntN(3) == 0 {
			down = 300 + r.IntN(60_000)
		}
		if up >= 0 || down >= 0 {
			w.count("cuts at a byte", 1)
		}
		return up, down
	}
}

func (w *world) delay(r *rand.Rand) {
	var f cutter.Faults
	d := time.Duration(r.Int64N(int64(min(w.plan.uplink, 3*time.Second))))
	if f.Delay[cutter.Up] = d; r.IntN(2) == 0 {
		f.Delay[cutter.Down] = d / 4
	}
	first := 0
	if w.plan.uplink > 20*time.Second {
		first = 1 // the first has its own
	}
	w.proxies[first+r.IntN(len(w.proxies)-first)].Set(f)
	w.count("delays", 1)
}

// stall freezes the log: the NATS server, or the one process that is both.
func (w *world) stall(ctx context.Context, d time.Duration) {
	w.count("stalls", 1)
	if d >= 10*time.Second {
		w.count("long stalls", 1)
	}
	var thaw func()
	if w.nats != nil {
		w.nats.Freeze()
		thaw = w.nats.Thaw
	} else {
		w.servers[0].Freeze()
		thaw = w.servers[0].Thaw
	}
	defer thaw()
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// kill ends a process without warning and starts it again on the same data.
func (w *world) kill(r *rand.Rand) {
	if w.nats != nil && r.IntN(3) == 0 {
		w.count("log server killed", 1)
		w.nats.Kill()
		w.nats.Again()
		return
	}
	n := r.IntN(len(w.servers))
	w.count("servers killed", 1)
	if len(w.servers) > 1 {
		w.count("workers taken over", 1)
	}
	w.servers[n].Kill()
	w.servers[n].Again()
}

// mend ends every fault. What is on its way takes its time still.
func (w *world) mend() {
	if w.fates != nil {
		w.fates.set(true)
	}
	for _, p := range w.proxies {
		p.CutAfter(nil)
		p.Set(cutter.Faults{})
		p.Release()
	}
}
