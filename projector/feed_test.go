package projector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

var quiet = slog.New(slog.DiscardHandler)

// sink writes down what a feed brings. A view that is loaded counts as
// everything it has.
type sink struct {
	mu      sync.Mutex
	view    *View
	loads   int
	applied []uint64
	repeats []domain.Verdict
	behind  bool // a repeat came before its record
	fail    int  // how many folds fail
}

func (s *sink) Load(v *View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.view = v
	s.loads++
}

func (s *sink) Apply(r eventlog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail > 0 {
		s.fail--
		return errors.New("broken")
	}
	s.applied = append(s.applied, r.Seq)
	_, err := s.view.Apply(r)
	return err
}

func (s *sink) Repeat(v domain.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repeats = append(s.repeats, v)
	s.behind = s.behind || v.Seq > s.view.Seq()
}

// writer appends records as a service would.
type writer struct {
	t     *testing.T
	log   *logtest.Log
	board *domain.Board
	n     int
}

func newWriter(t *testing.T, faults logtest.Faults) *writer {
	return &writer{t: t, log: logtest.New(logtest.Config{Seed: 7, Faults: faults}), board: domain.NewBoard("b")}
}

// write appends a record and announces it or not.
func (w *writer) write(announce bool) eventlog.Record {
	w.t.Helper()
	w.n++
	now := time.Now().UTC().Truncate(time.Millisecond)
	cmd := domain.Command{ID: fmt.Sprint("m", w.n), Op: domain.OpMutate, User: "ada", Grant: domain.GrantOpen, ReceivedAt: now, Deadline: now.Add(time.Second),
		Changes: []domain.Change{{EntityID: fmt.Sprint("col", w.n), Patch: domain.Patch{"kind": "column", "title": "x"}}}}
	if w.n == 1 {
		cmd.Changes = []domain.Change{{EntityID: "b", Patch: domain.Patch{"kind": "board", "title": "x"}}}
	}
	seq, prev, _ := w.board.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: "b", Prev: prev, At: now, Decisions: []domain.Decision{domain.Decide(w.board, &cmd, now)}}
	data, hash, err := c.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	at, err := w.log.Append(w.t.Context(), "b", data, hash, seq)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.board.Apply(&c, hash, at, now, nil); err != nil {
		w.t.Fatal(err)
	}
	r := eventlog.Record{Board: "b", Seq: at, Prev: seq, Time: c.At, Data: data, Hash: hash, Commit: &c}
	if announce {
		_ = w.log.Announce("b", eventlog.Announcement{Record: &r})
	}
	return r
}

// check waits and wants the sink to have every record once, in order.
func (w *writer) check(s *sink, from int) {
	w.t.Helper()
	var want []uint64
	for _, r := range w.log.Stored("b")[from:] {
		want = append(want, r.Seq)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.applied, want) {
		w.t.Errorf("applied %v, stored %v", s.applied, want)
	}
	if s.view.Rev() != w.board.Rev() {
		w.t.Errorf("rev %d, want %d", s.view.Rev(), w.board.Rev())
	}
}

func inBubble(t *testing.T, faults logtest.Faults, test func(t *testing.T, w *writer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWriter(t, faults)) })
}

func (w *writer) follow(log Log, s *sink) *Feed {
	w.t.Helper()
	f, err := Open(w.t.Context(), log, "b", s, quiet)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(f.Close)
	return f
}

// TestFeed_EachRecordOnceInOrder whatever becomes of the announcements and
// however often reads fail.
func TestFeed_EachRecordOnceInOrder(t *testing.T) {
	for name, faults := range map[string]logtest.Faults{
		"nothing wrong":  {},
		"late and twice": {RepeatNews: 0.5, NewsDelay: time.Second},
		"half lost":      {LoseNews: 0.5, NewsDelay: 100 * time.Millisecond},
		"reads fail":     {LoseNews: 0.5, FailRead: 0.7, Latency: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, faults, func(t *testing.T, w *writer) {
				for range 5 {
					w.write(true)
				}
				s := &sink{}
				before := w.log
				before.SetFaults(logtest.Faults{})
				f := w.follow(w.log, s)
				w.log.SetFaults(faults)
				for range 100 {
					w.write(true)
					time.Sleep(time.Millisecond)
				}
				for f.Current(t.Context()) != nil {
				}
				w.check(s, 5)
				if s.loads != 1 {
					t.Errorf("loaded %d times", s.loads)
				}
			})
		})
	}
}

// TestFeed_HeadIsAskedEvery30s: the last announcement was lost.
func TestFeed_HeadIsAskedEvery30s(t *testing.T) {
	inBubble(t, logtest.Faults{}, func(t *testing.T, w *writer) {
		s := &sink{}
		w.follow(w.log, s)
		w.write(false)
		time.Sleep(logtest.HeadEvery - time.Second)
		synctest.Wait()
		s.mu.Lock()
		if len(s.applied) != 0 {
			t.Error("too early")
		}
		s.mu.Unlock()
		time.Sleep(2 * time.Second)
		w.check(s, 0)
	})
}

// TestFeed_HeadAnnouncement fills up to it; an older one changes nothing.
func TestFeed_HeadAnnouncement(t *testing.T) {
	inBubble(t, logtest.Faults{}, func(t *testing.T, w *writer) {
		s := &sink{}
		w.follow(w.log, s)
		first := w.write(false)
		last := w.write(false)
		_ = w.log.Announce("b", eventlog.Announcement{Head: last.Seq})
		synctest.Wait()
		w.check(s, 0)
		_ = w.log.Announce("b", eventlog.Announcement{Head: first.Seq})
		_ = w.log.Announce("b", eventlog.Announcement{Record: &first})
		synctest.Wait()
		w.check(s, 0)
	})
}

// TestFeed_RepeatIsNeverOld, and waits for its record.
func TestFeed_RepeatIsNeverOld(t *testing.T) {
	inBubble(t, logtest.Faults{FailRead: 0.5}, func(t *testing.T, w *writer) {
		w.log.SetFaults(logtest.Faults{})
		s := &sink{}
		w.follow(w.log, s)
		w.log.SetFaults(logtest.Faults{FailRead: 0.5})
		first := w.write(true)
		last := w.write(false)
		for _, r := range []eventlog.Record{first, last, first} {
			v := r.Commit.Decisions[0].Verdict()
			v.Seq = r.Seq
			_ = w.log.Announce("b", eventlog.Announcement{Verdict: &v})
		}
		time.Sleep(10 * time.Second)
		s.mu.Lock()
		if len(s.repeats) != 3 || s.behind {
			t.Errorf("%d repeats, one before its record: %v", len(s.repeats), s.behind)
		}
		s.mu.Unlock()
		w.check(s, 0)
	})
}

// TestFeed_FailedFoldLoadsAgain, and goes on from there.
func TestFeed_FailedFoldLoadsAgain(t *testing.T) {
	inBubble(t, logtest.Faults{}, func(t *testing.T, w *writer) {
		s := &sink{}
		w.follow(w.log, s)
		w.write(true)
		synctest.Wait()
		s.mu.Lock()
		s.fail = 3
		s.mu.Unlock()
		w.write(true)
		w.write(true)
		synctest.Wait()
		w.write(true)
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.loads < 2 || s.view.Rev() != w.board.Rev() {
			t.Errorf("%d loads, rev %d of %d", s.loads, s.view.Rev(), w.board.Rev())
		}
	})
}

// TestFeed_SubscribesBeforeItLoads: what is stored in between is not missed.
func TestFeed_SubscribesBeforeItLoads(t *testing.T) {
	inBubble(t, logtest.Faults{}, func(t *testing.T, w *writer) {
		w.write(true)
		s := &sink{}
		w.follow(&during{Log: w.log, then: func() { w.write(true) }}, s)
		synctest.Wait()
		w.mustHave(s)
	})
}

func (w *writer) mustHave(s *sink) {
	w.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.view.Rev() != w.board.Rev() {
		w.t.Errorf("rev %d, want %d", s.view.Rev(), w.board.Rev())
	}
}

// during does something right after a board's head was asked for.
type during struct {
	*logtest.Log
	then func()
}

func (d *during) Head(ctx context.Context, board string) (uint64, error) {
	head, err := d.Log.Head(ctx, board)
	if then := d.then; then != nil {
		d.then = nil
		then()
	}
	return head, err
}

// TestFeed_BufferIsBounded: while the log cannot be read, announced records
// beyond the buffer are kept as a sequence only.
func TestFeed_BufferIsBounded(t *testing.T) {
	f := &Feed{wake: make(chan struct{}, 1), runs: true} // its goroutine is stuck
	big := make([]byte, 1<<20)
	for i := range 100 {
		f.announced(eventlog.Announcement{Record: &eventlog.Record{Seq: uint64(i + 1), Data: big}})
	}
	for range 2 * bufferNews {
		f.announced(eventlog.Announcement{Verdict: &domain.Verdict{Seq: 1}})
	}
	if len(f.waiting) > bufferNews || f.bytes > bufferBytes || f.head != 100 {
		t.Errorf("%d announcements, %d bytes, head %d", len(f.waiting), f.bytes, f.head)
	}
}

// TestFeed_NoGoroutineWhileNothingHappens, and what happens then is not missed.
func TestFeed_NoGoroutineWhileNothingHappens(t *testing.T) {
	inBubble(t, logtest.Faults{}, func(t *testing.T, w *writer) {
		s := &sink{}
		f := w.follow(w.log, s)
		running := func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.runs
		}
		for range 3 {
			last := w.write(true)
			synctest.Wait()
			if !running() {
				t.Error("no goroutine right behind a record")
			}
			time.Sleep(2*linger + time.Millisecond)
			_ = w.log.Announce("b", eventlog.Announcement{Head: last.Seq})
			synctest.Wait()
			if running() {
				t.Error("a goroutine that has nothing to do")
			}
			w.write(true)
			if err := f.Current(t.Context()); err != nil {
				t.Error(err)
			}
			time.Sleep(2*linger + time.Millisecond)
			w.write(false)
			if err := f.Current(t.Context()); err != nil || f.Records() != uint64(w.n) {
				t.Errorf("%v, %d records of %d", err, f.Records(), w.n)
			}
		}
		w.check(s, 0)
	})
}

// TestFeed_ClosedIsClosed: nothing reaches the sink after Close, and nobody
// waits for ever.
func TestFeed_ClosedIsClosed(t *testing.T) {
	inBubble(t, logtest.Faults{}, func(t *testing.T, w *writer) {
		s := &sink{}
		f := w.follow(w.log, s)
		w.write(true)
		synctest.Wait()
		f.Close()
		applied := len(s.applied)
		f.announced(eventlog.Announcement{Head: w.write(false).Seq})
		if err := f.Current(t.Context()); err == nil {
			t.Error("a closed feed is current")
		}
		time.Sleep(2 * logtest.HeadEvery)
		if len(s.applied) != applied {
			t.Error("a record reached the sink after Close")
		}
		f.Close()
	})
}
