package past

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Keeper is what Fill works on: an [eventlog.Log], or a fake of one.
type Keeper interface {
	Source
	PutPast(ctx context.Context, board string, s eventlog.Snapshot) error
}

// Filled says what Fill found and did.
type Filled struct {
	Records uint64 // folded
	Kept    int    // past snapshots that were there and right
	Made    int    // that were missing
	Wrong   int    // that said something else than the log: made again
}

// Fill makes the past snapshots that a board lacks, and those again that are
// not what its log gives. It folds the whole log, streaming. progress, which
// may be nil, is called now and then with the sequence reached and the last
// one. It may run while the board is changed; those made meanwhile are found as
// they are.
func Fill(ctx context.Context, log Keeper, board string, progress func(seq, head uint64)) (f Filled, err error) {
	head, err := log.Head(ctx, board)
	if err != nil || head == 0 {
		return f, err
	}
	there, err := log.Pasts(ctx, board)
	if err != nil {
		return f, err
	}
	fl := filler{log: log, board: domain.NewBoard(board)}
	for r, err := range log.Read(ctx, board, 1, head) {
		if err != nil {
			return fl.Filled, err
		}
		if err := fl.board.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			return fl.Filled, fmt.Errorf("past: fold of board %s at %d: %w", board, r.Seq, err)
		}
		fl.Records++
		for len(there) > 0 && there[0] < r.Seq {
			there = there[1:] // of another life of the log
		}
		if len(there) > 0 && there[0] == r.Seq {
			err = fl.check(ctx, r.Seq)
		} else if fl.board.Weight() >= fl.last.NextPast() {
			fl.Made++
			err = fl.make(ctx)
		}
		if err != nil {
			return fl.Filled, err
		}
		if progress != nil && (fl.Records%1000 == 0 || r.Seq == head) {
			progress(r.Seq, head)
		}
	}
	return fl.Filled, nil
}

type filler struct {
	Filled
	log   Keeper
	board *domain.Board
	last  eventlog.Snapshot // the past one before
}

// snapshot is what the log gives at the board's head.
func (f *filler) snapshot() (eventlog.Snapshot, error) {
	still, err := f.board.Still()
	if err != nil {
		return eventlog.Snapshot{}, err
	}
	return eventlog.PastOf(still, nil)
}

// check compares the past snapshot that is there.
func (f *filler) check(ctx context.Context, seq uint64) error {
	want, err := f.snapshot()
	if err != nil {
		return err
	}
	f.last = want
	got, err := f.log.Past(ctx, f.board.ID(), seq)
	switch {
	case err == nil && got.Hash == want.Hash && got.Weight == want.Weight && bytes.Equal(got.Data, want.Data):
		f.Kept++
		return nil
	case err != nil && !errors.Is(err, eventlog.ErrNotFound):
		return err
	}
	f.Wrong++
	return f.log.PutPast(ctx, f.board.ID(), want)
}

func (f *filler) make(ctx context.Context) error {
	snap, err := f.snapshot()
	if err != nil {
		return err
	}
	f.last = snap
	return f.log.PutPast(ctx, f.board.ID(), snap)
}
