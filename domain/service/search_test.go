package service

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

func TestLaw3_RepeatGetsSameVerdict(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		ok, no := b.card(b.id(), time.Second), b.mutate(b.id(), time.Second, cardChange("x", "nowhere"))
		first, refusal := ok.accepted(t), no.await(t, time.Second)
		for name, wait := range map[string]time.Duration{"at once": 0, "later": time.Minute} {
			time.Sleep(wait)
			if again := b.send(ok.cmd).accepted(t); again.Rev != first.Rev || again.Seq != first.Seq {
				t.Errorf("%s: %+v, first %+v", name, again, first)
			}
			b.send(no.cmd).refused(t, refusal.Rejection.Code)
		}
		b.stop()
		b.start(nil)
		if again := b.send(ok.cmd).accepted(t); again.Rev != first.Rev {
			t.Errorf("after a restart: %+v, first %+v", again, first)
		}
	})
}

func TestLaw3_ULIDVerdictIsFoundForEver(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		old := b.card(b.id(), time.Second)
		first := old.accepted(t)
		b.passTime(t, 2*time.Hour)
		if again := b.send(old.cmd).accepted(t); again.Seq != first.Seq || again.Rev != first.Rev {
			t.Errorf("%+v, first %+v", again, first)
		}
		// An old id nobody has seen is new, however old.
		b.card(newID(b.rng, time.Now().Add(-time.Hour)), time.Second).accepted(t)
	})
}

// A void record decides nothing, also for a search years later.
func TestSearch_SkipsVoidRecords(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id := b.id()
		b.log.SetFaults(logtest.Faults{Stall: 1, StallFor: time.Minute})
		b.append(t, b.command(id, time.Millisecond, cardChange("card", "wide")))
		b.log.SetFaults(logtest.Faults{})
		if _, void := count(b.log, "b"); void != 1 {
			t.Fatalf("%d void commits", void)
		}
		b.passTime(t, 20*time.Minute)
		v := b.mutate(id, time.Second, cardChange("card", "wide")).accepted(t)
		if v.Seq < 20 {
			t.Errorf("decided at %d", v.Seq)
		}
	})
}

// A mutation that was received before the clock was set back by an hour, and
// decided after that, on a board that was at rest for longer, is found, too.
func TestLaw3_ClockSetBackBeforeTheDecision(t *testing.T) {
	var behind atomic.Int64
	clock := func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }
	alone(t, logtest.Config{Now: clock}, func(c *Config) { c.Now = clock }, func(t *testing.T, b *bench) {
		time.Sleep(3 * time.Hour)
		behind.Store(int64(time.Hour))
		old := b.card(b.id(), time.Second)
		first := old.accepted(t)
		wild := b.mutate(newID(b.rng, time.Now().Add(time.Minute+time.Second)), time.Second, cardChange("wild", "wide"))
		wild.refused(t, domain.Invalid)
		behind.Store(0)
		b.passTime(t, 20*time.Minute)
		if again := b.send(old.cmd).accepted(t); again.Seq != first.Seq || again.Rev != first.Rev {
			t.Errorf("%+v, first %+v", again, first)
		}
		for _, s := range b.log.Stored("b") {
			if s.Commit.At.After(s.At) {
				t.Errorf("record %d was decided at %v and stored at %v", s.Seq, s.Commit.At, s.At)
			}
		}
	})
}

func TestLaw3_OpaqueIdsHaveTenMinutes(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		old := b.mutate("6ba7b810-9dad-11d1-80b4-00c04fd430c8", time.Second, cardChange("card", "wide"))
		first := old.accepted(t)
		b.passTime(t, 9*time.Minute)
		if again := b.send(old.cmd).accepted(t); again.Seq != first.Seq {
			t.Errorf("%+v, first %+v", again, first)
		}
	})
}

func TestSearch_BesideTheWorker(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		old := b.card(b.id(), time.Second)
		old.accepted(t)
		b.passTime(t, 20*time.Minute)
		b.script.onSearch = func() { time.Sleep(3 * time.Second) }
		again := b.g.send(b.ctx, old.cmd, 0, func() string { return "" })
		synctest.Wait()
		for range 3 { // while the log is searched the board goes on
			other := b.join(b.ctx, "bob")
			other.mutate(b.id(), time.Second, cardChange(b.id(), "wide")).await(t, time.Millisecond)
		}
		again.pending(t)
		again.accepted(t)
	})
}

// A worker that stood still behind its search for an old id, while another one
// decided it and so much more that the board's memory forgot it, searches again.
func TestLaw3_DecidedElsewhereSinceTheSearch(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		id := b.id()
		b.passTime(t, 20*time.Minute)
		cmd := b.command(id, time.Second, cardChange("old", "wide"))
		appends, _, _ := b.script.counts()
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n == appends+1 {
				time.Sleep(10 * time.Millisecond) // or it would be the same record
				b.append(t, cmd)
				for range 25 {
					time.Sleep(time.Minute)
					b.append(t, b.command(b.id(), time.Second, cardChange(b.id(), "wide")))
				}
			}
			return store()
		}
		b.send(cmd).accepted(t)
		time.Sleep(30 * time.Minute) // until it goes on; decided twice would be a finding of check
		b.script.mu.Lock()
		defer b.script.mu.Unlock()
		if b.script.searches != 2 {
			t.Errorf("the log was searched %d times", b.script.searches)
		}
	})
}

// A record that the leader says is not there confirms nothing: the log is
// searched, and no repeat waits for ever.
func TestSearch_ForARecordThatIsNotThere(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		first := b.card(b.id(), time.Second)
		v := first.accepted(t)
		b.script.onGet = func(eventlog.Record) eventlog.Record { return eventlog.Record{} }
		if again := b.send(first.cmd).accepted(t); again.Seq != v.Seq {
			t.Errorf("%+v, first %+v", again, v)
		}
		if b.script.searches == 0 {
			t.Error("the log was not searched")
		}
	})
}

// An id whose 64-bit hash is another's is not taken for it: the record does
// not confirm the hit, and the log is searched.
func TestSearch_HashCollision(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		first := b.card(b.id(), time.Second)
		first.accepted(t)
		second := b.card(b.id(), time.Second)
		v := second.accepted(t)
		b.script.onGet = func(rec eventlog.Record) eventlog.Record {
			if rec.Seq == v.Seq {
				rec.Commit = b.log.Stored("b")[1].Commit // as if the hit pointed at the first
			}
			return rec
		}
		if again := b.send(second.cmd).accepted(t); again.Seq != v.Seq {
			t.Errorf("%+v, first %+v", again, v)
		}
	})
}

func TestSearch_FailingReadsAreTriedAgain(t *testing.T) {
	alone(t, logtest.Config{Seed: 5}, nil, func(t *testing.T, b *bench) {
		old := b.card(b.id(), time.Second)
		old.accepted(t)
		b.passTime(t, 20*time.Minute)
		b.log.SetFaults(logtest.Faults{FailRead: 0.8})
		for range 5 {
			b.send(old.cmd).accepted(t)
		}
	})
}

func TestChores_HeadsForTenSeconds(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		time.Sleep(15 * time.Second)
		var heads atomic.Int32
		stop, err := b.log.Subscribe("b", func(a eventlog.Announcement) {
			if a.Head == 2 {
				heads.Add(1)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		b.card(b.id(), time.Second).accepted(t)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := heads.Load(); n < 9 || n > 11 {
			t.Errorf("%d heads", n)
		}
	})
}

func TestChores_SnapshotEveryNRecords(t *testing.T) {
	every := func(c *Config) { c.SnapshotEvery = 10 }
	alone(t, logtest.Config{}, every, func(t *testing.T, b *bench) {
		for range 34 { // the board's first record is one more
			b.card(b.id(), time.Second).accepted(t)
			synctest.Wait()
		}
		var at []uint64
		b.script.mu.Lock()
		for _, s := range b.script.snapshots {
			at = append(at, s.Seq)
		}
		b.script.mu.Unlock()
		if fmt.Sprint(at) != "[10 20 30]" {
			t.Errorf("snapshots at %v", at)
		}
		b.stop()
		_, _, before := b.script.counts()
		b.start(every)
		b.card(b.id(), time.Second).accepted(t)
		if _, _, reads := b.script.counts(); reads-before > 6 {
			t.Errorf("loading a board with a snapshot read %d records", reads-before)
		}
	})
}

// A finished import, and records that are large together, are due for a
// snapshot before SnapshotEvery records: the next load need not read them.
func TestChores_SnapshotAfterAnImport(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		g := b.gateway("imported")
		defer g.stop()
		s := &session{g: g, user: "ann", name: "import", ctx: b.ctx}
		cmd := s.command(b.id(), time.Minute)
		cmd.Op = domain.OpImport
		cmd.Import = &domain.Import{Source: "test:1", Done: true, Entities: []*domain.Entity{
			{ID: "imported", Kind: domain.KindBoard, Fields: domain.Fields{"title": "Imported"}},
			{ID: "column", Kind: domain.KindColumn, Fields: domain.Fields{"title": "Column"}},
		}}
		v := s.send(cmd).accepted(t)
		synctest.Wait()
		if snap, err := b.log.GetSnapshot(b.ctx, "imported"); err != nil || snap.Seq != v.Seq {
			t.Errorf("snapshot at %d, %v; the import ended at %d", snap.Seq, err, v.Seq)
		}
		if l, _ := b.log.Listing("imported"); l.Title != "Imported" {
			t.Errorf("listing %+v", l)
		}
	})
}

func TestChores_ListingIsWrittenUntilItStands(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		synctest.Wait()
		l, ok := b.log.Listing("b")
		if !ok || l.Title != "Board" || l.Seq != 1 || l.Members["ann"] != domain.Admin {
			t.Fatalf("listing %+v", l)
		}
		b.log.Refuse("PutListing", context.DeadlineExceeded)
		b.mutate(b.id(), time.Second, create("b", domain.Patch{"title": "Other"})).accepted(t)
		b.card(b.id(), time.Second).accepted(t)
		time.Sleep(5 * time.Second)
		b.log.Refuse("PutListing", nil)
		time.Sleep(2 * time.Second)
		if l, _ := b.log.Listing("b"); l.Title != "Other" || l.Seq != 2 {
			t.Errorf("listing %+v", l)
		}
	})
}

// The worker died between its commit and the listing: the next load writes it.
func TestChores_LostListingHealsAtLoad(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		b.log.Refuse("PutListing", context.DeadlineExceeded)
		b.mutate(b.id(), time.Second, create("b", domain.Patch{"title": "Other"})).accepted(t)
		b.stop()
		b.log.Refuse("PutListing", nil)
		b.start(nil)
		b.card(b.id(), time.Second).accepted(t)
		synctest.Wait()
		if l, _ := b.log.Listing("b"); l.Title != "Other" {
			t.Errorf("listing %+v", l)
		}
	})
}
