package service

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// havoc is what was done to the nodes of a schedule, by name, over all of them.
type havoc struct {
	mu   sync.Mutex
	done map[string]int
}

func (h *havoc) did(what string) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done[what]++
}

// TestSchedules_NodesComeAndGo has nodes divide the shards of a log that
// stalls, loses and repeats, while they join, stop, crash, freeze and wake, and
// disagree on who is there because beats are lost or they are cut off from
// each other, and checks every law that the log and the verdicts can show.
func TestSchedules_NodesComeAndGo(t *testing.T) {
	sum, done := totals{codes: make(map[domain.Code]int)}, havoc{done: map[string]int{}}
	n := *schedules / 2
	if testing.Short() {
		n = min(n, 50)
	}
	start := time.Now()
	t.Run("seeds", func(t *testing.T) {
		const lanes = 4
		for lane := range lanes {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				for i := lane; i < n; i += lanes {
					seed := *firstSeed + uint64(i)
					if wrong := runFleet(t, seed, randomFaults(seed), &sum, &done); len(wrong) > 0 {
						for _, x := range wrong {
							t.Errorf("seed %d: %s", seed, x)
						}
						return
					}
				}
			})
		}
	})
	t.Logf("%d schedules, %.0f a minute: %v; %d records, %d void, %d decisions, %d accepted, refused %v",
		n, float64(n)/time.Since(start).Minutes(), done.done, sum.records, sum.void, sum.decisions, sum.accepted, sum.codes)
	if n < 100 {
		return
	}
	for _, what := range []string{"join", "stop", "crash", "freeze", "cut off", "deafen"} {
		if done.done[what] == 0 {
			t.Errorf("no schedule had a %s", what)
		}
	}
	if sum.void == 0 || sum.accepted == 0 || sum.codes[domain.Expired] == 0 {
		t.Error("the schedules did not do what they are for")
	}
}

// TestHavoc_FindsWhatIsBroken shows that these schedules notice a log that
// stores appends without comparing the sequence, and one that hides when a
// commit was really stored.
func TestHavoc_FindsWhatIsBroken(t *testing.T) {
	for name, breakIt := range map[string]func(*logtest.Faults){
		"fence":    func(f *logtest.Faults) { f.NoFence = true },
		"notAfter": func(f *logtest.Faults) { f.NoClock = true },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= 200; seed++ {
				f := randomFaults(seed)
				breakIt(&f)
				if wrong := runFleet(t, seed, f, nil, nil); len(wrong) > 0 {
					t.Logf("seed %d: %s", seed, wrong[0])
					return
				}
			}
			t.Error("200 schedules on a broken log and nothing was noticed")
		})
	}
}

func runFleet(t *testing.T, seed uint64, faults logtest.Faults, sum *totals, done *havoc) (wrong []string) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 6))
		f := newFleet(t, seed, faults, 1+rng.IntN(3), 0.3*rng.Float64())
		batch := 1 + f.rng.IntN(8)
		f.small = func(c *Config) {
			c.AppendTimeout, c.SnapshotEvery, c.CachedBoards, c.BatchSize = 3*time.Second, 5, 1, batch
		}
		for i := range 1 + rng.IntN(3) {
			f.join(fmt.Sprint("n", i))
		}
		ctx, cancel := context.WithCancel(context.Background())
		boards := []string{"b1", "b2", "b3"}
		var gateways []*gateway
		var sessions []*session
		for _, board := range boards {
			g := f.gateway(board)
			gateways = append(gateways, g)
			for range 2 {
				name := fmt.Sprintf("s%d", len(sessions))
				sessions = append(sessions, &session{g: g, user: "u" + name, name: name, ctx: ctx})
			}
		}
		trouble, calm := f.trouble(ctx), f.havoc(rng, done)
		f.play(sessions)
		f.play(sessions)
		trouble()
		calm()
		f.settle(3 * time.Minute)
		cancel()
		f.bury()
		for _, g := range gateways {
			g.stop()
		}
		for _, board := range boards {
			wrong = append(wrong, f.check(board)...)
		}
		sum.add(f.world, boards)
	})
	return wrong
}

// havoc does things to the nodes, one after the other, until it is stopped;
// then all hear each other again, and one at least is there.
func (f *fleet) havoc(rng *rand.Rand, done *havoc) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			f.harm(rng, done)
			pause(ctx, time.Duration(rng.IntN(1500))*time.Millisecond)
		}
		for name := range f.nodes {
			f.net.Isolate(name, false)
		}
	}()
	return func() { cancel(); <-ended }
}

// harm does one thing to one node.
func (f *fleet) harm(rng *rand.Rand, done *havoc) {
	names := slices.Sorted(maps.Keys(f.nodes))
	name := names[rng.IntN(len(names))]
	other := names[rng.IntN(len(names))]
	last := len(names) == 1
	switch what := rng.IntN(7); {
	case what == 0 && len(names) < 4:
		done.did("join")
		f.joined++
		f.join(fmt.Sprint("late", f.joined))
	case what == 1 && !last:
		done.did("stop")
		f.nodes[name].stop()
		delete(f.nodes, name)
	case what == 2 && !last:
		done.did("crash")
		f.crash(name)
	case what == 3:
		done.did("freeze")
		f.net.Freeze(name, time.Duration(rng.IntN(8000))*time.Millisecond)
	case what == 4:
		done.did("cut off")
		f.net.Isolate(name, true)
	case what == 5 && name != other:
		done.did("deafen")
		f.net.Cut(name, other, true)
	default:
		f.net.Isolate(name, false)
	}
}
