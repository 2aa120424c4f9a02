package verify

import (
	"context"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/projector/verify/verifytest"
)

// moves writes a board of ten columns and 500 cards, then n records of each
// moves and renames, two in three moves.
func moves(s *verifytest.Scribe, n, each int) *verifytest.Scribe {
	s.Limit = 4 << 20
	s.Commit(false, s.Ask("ann", domain.Change{EntityID: s.Board.ID(), Patch: domain.Patch{"kind": "board", "title": "A board"}}))
	for i := range 10 {
		s.Commit(false, s.Ask("ann", domain.Change{EntityID: fmt.Sprint("column-", i), Patch: domain.Patch{"kind": "column", "title": "A column"}}))
	}
	for i := range 500 {
		s.Commit(false, s.Ask("ann", domain.Change{EntityID: fmt.Sprint("card-", i), Patch: domain.Patch{"kind": "card", "title": "A card with a title",
			"columnId": fmt.Sprint("column-", i%10), "description": "What is to be done and how it is known to be done"}}))
	}
	k := 0
	for range n {
		cmds := make([]domain.Command, 0, each)
		for range each {
			k++
			patch := domain.Patch{"columnId": fmt.Sprint("column-", (k/500+k)%10)}
			if k%3 == 0 {
				patch = domain.Patch{"title": fmt.Sprint("A card with title ", k)}
			}
			cmds = append(cmds, s.Ask("ann", domain.Change{EntityID: fmt.Sprint("card-", k*7919%500), Patch: patch}))
		}
		s.Commit(false, cmds...)
	}
	return s
}

// BenchmarkVerify is what the verifier takes, of records that are there: by
// decisions in a record.
func BenchmarkVerify(b *testing.B) {
	for _, each := range []int{1, 20} {
		b.Run(fmt.Sprint("each=", each), func(b *testing.B) {
			list := records(moves(verifytest.New("b", 1), 10000/each, each))
			var sum Summary
			b.ReportAllocs()
			b.ResetTimer()
			used := cpuTime()
			for range b.N {
				var found []Finding
				if sum, found = run(Config{Board: "b"}, list); len(found) > 0 {
					b.Fatal(found[0])
				}
			}
			b.ReportMetric(float64((cpuTime()-used).Nanoseconds())/1e3/float64(b.N)/float64(sum.Decisions), "cpu-us/decision")
			rate(b, "records/s", sum.Records)
			rate(b, "decisions/s", sum.Decisions)
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cpuTime is what this process has used of the processor, a server in it too.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func rate(b *testing.B, unit string, each uint64) {
	b.ReportMetric(float64(each)*float64(b.N)/b.Elapsed().Seconds(), unit)
}

// BenchmarkReplay reads the log of a board from an embedded server: its bytes,
// its bytes decoded, folded, and verified.
func BenchmarkReplay(b *testing.B) {
	quiet := slog.New(slog.DiscardHandler)
	server, err := natsd.Start(natsd.Config{StoreDir: b.TempDir(), Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Shutdown()
	ctx := context.Background()
	log, err := eventlog.Open(ctx, eventlog.Config{InProcess: server, Shards: 1, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	for _, each := range []int{1, 20} {
		board := fmt.Sprint("board-", each)
		s := verifytest.New(board, 1)
		s.Clock = func() time.Time { return time.Now().UTC() }
		s.Store = func(data []byte, hash domain.Hash, prev uint64, at, _ time.Time, _ bool) (uint64, time.Time) {
			seq, err := log.Append(ctx, board, data, hash, prev)
			if err != nil {
				b.Fatal(err)
			}
			return seq, at
		}
		moves(s, 10000/each, each)
		events := s.Board.Rev()
		for _, way := range []struct {
			name string
			run  func() error
		}{
			{"raw", func() error {
				for _, err := range log.ReadRaw(ctx, board, 1, 0) {
					if err != nil {
						return err
					}
				}
				return nil
			}},
			{"decoded", func() error {
				for _, err := range log.Read(ctx, board, 1, 0) {
					if err != nil {
						return err
					}
				}
				return nil
			}},
			{"folded", func() error {
				state := domain.NewBoard(board)
				for r, err := range log.Read(ctx, board, 1, 0) {
					if err == nil {
						err = state.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil)
					}
					if err != nil {
						return err
					}
				}
				if state.Rev() != events {
					return fmt.Errorf("%d events, not %d", state.Rev(), events)
				}
				return nil
			}},
			{"verified", func() error {
				sum, err := Board(ctx, log, 0, Config{Board: board})
				if err == nil && (sum.Findings > 0 || sum.Rev != events) {
					err = fmt.Errorf("%+v", sum)
				}
				return err
			}},
		} {
			b.Run(fmt.Sprintf("each=%d/%s", each, way.name), func(b *testing.B) {
				b.ReportAllocs()
				used := cpuTime()
				for range b.N {
					if err := way.run(); err != nil {
						b.Fatal(err)
					}
				}
				rate(b, "events/s", events)
				b.ReportMetric(float64((cpuTime()-used).Nanoseconds())/1e3/float64(b.N)/float64(events), "cpu-us/event")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
