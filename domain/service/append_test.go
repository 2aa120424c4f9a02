package service

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

func TestAppend_Stored(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		v := b.card(b.id(), time.Second).accepted(t)
		if records, _ := count(b.log, "b"); records != 2 || v.Seq != 2 || v.Events != 1 {
			t.Errorf("%d records, verdict %+v", records, v)
		}
	})
}

func TestAppend_UnknownButStored(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			if _, err := store(); err != nil {
				return 0, err
			}
			return 0, eventlog.ErrUnknown
		}
		var announced atomic.Uint64
		stop, err := b.log.Subscribe("b", func(a eventlog.Announcement) {
			if a.Record != nil {
				announced.Store(a.Record.Seq)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		b.card(b.id(), time.Second).accepted(t)
		synctest.Wait()
		if announced.Load() != 2 {
			t.Error("the record was not announced")
		}
		appends, _, _ := b.script.counts()
		if records, _ := count(b.log, "b"); records != 2 || appends != 2 {
			t.Errorf("%d records after %d appends", records, appends)
		}
	})
}

func TestAppend_UnknownAndNotStored(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n < 4 {
				return 0, eventlog.ErrUnknown
			}
			return store()
		}
		b.card(b.id(), time.Second).accepted(t)
		if records, _ := count(b.log, "b"); records != 2 {
			t.Errorf("%d records", records)
		}
	})
}

// The answer is lost, the tail does not show the record yet, and it is stored
// only when the same bytes are on their way again.
func TestAppend_UnknownAndStoredLate(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n == 2 {
				time.AfterFunc(5*time.Millisecond, func() { store() })
				return 0, eventlog.ErrUnknown
			}
			return store()
		}
		b.card(b.id(), time.Second).accepted(t)
		if records, _ := count(b.log, "b"); records != 2 {
			t.Errorf("%d records", records)
		}
	})
}

func TestAppend_ConflictWithAnotherWorker(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id := b.id()
		theirs := b.command(id, time.Second, cardChange("card-"+id, "wide"))
		other := b.command(b.id(), time.Second, cardChange("x", "full"), cardChange("y", "full"))
		b.append(t, theirs, other)
		same := b.card(id, time.Second)                                   // the other worker has decided it
		full := b.mutate(b.id(), time.Second, cardChange("mine", "full")) // refused for what the other stored
		same.accepted(t)
		full.refused(t, domain.WIPLimit)
		if records, _ := count(b.log, "b"); records != 3 {
			t.Errorf("%d records", records)
		}
	})
}

// append stores a commit as another worker would.
func (b *bench) append(t *testing.T, commands ...domain.Command) {
	t.Helper()
	state, err := eventlog.LoadBoard(context.Background(), b.log, "b")
	if err != nil {
		t.Fatal(err)
	}
	seq, prev, at := state.Head()
	if now := time.Now().UTC().Truncate(time.Millisecond); now.After(at) {
		at = now
	}
	c := domain.Commit{V: domain.CommitVersion, Board: "b", Prev: prev, At: at}
	for _, cmd := range commands {
		d := domain.Decide(state, &cmd, at)
		if err := state.Fold(&d); err != nil {
			t.Fatal(err)
		}
		c.Decisions = append(c.Decisions, d)
		if c.NotAfter.IsZero() || cmd.Deadline.Before(c.NotAfter) {
			c.NotAfter = cmd.Deadline
		}
	}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Append(context.Background(), "b", data, hash, seq); err != nil {
		t.Fatal(err)
	}
}

func TestAppend_FullKeepsTheCommands(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		old := b.card(b.id(), time.Second)
		old.accepted(t)
		b.log.SetFull(true)
		first, short := b.card(b.id(), 4*time.Second), b.card(b.id(), 200*time.Millisecond)
		time.Sleep(time.Second)
		first.pending(t)
		again := b.send(old.cmd) // a stored verdict needs no append
		again.accepted(t)
		b.log.SetFull(false)
		first.accepted(t)
		short.refused(t, domain.Expired)
	})
}

func TestAppend_TooLargeIsSplit(t *testing.T) {
	alone(t, logtest.Config{MaxRecord: 8 << 10}, nil, func(t *testing.T, b *bench) {
		refused := false
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			if b.script.size > 5000 && !refused { // the server's limit is lower than it said
				refused = true
				return 0, eventlog.ErrTooLarge
			}
			time.Sleep(100 * time.Millisecond)
			return store()
		}
		var list []*sending
		for i := range 20 {
			title := strings.Repeat("x", 1200)
			list = append(list, b.mutate(b.id(), 4*time.Second, create(fmt.Sprint("card", i), domain.Patch{"kind": "card", "title": title, "columnId": "wide"})))
		}
		for _, s := range list {
			s.accepted(t)
		}
		if !refused {
			t.Error("nothing was split")
		}
	})
}

// A decision that no record can hold is refused, logged, and the same for
// every sending; the board goes on.
func TestDesign_TooLargeNeverBlocksItsBoard(t *testing.T) {
	alone(t, logtest.Config{MaxRecord: 8 << 10}, nil, func(t *testing.T, b *bench) {
		before, huge, after := b.card(b.id(), 4*time.Second), b.mutate(b.id(), 4*time.Second,
			create("huge", domain.Patch{"kind": "card", "title": "huge", "columnId": "wide", "description": strings.Repeat("x", 9000)})),
			b.card(b.id(), 4*time.Second)
		big := b.mutate(b.id(), 4*time.Second, // the command alone would fit, not with the event
			create("big", domain.Patch{"kind": "card", "title": "big", "columnId": "wide", "description": strings.Repeat("y", 5000)}))
		before.accepted(t)
		after.accepted(t)
		for _, s := range []*sending{huge, big} {
			s.refused(t, domain.TooLarge)
			again := b.send(s.cmd)
			again.refused(t, domain.TooLarge)
			if !again.verdict.Fits(again.cmd.ContentHash()) {
				t.Error("the verdict on what is too large does not fit its own sending")
			}
		}
		var kept bool
		for _, rec := range b.log.Stored("b") {
			for _, d := range rec.Commit.Decisions {
				kept = kept || d.ID == big.cmd.ID && len(d.Changes) == 1
			}
		}
		if !kept {
			t.Error("a refused command that fits is not in the log whole")
		}
	})
}

// A commit stored after its NotAfter is void: nobody hears of it, and its
// commands are decided again.
func TestDesign_VoidCommitIsDecidedAgain(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			switch n {
			case 2:
				time.Sleep(100 * time.Millisecond)
			case 3:
				time.Sleep(2 * time.Second)
			}
			return store()
		}
		first := b.card(b.id(), 10*time.Second)
		synctest.Wait()
		long, short := b.card(b.id(), 10*time.Second), b.card(b.id(), time.Second) // in one commit
		first.accepted(t)
		time.Sleep(1500 * time.Millisecond)
		long.pending(t)
		short.pending(t)
		long.accepted(t)
		short.refused(t, domain.Expired)
		if _, void := count(b.log, "b"); void != 1 {
			t.Errorf("%d void commits", void)
		}
	})
}

// A commit that stayed in the worker past its NotAfter is not even appended.
func TestDesign_ExpiredCommitIsNotAppended(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.log.SetFull(true)
		s := b.card(b.id(), time.Second)
		time.Sleep(2 * time.Second)
		b.log.SetFull(false)
		s.refused(t, domain.Expired)
		if _, void := count(b.log, "b"); void != 0 {
			t.Errorf("%d void commits", void)
		}
	})
}

// The stream's clock may be a second ahead of the worker's (DESIGN.md).
func TestDesign_LatePubAckIsReadBack(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			seq, err := store()
			if n == 2 {
				time.Sleep(1700 * time.Millisecond)
			} else {
				time.Sleep(300 * time.Millisecond)
			}
			return seq, err
		}
		b.card(b.id(), 3*time.Second).accepted(t)
		time.Sleep(3 * time.Second) // the gateway may have seen the record first
		if _, gets, _ := b.script.counts(); gets != 1 {
			t.Errorf("%d records read back, want 1", gets)
		}
		b.card(b.id(), 3*time.Second).accepted(t)
		time.Sleep(time.Second)
		if _, gets, _ := b.script.counts(); gets != 1 {
			t.Errorf("a record whose PubAck came early enough was read back")
		}
	})
}

func TestDesign_NoVerdictBeforeThePubAck(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			time.Sleep(400 * time.Millisecond)
			seq, err := store()
			time.Sleep(400 * time.Millisecond)
			return seq, err
		}
		id := b.id()
		s, again := b.card(id, 4*time.Second), b.card(id, 4*time.Second)
		cancel := b.cancel(id)
		time.Sleep(399 * time.Millisecond)
		s.pending(t)
		again.pending(t)
		cancel.pending(t)
		s.await(t, time.Second)
		again.await(t, time.Second)
		cancel.await(t, time.Second)
	})
}

func TestCoalescing_ManyCommandsFewCommits(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			time.Sleep(10 * time.Millisecond)
			return store()
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var list []*sending
		for i := range 20 {
			s := b.join(ctx, fmt.Sprint("user", i))
			for range 50 {
				id := b.id()
				list = append(list, s.mutate(id, 4*time.Second, cardChange(id, "wide")))
			}
		}
		for _, s := range list {
			s.accepted(t)
		}
		if records, _ := count(b.log, "b"); records > 5 {
			t.Errorf("%d commits for 1000 commands", records)
		}
	})
}

// A clock that was ahead and is set back makes nothing late: the board's last
// decision lies ahead then, and only its time is taken over.
func TestDesign_AClockSetBackRefusesNothing(t *testing.T) {
	var ahead atomic.Int64
	change := func(c *Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}
	alone(t, logtest.Config{}, change, func(t *testing.T, b *bench) {
		ahead.Store(int64(5 * time.Minute))
		b.card(b.id(), time.Second).refused(t, domain.Expired)
		ahead.Store(0)
		b.card(b.id(), time.Second).accepted(t)
	})
}
