package service

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

func TestCache_BoundedByEntities(t *testing.T) {
	c := newCache(100, 10, 0)
	over := 0
	for i := range 20 {
		over += len(c.put(fmt.Sprint(i), folded{state: domain.NewBoard("b")})) // each counts one
	}
	if c.open.Len() != 10 || c.open.size != 10 || len(c.byID) != 10 || over != 10 {
		t.Errorf("%d boards, size %d, %d given back", c.open.Len(), c.open.size, over)
	}
	if _, ok := c.take("9"); ok {
		t.Error("a board used long ago is still there")
	}
	if _, ok := c.take("19"); !ok || c.open.size != 9 {
		t.Errorf("the board used last is gone, or size %d", c.open.size)
	}
}

func TestCache_PackedIsBoundedByBytesAndNumber(t *testing.T) {
	c := newCache(12, 3, 100)
	for i := range 5 {
		for _, old := range c.put(fmt.Sprint("open", i), folded{state: domain.NewBoard("b")}) {
			old.size = 1
			c.putPacked(old)
		}
	}
	for i := range 20 {
		c.putPacked(&cached{board: fmt.Sprint(i), size: 15})
	}
	if c.open.Len() != 3 || c.packed.Len() != 6 || c.packed.size != 90 || len(c.byID) != 9 {
		t.Errorf("%d open, %d packed of %d bytes, %d in all", c.open.Len(), c.packed.Len(), c.packed.size, len(c.byID))
	}
	for i := range 20 {
		c.putPacked(&cached{board: fmt.Sprint("small", i), size: 1})
	}
	if c.open.Len() != 3 || len(c.byID) != 12 {
		t.Errorf("%d open, %d in all", c.open.Len(), len(c.byID))
	}
	c.putPacked(&cached{board: "open4", size: 1}) // older than what is there
	if b, ok := c.take("open4"); !ok || b.state == nil {
		t.Error("an open board was replaced by a packed one")
	}
}

// Boards that do not fit are packed; those that are used again know all they
// knew, and the log is not read for them.
func TestCache_PackedBoardsGoOn(t *testing.T) {
	small := func(c *Config) { c.CachedEntities = 10 }
	alone(t, logtest.Config{}, small, func(t *testing.T, b *bench) {
		var sessions []*session
		var first []*sending
		for i := range 10 {
			board := fmt.Sprint("board", i)
			g := b.gateway(board)
			defer g.stop()
			s := &session{g: g, user: "ann", name: board, ctx: b.ctx}
			x := s.mutate(b.id(), time.Second, boardChange(board), columnChange("full", 2))
			x.accepted(t)
			sessions, first = append(sessions, s), append(first, x)
		}
		b.rest()
		b.s.mu.Lock()
		open, packed := b.s.idle.open.Len(), b.s.idle.packed.Len()
		b.s.mu.Unlock()
		if open > 4 || open+packed != 11 {
			t.Fatalf("%d boards are open, %d packed", open, packed)
		}
		_, _, reads := b.script.counts()
		for round := range 3 {
			for i, s := range sessions {
				v := s.mutate(b.id(), time.Second, cardChange(fmt.Sprint("card", round), "full")).await(t, time.Second)
				if refused := v.Rejection != nil; refused != (round == 2) {
					t.Errorf("%s round %d: %+v", s.g.board, round, v)
				}
				if v := s.send(first[i].cmd).await(t, time.Second); v.Seq != first[i].verdict.Seq {
					t.Errorf("%s round %d: a repeat is at %d, not %d", s.g.board, round, v.Seq, first[i].verdict.Seq)
				}
				b.rest()
			}
		}
		if _, _, now := b.script.counts(); now != reads {
			t.Errorf("%d records were read", now-reads)
		}
		for _, s := range sessions {
			for _, x := range b.check(s.g.board) {
				t.Error(x)
			}
		}
	})
}

// BenchmarkIdleBoard is what a board of ten columns and ten cards takes that
// nobody uses, and what it costs to use it again.
func BenchmarkIdleBoard(b *testing.B) {
	board := idleBoard(b)
	snapshot, err := board.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []string{"open", "packed"} {
		b.Run(kind, func(b *testing.B) {
			const boards = 2000
			s := &Service{idle: newCache(boards, 1<<30, 1<<30)}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for i := range boards {
				state, err := domain.LoadSnapshot(snapshot)
				if err != nil {
					b.Fatal(err)
				}
				if kind == "open" {
					s.idle.put(fmt.Sprint(i), folded{state: state})
				} else {
					s.pack([]*cached{{board: fmt.Sprint(i), folded: folded{state: state}}})
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			for i := 0; b.Loop(); i++ {
				id := fmt.Sprint(i % boards)
				w := &worker{s: s, board: id}
				w.folded, _ = s.idle.take(id)
				if kind == "packed" && !w.unpack() {
					b.Fatal("not packed")
				}
				if kind == "open" {
					s.idle.put(id, w.folded)
				} else {
					s.pack([]*cached{{board: id, folded: w.folded}})
				}
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/boards, "B/board")
			b.ReportMetric(float64(after.HeapObjects-before.HeapObjects)/boards, "objects/board")
		})
	}
}

func idleBoard(b *testing.B) *domain.Board {
	board := domain.NewBoard("b")
	changes := []domain.Change{boardChange("b")}
	for i := range 10 {
		changes = append(changes, columnChange(fmt.Sprint("column", i), 0))
	}
	for i := range 10 {
		changes = append(changes, cardChange(fmt.Sprint("card", i), fmt.Sprint("column", i)))
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i, change := range changes {
		cmd := domain.Command{ID: fmt.Sprint(i), Board: "b", Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen,
			ReceivedAt: now, Deadline: now.Add(time.Second), Changes: []domain.Change{change}}
		d := domain.Decide(board, &cmd, now)
		seq, prev, _ := board.Head()
		c := &domain.Commit{V: domain.CommitVersion, Board: "b", Prev: prev, At: now, Decisions: []domain.Decision{d}}
		if err := board.Apply(c, domain.Hash{byte(i + 1)}, seq+1, now, nil); err != nil || d.Rejection != nil {
			b.Fatal(err, d.Rejection)
		}
	}
	return board
}
