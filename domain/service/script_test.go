package service

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// script is a log whose calls a test steps into.
type script struct {
	*logtest.Log
	mu        sync.Mutex
	appends   int
	gets      int
	searches  int
	unpins    int
	size      int // of the record appended last
	reads     int // records given by Read
	snapshots []eventlog.Snapshot

	onAppend  func(n int, store func() (uint64, error)) (uint64, error) // n counts from 1
	silent    func(n int) bool                                          // the append gets no answer and is not stored
	onGet     func(rec eventlog.Record) eventlog.Record
	onSearch  func()
	onDeliver func()
	dead      bool // the process has crashed: nothing it does arrives any more
}

var errDead = errors.New("crashed")

func (s *script) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

func (s *script) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

func (s *script) Append(ctx context.Context, board string, data []byte, hash domain.Hash, expected uint64) (uint64, error) {
	s.mu.Lock()
	s.appends++
	s.size = len(data)
	n := s.appends
	s.mu.Unlock()
	if s.isDead() {
		return 0, errDead
	}
	if s.silent != nil && s.silent(n) {
		<-ctx.Done()
		return 0, eventlog.ErrUnknown
	}
	store := func() (uint64, error) { return s.Log.Append(ctx, board, data, hash, expected) }
	if s.onAppend != nil {
		return s.onAppend(n, store)
	}
	return store()
}

func (s *script) Announce(board string, a eventlog.Announcement) error {
	if s.isDead() {
		return errDead
	}
	return s.Log.Announce(board, a)
}

func (s *script) Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error) {
	s.mu.Lock()
	s.gets++
	s.mu.Unlock()
	rec, err := s.Log.Get(ctx, board, seq)
	if s.onGet != nil && err == nil {
		if rec = s.onGet(rec); rec.Commit == nil {
			err = eventlog.ErrNotFound
		}
	}
	return rec, err
}

func (s *script) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for rec, err := range s.Log.Read(ctx, board, from, to) {
			s.mu.Lock()
			s.reads++
			s.mu.Unlock()
			if !yield(rec, err) {
				return
			}
		}
	}
}

func (s *script) ReadSince(ctx context.Context, board string, start time.Time, to uint64) iter.Seq2[eventlog.Record, error] {
	s.mu.Lock()
	s.searches++
	s.mu.Unlock()
	if s.onSearch != nil {
		s.onSearch()
	}
	return s.Log.ReadSince(ctx, board, start, to)
}

func (s *script) PutSnapshot(ctx context.Context, board string, snap eventlog.Snapshot) error {
	s.mu.Lock()
	s.snapshots = append(s.snapshots, snap)
	s.mu.Unlock()
	return s.Log.PutSnapshot(ctx, board, snap)
}

func (s *script) Commands(ctx context.Context, shard int, fn func(eventlog.Delivery), standing func()) error {
	return s.Log.Commands(ctx, shard, func(d eventlog.Delivery) {
		if s.onDeliver != nil {
			s.onDeliver()
		}
		if !s.isDead() {
			fn(d)
		}
	}, standing)
}

func (s *script) Unpin(context.Context, int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unpins++
	return nil
}

// bench is one service on a scripted log, one gateway and one session.
type bench struct {
	*world
	script *script
	s      *Service
	stop   func()
	g      *gateway
	*session
}

// alone runs a test on a board with the columns full (limit 2) and wide, under
// virtual time, and checks the laws at its end.
func alone(t *testing.T, cfg logtest.Config, change func(*Config), test func(*testing.T, *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, logtest.Faults{})
		w.log = logtest.New(cfg)
		b := &bench{world: w, script: &script{Log: w.log}}
		b.start(change)
		ctx, cancel := context.WithCancel(context.Background())
		b.g = w.gateway("b")
		defer func() {
			cancel()
			b.stop()
			b.g.stop()
			time.Sleep(time.Minute) // whatever is still on its way
		}()
		b.session = b.join(ctx, "ann")
		b.mutate(b.id(), 4*time.Second, boardChange("b"), columnChange("full", 2), columnChange("wide", 0)).accepted(t)
		test(t, b)
		w.settle(3 * time.Minute)
		for _, x := range w.check("b") {
			t.Error(x)
		}
	})
}

func (b *bench) start(change func(*Config)) {
	b.s, b.stop = b.serve(func(c *Config) {
		c.Log = b.script
		if change != nil {
			change(c)
		}
	})
}

// rest waits until every worker with nothing to do has ended.
func (b *bench) rest() {
	time.Sleep(restFor)
	synctest.Wait()
}

func (b *bench) join(ctx context.Context, user string) *session {
	return &session{g: b.g, user: user, name: "of " + user, ctx: ctx}
}

func (b *bench) id() string { return newID(b.rng, time.Now()) }

// wide is a mutate that makes a card in the column wide.
func (b *bench) card(id string, ttl time.Duration) *sending {
	return b.mutate(id, ttl, cardChange("card-"+id, "wide"))
}

// counts gives how often the service appended and read one record, and how
// many records it read in order.
func (s *script) counts() (appends, gets, reads int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.appends, s.gets, s.reads
}

// pending says that s has no verdict now, when everything that can happen at
// this moment has happened.
func (s *sending) pending(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case <-s.decided:
		t.Fatalf("%s %s is decided: %+v", s.cmd.Op, s.cmd.ID, s.verdict)
	default:
	}
}
