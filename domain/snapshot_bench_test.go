package domain

import (
	"fmt"
	"testing"
	"time"
)

// busyBoard has 2,000 cards of about 200 bytes of JSON and ids decided in the
// last ten minutes.
func busyBoard(b *testing.B, ids int) *Board {
	b.Helper()
	w := newWorld(b)
	for c := range 10 {
		column := fmt.Sprintf("c%d", c)
		w.columns(column)
		for k := 0; k < 200; k += 100 {
			var changes []string
			for i := range 100 {
				changes = append(changes, fmt.Sprintf(`{"entityId":"k%d-%d","patch":{"kind":"card","title":"A card with a title","columnId":%q}}`, c, k+i, column))
			}
			w.must("ann", changes...)
		}
	}
	for i := range ids {
		w.board.decided.add("ann", fmt.Sprint("m-", i), uint64(i), w.now.Add(time.Duration(i)*DecidedFor/time.Duration(ids)))
	}
	return w.board
}

// BenchmarkStill is for how long a snapshot holds up the board's worker.
func BenchmarkStill(b *testing.B) {
	for _, ids := range []int{0, 1_000_000} {
		b.Run(fmt.Sprintf("decided=%d", ids), func(b *testing.B) {
			board := busyBoard(b, ids)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := board.Still(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for _, ids := range []int{0, 100_000, 1_000_000} {
		board := busyBoard(b, ids)
		still, err := board.Still()
		if err != nil {
			b.Fatal(err)
		}
		data, err := still.Append(nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("encode/decided=%d", ids), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if data, err = still.Append(data[:0]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(data)), "snapshot-B")
		})
		b.Run(fmt.Sprintf("decode/decided=%d", ids), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := LoadSnapshot(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDecided is the cost of one decision's id with that many known.
func BenchmarkDecided(b *testing.B) {
	for _, ids := range []int{100, 100_000, 1_000_000} {
		board := busyBoard(b, ids)
		b.Run(fmt.Sprintf("decided=%d/find", ids), func(b *testing.B) {
			for b.Loop() {
				if _, ok := board.Decided("ann", "another"); ok {
					b.Fatal("known")
				}
			}
		})
		at := board.at.Add(DecidedFor)
		b.Run(fmt.Sprintf("decided=%d/add", ids), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				board.decided.add("ann", "x", uint64(i), at)
				board.decided.forget(at)
			}
		})
	}
}
