// Package mover moves boards to shards that were added to a log, one board after
// the other, while they are worked on.
package mover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/past"
)

// Log is what a move needs of an [eventlog.Log]; the methods are documented there.
type Log interface {
	Generations() []int
	Shard(board string) int
	ShardIn(gen int, board string) int
	Worked(ctx context.Context, shard int) (bool, error)
	Boards(ctx context.Context) ([]eventlog.BoardRecords, error)
	Move(ctx context.Context, board string, gen int) (head uint64, err error)
	past.Archive
}

// Options of Run.
type Options struct {
	Board string // the only one to move; "": all
	To    int    // generation; 0: the newest
	After string // go on behind this board
	// Idle: nobody takes commands of the log, and nobody has to.
	Idle bool
	Told func(Line) // of each board that was moved; nil: nobody is told
}

// Line says what became of a board, or of all of them.
type Line struct {
	// Type is "moved", "end", or "failed" (with Error).
	Type       string  `json:"type"`
	Board      string  `json:"board,omitempty"` // of "moved", the board; else the last one that is done
	Generation int     `json:"generation"`
	Shard      int     `json:"shard"`
	Moved      int     `json:"moved,omitempty"`  // boards, by this run
	Boards     int     `json:"boards,omitempty"` // that were looked at
	Seconds    float64 `json:"seconds,omitempty"`
	Error      string  `json:"error,omitempty"`
}

// Errors of Run, besides those of the log.
var (
	// ErrGeneration: the log has no such shards.
	ErrGeneration = eventlog.ErrGeneration
	// ErrUnworked: nobody takes the commands of a shard that boards are to be moved to.
	ErrUnworked = errors.New("mover: nobody works on the shard yet: the nodes take in new shards when they start")
)

// Run moves boards that are in an earlier generation than the one asked for. It
// may be called again at any time and goes on where it was; the last line it
// gives says how far that is. It moves nothing to a shard that nobody works on.
func Run(ctx context.Context, log Log, opt Options) (last Line, err error) {
	began := time.Now()
	newest := len(log.Generations()) - 1
	if opt.To == 0 {
		opt.To = newest
	}
	last = Line{Type: "end", Generation: opt.To}
	if opt.To < 1 || opt.To > newest {
		return last, fmt.Errorf("%w: %d; the newest is %d, to add one: snapback shards --add", ErrGeneration, opt.To, newest)
	}
	r := &run{Options: opt, log: log, worked: map[int]bool{}}
	boards := []eventlog.BoardRecords{{Board: opt.Board}}
	if opt.Board == "" {
		if boards, err = log.Boards(ctx); err != nil {
			return last, err
		}
	}
	for _, b := range boards {
		if b.Board <= opt.After && opt.After != "" {
			continue
		}
		moved, err := r.board(ctx, b.Board)
		if err != nil {
			return last, fmt.Errorf("board %s: %w", b.Board, err)
		}
		if moved {
			last.Moved++
		}
		last.Boards++
		last.Board, last.Shard, last.Seconds = b.Board, log.Shard(b.Board), time.Since(began).Seconds()
	}
	return last, nil
}

type run struct {
	Options
	log    Log
	worked map[int]bool
}

func (r *run) board(ctx context.Context, board string) (moved bool, err error) {
	to := r.log.ShardIn(r.To, board)
	if !r.Idle && !r.worked[to] {
		if r.worked[to], err = r.log.Worked(ctx, to); err != nil {
			return false, err
		}
		if !r.worked[to] {
			return false, fmt.Errorf("%w: shard %d", ErrUnworked, to)
		}
	}
	before, began := r.log.Shard(board), time.Now()
	head, err := r.log.Move(ctx, board, r.To)
	if err != nil {
		return false, err
	}
	b, err := eventlog.LoadBoard(ctx, r.log, board)
	if err == nil {
		err = past.Derive(ctx, r.log, b)
	}
	if err != nil {
		return false, fmt.Errorf("it has moved, but what is made from its log is not yet stored again: %w", err)
	}
	line := Line{Type: "moved", Board: board, Generation: eventlog.Generation(head), Shard: r.log.Shard(board), Seconds: time.Since(began).Seconds()}
	if moved = line.Shard != before; moved && r.Told != nil {
		r.Told(line)
	}
	return moved, nil
}
