package eventlog

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// BenchmarkAppend measures appends with sync always: one board after another
// record, and many boards side by side over one connection.
func BenchmarkAppend(b *testing.B) {
	for _, boards := range []int{1, 8, 200} {
		b.Run(fmt.Sprintf("boards=%d", boards), func(b *testing.B) {
			l := openLog(b, Config{InProcess: startServer(b, b.TempDir()), Shards: 8})
			b.SetParallelism(boards)
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			b.ResetTimer()
			for i := range boards {
				wg.Go(func() {
					board, last := fmt.Sprintf("board-%d", i), uint64(0)
					data, hash := commitOf(b, board, domain.Hash{}, "x")
					for left.Add(-1) >= 0 {
						seq, err := l.Append(b.Context(), board, data, hash, last)
						if err != nil {
							b.Error(err)
							return
						}
						last = seq
						data, hash = commitOf(b, board, hash, "x")
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// filled is a log without fsync that holds n records of a board and as many of another between them.
func filled(b *testing.B, n int) (*Log, string, []uint64) {
	b.Helper()
	s, err := natsd.Start(natsd.Config{StoreDir: b.TempDir(), Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Shutdown)
	l := openLog(b, Config{InProcess: s, Shards: 1})
	var seqs []uint64
	var wg sync.WaitGroup
	wg.Go(func() { seqs = fill(b, l, "board", n) })
	wg.Go(func() { fill(b, l, "neighbour", n) })
	wg.Wait()
	return l, "board", seqs
}

func BenchmarkRead100k(b *testing.B) {
	const n = 100_000
	l, board, _ := filled(b, n)
	for b.Loop() {
		if got := len(seqsOf(b, l.Read(b.Context(), board, 0, 0))); got != n {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkTail compares ways to read the last three records of a board.
func BenchmarkTail(b *testing.B) {
	l, board, seqs := filled(b, 2000)
	from, to := seqs[len(seqs)-3], seqs[len(seqs)-1]
	b.Run("direct batch", func(b *testing.B) {
		for b.Loop() {
			if got := len(seqsOf(b, l.Read(b.Context(), board, from, to))); got != 3 {
				b.Fatal(got)
			}
		}
	})
	b.Run("leader get each", func(b *testing.B) {
		for b.Loop() {
			for at := from; at <= to; {
				msg, err := l.leaderGet(b.Context(), eventStream(0), messageGet{Seq: at, NextFor: l.home(board).subject})
				if err != nil {
					b.Fatal(err)
				}
				at = msg.Seq + 1
			}
		}
	})
	b.Run("consumer", func(b *testing.B) {
		for b.Loop() {
			if err := tailByConsumer(b.Context(), l, board, from); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("head", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.Head(b.Context(), board); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func tailByConsumer(ctx context.Context, l *Log, board string, from uint64) error {
	c, err := l.js.CreateConsumer(ctx, eventStream(0), jetstream.ConsumerConfig{
		FilterSubject: l.home(board).subject, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: time.Second,
	})
	if err != nil {
		return err
	}
	batch, err := c.Fetch(3)
	if err != nil {
		return err
	}
	for range batch.Messages() {
	}
	if err := batch.Error(); err != nil {
		return err
	}
	return l.js.DeleteConsumer(ctx, eventStream(0), c.CachedInfo().Name)
}

// BenchmarkSnapshot puts and gets a snapshot of 3 MB that does not shrink.
func BenchmarkSnapshot(b *testing.B) {
	l := openLog(b, Config{InProcess: startServer(b, b.TempDir()), Shards: 1})
	s := Snapshot{Seq: 1, Data: randomBytes(3 << 20)}
	b.Run("put", func(b *testing.B) {
		for b.Loop() {
			if err := l.PutSnapshot(b.Context(), "board", s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.GetSnapshot(b.Context(), "board"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCommands measures the way of a command through the queue, Done included.
func BenchmarkCommands(b *testing.B) {
	l := openLog(b, Config{InProcess: startServer(b, b.TempDir()), Shards: 1})
	var n atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() {
		ended <- l.Commands(ctx, 0, func(d Delivery) {
			d.Done()
			n.Add(1)
		}, nil)
	}()
	cmd := command("board", "id")
	b.ResetTimer()
	for i := range b.N {
		if err := l.PublishCommand(cmd, time.Minute); err != nil {
			b.Fatal(err)
		}
		for int64(i)-n.Load() > 1000 {
			time.Sleep(100 * time.Microsecond)
		}
	}
	for n.Load() < int64(b.N) {
		time.Sleep(100 * time.Microsecond)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commands/s")
	cancel()
	<-ended
}

// BenchmarkAnnounce measures an announcement that only this Log's subscriber hears.
func BenchmarkAnnounce(b *testing.B) {
	l := openLog(b, Config{InProcess: startServer(b, b.TempDir()), Shards: 1})
	for _, size := range []int{600, 6000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			data, hash := commitOf(b, "board", domain.Hash{}, strings.Repeat("x", size))
			commit, _, err := domain.DecodeCommit(data)
			if err != nil {
				b.Fatal(err)
			}
			stop, err := l.Subscribe("board", func(Announcement) {})
			if err != nil {
				b.Fatal(err)
			}
			defer stop()
			for b.Loop() {
				if err := l.Announce("board", Announcement{Record: &Record{Board: "board", Seq: 2, Prev: 1, Data: data, Hash: hash, Commit: commit}}); err != nil {
					b.Fatal(err)
				}
			}
			if err := l.live.Flush(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
