package eventlog

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// history writes the log of a board as a service would, by the clock of its
// own: at is the time of the next decision, pace the time between two.
type history struct {
	tb    testing.TB
	log   *Log
	board *domain.Board
	cards int
	at    time.Time
	pace  time.Duration
	n     int // decisions
}

// newHistory makes a board of ten columns and cards of about 200 bytes.
func newHistory(tb testing.TB, l *Log, board string, cards int, start time.Time, pace time.Duration) *history {
	h := &history{tb: tb, log: l, board: domain.NewBoard(board), cards: cards, at: start.UTC().Truncate(time.Millisecond), pace: pace}
	h.write(h.decide(domain.Change{EntityID: board, Patch: domain.Patch{"kind": "board", "title": "A board"}}))
	for i := range 10 {
		h.write(h.decide(domain.Change{EntityID: fmt.Sprint("column-", i), Patch: domain.Patch{"kind": "column", "title": "A column"}}))
	}
	for i := 0; i < cards; i += 50 {
		var changes []domain.Change
		for k := i; k < min(i+50, cards); k++ {
			changes = append(changes, domain.Change{EntityID: fmt.Sprint("card-", k), Patch: domain.Patch{
				"kind": "card", "title": "A card with a title", "columnId": fmt.Sprint("column-", k%10), "description": "What is to be done and how it is known to be done"}})
		}
		h.write(h.decide(changes...))
	}
	return h
}

// decide takes one decision and folds it.
func (h *history) decide(changes ...domain.Change) domain.Decision {
	h.tb.Helper()
	h.n++
	h.at = h.at.Add(h.pace)
	id := ulid.MustNew(ulid.Timestamp(h.at), ulid.DefaultEntropy()).String()
	cmd := domain.Command{ID: id, Op: domain.OpMutate, User: fmt.Sprintf("user-%d@example.org", h.n%50), Session: "01K0000000000000000000000A",
		Grant: domain.GrantOpen, ReceivedAt: h.at, Deadline: h.at.Add(4 * time.Second), Changes: changes}
	d := domain.Decide(h.board, &cmd, h.at)
	if d.Rejection != nil {
		h.tb.Fatal(d.Rejection)
	}
	if err := h.board.Fold(&d); err != nil {
		h.tb.Fatal(err)
	}
	return d
}

// write appends one record, which is never void, whenever it is stored.
func (h *history) write(decisions ...domain.Decision) {
	h.tb.Helper()
	seq, prev, _ := h.board.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: h.board.ID(), Prev: prev, At: h.at, Decisions: decisions}
	data, hash, err := c.Encode()
	if err != nil {
		h.tb.Fatal(err)
	}
	if seq, err = h.log.Append(h.tb.Context(), h.board.ID(), data, hash, seq); err != nil {
		h.tb.Fatal(err)
	}
	if err := h.board.Settle(&c, hash, seq); err != nil {
		h.tb.Fatal(err)
	}
}

// moves writes n records, each of several moves and renames of cards.
func (h *history) moves(n, each int) {
	for range n {
		var list []domain.Decision
		for range each {
			change := domain.Change{EntityID: fmt.Sprint("card-", h.n*7919%h.cards), Patch: domain.Patch{"columnId": fmt.Sprint("column-", h.n%10)}}
			if h.n%2 == 0 {
				change.Patch = domain.Patch{"title": fmt.Sprint("A card with title ", h.n)}
			}
			list = append(list, h.decide(change))
		}
		h.write(list...)
	}
}

func (h *history) snapshot() Snapshot {
	h.tb.Helper()
	data, err := h.board.Snapshot()
	if err != nil {
		h.tb.Fatal(err)
	}
	seq, hash, _ := h.board.Head()
	s := Snapshot{Seq: seq, Hash: hash, Data: data}
	if err := h.log.PutSnapshot(h.tb.Context(), h.board.ID(), s); err != nil {
		h.tb.Fatal(err)
	}
	return s
}

// unsynced is a log that does not wait for the disk, to be filled quickly.
func unsynced(tb testing.TB, shards int) *Log {
	s, err := natsd.Start(natsd.Config{StoreDir: tb.TempDir(), Logger: quiet()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Shutdown)
	return openLog(tb, Config{InProcess: s, Shards: shards})
}

// BenchmarkOpenBoard loads a board of 100,000 records that nobody has in
// memory, with a tail of records that its snapshot does not have. "lately": all
// of it was decided in the last ten minutes.
func BenchmarkOpenBoard(b *testing.B) {
	const records = 100_000
	for _, when := range []struct {
		name string
		pace time.Duration
	}{{"lately", 5 * time.Millisecond}, {"long ago", time.Minute}} {
		for _, cards := range []int{12, 2000} {
			b.Run(fmt.Sprintf("%s/cards=%d", when.name, cards), func(b *testing.B) {
				l := unsynced(b, 1)
				h := newHistory(b, l, "board", cards, time.Now().Add(-records*when.pace), when.pace)
				h.moves(records-1000, 1)
				s := h.snapshot()
				b.Run("tail=0", func(b *testing.B) { h.open(b, s) })
				h.moves(1000, 1)
				b.Run("tail=1000", func(b *testing.B) { h.open(b, s) })
				b.Run("tail=1000x20", func(b *testing.B) {
					s = h.snapshot()
					h.moves(1000, 20)
					h.open(b, s)
				})
			})
		}
	}
}

// forgetful is a log of a process that has just started.
type forgetful struct{ *Log }

func (forgetful) Kept(string) *domain.Still { return nil }

func (h *history) open(b *testing.B, s Snapshot) {
	b.ReportAllocs()
	want, _, _ := h.board.Head()
	for b.Loop() {
		board, err := LoadBoard(b.Context(), forgetful{h.log}, "board")
		if err != nil {
			b.Fatal(err)
		}
		if seq, _, _ := board.Head(); seq != want {
			b.Fatalf("at %d, not %d", seq, want)
		}
	}
	b.ReportMetric(float64(len(s.Data)), "snapshot-B")
}

// BenchmarkOpenBoards loads many small boards, as after a restart: each has ten
// columns and ten cards, and a tail of records behind its snapshot.
func BenchmarkOpenBoards(b *testing.B) {
	const boards = 100
	for _, tail := range []int{0, 25} {
		b.Run(fmt.Sprintf("tail=%d", tail), func(b *testing.B) {
			l := unsynced(b, 8)
			for i := range boards {
				h := newHistory(b, l, fmt.Sprint("board-", i), 10, time.Now().Add(-time.Hour), time.Second)
				h.snapshot()
				h.moves(tail, 1)
			}
			b.ReportAllocs()
			before := cpuTime()
			for i := 0; b.Loop(); i++ {
				if _, err := LoadBoard(b.Context(), forgetful{l}, fmt.Sprint("board-", i%boards)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is what the process has used so far, server and garbage collector included.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
