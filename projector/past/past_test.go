package past

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// The board at each rev and time is what folding everything up to there gives,
// wherever there are past snapshots, and whatever is wrong with some.
func TestLook_IsTheFoldFromScratch(t *testing.T) {
	looks := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		w, log := fakeWorld(t, ctx, rapid.Uint64().Draw(t, "seed"))
		w.make(2)
		w.random(15)
		if rapid.Bool().Draw(t, "snapshots") {
			w.snapshots(6)
		}
		want := map[uint64]string{}
		var times []time.Time
		byTime := map[time.Time]string{}
		next := uint64(0)
		w.every(func(b *domain.Board, d *domain.Decision) {
			for ; next < b.Rev(); next++ {
				want[next+1] = state(b)
			}
			if len(times) == 0 || !times[len(times)-1].Equal(d.At) {
				times = append(times, d.At)
			}
			byTime[d.At] = state(b)
		})
		for rev := uint64(1); rev <= next; rev++ {
			got, err := AtRev(ctx, log, board, rev)
			if err != nil {
				t.Fatalf("rev %d: %v", rev, err)
			}
			if state(got.Board) != want[rev] || got.Rev != got.Board.Rev() || got.Rev < rev {
				t.Fatalf("rev %d: %s, want %s", rev, state(got.Board), want[rev])
			}
			looks++
		}
		for _, at := range times {
			for _, later := range []time.Duration{0, time.Microsecond} {
				got, err := AtTime(ctx, log, board, at.Add(later))
				if err != nil || state(got.Board) != byTime[at] || !got.At.Equal(at) {
					t.Fatalf("at %v: %v, %v", at, got, err)
				}
			}
			looks++
		}
	})
	if looks < 1000 {
		t.Errorf("only %d looks", looks)
	}
}

func TestLook_WhereThereIsNothing(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	if _, err := AtRev(ctx, log, board, 1); !errors.Is(err, ErrNotYet) {
		t.Error(err)
	}
	if _, err := AtTime(ctx, log, board, w.now); !errors.Is(err, ErrNotYet) {
		t.Error(err)
	}
	begun := w.now
	w.decide("ann", domain.OpMutate, nil, domain.Change{EntityID: "c", Patch: domain.Patch{"title": "refused"}})
	w.store()
	w.now = w.now.Add(time.Second)
	w.make(1)
	for _, rev := range []uint64{0, 7, 1 << 60} {
		_, err := AtRev(ctx, log, board, rev)
		var beyond *BeyondError
		if rev == 0 && !errors.Is(err, ErrNotYet) || rev > 0 && (!errors.Is(err, ErrBeyond) || !errors.As(err, &beyond) || beyond.Rev != 6) {
			t.Errorf("rev %d: %v", rev, err)
		}
	}
	for _, at := range []time.Time{begun.Add(-1), begun, begun.Add(time.Millisecond)} {
		if _, err := AtTime(ctx, log, board, at); !errors.Is(err, ErrNotYet) {
			t.Errorf("at %v: %v", at, err)
		}
	}
	if got, err := AtTime(ctx, log, board, begun.Add(time.Hour)); err != nil || got.Rev != 6 {
		t.Errorf("%v, %v", got, err)
	}
}

// A rev inside a mutation stands for its last; nobody saw the board in between.
func TestLook_AMutationIsWhole(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	w.make(2)
	w.decide("bob", domain.OpMutate, nil, domain.Change{EntityID: "c0", Patch: domain.Patch{"title": "A", "columnId": "done"}},
		domain.Change{EntityID: "c1", Patch: domain.Patch{"title": "B"}})
	w.decide("eve", domain.OpMutate, nil, domain.Change{EntityID: "c0", Patch: domain.Patch{"title": "C"}})
	w.store()
	for rev, want := range map[uint64]uint64{7: 7, 8: 10, 9: 10, 10: 10, 11: 11} {
		got, err := AtRev(ctx, log, board, rev)
		if err != nil || got.Rev != want {
			t.Fatalf("rev %d: %v, %v", rev, got.Point, err)
		}
	}
	got, _ := AtRev(ctx, log, board, 8)
	if c := got.Board.Get("c0"); c.Fields.String("title") != "A" || c.Parent() != "done" || got.Board.Get("c1").Fields.String("title") != "B" {
		t.Errorf("%+v", c)
	}
}

// An import that is under way is seen by nobody, now or later.
func TestLook_NotWhileAnImportIsUnderWay(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	for part, e := range []*domain.Entity{{ID: board, Kind: domain.KindBoard, Fields: domain.Fields{"title": "B"}},
		{ID: "col", Kind: domain.KindColumn, Fields: domain.Fields{"title": "C"}}} {
		if d := w.decide("ann", domain.OpImport, &domain.Import{Source: "test:1", Part: part, Done: part == 1, Entities: []*domain.Entity{e}}); d.Rejection != nil {
			t.Fatal(d.Rejection)
		}
		w.store()
	}
	if _, err := AtRev(ctx, log, board, 1); !errors.Is(err, ErrNotYet) {
		t.Error(err)
	}
	if got, err := AtRev(ctx, log, board, 2); err != nil || got.Board.Len() != 2 {
		t.Error(err)
	}
}

// counted counts the records that are folded or looked at.
type counted struct {
	appender
	records int
}

func (c *counted) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for r, err := range c.appender.Read(ctx, board, from, to) {
			c.records++
			if !yield(r, err) {
				return
			}
		}
	}
}

// What Fill makes is enough for a look anywhere to read no more than an
// interval; what it finds right stays, what is wrong is made again.
func TestFill_ALookReadsAnInterval(t *testing.T) {
	ctx := t.Context()
	w, log := fakeWorld(t, ctx, 1)
	w.make(20)
	for w.b.Rev() < 5*eventlog.PastEvery/2 { // large records: the fake log reads slowly
		for range 200 {
			w.decide("ann", domain.OpMutate, nil, domain.Change{EntityID: "c1", Patch: domain.Patch{"title": w.pick("A", "B", "C", "D")}})
		}
		w.store()
		w.now = w.now.Add(time.Millisecond)
	}
	f, err := Fill(ctx, log, board)
	head, _ := log.Head(ctx, board)
	if err != nil || f.Made != 2 || f.Kept+len(f.Wrong) != 0 {
		t.Fatalf("%+v, %v", f, err)
	}
	if f, err = Fill(ctx, log, board); err != nil || f.Made != 0 || f.Kept != 2 || len(f.Wrong) != 0 {
		t.Fatalf("again: %+v, %v", f, err)
	}
	pasts, _ := log.Pasts(ctx, board)
	bad, _ := log.Past(ctx, board, pasts[1])
	other, _ := log.Past(ctx, board, pasts[0])
	bad.Data = other.Data
	if err := log.PutPast(ctx, board, bad); err != nil {
		t.Fatal(err)
	}
	if f, err = Fill(ctx, log, board); err != nil || f.Made != 0 || f.Kept != 1 || len(f.Wrong) != 1 || f.Wrong[0].Seq != pasts[1] {
		t.Fatalf("one is wrong: %+v, %v", f, err)
	}
	src := &counted{appender: log}
	if got, err := AtRev(ctx, src, board, 4000); err != nil || got.Rev != 4000 {
		t.Fatal(err)
	}
	if most := eventlog.PastEvery/200*5/4 + 12; src.records > most {
		t.Errorf("a look reads %d of %d records, at most %d are due", src.records, head, most)
	}
}
