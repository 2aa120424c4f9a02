package eventlog

import (
	"context"
	"errors"
	"io"
	"iter"
	"testing"
)

// countingLog counts the records that are read.
type countingLog struct {
	*Log
	records int
}

func (l *countingLog) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range l.Log.Read(ctx, board, from, to) {
			l.records++
			if !yield(r, err) {
				return
			}
		}
	}
}

// Clients come again and again while their board is restored: that must not
// read all of what is stored so far each time.
func TestLoadBoard_OfOneThatIsBeingRestoredReadsLittle(t *testing.T) {
	old, l := single(t), single(t)
	a := written(t, old)
	was := recordsOf(t, old, a.b.ID())
	if _, err := l.Restore(t.Context(), a.b.ID(), cut(was, len(was), io.ErrUnexpectedEOF)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	counting := &countingLog{Log: l}
	if _, err := LoadBoard(t.Context(), counting, a.b.ID()); !errors.Is(err, ErrRestoring) || counting.records > 2 {
		t.Errorf("%d records read, %v", counting.records, err)
	}
	if _, err := l.Restore(t.Context(), a.b.ID(), cut(was, len(was), nil)); err != nil {
		t.Fatal(err)
	}
	if b := mustLoad(t, l, a.b.ID()); b.StateHash() != a.b.StateHash() {
		t.Error("another board")
	}
}
