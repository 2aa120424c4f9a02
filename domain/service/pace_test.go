package service

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// An append whose leader has gone is made again long before AppendTimeout.
func TestAppend_LostIsMadeAgainSoon(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.silent = func(n int) bool { return n == 2 }
		start := time.Now()
		b.card(b.id(), 4*time.Second).accepted(t)
		if took := time.Since(start); took > firstSilence+50*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if records, _ := count(b.log, "b"); records != 2 {
			t.Errorf("%d records", records)
		}
	})
}

// One that the leader has stored before it went is found, and not made again.
func TestAppend_LostAnswerIsFoundSoon(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.log.SetFaults(logtest.Faults{LoseAnswer: 1})
		start := time.Now()
		b.card(b.id(), 4*time.Second).accepted(t)
		if took := time.Since(start); took > firstSilence+50*time.Millisecond {
			t.Errorf("took %v", took)
		}
		b.log.SetFaults(logtest.Faults{})
		appends, _, _ := b.script.counts()
		if records, _ := count(b.log, "b"); records != 2 || appends != 2 {
			t.Errorf("%d records after %d appends", records, appends)
		}
	})
}

// Nothing is decided while the leader says nothing, and a disk that takes its
// time gets a few messages more and not a stream of them.
func TestAppend_SlowDiskIsNotFlooded(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.silent = func(n int) bool { return n > 1 && n < 7 }
		s := b.card(b.id(), 20*time.Second)
		time.Sleep(7 * time.Second)
		s.pending(t)
		if appends, _, _ := b.script.counts(); appends > 6 {
			t.Errorf("%d appends in 7 s", appends)
		}
		s.accepted(t)
		if records, _ := count(b.log, "b"); records != 2 {
			t.Errorf("%d records", records)
		}
	})
}

// Where appends take long, silence counts as such only when it is longer still.
func TestAppend_PatienceGoesByWhatAppendsTake(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		var slow atomic.Bool
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if slow.Load() {
				time.Sleep(200 * time.Millisecond)
			}
			return store()
		}
		slow.Store(true)
		for range 30 {
			b.card(b.id(), 4*time.Second).accepted(t)
		}
		if got := b.s.pace.patience(0, 5*time.Second); got < 700*time.Millisecond || got > 900*time.Millisecond {
			t.Errorf("patience %v", got)
		}
		slow.Store(false)
		for range 30 {
			b.card(b.id(), 4*time.Second).accepted(t)
		}
		if got := b.s.pace.patience(0, 5*time.Second); got != firstSilence {
			t.Errorf("patience %v", got)
		}
	})
}

// What the leader refuses at once does not make the next silence longer.
func TestAppend_OnlySilenceMakesPatient(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.silent = func(n int) bool { return n == 6 }
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n > 1 && n < 6 { // nobody leads
				return 0, eventlog.ErrUnknown
			}
			return store()
		}
		start := time.Now()
		b.card(b.id(), 4*time.Second).accepted(t)
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}
