package service

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// deliver publishes one command as it is, without anybody who repeats it.
func (b *bench) deliver(t *testing.T, cmd domain.Command) {
	t.Helper()
	if err := b.log.PublishCommand(&cmd, time.Until(cmd.Deadline)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// decision gives the stored decision on an id, nil if there is none.
func (b *bench) decision(id string) *domain.Decision {
	for _, rec := range b.log.Stored("b") {
		for i := range rec.Commit.Decisions {
			if d := &rec.Commit.Decisions[i]; d.ID == id && !rec.Commit.VoidAt(rec.Time) {
				return d
			}
		}
	}
	return nil
}

func (b *bench) after(id, after string, ttl time.Duration, changes ...domain.Change) domain.Command {
	cmd := b.command(id, ttl, changes...)
	cmd.After = after
	return cmd
}

func TestLaw6_HeldUntilAfterIsDecided(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		column, card, last := b.id(), b.id(), b.id()
		b.deliver(t, b.after(last, card, 3*time.Second, create("card", domain.Patch{"title": "changed"})))
		b.deliver(t, b.after(card, column, 3*time.Second, cardChange("card", "new")))
		time.Sleep(time.Second)
		if b.decision(card) != nil || b.decision(last) != nil {
			t.Fatal("decided before what it comes after")
		}
		b.deliver(t, b.after(column, "", time.Second, columnChange("new", 0)))
		for _, id := range []string{column, card, last} {
			if d := b.decision(id); d == nil || d.Rejection != nil {
				t.Errorf("%s: %+v", id, d)
			}
		}
		if records, _ := count(b.log, "b"); records != 2 {
			t.Errorf("%d records, want the chain in one", records)
		}
	})
}

// What comes after a repeat of something decided waits for what was sent before
// the repeat.
func TestLaw6_ARepeatInBetweenKeepsTheOrder(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		repeat, first, last := b.id(), b.id(), b.id()
		b.deliver(t, b.after(repeat, "", time.Second, cardChange("old", "wide")))
		cmd := b.after(last, repeat, 3*time.Second, cardChange("card", "new"))
		cmd.Also = []string{first}
		b.deliver(t, cmd)
		if b.decision(last) != nil {
			t.Fatal("decided before what it comes after")
		}
		b.deliver(t, b.after(first, "", time.Second, columnChange("new", 0)))
		if d := b.decision(last); d == nil || d.Rejection != nil || d.Also != nil {
			t.Errorf("%+v", d)
		}
	})
}

// The log is asked about something that is decided, as expired, while the
// answer is under way: the answer that it was not does not hide what it came after.
func TestLaw6_AnAnswerThatComesLateHidesNoOrder(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		first, lost, last := b.id(), b.id(), b.id()
		b.script.onSearch = func() { time.Sleep(time.Second) }
		cmd := b.after(last, lost, 4*time.Second, cardChange("card", "new"))
		b.deliver(t, cmd)
		b.deliver(t, cmd) // held for what is not known here: the log is asked
		b.deliver(t, b.after(lost, first, 500*time.Millisecond, cardChange("other", "new")))
		time.Sleep(2 * time.Second)
		if d := b.decision(lost); d == nil || code(d.Rejection) != domain.Expired {
			t.Fatalf("%+v", d)
		}
		b.deliver(t, cmd)
		if d := b.decision(last); d != nil {
			t.Fatalf("decided before what it comes after: %+v", d)
		}
		b.deliver(t, b.after(first, "", time.Second, columnChange("new", 0)))
		if d := b.decision(last); d == nil || d.Rejection != nil {
			t.Errorf("%+v", d)
		}
	})
}

func TestLaw6_HeldUntilItsOwnDeadline(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id := b.id()
		b.deliver(t, b.after(id, b.id(), 2*time.Second, cardChange("card", "wide")))
		time.Sleep(2*time.Second - time.Millisecond)
		synctest.Wait()
		if b.decision(id) != nil {
			t.Fatal("decided before its deadline")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if d := b.decision(id); d == nil || code(d.Rejection) != domain.Expired {
			t.Fatalf("at its deadline: %+v", d)
		}
	})
}

// A sending that grants more time does not move the deadline of the first.
func TestLaw5_TheEarliestDeadlineHolds(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id, first := b.id(), b.id()
		b.deliver(t, b.after(id, first, time.Second, cardChange("card", "wide")))
		b.deliver(t, b.after(id, first, 5*time.Second, cardChange("card", "wide")))
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if d := b.decision(id); d == nil || code(d.Rejection) != domain.Expired {
			t.Fatalf("past the first deadline: %+v", d)
		}
		id = b.id()
		b.deliver(t, b.after(id, first, 5*time.Second, cardChange("card", "wide")))
		b.deliver(t, b.after(id, first, time.Second, cardChange("card", "wide")))
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if d := b.decision(id); d == nil || code(d.Rejection) != domain.Expired {
			t.Fatalf("past the second deadline: %+v", d)
		}
	})
}

// A deadline that passed within this millisecond has passed.
func TestLaw5_DeadlineWithinAMillisecond(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		time.Sleep(700 * time.Microsecond)
		cmd := b.command(b.id(), -300*time.Microsecond, cardChange("card", "wide"))
		b.deliver(t, cmd)
		if d := b.decision(cmd.ID); d == nil || code(d.Rejection) != domain.Expired {
			t.Fatalf("%+v", d)
		}
	})
}

func TestLaw6_NewerSendingNamesAnotherAfter(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id := b.id()
		b.deliver(t, b.after(id, b.id(), 3*time.Second, cardChange("card", "wide")))
		b.deliver(t, b.after(id, "", 3*time.Second, cardChange("card", "wide")))
		if d := b.decision(id); d == nil || d.Rejection != nil {
			t.Fatalf("%+v", d)
		}
	})
}

// What came after a mutation that was withdrawn or expired before its own turn
// waits for whatever that one waited for.
func TestLaw6_WithdrawnOrExpiredKeepsThePlace(t *testing.T) {
	for name, withdraw := range map[string]bool{"withdrawn": true, "expired": false} {
		t.Run(name, func(t *testing.T) {
			alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
				first, middle, last := b.id(), b.id(), b.id()
				b.deliver(t, b.after(middle, first, time.Second, cardChange("middle", "wide")))
				b.deliver(t, b.after(last, middle, 4*time.Second, cardChange("card", "new")))
				if withdraw {
					cancel := b.command(middle, time.Second)
					cancel.Op = domain.OpCancel
					b.deliver(t, cancel)
				}
				time.Sleep(2 * time.Second)
				if d := b.decision(middle); d == nil || d.Rejection == nil {
					t.Fatalf("the middle one: %+v", d)
				}
				if b.decision(last) != nil {
					t.Fatal("the last one overtook the first")
				}
				b.deliver(t, b.after(first, "", time.Second, columnChange("new", 0)))
				if d := b.decision(last); d == nil || d.Rejection != nil {
					t.Fatalf("the last one: %+v", d)
				}
			})
		})
	}
}

// The same when another worker decided the middle one, and when only its
// cancel was seen, which does not tell what it came after.
func TestLaw6_WithdrawnUnseenKeepsThePlace(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		first, middle, last := b.id(), b.id(), b.id()
		cancel := b.command(middle, time.Second)
		cancel.Op, cancel.After = domain.OpCancel, last
		b.deliver(t, cancel)
		b.deliver(t, b.after(last, middle, 4*time.Second, cardChange("card", "new")))
		b.stop()
		b.start(nil)
		b.deliver(t, b.after(last, middle, 4*time.Second, cardChange("card", "new")))
		if b.decision(last) != nil {
			t.Fatal("the last one overtook the first")
		}
		b.deliver(t, b.after(middle, first, time.Second, cardChange("middle", "wide"))) // tells what it came after
		if b.decision(last) != nil {
			t.Fatal("the last one overtook the first")
		}
		b.deliver(t, b.after(first, "", time.Second, columnChange("new", 0)))
		if d := b.decision(last); d == nil || d.Rejection != nil {
			t.Fatalf("the last one: %+v", d)
		}
	})
}

// passTime commits now and then until the board's memory of decided ids no
// longer reaches back to where it began.
func (b *bench) passTime(t *testing.T, d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		b.card(b.id(), time.Second).accepted(t)
		time.Sleep(time.Minute)
	}
}

func TestLaw6_AfterDecidedLongAgoIsLookedUp(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		old := b.id()
		b.card(old, time.Second).accepted(t)
		b.passTime(t, 30*time.Minute)
		id := b.id()
		b.deliver(t, b.after(id, old, 2*time.Second, cardChange("card", "wide")))
		if d := b.decision(id); d == nil || d.Rejection != nil {
			t.Fatalf("%+v", d)
		}
		never := newID(b.rng, time.Now().Add(-20*time.Minute)) // as old, but nobody has seen it
		id = b.id()
		b.deliver(t, b.after(id, never, 2*time.Second, cardChange("other", "wide")))
		if b.decision(id) != nil {
			t.Fatal("decided before what it comes after")
		}
	})
}

func TestLaw6_CircleOfAfterIsNoDeadlock(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		x, y := b.id(), b.id()
		b.deliver(t, b.after(x, y, 3*time.Second, cardChange("x", "wide")))
		b.deliver(t, b.after(y, x, 3*time.Second, cardChange("y", "wide")))
		for _, id := range []string{x, y} {
			if d := b.decision(id); d == nil || d.Rejection != nil {
				t.Errorf("%+v", d)
			}
		}
	})
}

func TestCancel_OfAHeldMutation(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id := b.id()
		b.log.SetFaults(logtest.Faults{LoseCommand: 1})
		first := b.card(b.id(), 4*time.Second)
		b.log.SetFaults(logtest.Faults{})
		held := b.card(id, 4*time.Second)
		held.pending(t)
		cancel := b.cancel(id)
		held.refused(t, domain.Withdrawn)
		cancel.refused(t, domain.Withdrawn)
		first.accepted(t)
	})
}

func TestCancel_BeforeItsMutationComes(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id := b.id()
		b.cancel(id).refused(t, domain.Withdrawn)
		b.card(id, 4*time.Second).refused(t, domain.Withdrawn)
	})
}

func TestCancel_OfAMutationInFlightOrDecided(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			time.Sleep(100 * time.Millisecond)
			return store()
		}
		s := b.card(b.id(), 4*time.Second)
		synctest.Wait()
		flying := b.cancel(s.cmd.ID)
		s.accepted(t)
		flying.accepted(t)
		b.cancel(s.cmd.ID).accepted(t)
	})
}

// A cancel that comes while the commit is in flight wins if that commit turns
// out void.
func TestCancel_WinsOverAVoidCommit(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n == 2 {
				time.Sleep(2 * time.Second)
			}
			return store()
		}
		s := b.card(b.id(), time.Second)
		synctest.Wait()
		cancel := b.cancel(s.cmd.ID)
		s.refused(t, domain.Withdrawn)
		cancel.refused(t, domain.Withdrawn)
	})
}

// Two sendings of one id with different contents: the first is decided, and
// its verdict tells the second.
func TestLaw3_SameIdWithOtherContent(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.script.onAppend = func(_ int, store func() (uint64, error)) (uint64, error) {
			time.Sleep(10 * time.Millisecond)
			return store()
		}
		id := b.id()
		one := b.mutate(id, time.Second, cardChange("one", "wide"))
		two := b.g.send(b.ctx, b.command(id, time.Second, cardChange("two", "wide")), 1, func() string { return "" })
		one.accepted(t)
		v := two.await(t, time.Second)
		if !v.Fits(one.cmd.ContentHash()) || v.Fits(two.cmd.ContentHash()) {
			t.Errorf("verdict %+v", v)
		}
		state, err := eventlog.LoadBoard(context.Background(), b.log, "b")
		if err != nil || state.Get("one") == nil || state.Get("two") != nil {
			t.Errorf("not only the first took effect: %v", err)
		}
	})
}

// Another worker decides what a held mutation waits for, and this one, which
// has nothing to append, would not see it: a further sending has it look.
func TestLaw6_AfterDecidedByAnotherWorkerIsSeen(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		first, second := b.id(), b.id()
		b.append(t, b.after(first, "", 30*time.Second, columnChange("c1", 0)))
		cmd := b.after(second, first, 30*time.Second, columnChange("c2", 0))
		b.deliver(t, cmd)
		time.Sleep(time.Second)
		b.deliver(t, cmd)
		time.Sleep(time.Second)
		if d := b.decision(second); d == nil || d.Rejection != nil {
			t.Errorf("%+v", d)
		}
	})
}
