package projector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// BenchmarkView folds records of one and of twenty decisions that move and
// rename cards of a board with 2,000, small ones and ones of 2.6 KiB.
func BenchmarkView(b *testing.B) {
	for _, card := range []struct{ name, description string }{
		{"small", "What is to be done and how it is known to be done"},
		{"2.6KiB", strings.Repeat("All work and no play. ", 115)},
	} {
		for _, each := range []int{1, 20} {
			b.Run(fmt.Sprintf("cards=%s/decisions=%d", card.name, each), func(b *testing.B) {
				a := newAuthor(b, 2000, card.description)
				const records = 500
				list := make([]eventlog.Record, records)
				for i := range list {
					list[i] = a.record(each)
				}
				b.ReportAllocs()
				var v *View
				for i := 0; b.Loop(); i++ {
					if i%records == 0 {
						b.StopTimer()
						v = a.view(b)
						b.StartTimer()
					}
					if _, err := v.Apply(list[i%records]); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// author makes records for a board that has stood still since start.
type author struct {
	tb    testing.TB
	board *domain.Board
	start []byte
	at    time.Time
	n     int
}

func newAuthor(tb testing.TB, cards int, description string) *author {
	a := &author{tb: tb, board: domain.NewBoard("b"), at: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	changes := []domain.Change{{EntityID: "b", Patch: domain.Patch{"kind": "board", "title": "A board"}}}
	for i := range 10 {
		changes = append(changes, domain.Change{EntityID: fmt.Sprint("column-", i), Patch: domain.Patch{"kind": "column", "title": "A column"}})
	}
	for i := range cards {
		changes = append(changes, domain.Change{EntityID: fmt.Sprint("card-", i), Patch: domain.Patch{
			"kind": "card", "title": "A card with a title", "columnId": fmt.Sprint("column-", i%10), "description": description}})
	}
	for ; len(changes) > 0; changes = changes[min(50, len(changes)):] {
		a.store(a.decide(changes[:min(50, len(changes))]...))
	}
	var err error
	if a.start, err = a.board.Snapshot(); err != nil {
		tb.Fatal(err)
	}
	return a
}

// view is the board as it stood at the start.
func (a *author) view(tb testing.TB) *View {
	board, err := domain.LoadSnapshot(a.start)
	if err != nil {
		tb.Fatal(err)
	}
	return NewView(board)
}

func (a *author) record(decisions int) eventlog.Record {
	var list []domain.Decision
	for range decisions {
		change := domain.Change{EntityID: fmt.Sprint("card-", a.n*7919%2000), Patch: domain.Patch{"columnId": fmt.Sprint("column-", a.n%10)}}
		if a.n%2 == 0 {
			change.Patch = domain.Patch{"title": fmt.Sprint("A card with title ", a.n)}
		}
		list = append(list, a.decide(change))
	}
	return a.store(list...)
}

func (a *author) decide(changes ...domain.Change) domain.Decision {
	a.n++
	a.at = a.at.Add(5 * time.Millisecond)
	cmd := domain.Command{ID: fmt.Sprintf("m%06d", a.n), Op: domain.OpMutate, User: "ann@example.org", Grant: domain.GrantOpen,
		ReceivedAt: a.at, Deadline: a.at.Add(4 * time.Second), Changes: changes}
	d := domain.Decide(a.board, &cmd, a.at)
	if d.Rejection != nil {
		a.tb.Fatal(d.Rejection)
	}
	if err := a.board.Fold(&d); err != nil {
		a.tb.Fatal(err)
	}
	return d
}

func (a *author) store(list ...domain.Decision) eventlog.Record {
	seq, prev, _ := a.board.Head()
	c := domain.Commit{V: domain.CommitVersion, Board: "b", Prev: prev, At: a.at, Decisions: list}
	data, hash, err := c.Encode()
	if err != nil {
		a.tb.Fatal(err)
	}
	if err := a.board.Settle(&c, hash, seq+1); err != nil {
		a.tb.Fatal(err)
	}
	commit, _, err := domain.DecodeCommit(data)
	if err != nil {
		a.tb.Fatal(err)
	}
	return eventlog.Record{Board: "b", Seq: seq + 1, Prev: seq, Time: a.at, Data: data, Hash: hash, Commit: commit}
}

// BenchmarkOpenSince: what who watches the open part must be told after a
// column of 500 cards has come into sight 500 times.
func BenchmarkOpenSince(b *testing.B) {
	a := newAuthor(b, 5000, "")
	v := a.view(b)
	since := v.Rev()
	for i := range 1000 {
		change := domain.Change{EntityID: "column-1", Patch: domain.Patch{"archived": i%2 == 0}}
		if _, err := v.Apply(a.store(a.decide(change))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		v.told = told{}
		if changed, ok := v.OpenSince(since); !ok || len(changed) != 501 {
			b.Fatalf("%d told, %v", len(changed), ok)
		}
	}
}
