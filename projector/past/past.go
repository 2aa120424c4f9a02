// Package past answers what a board was like at another time: the board as of
// a rev or a time, what differs between two of these, and who set what an
// entity holds. It folds from the nearest past snapshot (eventlog/past.go), so
// that a look costs the same however long the history is, and reads the log in
// a stream otherwise.
//
// A mutation happens whole: a rev in the middle of its events stands for its last.
package past

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Source is what is read: an [eventlog.Log], or a fake of one.
type Source = eventlog.PastSource

// Errors. Match with errors.Is.
var (
	// ErrBeyond: the board has not reached that rev; see [BeyondError].
	ErrBeyond = errors.New("past: the board has not reached this rev")
	// ErrNotYet: the board did not exist then, or its import was under way.
	ErrNotYet = errors.New("past: the board did not exist yet")
	// ErrNoEntity: the board has not, and never had, such an entity then.
	ErrNoEntity = errors.New("past: no such entity")
	// ErrNoField: the entity has not, and never had, such a field then.
	ErrNoField = errors.New("past: no such field")
)

// BeyondError is ErrBeyond with the rev that the board has reached.
type BeyondError struct{ Rev uint64 }

func (e *BeyondError) Error() string { return fmt.Sprintf("%v: it is at rev %d", ErrBeyond, e.Rev) }

// Is says that it is ErrBeyond.
func (e *BeyondError) Is(target error) bool { return target == ErrBeyond }

// Point is a place in a board's history: after a decision.
type Point struct {
	Rev uint64    `json:"rev"` // the board's
	At  time.Time `json:"at"`  // of the decision
}

// Look is a board as it was. Board is for looking only: its head is that of the
// record that holds the decision, which may have further ones.
type Look struct {
	Point
	Board *domain.Board
}

// AtRev gives the board as it was after the mutation that raised it to rev.
// Point.Rev is higher than rev if that mutation raised it further. Errors:
// ErrBeyond, ErrNotYet, or the log's.
func AtRev(ctx context.Context, src Source, board string, rev uint64) (Look, error) {
	head, err := src.Head(ctx, board)
	if err != nil {
		return Look{}, err
	}
	if rev == 0 || head == 0 {
		return Look{}, notYet(board)
	}
	r, err := find(ctx, src, board, head, func(d *domain.Decision) bool { return before(d) < rev })
	if err != nil {
		return Look{}, err
	}
	if r == nil {
		return Look{}, notYet(board)
	}
	return fold(ctx, src, r, rev, func(_, last *domain.Decision) bool { return last.Rev < rev })
}

// AtTime gives the board as it was after its last decision at or before t, a
// refusal too. Errors: ErrNotYet, or the log's.
func AtTime(ctx context.Context, src Source, board string, t time.Time) (Look, error) {
	head, err := src.Head(ctx, board)
	if err != nil {
		return Look{}, err
	}
	r, err := find(ctx, src, board, head, func(d *domain.Decision) bool { return !d.At.After(t) })
	if err != nil {
		return Look{}, err
	}
	if r == nil {
		return Look{}, notYet(board)
	}
	return fold(ctx, src, r, 0, func(next, _ *domain.Decision) bool { return !next.At.After(t) })
}

func notYet(board string) error { return fmt.Errorf("%w: %s", ErrNotYet, board) }

// before is the board's rev before the decision.
func before(d *domain.Decision) uint64 { return d.Rev - uint64(len(d.Events)) }

// find gives the last record that took effect whose first decision is early,
// nil if none is. What is early comes before what is not: neither rev nor time
// runs backwards along what took effect. It looks at one record in the middle
// of what is left at a time.
func find(ctx context.Context, src Source, board string, head uint64, early func(*domain.Decision) bool) (found *eventlog.Record, err error) {
	for from, end := eventlog.First(head), head; from <= end; {
		middle := from + (end-from)/2
		r, err := effective(ctx, src, board, middle, end)
		switch {
		case err != nil:
			return nil, err
		case r != nil && early(&r.Commit.Decisions[0]):
			found, from = r, r.Seq+1
		default:
			end = middle - 1
		}
	}
	return found, nil
}

// effective gives the first record from one sequence to another that took
// effect, nil if there is none.
func effective(ctx context.Context, src Source, board string, from, to uint64) (*eventlog.Record, error) {
	for r, err := range src.Read(ctx, board, from, to) {
		if err != nil {
			return nil, err
		}
		if !r.Void() && len(r.Commit.Decisions) > 0 {
			return &r, nil
		}
	}
	return nil, nil
}

// fold gives the board after those decisions of r that come before one of which
// more, given it and the one before, says no. The first is always folded. It
// fails with ErrBeyond if that does not reach rev.
func fold(ctx context.Context, src Source, r *eventlog.Record, rev uint64, more func(next, last *domain.Decision) bool) (Look, error) {
	b, err := eventlog.LoadBoardAt(ctx, src, r.Board, r.Prev)
	if err != nil {
		return Look{}, err
	}
	part := *r.Commit
	n := 1
	for n < len(part.Decisions) && more(&part.Decisions[n], &part.Decisions[n-1]) {
		n++
	}
	part.Decisions = part.Decisions[:n]
	if err := b.Apply(&part, r.Hash, r.Seq, r.Time, nil); err != nil {
		return Look{}, fmt.Errorf("past: fold of board %s at %d: %w", r.Board, r.Seq, err)
	}
	if b.Rev() < rev {
		return Look{}, &BeyondError{b.Rev()}
	}
	if !b.Exists() {
		return Look{}, notYet(r.Board)
	}
	return Look{Point{b.Rev(), part.Decisions[n-1].At}, b}, nil
}

// Now gives the board as it is. Errors: ErrNotYet, or the log's.
func Now(ctx context.Context, src Source, board string) (Look, error) {
	return AtTime(ctx, src, board, time.Unix(1<<40, 0))
}
