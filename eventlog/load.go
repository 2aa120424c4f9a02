package eventlog

import (
	"context"
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
	panic("todo")
}
