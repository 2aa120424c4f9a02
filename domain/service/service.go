// Package service is the loop around the rules: it takes commands from the
// log's queues, decides each on its board's state and appends the outcome.
//
//	Commands(shard) ──deliver──> worker of the board (one goroutine while
//	                             anything of the board is undecided)
//	                               │  consider: repeat? after? ──> search beside
//	                               │  build: Decide, Fold, ... one Commit
//	                               │  Append ──> stored | conflict | unknown | full | void
//	                               ▼
//	                             announce, Done ──> heads, snapshots, directory
//
// What makes two workers on one board safe is the append's compare-and-set,
// nothing here: a worker that lost decides again on what the other one stored.
package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Service decides the commands of its shards. Run it once.
type Service struct {
	Config
	heads     heads
	snapshots snapshots
	directory directory
	ownership ownership
	stamps    stamps
	metrics   *metrics
	pace      pace
	loads     chan struct{} // a token per board being loaded
	scans     chan struct{} // a token per search of the log

	losing sync.Once
	lost   chan struct{} // closed when the log is

	warnedMu sync.Mutex
	warned   map[string]time.Time // when the warning was logged last

	mu       sync.Mutex
	active   map[string]*worker // boards with undecided commands, now or lately
	idle     *cache             // folded boards without
	backlog  int                // bytes of undecided commands, about
	draining bool
	workers  sync.WaitGroup
	hard     context.Context // ends when even the work under way is given up
	soft     context.Context // ends when draining: of what need not be finished
}

// New makes a Service; it reads and takes nothing before Run.
func New(cfg Config) (*Service, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Service{
		Config: cfg,
		loads:  make(chan struct{}, cfg.Loads),
		scans:  make(chan struct{}, cfg.Scans),
		active: make(map[string]*worker),
		warned: make(map[string]time.Time),
		lost:   make(chan struct{}),
		idle:   newCache(cfg.CachedBoards, cfg.CachedEntities, cfg.CachedBytes),
	}
	s.metrics = newMetrics(s)
	s.heads.init(s)
	s.snapshots.init(s)
	s.directory.init(s)
	s.ownership.init(s)
	s.stamps.init(s)
	return s, nil
}

// Run takes and decides commands until ctx ends. Then it takes no more, or,
// among members, hands its shards over to them first,
// finishes the commits under way within Config.DrainTimeout and returns nil;
// commands it did not decide are delivered to another service. It returns
// [eventlog.ErrClosed] when the log is closed before that.
func (s *Service) Run(ctx context.Context) error {
	hard, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	soft, stopAsking := context.WithCancel(hard)
	defer stopAsking()
	s.hard, s.soft = hard, soft
	var consumers, chores sync.WaitGroup
	for _, chore := range []func(context.Context){s.heads.run, s.snapshots.run, s.directory.run} {
		chores.Go(func() { chore(hard) })
	}
	chores.Go(func() { s.stamps.run(hard, s.Ownership) })
	if s.Members != nil {
		s.ownership.run(ctx)
	} else {
		for _, shard := range s.Shards {
			consumers.Go(func() { s.consume(ctx, shard, nil) })
		}
		consumers.Wait()
	}

	s.drain()
	stopAsking()
	done := make(chan struct{})
	go func() { s.workers.Wait(); close(done) }()
	bound := time.NewTimer(s.DrainTimeout)
	defer bound.Stop()
	select {
	case <-done:
	case <-bound.C:
		s.Logger.Warn("drain took too long, commits under way are left to the next worker", "bound", s.DrainTimeout)
	}
	giveUp()
	<-done
	chores.Wait()
	if ctx.Err() == nil {
		return eventlog.ErrClosed
	}
	s.snapshots.leave(context.WithoutCancel(ctx))
	return nil
}

// quietFor is how long a warning is not repeated: when the log is away every
// board has the same to say.
const quietFor = time.Second

// warn logs one warning of a sort per quietFor.
func (s *Service) warn(what string, args ...any) {
	now := time.Now()
	s.warnedMu.Lock()
	quiet := now.Sub(s.warned[what]) < quietFor
	if !quiet {
		s.warned[what] = now
	}
	s.warnedMu.Unlock()
	if !quiet {
		s.Logger.Warn(what, args...)
	}
}

// consume takes one shard's commands until ctx ends, whatever fails. standing,
// if not nil, is called when it is known to the queue that they are asked for.
func (s *Service) consume(ctx context.Context, shard int, standing func()) {
	var retry backoff
	for ctx.Err() == nil {
		err := s.Log.Commands(ctx, shard, s.deliver, standing)
		if errors.Is(err, eventlog.ErrClosed) {
			s.losing.Do(func() { close(s.lost) })
			return
		}
		if ctx.Err() != nil {
			return
		}
		s.warn("taking commands failed", "shard", shard, "error", err)
		pause(ctx, retry.next())
	}
}

// deliver hands a command to its board's worker and never blocks.
func (s *Service) deliver(d eventlog.Delivery) {
	if s.traces(&d.Command) {
		s.traceQueue(&d)
	}
	size := commandSize(&d.Command)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return // not Done: delivered again to whoever takes over
	}
	w := s.active[d.Command.Board]
	if s.backlog+size > s.BacklogBytes || w != nil && (w.backlog+1 > s.Backlog || w.backlogBytes+size > s.BacklogBytes/4) {
		s.metrics.dropped.Inc()
		d.Done() // as if lost; it must not keep a place in the queue from other boards
		return
	}
	if w == nil {
		w = newWorker(s, d.Command.Board)
		if b, ok := s.idle.take(d.Command.Board); ok {
			w.folded = b
		}
		s.active[w.board] = w
		s.workers.Go(func() { w.run(s.hard) })
	}
	s.backlog += size
	w.backlog++
	w.backlogBytes += size
	w.deliver(delivery{d, size})
}

// release gives back what a decided command took of the backlog.
func (s *Service) release(w *worker, commands, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backlog -= size
	w.backlog -= commands
	w.backlogBytes -= size
}

// retire ends a worker that has nothing to do and keeps its board; false if a
// command came in between. A board not loaded is not kept.
func (s *Service) retire(w *worker) bool {
	ended, over := s.end(w)
	s.pack(over)
	return ended
}

func (s *Service) end(w *worker) (ended bool, over []*cached) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !w.empty() {
		return false, nil
	}
	w.mu.Lock()
	w.draining = w.mail.drain // given away since the worker looked
	w.mu.Unlock()
	delete(s.active, w.board)
	s.backlog -= w.backlogBytes
	if w.state != nil && (!w.draining || s.draining) { // else its shard was given away: another decides on the board
		w.prune()
		over = s.idle.put(w.board, w.folded)
	}
	return true, over
}

// drain has every worker end when its commit under way has ended.
func (s *Service) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for _, w := range s.active {
		w.post(func(m *mail) { m.drain = true })
	}
}

// giveAway ends what this node does on a shard that another takes: what is
// under way is finished, the rest is delivered there. Boards that are not in
// use are forgotten: if the shard comes back they have changed.
func (s *Service) giveAway(shard int) {
	s.stamps.here[shard].Store(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	for board, w := range s.active {
		if s.Log.Shard(board) == shard {
			w.post(func(m *mail) { m.drain = true })
		}
	}
	for board := range s.idle.byID {
		if s.Log.Shard(board) == shard {
			s.idle.take(board)
		}
	}
}

// backoff is the wait before the next try of something that fails.
type backoff struct{ last time.Duration }

const (
	firstWait = 10 * time.Millisecond
	longWait  = time.Second
)

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, firstWait), longWait)
	return b.last
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// commandSize is about how many bytes a command takes in memory.
func commandSize(c *domain.Command) int {
	n := 300 + len(c.ID) + len(c.User) + len(c.Name) + len(c.Picture) + len(c.Session)
	for i := range c.Changes {
		n += 100 + len(c.Changes[i].EntityID) + fieldsSize(c.Changes[i].Patch) + fieldsSize(c.Changes[i].If)
	}
	if c.Import != nil {
		n += len(c.Import.Provenance)
		for _, e := range c.Import.Entities {
			if e == nil { // refused by Decide, not here
				continue
			}
			n += 200 + len(e.ID) + len(e.CreatedBy) + len(e.UpdatedBy) + fieldsSize(e.Fields)
		}
	}
	return n
}

// fieldsSize is about how many bytes fields take, in memory and as JSON.
func fieldsSize[M ~map[string]any](fields M) int {
	n := 0
	for name, v := range fields {
		n += 40 + len(name) + valueSize(v)
	}
	return n
}

func valueSize(v any) int {
	switch x := v.(type) {
	case string:
		return len(x)
	case []byte:
		return len(x)
	case []string:
		n := 0
		for _, s := range x {
			n += 20 + len(s)
		}
		return n
	case domain.SetChange:
		return valueSize(x.Add) + valueSize(x.Remove)
	case interface{ MarshalJSON() ([]byte, error) }: // json.RawMessage, domain.Place
		raw, _ := x.MarshalJSON()
		return len(raw)
	}
	return 10
}
