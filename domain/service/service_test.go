package service

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

var manyBoards = flag.Int("boards", 4000, "over how many boards TestManyBoards goes")

func TestConfig_Ranges(t *testing.T) {
	log := logtest.New(logtest.Config{Shards: 2})
	for name, cfg := range map[string]Config{
		"no log":          {},
		"shard":           {Log: log, Shards: []int{2}},
		"snapshots":       {Log: log, SnapshotEvery: -1},
		"cache":           {Log: log, CachedBoards: 1e9},
		"backlog bytes":   {Log: log, BacklogBytes: 10},
		"append timeout":  {Log: log, AppendTimeout: time.Microsecond},
		"drain timeout":   {Log: log, DrainTimeout: time.Hour},
		"decisions":       {Log: log, BatchSize: 1 << 30},
		"loads":           {Log: log, Loads: -3},
		"scans":           {Log: log, Scans: 5000},
		"cached entities": {Log: log, CachedEntities: -1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	s, err := New(Config{Log: log})
	if err != nil || len(s.Shards) != 2 || s.SnapshotEvery != 1000 {
		t.Errorf("defaults: %v, %v", s, err)
	}
}

// A board whose append hangs does not keep the others of its shard waiting.
func TestDesign_OneBoardThatWaitsHoldsUpNoOther(t *testing.T) {
	alone(t, logtest.Config{}, func(c *Config) { c.Backlog = 20 }, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n == 2 {
				time.Sleep(3 * time.Second)
			}
			return store()
		}
		stuck := b.card(b.id(), 4*time.Second)
		synctest.Wait()
		for range 100 { // more than the board may have waiting
			id := b.id()
			b.deliver(t, b.command(id, 10*time.Second, cardChange(id, "wide")))
		}
		b.s.mu.Lock()
		waiting := b.s.active["b"].backlog
		b.s.mu.Unlock()
		if waiting != 20 {
			t.Errorf("%d commands wait in memory, want 20", waiting)
		}
		g := b.gateway("other")
		defer g.stop()
		other := &session{g: g, user: "bob", name: "bob", ctx: b.ctx}
		other.mutate(b.id(), time.Second, boardChange("other")).await(t, time.Millisecond)
		stuck.pending(t)
		stuck.accepted(t)
	})
}

// What a board has no room for is dropped as if lost, and comes again.
func TestBacklog_ShedCommandsComeAgain(t *testing.T) {
	alone(t, logtest.Config{}, func(c *Config) { c.Backlog = 5 }, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			time.Sleep(200 * time.Millisecond)
			return store()
		}
		var list []*sending
		for i := range 30 {
			s := b.join(b.ctx, fmt.Sprint("user", i))
			list = append(list, s.mutate(b.id(), 30*time.Second, cardChange(b.id(), "wide")))
		}
		for _, s := range list {
			s.accepted(t)
		}
		b.rest()
		b.s.mu.Lock()
		defer b.s.mu.Unlock()
		if b.s.backlog != 0 || len(b.s.active) != 0 {
			t.Errorf("%d bytes and %d workers are left over", b.s.backlog, len(b.s.active))
		}
	})
}

func TestCache_ReloadsWhatItDropped(t *testing.T) {
	alone(t, logtest.Config{}, func(c *Config) { c.CachedBoards = 3 }, func(t *testing.T, b *bench) {
		var sessions []*session
		for i := range 10 {
			board := fmt.Sprint("board", i)
			g := b.gateway(board)
			defer g.stop()
			s := &session{g: g, user: "ann", name: board, ctx: b.ctx}
			s.mutate(b.id(), time.Second, boardChange(board), columnChange("full", 2)).accepted(t)
			sessions = append(sessions, s)
		}
		for round := range 3 {
			for _, s := range sessions {
				v := s.mutate(b.id(), time.Second, cardChange(fmt.Sprint("card", round), "full")).await(t, time.Second)
				if refused := v.Rejection != nil; refused != (round == 2) {
					t.Errorf("%s round %d: %+v", s.g.board, round, v)
				}
				b.rest()
				b.s.mu.Lock()
				if n := len(b.s.idle.byID); n > 3 || n != b.s.idle.open.Len()+b.s.idle.packed.Len() {
					t.Errorf("%d boards are cached", n)
				}
				b.s.mu.Unlock()
			}
		}
		for _, s := range sessions {
			for _, x := range b.check(s.g.board) {
				t.Error(x)
			}
		}
	})
}

// When its context ends a service takes nothing more, finishes the commit
// under way and leaves the rest to the next.
func TestDrain_FinishesWhatIsInFlight(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n == 2 {
				time.Sleep(2 * time.Second)
			}
			return store()
		}
		flying := b.card(b.id(), 10*time.Second)
		held := b.id()
		b.deliver(t, b.after(held, b.id(), 20*time.Second, cardChange("held", "wide")))
		start := time.Now()
		b.stop()
		if took := time.Since(start); took < 2*time.Second || took > 3*time.Second {
			t.Errorf("drained after %v", took)
		}
		flying.accepted(t)
		if b.decision(held) != nil {
			t.Error("a held command was decided")
		}
		b.start(nil)
	})
}

func TestDrain_EndsWithinItsBound(t *testing.T) {
	alone(t, logtest.Config{}, func(c *Config) { c.DrainTimeout = 3 * time.Second }, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) { return 0, eventlog.ErrFull }
		s := b.card(b.id(), 30*time.Second)
		synctest.Wait()
		start := time.Now()
		b.stop()
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("drained after %v", took)
		}
		b.script.onAppend = nil
		b.start(nil)
		s.accepted(t)
	})
}

// A service that dies with a commit under way leaves a board that the next one
// goes on with; the gateways' repeats bring the commands again.
func TestCrash_NextServiceGoesOn(t *testing.T) {
	for name, stored := range map[string]bool{"stored": true, "not stored": false} {
		t.Run(name, func(t *testing.T) {
			alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
				died := b.script
				died.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
					died.kill()
					if stored {
						store()
					}
					return 0, errDead
				}
				s := b.card(b.id(), 10*time.Second)
				synctest.Wait()
				var heads atomic.Int32 // of the record that nobody announced
				ignore, err := b.log.Subscribe("b", func(a eventlog.Announcement) {
					if a.Head == 2 {
						heads.Add(1)
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				defer ignore()
				stop := b.stop
				b.script = &script{Log: b.log}
				b.start(nil)
				s.accepted(t)
				b.send(s.cmd).accepted(t) // has the board loaded
				time.Sleep(3 * time.Second)
				if heads.Load() == 0 {
					t.Error("nobody hears of the record")
				}
				stop()
			})
		})
	}
}

// A worker stays for a while, so that the next command finds it; a stop does
// not wait for it.
func TestWorker_RestsBeforeItEnds(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		worker := func() *worker {
			synctest.Wait()
			b.s.mu.Lock()
			defer b.s.mu.Unlock()
			return b.s.active["b"]
		}
		b.rest()
		if worker() != nil {
			t.Fatal("a worker without work is there")
		}
		b.card(b.id(), time.Second).accepted(t)
		first := worker()
		time.Sleep(restFor / 2)
		b.card(b.id(), time.Second).accepted(t)
		time.Sleep(restFor / 2)
		if first == nil || worker() != first {
			t.Error("another worker took the next command")
		}
		start := time.Now()
		b.stop()
		if took := time.Since(start); took > 0 {
			t.Errorf("stopping took %v", took)
		}
		b.start(nil)
	})
}

// TestManyBoards touches boards at random, far more than are kept in memory.
func TestManyBoards(t *testing.T) {
	boards, touches := *manyBoards, 2**manyBoards
	log := logtest.New(logtest.Config{Shards: 8})
	s, err := New(Config{Log: log, Logger: quiet, CachedBoards: 500})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range touches {
		board := fmt.Sprint("board-", rng.IntN(boards))
		now := time.Now()
		cmd := domain.Command{ID: newID(rng, now), Board: board, Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen,
			ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: []domain.Change{boardChange(board)}}
		if i%3 > 0 {
			cmd.Changes = []domain.Change{columnChange(cmd.ID, 0)}
		}
		if err := log.PublishCommand(&cmd, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for log.Undone() > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-done
	if n := len(s.idle.byID); n > 500 || len(s.active) > 0 {
		t.Errorf("%d boards in memory, %d workers", n, len(s.active))
	}
	if decided := log.Decisions(); decided != touches {
		t.Errorf("%d decisions of %d commands", decided, touches)
	}
}

func BenchmarkHotBoard(b *testing.B) { benchmarkBoards(b, 1, 1000, time.Millisecond) }

func BenchmarkManyBoards(b *testing.B) { benchmarkBoards(b, 1000, 1000, time.Millisecond) }

// benchmarkBoards keeps clients mutations in flight over boards on a log whose
// append takes that long.
func benchmarkBoards(b *testing.B, boards, clients int, latency time.Duration) {
	log := logtest.New(logtest.Config{Shards: 8, Faults: logtest.Faults{Latency: latency}})
	s, err := New(Config{Log: log, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	drive(b, log, boards, clients)
	cancel()
	<-done
}

// commandLog is what drive needs of a log.
type commandLog interface {
	PublishCommand(cmd *domain.Command, ttl time.Duration) error
	Subscribe(board string, fn func(eventlog.Announcement)) (stop func(), err error)
}

// drive sends b.N mutations, clients at a time, and waits for their verdicts.
func drive(b *testing.B, log commandLog, boards, clients int) {
	slots := make(chan struct{}, clients)
	var records, refused atomic.Int64
	for i := range boards {
		stop, err := log.Subscribe(fmt.Sprint("board-", i), func(a eventlog.Announcement) {
			if a.Record == nil {
				return
			}
			records.Add(1)
			for i := range a.Record.Commit.Decisions {
				if a.Record.Commit.Decisions[i].Rejection != nil {
					refused.Add(1)
				}
				<-slots
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		defer stop()
	}
	rng := rand.New(rand.NewPCG(1, 1))
	send := func(board string, changes ...domain.Change) {
		slots <- struct{}{}
		now := time.Now().UTC()
		cmd := domain.Command{ID: newID(rng, now), Board: board, Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen,
			ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: changes}
		if err := log.PublishCommand(&cmd, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
	drained := func() {
		for range clients {
			slots <- struct{}{}
		}
		for range clients {
			<-slots
		}
	}
	for i := range boards {
		board := fmt.Sprint("board-", i)
		send(board, boardChange(board), columnChange("column", 0), cardChange("card", "column"))
	}
	drained()
	records.Store(0)
	b.ResetTimer()
	for i := range b.N {
		send(fmt.Sprint("board-", rng.IntN(boards)), create("card", domain.Patch{"title": fmt.Sprint("Title ", i)}))
	}
	drained()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mutations/s")
	b.ReportMetric(float64(b.N)/float64(max(records.Load(), 1)), "mutations/commit")
	if refused.Load() > 0 {
		b.Errorf("%d refused", refused.Load())
	}
}

func TestImport_AnEntityThatIsNullIsRefused(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		cmd := b.command(b.id(), 4*time.Second)
		cmd.Op, cmd.Import = domain.OpImport, &domain.Import{Source: "test:1", Entities: []*domain.Entity{nil}}
		b.deliver(t, cmd)
		if d := b.decision(cmd.ID); d == nil || d.Rejection == nil {
			t.Errorf("%+v", d)
		}
	})
}
