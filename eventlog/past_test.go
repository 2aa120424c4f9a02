package eventlog

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

func TestPast_EachIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		other := newBoard() + "2" // begins alike
		if list, err := l.Pasts(t.Context(), board); err != nil || len(list) != 0 {
			t.Fatalf("none yet: %v, %v", list, err)
		}
		want := map[uint64]Snapshot{}
		for i, size := range []int{10, 100_000, l.MaxRecord() + 1, 0} {
			s := Snapshot{Seq: uint64(10 * (i + 1)), Hash: sha256.Sum256([]byte{byte(i)}), Data: randomBytes(size), Weight: uint64(1000 * i)}
			want[s.Seq] = s
			if err := l.PutPast(t.Context(), board, s); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.PutPast(t.Context(), other, want[10]); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all are listed", func() bool {
			list, err := l.Pasts(t.Context(), board)
			return err == nil && fmt.Sprint(list) == "[10 20 30 40]"
		})
		for seq, s := range want {
			got, err := l.Past(t.Context(), board, seq)
			if err != nil || got.Seq != s.Seq || got.Hash != s.Hash || string(got.Data) != string(s.Data) || got.Weight != s.Weight {
				t.Errorf("%d: %d bytes of %d, %v", seq, len(got.Data), len(s.Data), err)
			}
		}
		for seq, want := range map[uint64]uint64{9: 0, 10: 10, 29: 20, 30: 30, 1000: 40} {
			if got, err := PastBefore(t.Context(), l, board, seq); got.Seq != want || (want == 0) != errors.Is(err, ErrNotFound) {
				t.Errorf("before %d: %d, %v", seq, got.Seq, err)
			}
		}
		epoch := l.epoch
		l.epoch = "another"
		if _, err := PastBefore(t.Context(), l, board, 1000); !errors.Is(err, ErrNotFound) {
			t.Errorf("of another epoch: %v", err)
		}
		l.epoch = epoch
	})
}

// A past snapshot that cannot be read is none, and the one before it serves.
func TestPast_Damaged(t *testing.T) {
	t.Parallel()
	l := single(t)
	for seq := range uint64(3) {
		if err := l.PutPast(t.Context(), "b", Snapshot{Seq: seq + 1, Data: randomBytes(10)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.putSnapshot(t.Context(), pastSubject("b", 3), Snapshot{Seq: 3, Data: []byte("no zstd")}, smallPart); err != nil {
		t.Fatal(err)
	}
	if err := l.putSnapshot(t.Context(), pastSubject("b", 2), Snapshot{Seq: 7}, smallPart); err != nil {
		t.Fatal(err)
	}
	if got, err := PastBefore(t.Context(), l, "b", 10); err != nil || got.Seq != 1 {
		t.Errorf("%d, %v", got.Seq, err)
	}
}

// The nearest snapshot is used if the log agrees with it, else the next.
func TestLoadBoardAt(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		a := newAuthor(t, l)
		boards := map[uint64]string{0: string(bare(t, domain.NewBoard(a.b.ID())).Data)}
		var pasts []Snapshot
		var heads []uint64
		for i := range 20 {
			a.change(t, fmt.Sprint("c", i), `{"kind":"column","title":"C"}`, time.Hour)
			s := bare(t, a.b)
			boards[s.Seq] = string(s.Data)
			pasts, heads = append(pasts, s), append(heads, s.Seq)
		}
		load := func(what string, i, records int) {
			t.Helper()
			src := &countedPast{counted{Source: l}, l}
			b, err := LoadBoardAt(t.Context(), src, a.b.ID(), heads[i])
			if err != nil || string(bare(t, b).Data) != boards[heads[i]] {
				t.Fatalf("%s: %v", what, err)
			}
			if src.records != records {
				t.Errorf("%s: %d records are read, want %d", what, src.records, records)
			}
		}
		put := func(s Snapshot) {
			t.Helper()
			if err := l.PutPast(t.Context(), a.b.ID(), s); err != nil {
				t.Fatal(err)
			}
			agreed := 0 // any replica may be asked
			eventually(t, "every replica has the past snapshot", func() bool {
				got, err := l.Past(t.Context(), a.b.ID(), s.Seq)
				agreed++
				if err != nil || string(got.Data) != string(s.Data) || got.Hash != s.Hash {
					agreed = 0
				}
				return agreed == 20
			})
		}
		load("no snapshot", 9, 11)
		present := a.snapshot(t)
		if err := l.PutSnapshot(t.Context(), a.b.ID(), present); err != nil {
			t.Fatal(err)
		}
		onEveryReplica(t, l, a.b.ID(), present)
		load("a present one too late", 9, 11)
		load("a present one", 19, 1)
		put(pasts[4])
		put(pasts[8])
		load("a past one", 9, 2)
		load("a past one at that", 8, 1)
		load("an earlier one", 7, 4)
		load("none before", 3, 5)
		load("a present one after past ones", 19, 1)
		broken := pasts[8]
		broken.Data = broken.Data[:10]
		put(broken)
		load("half of one", 9, 6)
		lie := pasts[8]
		lie.Hash = domain.Hash{1}
		put(lie)
		load("one of another hash", 9, 6)
		if b, err := LoadBoardAt(t.Context(), l, a.b.ID(), 0); err != nil || string(bare(t, b).Data) != boards[0] {
			t.Errorf("before the first record: %v", err)
		}
	})
}

type countedPast struct {
	counted
	past *Log
}

func (c *countedPast) Pasts(ctx context.Context, board string) ([]uint64, error) {
	return c.past.Pasts(ctx, board)
}
func (c *countedPast) Past(ctx context.Context, board string, seq uint64) (Snapshot, error) {
	return c.past.Past(ctx, board, seq)
}

func bare(t *testing.T, b *domain.Board) Snapshot {
	t.Helper()
	still, err := b.Still()
	if err != nil {
		t.Fatal(err)
	}
	s, err := PastOf(still, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Large boards have past snapshots less often, but never seldom.
func TestSnapshot_NextPast(t *testing.T) {
	for bytes, want := range map[int]uint64{0: 7 + 2048, 100_000: 7 + 2048, 1_280_000: 7 + 10_000, 100_000_000: 7 + 16_384} {
		if got := (&Snapshot{Weight: 7, Data: make([]byte, bytes)}).NextPast(); got != want {
			t.Errorf("after one of %d bytes: %d, want %d", bytes, got, want)
		}
	}
}
