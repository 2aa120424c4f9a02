package eventlog

import (
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// BenchmarkMove moves boards of 1,000 records of 600 bytes each on one server
// with sync always: the time per record, and for how long a board is held up at
// the end.
func BenchmarkMove(b *testing.B) {
	const records = 1000
	s, err := natsd.Start(natsd.Config{StoreDir: b.TempDir(), SyncAlways: true, Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Shutdown)
	first := openLog(b, Config{InProcess: s, Shards: 2})
	if _, err := first.AddShards(b.Context(), 2); err != nil {
		b.Fatal(err)
	}
	l := openLog(b, Config{InProcess: s, Shards: 2})
	var held time.Duration
	moved := 0
	for b.Loop() {
		b.StopTimer()
		board := newBoard()
		var last uint64
		var prev domain.Hash
		for range records {
			data, hash := commitOf(b, board, prev, strings.Repeat("x", 400))
			if last, err = l.Append(b.Context(), board, data, hash, last); err != nil {
				b.Fatal(err)
			}
			prev = hash
		}
		from, end, err := l.head(b.Context(), board)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := l.copyBoard(b.Context(), board, from, l.homeIn(1, board), end.Seq, true); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if _, err := l.Move(b.Context(), board, 1); err != nil {
			b.Fatal(err)
		}
		held += time.Since(began)
		moved++
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(moved*records), "us/record")
	b.ReportMetric(float64(held.Microseconds())/float64(moved)/1000, "ms-held-up")
}
