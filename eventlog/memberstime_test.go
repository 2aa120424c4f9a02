package eventlog_test

import (
	"testing"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// off is by how much a node's time is ahead of the true one.
func (r *resident) off() time.Duration { return r.Now().Sub(time.Now().Round(0)) }

// The time of a node whose wall clock is set stays what it was; it and the others
// doubt within a tenth of a second what is stamped there.
func TestMembersTime_AClockThatIsSet(t *testing.T) {
	for _, by := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		inTown(t, 0, 10*time.Millisecond, func(t *testing.T, w *town) {
			a, b, c := w.join("a", 0), w.join("b", 0), w.join("c", 0)
			time.Sleep(3010 * time.Millisecond)
			if a.Doubtful() || b.Doubtful() || a.off() != 0 {
				t.Errorf("at first: %v, %v, %v", a.Doubtful(), b.Doubtful(), a.off())
			}
			a.set(by)
			if a.off() != 0 || a.Latest().Sub(time.Now().Round(0)) != max(by, 0) {
				t.Errorf("%v: off by %v, latest %v", by, a.off(), a.Latest())
			}
			time.Sleep(100 * time.Millisecond)
			if astray, _ := a.Astray(); !astray || !b.Doubtful() || !c.Doubtful() {
				t.Errorf("%v: astray %v, doubtful %v %v", by, astray, b.Doubtful(), c.Doubtful())
			}
			time.Sleep(time.Minute)
			if astray, _ := a.Astray(); !astray || a.off() != 0 || b.off() != 0 {
				t.Errorf("%v, later: astray %v, off by %v and %v", by, astray, a.off(), b.off())
			}
			a.set(500 * time.Millisecond)
			time.Sleep(4 * time.Second)
			if astray, _ := a.Astray(); astray || a.off() != 500*time.Millisecond || b.Doubtful() {
				t.Errorf("%v, right again: astray %v, off by %v, doubtful %v", by, astray, a.off(), b.Doubtful())
			}
		})
	}
}

// A node that began with a wrong clock, or all whose clocks are set together,
// have the time that was agreed on.
func TestMembersTime_IsWhatIsAgreedOn(t *testing.T) {
	inTown(t, 0, 10*time.Millisecond, func(t *testing.T, w *town) {
		a, b, c := w.join("a", 0), w.join("b", 0), w.join("c", time.Hour)
		time.Sleep(3 * time.Second)
		if astray, _ := c.Astray(); !astray || c.off() != time.Hour {
			t.Errorf("it began an hour ahead: %v, %v", astray, c.off())
		}
		c.set(0)
		time.Sleep(4 * time.Second)
		if c.off() != 0 {
			t.Errorf("it is right: off by %v", c.off())
		}
		for _, r := range []*resident{a, b, c} {
			r.set(10 * time.Second)
		}
		time.Sleep(4 * time.Second)
		for _, r := range []*resident{a, b, c} {
			if astray, _ := r.Astray(); astray || r.off() != 10*time.Second {
				t.Errorf("all were set: %v, %v", astray, r.off())
			}
		}
	})
}

// What is less than a second is made up for at a tenth of the time that passes,
// and the time never runs backwards; alone a node follows its wall clock.
func TestMembersTime_GoesOverSlowly(t *testing.T) {
	inTown(t, 0, 10*time.Millisecond, func(t *testing.T, w *town) {
		a, b := w.join("a", 0), w.join("b", 0)
		time.Sleep(3 * time.Second)
		for _, by := range []time.Duration{800 * time.Millisecond, 0} {
			a.set(by)
			last := a.Now()
			for range 900 {
				time.Sleep(10 * time.Millisecond)
				now := a.Now()
				if d := now.Sub(last); d < 9*time.Millisecond || d > 11*time.Millisecond {
					t.Fatalf("in 10 ms it goes on by %v", d)
				}
				last = now
			}
			if a.off() != by {
				t.Errorf("after 9 s it is off by %v, the clock by %v", a.off(), by)
			}
		}
		b.stop()
		time.Sleep(time.Second)
		a.set(-time.Hour)
		time.Sleep(100 * time.Millisecond)
		if astray, _ := a.Astray(); astray || a.off() != -time.Hour {
			t.Errorf("alone: %v, %v", astray, a.off())
		}
	})
}

// Nor is a clock followed that is set bit by bit, before the others can say what
// they think of it, and what it is then is not theirs; one that they agree with is.
func TestMembersTime_SetBitByBit(t *testing.T) {
	for _, steps := range [][]time.Duration{
		{700 * time.Millisecond, 1400 * time.Millisecond},
		{-900 * time.Millisecond, -1800 * time.Millisecond},
		{450 * time.Millisecond, 900 * time.Millisecond, 1350 * time.Millisecond, 1800 * time.Millisecond},
	} {
		for _, every := range []time.Duration{60 * time.Millisecond, 110 * time.Millisecond, 250 * time.Millisecond} {
			for shift := range 5 {
				inTown(t, 0, 10*time.Millisecond, func(t *testing.T, w *town) {
					all := []*resident{w.join("a", 0), w.join("b", 0), w.join("c", 0)}
					time.Sleep(3*time.Second + time.Duration(shift)*50*time.Millisecond)
					for _, by := range steps {
						all[0].set(by)
						time.Sleep(every)
						if off := all[0].off().Abs(); off > 100*time.Millisecond {
							t.Errorf("%v every %v: it is off by %v at %v", steps, every, off, by)
						}
					}
					time.Sleep(time.Second)
					if astray, _ := all[0].Astray(); !astray || all[0].off().Abs() > 200*time.Millisecond {
						t.Errorf("%v every %v: astray %v, off by %v", steps, every, astray, all[0].off())
					}
					last := steps[len(steps)-1]
					for _, r := range all[1:] {
						r.set(last)
					}
					time.Sleep(5 * time.Second)
					for i, r := range all {
						if astray, _ := r.Astray(); astray || r.off() != last {
							t.Errorf("%v every %v, all: node %d astray %v, off by %v", steps, every, i, astray, r.off())
						}
					}
				})
			}
		}
	}
}

// A machine that stood still with all of its clocks is noticed by the next beats.
func TestMembersTime_AMachineThatStoodStill(t *testing.T) {
	inTown(t, 0, 10*time.Millisecond, func(t *testing.T, w *town) {
		a, b, c := w.join("a", 0), w.join("b", 0), w.join("c", 0)
		time.Sleep(3 * time.Second)
		for _, r := range []*resident{b, c} { // as a sees it: slowly, for it is no jump of theirs
			r.set(400 * time.Millisecond)
			time.Sleep(300 * time.Millisecond)
			r.set(800 * time.Millisecond)
			time.Sleep(300 * time.Millisecond)
			r.set(1200 * time.Millisecond)
			time.Sleep(300 * time.Millisecond)
		}
		time.Sleep(300 * time.Millisecond)
		if astray, _ := a.Astray(); !astray {
			t.Error("it goes by what it measured before")
		}
	})
}

func TestExpiry(t *testing.T) {
	stamp := time.Date(2026, 3, 1, 10, 0, 4, 0, time.UTC)
	for _, test := range []struct {
		queued time.Duration // before the stamp
		want   time.Time
	}{
		{3990 * time.Millisecond, stamp},                               // the queue's clock is behind the gateway's by the way
		{4500 * time.Millisecond, stamp.Add(-500 * time.Millisecond)},  // by as much as clocks may differ
		{5000 * time.Millisecond, stamp.Add(-1000 * time.Millisecond)}, //
		{5001 * time.Millisecond, stamp},                               // by more: it is wrong
		{300 * time.Second, stamp},
		{-300 * time.Second, stamp}, // ahead
	} {
		if got := eventlog.Expiry(stamp, stamp.Add(-test.queued), 4*time.Second); !got.Equal(test.want) {
			t.Errorf("queued %v before: %v, want %v", test.queued, got, test.want)
		}
	}
	if got := eventlog.Expiry(time.Time{}, stamp, time.Second); !got.Equal(stamp.Add(time.Second)) {
		t.Errorf("not stamped: %v", got)
	}
}
