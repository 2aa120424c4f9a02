package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Log is what a Feed reads: an [eventlog.Log], or a fake of one.
type Log interface {
	eventlog.Source
	WatchHead(board string, f eventlog.Follower) (stop func())
	Subscribe(board string, fn func(eventlog.Announcement)) (stop func(), err error)
}

// Sink takes what a Feed brings. Its methods are called one at a time and in
// order.
type Sink interface {
	// Load replaces the view: at the start, and when a fold has failed.
	Load(v *View)
	// Apply folds the record that follows the last one. After an error the
	// feed loads the board again.
	Apply(r eventlog.Record) error
	// Repeat brings a stored verdict to somebody who asked again; the view has
	// reached its Seq.
	Repeat(v domain.Verdict)
}

const (
	headWait    = 2 * time.Second // how long a leader may take to name a board's head
	linger      = time.Second     // how long a feed's goroutine waits for more to do
	firstRetry  = 50 * time.Millisecond
	lastRetry   = time.Second
	bufferBytes = 16 << 20 // of announced records that wait; beyond it only the last one's sequence is kept
	bufferNews  = 1 << 16  // announcements that wait; beyond it repeats are dropped: who waits asks again
)

// Feed follows one board: every stored record once, in order, without a gap,
// whatever announcements are lost, doubled or out of order. While there is
// nothing to do it has no goroutine. Safe for concurrent use.
type Feed struct {
	log    Log
	board  string
	sink   Sink
	logger *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	stop   func() // ends the subscription and the watch

	records atomic.Uint64 // the board's, that the sink has
	reached atomic.Uint64 // seq, for others
	lag     lag

	// The loop's own.
	seq    uint64 // of the last record the sink has
	broken bool   // a fold has failed: nothing is applied before a load

	mu      sync.Mutex
	waiting []eventlog.Announcement
	bytes   int           // of the records in waiting
	head    uint64        // announced, without its record
	asked   []chan error  // who waits for the next look at the head
	anew    []chan error  // who waits for the board to be loaded again
	wake    chan struct{} // holds one token when there is something to do
	runs    bool          // there is a goroutine in run
	closed  bool
	loop    sync.WaitGroup // that goroutine
}

// Open subscribes, loads the board and gives the view to the sink, current as
// of the head the leader named after the subscription was in force. The feed
// then runs until Close.
func Open(ctx context.Context, log Log, board string, sink Sink, logger *slog.Logger) (*Feed, error) {
	f := &Feed{log: log, board: board, sink: sink, logger: logger,
		wake: make(chan struct{}, 1)}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	f.runs = true // what is announced meanwhile waits
	unsubscribe, err := log.Subscribe(board, f.announced)
	if err != nil {
		f.cancel()
		return nil, fmt.Errorf("projector: subscribe %s: %w", board, err)
	}
	if err = f.load(ctx); err != nil {
		unsubscribe()
		f.cancel()
		return nil, err
	}
	unwatch := log.WatchHead(board, f)
	f.stop = func() { unsubscribe(); unwatch() }
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs = false
	if len(f.wake) > 0 {
		f.start()
	}
	return f, nil
}

// Close ends the feed and waits for it: no method of the sink runs afterwards.
// The sink must not hold a lock that its methods take.
func (f *Feed) Close() {
	f.stop()
	f.cancel()
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.loop.Wait()
}

// Records is how many of the board's records the sink has.
func (f *Feed) Records() uint64 { return f.records.Load() }

// CheckHead is Current.
func (f *Feed) CheckHead(ctx context.Context) error { return f.Current(ctx) }

// Current asks the leader for the board's head and returns when the sink has
// everything up to it. Callers that wait at the same time share one question.
func (f *Feed) Current(ctx context.Context) error {
	asked := make(chan error, 1)
	f.mu.Lock()
	f.asked = append(f.asked, asked)
	f.poke()
	f.mu.Unlock()
	select {
	case err := <-asked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-f.ctx.Done():
		return errors.New("projector: feed is closed")
	}
}

// Reload has the board loaded again, whatever the sink has of it, and returns
// when the sink has what the log gives.
func (f *Feed) Reload(ctx context.Context) error {
	done := make(chan error, 1)
	f.mu.Lock()
	f.anew = append(f.anew, done)
	f.poke()
	f.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-f.ctx.Done():
		return nil
	}
}

// poke has what waits looked at. Call it with f.mu held.
func (f *Feed) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
	if !f.runs {
		f.start()
	}
}

func (f *Feed) start() {
	if !f.closed {
		f.runs = true
		f.loop.Go(f.run)
	}
}

// announced buffers; it never blocks.
func (f *Feed) announced(a eventlog.Announcement) {
	if a.Record == nil && a.Verdict == nil && a.Head <= f.reached.Load() {
		return
	}
	f.mu.Lock()
	switch {
	case a.Record != nil && f.bytes+len(a.Record.Data) > bufferBytes:
		f.head = max(f.head, a.Record.Seq)
	case a.Record != nil:
		f.bytes += len(a.Record.Data)
		f.waiting = append(f.waiting, a)
	case a.Verdict == nil:
		f.head = max(f.head, a.Head)
	case len(f.waiting) < bufferNews:
		f.waiting = append(f.waiting, a)
	}
	f.lag.heard()
	f.poke()
	f.mu.Unlock()
}

func (f *Feed) take() (news []eventlog.Announcement, head uint64, asked []chan error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	news, head, asked = f.waiting, f.head, f.asked
	f.waiting, f.head, f.asked, f.bytes = nil, 0, nil, 0
	f.lag.taken(len(news))
	return news, head, asked
}

// run does what there is to do, and ends when there was nothing for a while.
func (f *Feed) run() {
	bored := time.NewTimer(linger)
	defer bored.Stop()
	for quiet := false; ; {
		select {
		case <-f.ctx.Done():
			return
		case <-f.wake:
			quiet = false
			f.work()
		case <-bored.C:
			if quiet && f.rest() {
				return
			}
			quiet = true
			bored.Reset(linger)
		}
	}
}

// rest ends the goroutine unless there is something to do.
func (f *Feed) rest() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.runs = len(f.wake) > 0
	return !f.runs
}

func (f *Feed) work() {
	f.mu.Lock()
	anew := f.anew
	f.anew = nil
	f.mu.Unlock()
	f.broken = f.broken || len(anew) > 0
	news, head, asked := f.take()
	for _, a := range news {
		f.hear(a)
	}
	f.fill(head)
	f.lag.done()
	for _, done := range anew {
		done <- f.ctx.Err()
	}
	if len(asked) > 0 {
		err := f.look()
		for _, c := range asked {
			c <- err
		}
	}
}

// hear takes one announcement in: a record the sink has already is dropped, a
// repeated verdict never.
func (f *Feed) hear(a eventlog.Announcement) {
	if a.Verdict != nil {
		f.fill(a.Verdict.Seq)
		if f.ctx.Err() == nil {
			f.sink.Repeat(*a.Verdict)
		}
		return
	}
	if r := a.Record; r.Prev == f.seq && r.Seq > f.seq && !f.broken {
		f.apply(*r)
	}
	f.fill(a.Record.Seq)
}

// look asks for the head and fills up to it, once.
func (f *Feed) look() error {
	ctx, cancel := context.WithTimeout(f.ctx, headWait)
	defer cancel()
	head, err := f.log.Head(ctx, f.board)
	if err != nil {
		return fmt.Errorf("projector: head of %s: %w", f.board, err)
	}
	f.fill(head)
	return f.ctx.Err()
}

// fill reads the log until the sink has everything up to sequence to. It gives
// up only when the feed is closed.
func (f *Feed) fill(to uint64) {
	for wait := firstRetry; (f.seq < to || f.broken) && f.ctx.Err() == nil; wait = min(2*wait, lastRetry) {
		err := f.read(to)
		if err == nil {
			continue
		}
		f.logger.Warn("gap not filled yet", "board", f.board, "have", f.seq, "want", to, "error", err)
		select {
		case <-f.ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (f *Feed) read(to uint64) error {
	if f.broken || eventlog.Generation(to) != eventlog.Generation(f.seq) { // the board has moved: its records are other ones
		return f.load(f.ctx)
	}
	for r, err := range f.log.Read(f.ctx, f.board, f.seq+1, to) {
		if err != nil {
			return err
		}
		if r.Seq <= f.seq {
			continue
		}
		if r.More { // nobody is shown half a restore: loading waits for the rest
			f.broken = true
			return f.load(f.ctx)
		}
		if f.apply(r); f.broken {
			return f.load(f.ctx)
		}
	}
	if f.seq < to {
		return fmt.Errorf("projector: log of %s ends at %d", f.board, f.seq)
	}
	return nil
}

func (f *Feed) apply(r eventlog.Record) {
	if err := f.sink.Apply(r); err != nil {
		f.logger.Error("record does not follow, board is loaded again", "board", f.board, "seq", r.Seq, "error", err)
		f.broken = true
		return
	}
	f.seq = r.Seq
	f.records.Add(1)
	f.reached.Store(r.Seq)
}

func (f *Feed) load(ctx context.Context) error {
	b, err := eventlog.LoadBoard(ctx, f.log, f.board)
	if err != nil {
		return fmt.Errorf("projector: load %s: %w", f.board, err)
	}
	v := NewView(b)
	f.seq, f.broken = v.Seq(), false
	f.records.Store(b.Records())
	f.reached.Store(f.seq)
	f.sink.Load(v)
	return nil
}
