package eventlog

import (
	"context"
	"fmt"
	"iter"

	"github.com/snapback-io/snapback/domain"
)

// Source is what LoadBoard reads: a Log, or a fake of one.
type Source interface {
	Head(ctx context.Context, board string) (uint64, error)
	Read(ctx context.Context, board string, from, to uint64) iter.Seq2[Record, error]
	GetSnapshot(ctx context.Context, board string) (Snapshot, error)
}

// LoadBoard folds a board up to the head the leader names at the call: its
// snapshot, if there is one that the log agrees with, and the records since.
// A board without records is an empty Board, not an error.
func LoadBoard(ctx context.Context, src Source, board string) (*domain.Board, error) {
	head, err := src.Head(ctx, board)
	if err != nil {
		return nil, err
	}
	if head == 0 {
		return domain.NewBoard(board), nil
	}
	b, err := fromSnapshot(ctx, src, board, head)
	if b != nil || err != nil {
		return b, err
	}
	b = domain.NewBoard(board)
	return b, fold(ctx, src, b, 1, head)
}

// fromSnapshot gives the board by way of its snapshot, nil when there is none
// that can be used. Anything wrong with the snapshot, or with the fold upon
// it, is no error: the whole log has the last word.
func fromSnapshot(ctx context.Context, src Source, board string, head uint64) (*domain.Board, error) {
	snap, err := src.GetSnapshot(ctx, board)
	if err != nil || snap.Seq == 0 || snap.Seq > head {
		return nil, ctx.Err()
	}
	b, err := domain.LoadSnapshot(snap.Data)
	if err != nil || b.ID() != board {
		return nil, nil
	}
	if seq, hash, _ := b.Head(); seq != snap.Seq || hash != snap.Hash {
		return nil, nil
	}
	agreed := false
	for r, err := range src.Read(ctx, board, snap.Seq, head) {
		if err != nil {
			return nil, err
		}
		if !agreed {
			if r.Seq != snap.Seq || r.Hash != snap.Hash {
				return nil, nil
			}
			agreed = true
			continue
		}
		if b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil) != nil {
			return nil, nil
		}
	}
	if !agreed {
		return nil, nil
	}
	return b, nil
}

func fold(ctx context.Context, src Source, b *domain.Board, from, to uint64) error {
	for r, err := range src.Read(ctx, b.ID(), from, to) {
		if err != nil {
			return err
		}
		if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			return fmt.Errorf("eventlog: fold of board %s at %d: %w", b.ID(), r.Seq, err)
		}
	}
	if seq, _, _ := b.Head(); seq != to {
		return fmt.Errorf("eventlog: fold of board %s ends at %d, not %d: %w", b.ID(), seq, to, errBehind)
	}
	return nil
}
