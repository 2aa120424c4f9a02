package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Log is what a Feed reads: an [eventlog.Log], or a fake of one.
type Log interface {
	eventlog.Source
	Subscribe(board string, fn func(eventlog.Announcement)) (stop func(), err error)
}

// Sink takes what a Feed brings. Its methods are called one at a time and in
// order, from one goroutine after Open has returned.
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
	headCheck   = 30 * time.Second // how often the leader is asked for the board's head
	headWait    = 2 * time.Second  // how long it may take to answer
	firstRetry  = 50 * time.Millisecond
	lastRetry   = time.Second
	bufferBytes = 16 << 20 // of announced records that wait; beyond it only the last one's sequence is kept
	bufferNews  = 1 << 16  // announcements that wait; beyond it repeats are dropped: who waits asks again
)

// Feed follows one board: every stored record once, in order, without a gap,
// whatever announcements are lost, doubled or out of order. Safe for
// concurrent use.
type Feed struct {
	log    Log
	board  string
	sink   Sink
	logger *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	stop   func() // ends the subscription

	// The loop's own.
	seq    uint64 // of the last record the sink has
	broken bool   // a fold has failed: nothing is applied before a load

	mu      sync.Mutex
	waiting []eventlog.Announcement
	bytes   int           // of the records in waiting
	head    uint64        // announced, without its record
	asked   []chan error  // who waits for the next look at the head
	wake    chan struct{} // holds one token when there is something to do
}

// Open subscribes, loads the board and gives the view to the sink, current as
// of the head the leader named after the subscription was in force. The feed
// then runs until Close.
func Open(ctx context.Context, log Log, board string, sink Sink, logger *slog.Logger) (*Feed, error) {
	f := &Feed{log: log, board: board, sink: sink, logger: logger,
		wake: make(chan struct{}, 1), done: make(chan struct{})}
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if f.stop, err = log.Subscribe(board, f.announced); err != nil {
		f.cancel()
		return nil, fmt.Errorf("projector: subscribe %s: %w", board, err)
	}
	if err = f.load(ctx); err != nil {
		f.stop()
		f.cancel()
		return nil, err
	}
	go f.run()
	return f, nil
}

// Close ends the feed and waits for it: no method of the sink runs afterwards.
// The sink must not hold a lock that its methods take.
func (f *Feed) Close() {
	f.stop()
	f.cancel()
	<-f.done
}

// Current asks the leader for the board's head and returns when the sink has
// everything up to it. Callers that wait at the same time share one question.
func (f *Feed) Current(ctx context.Context) error {
	asked := make(chan error, 1)
	f.mu.Lock()
	f.asked = append(f.asked, asked)
	f.mu.Unlock()
	f.poke()
	select {
	case err := <-asked:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-f.done:
		return errors.New("projector: feed is closed")
	}
}

func (f *Feed) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// announced buffers; it never blocks.
func (f *Feed) announced(a eventlog.Announcement) {
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
	f.mu.Unlock()
	f.poke()
}

func (f *Feed) take() (news []eventlog.Announcement, head uint64, asked []chan error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	news, head, asked = f.waiting, f.head, f.asked
	f.waiting, f.head, f.asked, f.bytes = nil, 0, nil, 0
	return news, head, asked
}

func (f *Feed) run() {
	defer close(f.done)
	check := time.NewTimer(headCheck)
	defer check.Stop()
	for {
		look := false
		select {
		case <-f.ctx.Done():
			return
		case <-f.wake:
		case <-check.C:
			check.Reset(headCheck)
			look = true
		}
		news, head, asked := f.take()
		for _, a := range news {
			f.hear(a)
		}
		f.fill(head)
		if look || len(asked) > 0 {
			err := f.look()
			for _, c := range asked {
				c <- err
			}
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
	if f.broken {
		return f.load(f.ctx)
	}
	for r, err := range f.log.Read(f.ctx, f.board, f.seq+1, to) {
		if err != nil {
			return err
		}
		if r.Seq <= f.seq {
			continue
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
}

func (f *Feed) load(ctx context.Context) error {
	b, err := eventlog.LoadBoard(ctx, f.log, f.board)
	if err != nil {
		return fmt.Errorf("projector: load %s: %w", f.board, err)
	}
	v := NewView(b)
	f.seq, f.broken = v.Seq(), false
	f.sink.Load(v)
	return nil
}
