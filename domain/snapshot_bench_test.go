package domain

import (
	"fmt"
	"testing"
	"time"
)

// busyBoard has cards of about 200 bytes of JSON, and ids decided in the last
// ten minutes.
func busyBoard(b *testing.B, cards, ids int) *Board {
	b.Helper()
	board := NewBoard("b")
	put := func(id string, fields Fields) {
		board.rev++
		kind := Kind(fields.String("kind"))
		delete(fields, "kind")
		board.replace(nil, &Entity{ID: id, Kind: kind, Rev: board.rev, CreatedRev: board.rev, CreatedAt: start, CreatedBy: "ann",
			UpdatedAt: start, UpdatedBy: "ann", Fields: fields})
	}
	put("b", Fields{"kind": "board", "title": "Board"})
	for c := range 10 {
		put(fmt.Sprint("c", c), Fields{"kind": "column", "title": "Column", "position": fmt.Sprint("a", c)})
	}
	for k := range cards {
		put(fmt.Sprint("k", k), Fields{"kind": "card", "title": "A card with a title", "columnId": fmt.Sprint("c", k%10),
			"position": fmt.Sprintf("b%06d", k), "number": int64(k)})
	}
	board.recent.forget(board.rev, board.entities)
	for i := range ids {
		board.decided.add("ann", fmt.Sprint("m-", i), uint64(i), start.Add(time.Duration(i)*DecidedFor/time.Duration(ids)))
	}
	return board
}

// BenchmarkStill is for how long a snapshot holds up the board's worker.
func BenchmarkStill(b *testing.B) {
	for _, size := range []struct{ cards, ids int }{{2000, 0}, {2000, 1_000_000}, {50_000, 0}} {
		b.Run(fmt.Sprintf("cards=%d/decided=%d", size.cards, size.ids), func(b *testing.B) {
			board := busyBoard(b, size.cards, size.ids)
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
		board := busyBoard(b, 2000, ids)
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
		board := busyBoard(b, 2000, ids)
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
