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
	// Keep and Kept are those of KeptBoards; they may do nothing.
	Keep(s *domain.Still)
	Kept(board string) *domain.Still
}

// LoadBoard folds a board up to the head the leader names at the call: from
// where it was loaded lately in this process, or from its snapshot, if the log
// agrees, and the records since. A board without records is an empty Board, not
// an error; one that is being restored is: ErrRestoring.
func LoadBoard(ctx context.Context, src Source, board string) (*domain.Board, error) {
	head, err := src.Head(ctx, board)
	if err != nil {
		return nil, err
	}
	if head == 0 {
		return domain.NewBoard(board), nil
	}
	b, err := load(ctx, src, board, head)
	if err != nil {
		return nil, err
	}
	if still, err := b.Still(); err == nil {
		src.Keep(still)
	}
	return b, nil
}

func load(ctx context.Context, src Source, board string, head uint64) (*domain.Board, error) {
	if still := src.Kept(board); still != nil {
		if seq, _ := still.Head(); seq <= head && head-seq <= keptLag {
			if b, err := goOn(ctx, src, still.Board(), head); b != nil || err != nil {
				return b, err
			}
		}
	}
	snap, err := src.GetSnapshot(ctx, board)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil && snap.Seq > 0 && snap.Seq <= head {
		b, err := domain.LoadSnapshot(snap.Data)
		if err == nil && b.ID() == board {
			if seq, hash, _ := b.Head(); seq == snap.Seq && hash == snap.Hash {
				if b, err := goOn(ctx, src, b, head); b != nil || err != nil {
					return b, err
				}
			}
		}
	}
	b := domain.NewBoard(board)
	return b, fold(ctx, src, b, 1, head)
}

// goOn folds what came since upon b, nil when that cannot be: the log has
// another record where b stands. Anything wrong with the fold is no error: the
// whole log has the last word.
func goOn(ctx context.Context, src Source, b *domain.Board, head uint64) (*domain.Board, error) {
	from, hash, _ := b.Head()
	agreed, more := false, false
	for r, err := range src.Read(ctx, b.ID(), from, head) {
		if err != nil {
			return nil, err
		}
		more = r.More
		if !agreed {
			if r.Seq != from || r.Hash != hash {
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
	if more {
		return nil, restoring(b.ID())
	}
	return b, nil
}

func fold(ctx context.Context, src Source, b *domain.Board, from, to uint64) error {
	more := false
	for r, err := range src.Read(ctx, b.ID(), from, to) {
		if err != nil {
			return err
		}
		if r.More && !more && unfinished(ctx, src, b.ID(), to) {
			return restoring(b.ID())
		}
		more = r.More
		if err := b.Apply(r.Commit, r.Hash, r.Seq, r.Time, nil); err != nil {
			return fmt.Errorf("eventlog: fold of board %s at %d: %w", b.ID(), r.Seq, err)
		}
	}
	if seq, _, _ := b.Head(); seq != to {
		return fmt.Errorf("eventlog: fold of board %s ends at %d, not %d: %w", b.ID(), seq, to, errBehind)
	}
	if more {
		return restoring(b.ID())
	}
	return nil
}

// unfinished says whether the last record of a board is not the last of its
// restore: whoever asks for it again and again meanwhile costs little.
func unfinished(ctx context.Context, src Source, board string, last uint64) bool {
	for r, err := range src.Read(ctx, board, last, last) {
		return err == nil && r.More
	}
	return false
}

func restoring(board string) error { return fmt.Errorf("%w: board %s", ErrRestoring, board) }
