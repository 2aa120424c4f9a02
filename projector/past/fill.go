package past

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Keeper is a Source that past snapshots are put into.
type Keeper interface {
	Source
	PutPast(ctx context.Context, board string, s eventlog.Snapshot) error
}

// Filler sees to a board's past snapshots while somebody folds the board from
// its first record: it makes those that are due and missing, and those again
// that are not what the log gives. Others may make some meanwhile. Not safe for
// concurrent use.
type Filler struct {
	// Check compares and changes nothing.
	Check bool
	Made  int     // were missing
	Kept  int     // were there and right
	Wrong []Wrong // in their order

	log   Keeper
	there []uint64 // sequences
	next  uint64   // weight of the board when the next one is due
	seen  uint64   // sequence up to which they were looked at
}

// Wrong is a past snapshot that is not what the log gives.
type Wrong struct {
	Seq  uint64
	What string
}

// NewFiller sees to those in log. Call Look before the fold.
func NewFiller(log Keeper) *Filler { return &Filler{log: log, next: firstPast} }

// firstPast is the weight of a board when its first past snapshot is due.
var firstPast = new(eventlog.Snapshot).NextPast()

// Look takes down which there are of the board.
func (f *Filler) Look(ctx context.Context, board string) (err error) {
	f.there, err = f.log.Pasts(ctx, board)
	return err
}

// Again says that the fold begins anew. What was looked at is not looked at again.
func (f *Filler) Again() { f.next = firstPast }

// Passed is to be called with the board at each record.
func (f *Filler) Passed(ctx context.Context, b *domain.Board) error {
	seq, _, _ := b.Head()
	_, there := slices.BinarySearch(f.there, seq)
	if !there && b.Weight() < f.next {
		return nil
	}
	still, err := b.Still()
	if err != nil {
		return err
	}
	want, err := eventlog.PastOf(still, nil)
	if err != nil {
		return err
	}
	f.next = want.NextPast()
	if seq <= f.seen || !there && f.Check {
		return nil
	}
	f.seen = seq
	if !there {
		f.Made++
		return f.log.PutPast(ctx, b.ID(), want)
	}
	got, err := f.log.Past(ctx, b.ID(), seq)
	what := "it is not what the log gives"
	switch {
	case err == nil && got.Hash == want.Hash && got.Weight == want.Weight && bytes.Equal(got.Data, want.Data):
		f.Kept++
		return nil
	case err != nil && !errors.Is(err, eventlog.ErrNotFound):
		return err
	case err != nil:
		what = "it cannot be read, or is of another life of the log"
	}
	f.Wrong = append(f.Wrong, Wrong{seq, what})
	if f.Check {
		return nil
	}
	return f.log.PutPast(ctx, b.ID(), want)
}

// Fill has a Filler see to all past snapshots of a board. It folds the whole log,
// streaming, and may run while the board is changed.
func Fill(ctx context.Context, log Keeper, board string) (*Filler, error) {
	f := NewFiller(log)
	head, err := log.Head(ctx, board)
	if err != nil || head == 0 {
		return f, err
	}
	if err := f.Look(ctx, board); err != nil {
		return f, err
	}
	b := domain.NewBoard(board)
	for r, err := range log.Read(ctx, board, 1, head) {
		if err != nil {
			return f, err
		}
		if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			return f, fmt.Errorf("past: fold of board %s at %d: %w", board, r.Seq, err)
		}
		if err := f.Passed(ctx, b); err != nil {
			return f, err
		}
	}
	return f, nil
}
