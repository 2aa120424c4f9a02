package eventlog

import (
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// seqsOf collects a reading.
func seqsOf(t testing.TB, seq iter.Seq2[Record, error]) (out []uint64) {
	t.Helper()
	for r, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.Seq)
	}
	return out
}

func sameSeqs(t testing.TB, what string, got, want []uint64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d records %v, want %d %v", what, len(got), got, len(want), want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
}

func TestRead_Ranges(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board, other := newBoard(), ""
		for other == "" || l.Shard(other) != l.Shard(board) { // a neighbour in the same stream
			other = newBoard()
		}
		var seqs []uint64
		var last uint64
		for i := range 10 {
			data, hash := commitOf(t, board, domain.Hash{}, string(rune('a'+i)))
			seq, err := l.Append(t.Context(), board, data, hash, last)
			if err != nil {
				t.Fatal(err)
			}
			seqs, last = append(seqs, seq), seq
			fill(t, l, newBoardOf(l, l.Shard(board)), 2)
		}
		read := func(from, to uint64) []uint64 { return seqsOf(t, l.Read(t.Context(), board, from, to)) }
		sameSeqs(t, "all", read(0, 0), seqs)
		sameSeqs(t, "from the fourth", read(seqs[3], 0), seqs[3:])
		sameSeqs(t, "behind the third", read(seqs[2]+1, 0), seqs[3:])
		sameSeqs(t, "gap in the middle", read(seqs[2]+1, seqs[5]), seqs[3:6])
		sameSeqs(t, "one", read(seqs[4], seqs[4]), seqs[4:5])
		sameSeqs(t, "to between two", read(seqs[0], seqs[4]+1), seqs[:5])
		sameSeqs(t, "beyond the head", read(last+1, 0), nil)
		sameSeqs(t, "no such board", seqsOf(t, l.Read(t.Context(), newBoard(), 0, 0)), nil)
		for i, r := range seqs {
			got, err := l.Get(t.Context(), board, r)
			if err != nil || got.Commit.Decisions[0].ID != string(rune('a'+i)) {
				t.Fatalf("get %d: %v", r, err)
			}
		}
		for _, seq := range []uint64{0, seqs[0] + 1, last + 1000} {
			if _, err := l.Get(t.Context(), board, seq); !errors.Is(err, ErrNotFound) {
				t.Fatalf("get %d: %v", seq, err)
			}
		}
		stopped := 0
		for range l.Read(t.Context(), board, 0, 0) {
			if stopped++; stopped == 3 {
				break
			}
		}
	})
}

// newBoardOf is a new board of one shard.
func newBoardOf(l *Log, shard int) string {
	for {
		if board := newBoard(); l.Shard(board) == shard {
			return board
		}
	}
}

func TestRead_NeverEndsSilentlyEarly(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		l.patience = 2 * time.Second
		board := newBoard()
		seqs := fill(t, l, board, 3)
		var got []uint64
		var failed error
		for r, err := range l.Read(t.Context(), board, 0, seqs[2]+1_000_000) {
			if err != nil {
				failed = err
				continue
			}
			got = append(got, r.Seq)
		}
		sameSeqs(t, "what there is", got, seqs)
		if failed == nil {
			t.Fatal("a reading that did not get to its end ended without an error")
		}
	})
}

// A reading waits for records that come while it waits, as on a replica that lags.
func TestRead_WaitsForWhatIsMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoardOf(l, 0)
		seqs := fill(t, l, board, 1)
		next := make(chan []uint64)
		go func() { next <- seqsOf(t, l.Read(t.Context(), board, 0, seqs[0]+2)) }()
		data, hash := commitOf(t, board, domain.Hash{}, "next")
		last := seqs[0]
		for last < seqs[0]+2 {
			var err error
			if last, err = l.Append(t.Context(), board, data, hash, last); err != nil {
				t.Fatal(err)
			}
			seqs = append(seqs, last)
			data, hash = commitOf(t, board, hash, "next")
		}
		got := <-next
		if last == seqs[0]+2 && len(got) != 3 {
			t.Fatalf("read %v of %v", got, seqs)
		}
	})
}

// DESIGN.md: a Commit whose stream timestamp is later than its notAfter is void.
func TestRecord_VoidByTheStreamsTime(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		var last uint64
		for _, c := range []struct {
			notAfter time.Time
			void     bool
		}{
			{time.Now().Add(-time.Second), true},
			{time.Now().Add(time.Hour), false},
			{time.Time{}, false},
		} {
			commit := domain.Commit{V: domain.CommitVersion, Board: board, At: time.Now().UTC(), NotAfter: c.notAfter}
			data, hash, err := commit.Encode()
			if err != nil {
				t.Fatal(err)
			}
			before := time.Now().Add(-time.Second)
			if last, err = l.Append(t.Context(), board, data, hash, last); err != nil {
				t.Fatal(err)
			}
			r, err := l.Get(t.Context(), board, last)
			if err != nil {
				t.Fatal(err)
			}
			if r.Void() != c.void || r.Time.Before(before) || r.Time.After(time.Now().Add(time.Second)) {
				t.Fatalf("notAfter %v stored %v: void %v", c.notAfter, r.Time, r.Void())
			}
			for read, err := range l.Read(t.Context(), board, last, last) {
				if err != nil || !read.Time.Equal(r.Time) || read.Void() != c.void {
					t.Fatalf("read back: %v at %v, %v", read.Void(), read.Time, err)
				}
			}
		}
	})
}

// What cannot be read is an error of the reading, not a record left out.
func TestRead_ForeignRecordIsAnError(t *testing.T) {
	t.Parallel()
	l := single(t)
	board := newBoard()
	fill(t, l, board, 2)
	if _, err := l.js.Publish(t.Context(), l.home(board).subject, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	var failed error
	n := 0
	for _, err := range l.Read(t.Context(), board, 0, 0) {
		if err != nil {
			failed = err
		} else {
			n++
		}
	}
	if n != 2 || failed == nil || !strings.Contains(failed.Error(), "record 3") {
		t.Fatalf("%d records, %v", n, failed)
	}
}
