package rebuild

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// damaged is a log whose records of one board cannot be read, and that is
// stopped when another board is begun.
type damaged struct {
	*eventlog.Log
	board, last string
	stop        func()
}

func (d *damaged) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	if board == d.last {
		d.stop()
	}
	if board == d.board {
		return func(yield func(eventlog.Record, error) bool) {
			yield(eventlog.Record{}, errors.New("its bytes do not have its hash"))
		}
	}
	return d.Log.Read(ctx, board, from, to)
}

// TestRun_GoesOn behind a board that cannot be read, and where it was stopped.
func TestRun_GoesOn(t *testing.T) {
	t.Parallel()
	log := openLog(t)
	for i := range 6 {
		newAuthor(t, log, fmt.Sprint("board", i))
	}
	ctx, stop := context.WithCancel(t.Context())
	d := &damaged{log, "board1", "board4", stop}
	found := map[string]Difference{}
	opt := Options{Parallel: 1, settle: time.Nanosecond, Found: func(d Difference) { found[d.Board+" "+d.In] = d }}
	p, err := Run(ctx, d, opt)
	if !errors.Is(err, context.Canceled) || p.Boards != 4 || p.OfBoards != 6 || p.After != "board3" {
		t.Fatalf("%+v %v", p, err)
	}
	if f := found["board1 log"]; f.Fixed || f.What == "" {
		t.Errorf("found %+v", found)
	}
	d.stop, opt.After = func() {}, p.After
	p, err = Run(t.Context(), d, opt)
	if err != nil || p.Boards != 2 || p.After != "board5" {
		t.Fatalf("%+v %v", p, err)
	}
	for i := range 6 {
		board := fmt.Sprint("board", i)
		if f := found[board+" directory"]; f.Fixed != (board != "board1") {
			t.Errorf("%s: %+v", board, f)
		}
	}
}

// TestRun_AfterSeveralAtATime is that of the last board before which none is left.
func TestRun_AfterSeveralAtATime(t *testing.T) {
	t.Parallel()
	r := &run{order: []string{"a", "b", "c", "d"}}
	for _, step := range []struct{ done, after string }{{"b", ""}, {"a", "b"}, {"d", "b"}, {"c", "d"}} {
		if r.done(step.done); r.at.After != step.after {
			t.Errorf("after %s: %q, want %q", step.done, r.at.After, step.after)
		}
	}
}
