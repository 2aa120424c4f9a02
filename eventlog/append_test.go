package eventlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

func TestAppend_StoredInOrderAndReadBack(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		seqs := fill(t, l, board, 20)
		var prev uint64
		i := 0
		for r, err := range l.Read(t.Context(), board, 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Seq != seqs[i] || r.Prev != prev || r.Board != board || r.Commit.Decisions[0].ID != fmt.Sprint(i) {
				t.Fatalf("record %d: seq %d after %d, want %d after %d", i, r.Seq, r.Prev, seqs[i], prev)
			}
			prev = r.Seq
			i++
		}
		if i != 20 {
			t.Fatalf("read %d of 20", i)
		}
		if head, err := l.Head(t.Context(), board); head != prev || err != nil {
			t.Fatalf("head %d, %v; want %d", head, err, prev)
		}
	})
}

func TestAppend_ConflictStoresNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		seqs := fill(t, l, board, 2)
		data, hash := commitOf(t, board, domain.Hash{}, "late")
		for _, expected := range []uint64{0, seqs[0], seqs[1] + 1000} {
			if _, err := l.Append(t.Context(), board, data, hash, expected); !errors.Is(err, ErrConflict) {
				t.Fatalf("expected %d: %v", expected, err)
			}
		}
		if head, _ := l.Head(t.Context(), board); head != seqs[1] {
			t.Fatalf("head %d, want %d", head, seqs[1])
		}
	})
}

// A stored message sent again is answered `duplicate` by R3 and 10071 by R1.
func TestAppend_RetryOfWhatIsStored(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		data, hash := commitOf(t, board, domain.Hash{}, "once")
		seq, err := l.Append(t.Context(), board, data, hash, 0)
		if err != nil {
			t.Fatal(err)
		}
		again, err := l.Append(t.Context(), board, data, hash, 0)
		if l.cfg.Replicas == 1 && !errors.Is(err, ErrConflict) {
			t.Fatalf("R1 says %d, %v; want a conflict", again, err)
		}
		if l.cfg.Replicas == 3 && (err != nil || again != seq) {
			t.Fatalf("R3 says %d, %v; want %d", again, err, seq)
		}
		if head, _ := l.Head(t.Context(), board); head != seq {
			t.Fatalf("stored twice: head %d after %d", head, seq)
		}
	})
}

// The same bytes behind themselves are no new record.
func TestAppend_SameBytesAgainBehindThemselves(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		data, hash := commitOf(t, board, domain.Hash{}, "once")
		seq, err := l.Append(t.Context(), board, data, hash, 0)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := l.Append(t.Context(), board, data, hash, seq); !errors.Is(err, ErrConflict) {
			t.Fatalf("%d, %v", again, err)
		}
		if head, _ := l.Head(t.Context(), board); head != seq {
			t.Fatalf("stored twice: head %d", head)
		}
	})
}

// Of many writers that expect the same sequence, one is stored.
func TestAppend_OneOfManyWins(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		var last uint64
		for round := range 10 {
			var mu sync.Mutex
			var won []uint64
			var wg sync.WaitGroup
			for w := range 8 {
				wg.Go(func() {
					data, hash := commitOf(t, board, domain.Hash{}, fmt.Sprint(round, w))
					seq, err := l.Append(t.Context(), board, data, hash, last)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						won = append(won, seq)
					} else if !errors.Is(err, ErrConflict) {
						t.Errorf("round %d: %v", round, err)
					}
				})
			}
			wg.Wait()
			if len(won) != 1 {
				t.Fatalf("round %d: %d winners", round, len(won))
			}
			last = won[0]
		}
	})
}

func TestAppend_LargeRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		var last uint64
		for i, size := range []int{1 << 20, 3 << 20, l.MaxRecord()} {
			data, hash := sized(t, board, size)
			seq, err := l.Append(t.Context(), board, data, hash, last)
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			r, err := l.Get(t.Context(), board, seq)
			if err != nil || !bytes.Equal(r.Data, data) || r.Prev != last {
				t.Fatalf("record %d is not what was stored: %v", i, err)
			}
			last = seq
		}
		n := 0
		for _, err := range l.Read(t.Context(), board, 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 3 {
			t.Fatalf("read %d of 3", n)
		}
		if _, err := l.Append(t.Context(), board, make([]byte, l.MaxRecord()+1), domain.Hash{}, last); !errors.Is(err, ErrTooLarge) {
			t.Fatalf("too large: %v", err)
		}
	})
}

// sized is a commit of exactly size bytes.
func sized(t testing.TB, board string, size int) ([]byte, domain.Hash) {
	t.Helper()
	bare, _ := commitOf(t, board, domain.Hash{}, "")
	return commitOf(t, board, domain.Hash{}, string(bytes.Repeat([]byte{'x'}, size-len(bare))))
}

func TestAppend_UnknownWhenTheServerIsGone(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := openLog(t, Config{InProcess: s, Shards: 1})
	board := newBoard()
	seqs := fill(t, l, board, 1)
	s.Shutdown()
	data, hash := commitOf(t, board, domain.Hash{}, "x")
	start := time.Now()
	if _, err := l.Append(t.Context(), board, data, hash, seqs[0]); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	if d := time.Since(start); d >= appendTimeout {
		t.Fatalf("took %v", d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := l.Head(ctx, board); err == nil {
		t.Fatal("a head without a server")
	}
}
