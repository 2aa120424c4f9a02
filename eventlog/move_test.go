package eventlog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// grown opens the log of a server again after shards were added to it.
func grown(t *testing.T, s *natsd.Server, more int) *Log {
	t.Helper()
	first := openLog(t, Config{InProcess: s, Shards: 2})
	gen, err := first.AddShards(t.Context(), more)
	if err != nil {
		t.Fatal(err)
	}
	l := openLog(t, Config{InProcess: s, Shards: 2})
	if got := l.Generations(); len(got) != gen+1 || got[gen] != more || l.Shards() != 2+more {
		t.Fatalf("generation %d of %d shards: %v, %d shards", gen, more, got, l.Shards())
	}
	return l
}

// readAll are a board's records as everybody reads them.
func readAll(t *testing.T, l *Log, board string) (list []Record) {
	t.Helper()
	for r, err := range l.Read(t.Context(), board, 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// A board that was moved has all its records where it is now, byte for byte and
// with their times, one more that says so, and goes on there; the log that
// moved it, one that knew it before and one that opens later see the same.
func TestMove_TheBoardGoesOnThere(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := grown(t, s, 3)
	other := openLog(t, Config{InProcess: s})
	a := newAuthor(t, l)
	board := a.b.ID()
	for i := range 40 {
		a.change(t, board, fmt.Sprintf(`{"title":"%d"}`, i), time.Hour)
	}
	before := readAll(t, l, board)
	if _, err := other.Head(t.Context(), board); err != nil {
		t.Fatal(err)
	}
	head, err := l.Move(t.Context(), board, 1)
	if err != nil {
		t.Fatal(err)
	}
	if Generation(head) != 1 || l.Shard(board) != 2+shardOf(board, 3) || head <= before[len(before)-1].Seq {
		t.Fatalf("head %d, shard %d", head, l.Shard(board))
	}
	if again, err := l.Move(t.Context(), board, 1); again != head || err != nil {
		t.Fatalf("again: %d, %v", again, err)
	}
	for name, l := range map[string]*Log{"mover": l, "other": other, "later": openLog(t, Config{InProcess: s})} {
		b, err := LoadBoard(t.Context(), l, board)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if seq, _, _ := b.Head(); seq != head || b.Rev() != a.b.Rev() || b.StateHash() != a.b.StateHash() {
			t.Errorf("%s: head %d, rev %d", name, seq, b.Rev())
		}
		if want := l.homeIn(1, board).shard; l.Shard(board) != want {
			t.Errorf("%s: shard %d, not %d", name, l.Shard(board), want)
		}
		after := readAll(t, l, board)
		if len(after) != len(before)+1 {
			t.Fatalf("%s: %d records, not %d", name, len(after), len(before)+1)
		}
		for i, r := range before {
			if got := after[i]; got.Hash != r.Hash || !got.Time.Equal(r.Time) || string(got.Data) != string(r.Data) || Generation(got.Seq) != 1 {
				t.Fatalf("%s: record %d: %+v", name, i, got)
			}
			if old, err := l.Get(t.Context(), board, r.Seq); err != nil || old.Hash != r.Hash {
				t.Fatalf("%s: the record at %d where it was: %v", name, r.Seq, err)
			}
		}
		if m := after[len(before)].Commit.Moved; m == nil || m.Generation != 1 || m.Shard != l.Shard(board) {
			t.Errorf("%s: the last record says %+v", name, m)
		}
	}
	_, hash, _ := a.b.Head()
	data, wrong := commitOf(t, board, hash, "late")
	if _, err := other.Append(t.Context(), board, data, wrong, before[len(before)-1].Seq); !errors.Is(err, ErrConflict) {
		t.Errorf("an append where it was: %v", err)
	}
	if a.b, err = LoadBoard(t.Context(), other, board); err != nil {
		t.Fatal(err)
	}
	a.log = other
	a.change(t, board, `{"title":"there"}`, time.Hour)
	if seq, _, _ := a.b.Head(); seq <= head || Generation(seq) != 1 {
		t.Errorf("it went on at %d", seq)
	}
	sinceAll(t, l, board, before[10].Commit.Decisions[0].At)
}

// sinceAll sees that ReadSince finds a moved board's records by the times at
// which they were decided.
func sinceAll(t *testing.T, l *Log, board string, start time.Time) {
	t.Helper()
	want := 0
	for _, r := range readAll(t, l, board) {
		if !r.DecidedBefore(start) {
			want++
		}
	}
	got := 0
	for r, err := range l.ReadSince(t.Context(), board, start, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if !r.DecidedBefore(start) {
			got++
		}
	}
	if got != want || want < 2 {
		t.Errorf("%d records since, not %d", got, want)
	}
}

// While writers append, on a single server and on three copies, a move loses and
// doubles nothing, and the chain goes on.
func TestMove_WhileWritersAppend(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := grown(t, s, 2)
	board := newBoard()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var mu sync.Mutex
	stored := map[domain.Hash]bool{}
	var wg sync.WaitGroup
	for w := range 2 {
		log := openLog(t, Config{InProcess: s})
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if hash, ok := appendToChain(ctx, t, log, board, fmt.Sprint(w, "-", i)); ok {
					mu.Lock()
					stored[hash] = true
					mu.Unlock()
				}
				_ = sleep(ctx, 5*time.Millisecond)
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(stored) }
	eventually(t, "records before", func() bool { return count() > 50 })
	if _, err := l.Move(t.Context(), board, 1); err != nil {
		t.Fatal(err)
	}
	moved := count()
	eventually(t, "records after", func() bool { return count() > moved+50 })
	cancel()
	wg.Wait()
	var prev domain.Hash
	ends := 0
	for _, r := range readAll(t, openLog(t, Config{InProcess: s}), board) {
		if r.Commit.Prev != prev {
			t.Fatalf("record %d does not follow", r.Seq)
		}
		if r.Commit.Moved != nil {
			ends++
		}
		delete(stored, r.Hash)
		prev = r.Hash
	}
	if len(stored) > 0 || ends != 1 {
		t.Errorf("%d records are lost, %d moves", len(stored), ends)
	}
}

// appendToChain appends one record behind whatever is last.
func appendToChain(ctx context.Context, t *testing.T, l *Log, board, text string) (hash domain.Hash, ok bool) {
	for ctx.Err() == nil {
		head, err := l.Head(ctx, board)
		var prev domain.Hash
		if err == nil && head > 0 {
			var r Record
			if r, err = l.Get(ctx, board, head); err == nil {
				prev = r.Hash
			}
		}
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			return hash, false
		}
		data, hash := commitOf(t, board, prev, text)
		_, err = l.Append(ctx, board, data, hash, head)
		if err == nil {
			return hash, true
		}
		if ctx.Err() == nil && !errors.Is(err, ErrConflict) {
			t.Error(err)
		}
	}
	return hash, false
}

// A move that broke off at any point is finished: before the board ended where
// it was by the next call, after that by whoever asks for the board.
func TestMove_BrokenOffIsFinished(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := grown(t, s, 2)
	for _, copiedOf := range []int{0, 1, 7, 12} {
		for _, ended := range []bool{false, true} {
			a := newAuthor(t, l)
			board := a.b.ID()
			for i := range 11 {
				a.change(t, board, fmt.Sprintf(`{"title":"%d"}`, i), time.Hour)
			}
			from, to := l.homeIn(0, board), l.homeIn(1, board)
			list := readAll(t, l, board)
			if copiedOf > 0 {
				if err := l.copyBoard(t.Context(), board, from, to, list[copiedOf-1].Seq, true); err != nil {
					t.Fatal(err)
				}
			}
			if ended {
				end(t, l, board, from, list[len(list)-1])
			}
			fresh := openLog(t, Config{InProcess: s})
			if !ended {
				if b, err := LoadBoard(t.Context(), fresh, board); err != nil || b.StateHash() != a.b.StateHash() {
					t.Fatalf("%d copied: %v", copiedOf, err)
				}
				if fresh.Shard(board) != from.shard {
					t.Fatalf("%d copied: it is in shard %d already", copiedOf, fresh.Shard(board))
				}
				if _, err := fresh.Move(t.Context(), board, 1); err != nil {
					t.Fatal(err)
				}
			}
			b, err := LoadBoard(t.Context(), openLog(t, Config{InProcess: s}), board)
			if err != nil || b.StateHash() != a.b.StateHash() || b.Records() != uint64(len(list)+1) {
				t.Fatalf("%d copied, ended %v: %v", copiedOf, ended, err)
			}
		}
	}
}

// end stores the record that ends a board where it is, as a move does.
func end(t *testing.T, l *Log, board string, from home, last Record) {
	t.Helper()
	c := &domain.Commit{V: domain.MovedVersion, Board: board, Prev: last.Hash, At: time.Now().UTC(), Decisions: []domain.Decision{}, Moved: &domain.Moved{Generation: 1, Shard: l.homeIn(1, board).shard}}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	msg := record(from, data, hash, last.Seq)
	msg.Header[headerMoved] = []string{"1"}
	if _, err := l.publishExpecting(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

// A node that started before the shards were added says so instead of showing
// the board as it was.
func TestMove_ANodeThatDoesNotKnowTheShards(t *testing.T) {
	t.Parallel()
	s := startServer(t, filepath.Join(t.TempDir(), "s"))
	old := openLog(t, Config{InProcess: s, Shards: 2})
	a := newAuthor(t, old)
	l := grown(t, s, 2)
	old.patience = 2 * time.Second
	if _, err := l.Move(t.Context(), a.b.ID(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := old.Head(t.Context(), a.b.ID()); !errors.Is(err, ErrGeneration) {
		t.Errorf("its head: %v", err)
	}
	if _, err := old.Move(t.Context(), a.b.ID(), 1); !errors.Is(err, ErrGeneration) {
		t.Errorf("a move: %v", err)
	}
	if _, err := old.AddShards(t.Context(), 1); err == nil {
		t.Error("it adds shards")
	}
}

func TestMove_Refused(t *testing.T) {
	t.Parallel()
	l := grown(t, startServer(t, t.TempDir()), 1)
	for _, gen := range []int{-1, 0, 2} {
		if _, err := l.Move(t.Context(), "b", gen); !errors.Is(err, ErrGeneration) {
			t.Errorf("to generation %d: %v", gen, err)
		}
	}
	if _, err := l.Move(t.Context(), "nobody", 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("a board without records: %v", err)
	}
	if _, err := l.AddShards(t.Context(), maxShards); err == nil {
		t.Error("more shards than there may be")
	}
}
