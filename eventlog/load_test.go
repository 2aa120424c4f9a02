package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// author decides commands and appends each as a record of its own.
type author struct {
	log *Log
	b   *domain.Board
	n   int
}

func newAuthor(t testing.TB, l *Log) *author {
	t.Helper()
	a := &author{log: l, b: domain.NewBoard(newBoard())}
	a.change(t, a.b.ID(), `{"kind":"board","title":"B"}`, time.Hour)
	return a
}

func (a *author) change(t testing.TB, entity, patch string, notAfter time.Duration) {
	t.Helper()
	var p domain.Patch
	if err := json.Unmarshal([]byte(patch), &p); err != nil {
		t.Fatal(err)
	}
	a.n++
	now := time.Now().UTC()
	cmd := &domain.Command{ID: fmt.Sprint("m", a.n), Board: a.b.ID(), Op: domain.OpMutate, User: "anna", Grant: domain.GrantOpen,
		ReceivedAt: now, Deadline: now.Add(time.Minute), Changes: []domain.Change{{EntityID: entity, Patch: p}}}
	_, prev, at := a.b.Head()
	if at.After(now) {
		now = at
	}
	d := domain.Decide(a.b, cmd, now)
	if d.Rejection != nil {
		t.Fatal(d.Rejection)
	}
	c := &domain.Commit{V: domain.CommitVersion, Board: a.b.ID(), Prev: prev, At: d.At, NotAfter: now.Add(notAfter), Decisions: []domain.Decision{d}}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	last, _, _ := a.b.Head()
	seq, err := a.log.Append(t.Context(), a.b.ID(), data, hash, last)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.log.Get(t.Context(), a.b.ID(), seq)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
		t.Fatal(err)
	}
}

func (a *author) snapshot(t testing.TB) Snapshot {
	t.Helper()
	data, err := a.b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	seq, hash, _ := a.b.Head()
	return Snapshot{Seq: seq, Hash: hash, Data: data}
}

// counted counts the records that a Source gives.
type counted struct {
	Source
	records int
}

// Kept gives nothing: every load reads.
func (c *counted) Kept(string) *domain.Still { return nil }

func (c *counted) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range c.Source.Read(ctx, board, from, to) {
			c.records++
			if !yield(r, err) {
				return
			}
		}
	}
}

func sameBoard(t testing.TB, what string, got, want *domain.Board) {
	t.Helper()
	a, errA := got.Snapshot()
	b, errB := want.Snapshot()
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Fatalf("%s: rev %d, want %d; %v, %v", what, got.Rev(), want.Rev(), errA, errB)
	}
}

func TestLoadBoard_SnapshotAndTail(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		a := newAuthor(t, l)
		load := func(what string, records int) {
			t.Helper()
			src := &counted{Source: l}
			b, err := LoadBoard(t.Context(), src, a.b.ID())
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			sameBoard(t, what, b, a.b)
			if src.records != records {
				t.Errorf("%s: %d records are read, want %d", what, src.records, records)
			}
		}
		put := func(s Snapshot) {
			t.Helper()
			if err := l.PutSnapshot(t.Context(), a.b.ID(), s); err != nil {
				t.Fatal(err)
			}
			onEveryReplica(t, l, a.b.ID(), s)
		}
		for i := range 9 {
			a.change(t, fmt.Sprint("c", i), `{"kind":"column","title":"C"}`, time.Hour)
		}
		load("no snapshot", 10)
		good := a.snapshot(t)
		put(good)
		load("snapshot of the head", 1)
		a.change(t, "c0", `{"title":"D"}`, time.Hour)
		load("snapshot and a tail of one", 2)

		broken := good
		broken.Data = good.Data[:len(good.Data)/2]
		put(broken)
		load("half a snapshot", 11)
		other := good
		other.Hash = domain.Hash{1}
		put(other)
		load("snapshot of another hash", 11)
		ahead := a.snapshot(t)
		ahead.Seq += 100
		put(ahead)
		load("snapshot beyond the head", 11)
		elsewhere := newAuthor(t, l)
		put(elsewhere.snapshot(t))
		load("snapshot of another board", 11)
		put(good)
		epoch := l.epoch
		l.epoch = "another"
		load("snapshot of another epoch", 11)
		l.epoch = epoch
	})
}

// What the log does not agree with is not used, though it is whole in itself:
// a log that was set back and written anew.
func TestLoadBoard_SnapshotOfAnotherPast(t *testing.T) {
	t.Parallel()
	past := newAuthor(t, single(t))
	past.change(t, "c", `{"kind":"column","title":"C"}`, time.Hour)
	now := &author{log: single(t), b: domain.NewBoard(past.b.ID())}
	now.change(t, now.b.ID(), `{"kind":"board","title":"B, made anew"}`, time.Hour)
	now.change(t, "d", `{"kind":"column","title":"D"}`, time.Hour)
	s := past.snapshot(t)
	if seq, _, _ := now.b.Head(); seq != s.Seq {
		t.Fatalf("the pasts are at %d and %d: nothing is compared", s.Seq, seq)
	}
	b, err := LoadBoard(t.Context(), &pastSource{now.log, s}, now.b.ID())
	if err != nil {
		t.Fatal(err)
	}
	sameBoard(t, "another past", b, now.b)
}

type pastSource struct {
	*Log
	snapshot Snapshot
}

func (s *pastSource) GetSnapshot(context.Context, string) (Snapshot, error) { return s.snapshot, nil }

func TestLoadBoard_EmptyAndUnreadable(t *testing.T) {
	t.Parallel()
	l := single(t)
	b, err := LoadBoard(t.Context(), l, "nobody")
	if err != nil || b.ID() != "nobody" || b.Exists() {
		t.Fatalf("%v, %v", b, err)
	}
	a := newAuthor(t, l)
	// The tail ends early: an error, not a board that is too old.
	short := &shortSource{l}
	if _, err := LoadBoard(t.Context(), short, a.b.ID()); !errors.Is(err, errBehind) {
		t.Fatalf("a tail that ends early: %v", err)
	}
}

type shortSource struct{ *Log }

func (s *shortSource) Read(context.Context, string, uint64, uint64) iter.Seq2[Record, error] {
	return func(func(Record, error) bool) {}
}

// Voids are skipped by the fold, and their sequence is the head all the same.
func TestLoadBoard_VoidCommits(t *testing.T) {
	t.Parallel()
	l := single(t)
	a := newAuthor(t, l)
	a.change(t, "c", `{"kind":"column","title":"C"}`, time.Hour)
	rev := a.b.Rev()
	a.change(t, "c", `{"title":"late"}`, -time.Minute)
	if a.b.Rev() != rev {
		t.Fatal("the void commit took effect")
	}
	b, err := LoadBoard(t.Context(), l, a.b.ID())
	if err != nil {
		t.Fatal(err)
	}
	sameBoard(t, "with a void commit", b, a.b)
	if b.Get("c").Fields.String("title") != "C" {
		t.Fatal("the void commit took effect")
	}
}

// A board that was loaded lately goes on from there, if the log has it so.
func TestLoadBoard_KeptLately(t *testing.T) {
	t.Parallel()
	alone := func() *Log { return openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1}) }
	l := alone()
	a := newAuthor(t, l)
	load := func(what string, snapshots int) *domain.Board {
		t.Helper()
		src := &asked{Log: l}
		b, err := LoadBoard(t.Context(), src, a.b.ID())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		sameBoard(t, what, b, a.b)
		if src.snapshots != snapshots {
			t.Errorf("%s: %d snapshots are asked for, want %d", what, src.snapshots, snapshots)
		}
		return b
	}
	a.change(t, "c", `{"kind":"column","title":"C"}`, time.Hour)
	first := load("the first time", 1)
	load("again", 0)
	a.change(t, "c", `{"title":"D"}`, time.Hour)
	second := load("after a change", 0)
	if first.Get("c").Fields.String("title") != "C" || second.Get("c").Fields.String("title") != "D" {
		t.Error("boards loaded at different times change together")
	}
	if first.Get(a.b.ID()) != second.Get(a.b.ID()) {
		t.Error("what has not changed is not shared")
	}

	past := &author{log: alone(), b: domain.NewBoard(a.b.ID())}
	past.change(t, a.b.ID(), `{"kind":"board","title":"Another past"}`, time.Hour)
	past.change(t, "c", `{"kind":"column","title":"C"}`, time.Hour)
	past.change(t, "c", `{"title":"D"}`, time.Hour)
	still, err := past.b.Still()
	if err != nil {
		t.Fatal(err)
	}
	here, _, _ := a.b.Head()
	if there, _ := still.Head(); there != here {
		t.Fatalf("the pasts are at %d and %d: nothing is compared", there, here)
	}
	l.Keep(still)
	load("another past", 1)

	fill(t, l, "neighbour", keptLag)
	a.change(t, "c", `{"title":"E"}`, time.Hour)
	load("far behind", 1)
}

// asked counts how often a snapshot is asked for.
type asked struct {
	*Log
	snapshots int
}

func (s *asked) GetSnapshot(ctx context.Context, board string) (Snapshot, error) {
	s.snapshots++
	return s.Log.GetSnapshot(ctx, board)
}

// What is kept is bounded, and goes after a while.
func TestKeptBoards_Bounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k KeptBoards
		still := func(board string) *domain.Still {
			s, err := domain.NewBoard(board).Still()
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		for i := range 2 * keptEntities { // each counts one
			k.Keep(still(fmt.Sprint(i % (keptEntities + 1000))))
		}
		if len(k.byID) != keptEntities || k.size != keptEntities || len(k.order) > keptEntities+1000 {
			t.Errorf("%d boards, size %d, order %d", len(k.byID), k.size, len(k.order))
		}
		last := fmt.Sprint((2*keptEntities - 1) % (keptEntities + 1000))
		if k.Kept(last) == nil || k.Kept("1000") == nil || k.Kept(fmt.Sprint(keptEntities-1)) != nil {
			t.Error("not the last ones are kept")
		}
		time.Sleep(keptFor)
		k.Keep(still("x"))
		if len(k.byID) != 1 || k.size != 1 || k.Kept(last) != nil {
			t.Errorf("%d boards are kept too long", len(k.byID)-1)
		}
	})
}
