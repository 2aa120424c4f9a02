package service

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

var (
	schedules = flag.Int("schedules", 300, "how many seeded schedules of two services on one log to run")
	firstSeed = flag.Uint64("seed", 1, "the first schedule's seed")
	quiet     = slog.New(slog.DiscardHandler)
)

// totals shows that the schedules did what they are for.
type totals struct {
	mu                                       sync.Mutex
	records, void, decisions, accepted, news int
	searches                                 int
	codes                                    map[domain.Code]int
}

// TestSchedules_TwoServicesOneLog has two services believe that they own the
// same shard of a log that stalls, loses and repeats, and checks every law
// that the log and the verdicts can show.
func TestSchedules_TwoServicesOneLog(t *testing.T) {
	sum := totals{codes: make(map[domain.Code]int)}
	n := *schedules
	if testing.Short() {
		n = min(n, 100)
	}
	t.Run("seeds", func(t *testing.T) {
		const lanes = 4
		for lane := range lanes {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				for i := lane; i < n; i += lanes {
					seed := *firstSeed + uint64(i)
					if wrong := runSchedule(t, seed, randomFaults(seed), &sum); len(wrong) > 0 {
						for _, x := range wrong {
							t.Errorf("seed %d: %s", seed, x)
						}
						return
					}
				}
			})
		}
	})
	t.Logf("%d schedules: %d records, %d void, %d decisions, %d accepted, %d announcements, %d searches, refused %v",
		n, sum.records, sum.void, sum.decisions, sum.accepted, sum.news, sum.searches, sum.codes)
	if n >= 100 && (sum.void == 0 || sum.searches == 0 || sum.accepted == 0 || sum.codes[domain.Expired] == 0 || sum.codes[domain.Withdrawn] == 0 ||
		sum.codes[domain.WIPLimit] == 0 || sum.decisions <= sum.records) {
		t.Error("the schedules did not do what they are for")
	}
}

// TestChecker_FindsAMissingFence shows that the schedules notice a log that
// stores appends without comparing the sequence.
func TestChecker_FindsAMissingFence(t *testing.T) {
	findsBroken(t, func(f *logtest.Faults) { f.NoFence = true })
}

// TestChecker_FindsAMissingNotAfter shows that the schedules notice a log that
// hides when a commit was really stored.
func TestChecker_FindsAMissingNotAfter(t *testing.T) {
	findsBroken(t, func(f *logtest.Faults) { f.NoClock = true })
}

func findsBroken(t *testing.T, breakIt func(*logtest.Faults)) {
	for seed := uint64(1); seed <= 200; seed++ {
		f := randomFaults(seed)
		breakIt(&f)
		if wrong := runSchedule(t, seed, f, nil); len(wrong) > 0 {
			t.Logf("seed %d: %s", seed, wrong[0])
			return
		}
	}
	t.Error("200 schedules on a broken log and nothing was noticed")
}

func randomFaults(seed uint64) logtest.Faults {
	r := rand.New(rand.NewPCG(seed, 2))
	some := func(p float64) float64 {
		if r.IntN(2) == 0 {
			return 0
		}
		return p * r.Float64()
	}
	return logtest.Faults{
		Latency:       time.Duration(r.IntN(50)) * time.Millisecond,
		LoseAppend:    some(0.2),
		LoseAnswer:    some(0.2),
		Stall:         some(0.3),
		StallFor:      time.Duration(r.IntN(8000)) * time.Millisecond,
		FailRead:      some(0.2),
		LoseCommand:   some(0.3),
		RepeatCommand: some(0.5),
		CommandDelay:  time.Duration(r.IntN(1000)) * time.Millisecond,
		Redeliver:     time.Duration(r.IntN(2)) * 2 * time.Second,
		LoseNews:      some(0.5),
		RepeatNews:    some(0.3),
		NewsDelay:     time.Duration(r.IntN(300)) * time.Millisecond,
	}
}

func runSchedule(t *testing.T, seed uint64, faults logtest.Faults, sum *totals) (wrong []string) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed, faults)
		small := func(c *Config) {
			c.AppendTimeout = 3 * time.Second
			c.SnapshotEvery = 5
			c.CachedBoards = 1
			c.BatchSize = 1 + w.rng.IntN(8)
		}
		mortal := func() (*script, func()) {
			x := &script{Log: w.log}
			w.scripts = append(w.scripts, x)
			_, stop := w.serve(func(c *Config) { small(c); c.Log = x })
			return x, stop
		}
		_, stop1 := mortal()
		victim, stop2 := mortal()
		ctx, cancel := context.WithCancel(context.Background())
		boards := []string{"b1", "b2"}
		var gateways []*gateway
		var sessions []*session
		for _, board := range boards {
			for range 2 {
				g := w.gateway(board)
				gateways = append(gateways, g)
				for range 2 {
					name := fmt.Sprintf("s%d", len(sessions))
					behind := time.Duration(w.rng.IntN(3)/2) * 20 * time.Minute
					sessions = append(sessions, &session{g: g, user: "u" + name, name: name, ctx: ctx, behind: behind})
				}
			}
		}
		trouble := w.trouble(ctx)
		w.play(sessions)
		switch w.rng.IntN(4) {
		case 0: // a planned stop in the middle
			stop2()
			_, stop2 = mortal()
		case 1: // a crash
			victim.kill()
			bury := stop2
			defer bury()
			_, stop2 = mortal()
		case 2: // so long that memory forgets
			w.settle(3 * time.Minute)
			time.Sleep(time.Duration(10+w.rng.IntN(20)) * time.Minute)
		}
		w.play(sessions)
		trouble()
		w.settle(3 * time.Minute)
		cancel()
		stop1()
		stop2()
		time.Sleep(time.Minute) // whatever the log still holds back
		for _, g := range gateways {
			g.stop()
		}
		for _, board := range boards {
			wrong = append(wrong, w.check(board)...)
		}
		sum.add(w, boards)
	})
	return wrong
}

// trouble fills the log up now and then until it is stopped.
func (w *world) trouble(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	rng := rand.New(rand.NewPCG(w.rng.Uint64(), 4))
	go func() {
		defer close(done)
		for rng.IntN(3) > 0 && ctx.Err() == nil {
			pause(ctx, time.Duration(rng.IntN(3000))*time.Millisecond)
			w.log.SetFull(true)
			pause(ctx, time.Duration(rng.IntN(1500))*time.Millisecond)
			w.log.SetFull(false)
		}
	}()
	return func() { cancel(); <-done }
}

// settle waits until every sending has its verdict, at most for d.
func (w *world) settle(d time.Duration) {
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	for _, s := range w.sendings {
		select {
		case <-s.decided:
		case <-timeout.C:
			return
		}
	}
}

// play has every session send a few random commands.
func (w *world) play(sessions []*session) {
	var players sync.WaitGroup
	for _, s := range sessions {
		rng := rand.New(rand.NewPCG(w.rng.Uint64(), 3))
		players.Go(func() {
			s.mutate(s.newID(rng), 4*time.Second, boardChange(s.g.board), columnChange("full", 2), columnChange("wide", 0))
			for range 4 + rng.IntN(6) {
				time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
				s.random(rng)
			}
		})
	}
	players.Wait()
}

// newID is an id by the session's clock, which may be far behind: the log must
// be searched for it once memory does not reach back so far.
func (s *session) newID(rng *rand.Rand) string { return newID(rng, time.Now().Add(-s.behind)) }

func (s *session) random(rng *rand.Rand) {
	ttl := time.Duration(1+rng.IntN(4)) * time.Second
	column := []string{"full", "wide"}[rng.IntN(2)]
	card := fmt.Sprintf("card-%d", rng.IntN(6))
	id := s.newID(rng)
	switch rng.IntN(8) {
	case 0, 1:
		s.mutate(id, ttl, cardChange(card, column))
	case 2:
		s.mutate(id, ttl, domain.Change{EntityID: card, Patch: domain.Patch{"columnId": column}})
	case 3:
		s.mutate(id, ttl, domain.Change{EntityID: card, Patch: domain.Patch{"title": fmt.Sprint("T", rng.IntN(3))}})
	case 4:
		s.mutate(id, ttl, domain.Change{EntityID: card})
	case 5: // a card right behind its column
		s.mutate(id, ttl, columnChange("c"+id[20:], 0))
		s.mutate(s.newID(rng), ttl, cardChange("k"+id[20:], "c"+id[20:]))
	case 6: // withdrawn, perhaps in time, perhaps before it comes
		if rng.IntN(2) == 0 {
			s.cancel(id)
			s.mutate(id, ttl, cardChange(card, column))
			return
		}
		s.mutate(id, ttl, cardChange(card, column))
		time.Sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
		s.cancel(id)
	case 7: // sent again
		if len(s.sent) > 0 {
			s.send(s.sent[rng.IntN(len(s.sent))].cmd)
		}
	}
}

func (sum *totals) add(w *world, boards []string) {
	if sum == nil {
		return
	}
	sum.mu.Lock()
	defer sum.mu.Unlock()
	sum.news += w.news
	for _, x := range w.scripts {
		x.mu.Lock()
		sum.searches += x.searches
		x.mu.Unlock()
	}
	for _, board := range boards {
		records, void := count(w.log, board)
		sum.records += records
		sum.void += void
		for _, rec := range w.log.Stored(board) {
			for i := range rec.Commit.Decisions {
				sum.decisions++
				if r := rec.Commit.Decisions[i].Rejection; r == nil {
					sum.accepted++
				} else {
					sum.codes[r.Code]++
				}
			}
		}
	}
}
