package service

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// slowStore takes its time to store a snapshot, and counts the listings written.
type slowStore struct {
	*script
	takes    time.Duration
	listings *atomic.Int32
}

func (s *slowStore) PutSnapshot(ctx context.Context, board string, snap eventlog.Snapshot) error {
	pause(ctx, s.takes)
	return s.script.PutSnapshot(ctx, board, snap)
}

func (s *slowStore) PutListing(ctx context.Context, entry eventlog.Listing) error {
	s.listings.Add(1)
	return s.script.PutListing(ctx, entry)
}

// seqs are where snapshots were made.
func (s *script) seqs() (at []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, snap := range s.snapshots {
		at = append(at, snap.Seq)
	}
	return at
}

// A board that never rests has its snapshots all the same, however long they
// take, and nobody waits for one.
func TestChores_SnapshotsWhileABoardIsBusy(t *testing.T) {
	const takes = 20 * time.Millisecond
	slow := func(c *Config) { c.Log = &slowStore{c.Log.(*script), takes, new(atomic.Int32)} }
	alone(t, logtest.Config{}, slow, func(t *testing.T, b *bench) {
		b.mutate(b.id(), time.Second, cardChange("k", "wide")).accepted(t)
		for i := range 2000 {
			start := time.Now()
			b.mutate(b.id(), time.Second, create("k", domain.Patch{"title": strconv.Itoa(i)})).accepted(t)
			if d := time.Since(start); d > 0 {
				t.Fatalf("an ack took %v", d)
			}
			time.Sleep(time.Millisecond)
		}
		// A tail is too long by what came while one was made, and in the pause behind it.
		const longest = smallTail + snapshotShare*uint64(takes/time.Millisecond)
		last := uint64(0)
		for _, seq := range append(b.script.seqs(), 2002) {
			if tail := seq - last; tail > longest {
				t.Errorf("a tail of %d at %d", tail, last)
			}
			last = seq
		}
	})
}

// Records that are large count for several.
func TestChores_LargeRecordsAreDueForASnapshotSooner(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		text := make([]byte, 10*heavyRecord)
		for i := range text {
			text[i] = 'x'
		}
		for range 12 {
			id := "card-" + b.id()
			b.mutate(b.id(), time.Second, create(id, domain.Patch{"kind": "card", "columnId": "wide", "title": "t", "description": string(text)})).accepted(t)
		}
		synctest.Wait()
		// The text is in what was asked and in what happened.
		if at := b.script.seqs(); len(at) == 0 || at[0] > 2+smallTail/20 {
			t.Errorf("snapshots at %d", at)
		}
	})
}

// What the directory has is not written again, by the service that wrote it;
// another one asks once.
func TestChores_ListingIsWrittenOnce(t *testing.T) {
	listings := new(atomic.Int32)
	count := func(c *Config) { c.Log, c.CachedBoards = &slowStore{c.Log.(*script), 0, listings}, 1 }
	alone(t, logtest.Config{}, count, func(t *testing.T, b *bench) {
		other := b.gateway("other")
		defer other.stop()
		elsewhere := &session{g: other, user: "ann", name: "elsewhere", ctx: b.ctx}
		want := func(what string, n int32) {
			t.Helper()
			synctest.Wait()
			if got := listings.Load(); got != n {
				t.Errorf("%s: written %d times, want %d", what, got, n)
			}
		}
		want("the board", 1)
		elsewhere.mutate(b.id(), time.Second, boardChange("other")).accepted(t)
		want("another board", 2)
		for range 3 { // each drives the other out of memory
			b.card(b.id(), time.Second).accepted(t)
			elsewhere.mutate(b.id(), time.Second, columnChange("c-"+b.id(), 0)).accepted(t)
		}
		want("loaded again", 2)
		b.mutate(b.id(), time.Second, create("b", domain.Patch{"title": "Other"})).accepted(t)
		want("renamed", 3)
		b.stop()
		b.start(count)
		b.card(b.id(), time.Second).accepted(t)
		want("loaded by another service", 4)
	})
}

// A service that ends leaves snapshots of the boards that have a tail.
func TestChores_SnapshotsAreLeft(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		for range leaveTail / 2 {
			b.card(b.id(), time.Second).accepted(t)
		}
		b.stop()
		if at := b.script.seqs(); len(at) > 0 {
			t.Errorf("snapshots at %d of a short tail", at)
		}
		b.start(nil)
		for range leaveTail {
			b.card(b.id(), time.Second).accepted(t)
		}
		b.stop()
		last := uint64(1 + leaveTail/2 + leaveTail)
		if at := b.script.seqs(); len(at) != 1 || at[0] != last {
			t.Errorf("snapshots at %d, want one at %d", at, last)
		}
		_, _, before := b.script.counts()
		b.start(nil)
		b.card(b.id(), time.Second).accepted(t)
		if _, _, reads := b.script.counts(); reads-before > 1 {
			t.Errorf("%d records are read", reads-before)
		}
	})
}
