// Package rebuild makes every read model again from the log, beside the live
// ones: it folds each board from its first record, compares what is stored and
// what this process holds in memory with the fold where each of them stands, and
// puts the right one in the place of a wrong one. It may run while the log grows.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// Log is what a rebuild reads and writes of an [eventlog.Log]; the methods are
// documented there.
type Log interface {
	eventlog.PastSource
	Boards(ctx context.Context) ([]eventlog.BoardRecords, error)
	StoredSnapshot(ctx context.Context, board string) (s eventlog.Snapshot, revision uint64, err error)
	ReplaceSnapshot(ctx context.Context, board string, s eventlog.Snapshot, revision uint64) error
	PutPast(ctx context.Context, board string, s eventlog.Snapshot) error
	DropKept(board string)
	StoredListing(ctx context.Context, board string) (entry eventlog.Listing, revision uint64, err error)
	ReplaceListing(ctx context.Context, entry eventlog.Listing, revision uint64) error
	DropListing(ctx context.Context, board string, revision uint64) error
	Unindexed(ctx context.Context, entry eventlog.Listing) (users []string, err error)
	IndexMembers(ctx context.Context, entry eventlog.Listing) error
	Listed(ctx context.Context) (boards []string, index []eventlog.Indexed, err error)
	StaleIndexed(ctx context.Context, i eventlog.Indexed, before time.Time) (revision uint64, stale bool, err error)
	DropIndexed(ctx context.Context, i eventlog.Indexed, revision uint64) error
	Epoch() string
	Shards() int
	LastCheckpoint(ctx context.Context, shard int) (note []byte, seq uint64, err error)
	Entries(ctx context.Context, shard int, from, to uint64) iter.Seq2[eventlog.Entry, error]
	GetTile(ctx context.Context, shard, level int, n int64) ([]byte, error)
	PutTile(ctx context.Context, shard int, t proof.Tile) error
}

// Memory is somebody in this process who holds boards that were folded, or
// loaded from a snapshot, and goes on with them.
type Memory interface {
	// Still gives the board as it is held at some record, nil if it is not held,
	// or not settled just now.
	Still(ctx context.Context, board string) (*domain.Still, error)
	// Forget has the board loaded again from the log. When it returns nothing
	// comes any more of what was held before, and nothing is lost to anybody.
	Forget(ctx context.Context, board string) error
}

// Options of Run.
type Options struct {
	// Check compares and changes nothing.
	Check bool
	// Board is the only one to look at; "": all, and what the directory has beyond them.
	Board string
	// After is the id of a board: those up to it were done by an earlier run.
	After string
	// Parallel is how many boards are folded at a time. Default 2.
	Parallel int
	// Memories of this process by name, none when it serves nobody.
	Memories map[string]Memory
	// Found is called with each difference, Progress now and then; both one call
	// at a time. Either may be nil.
	Found    func(Difference)
	Progress func(Progress)

	settle time.Duration // for how long what is behind may catch up; tests have less
}

const (
	defaultParallel = 2
	// settleFor is how long a listing may be behind, and an entry of the index
	// without its listing: workers write them after the commit.
	settleFor = time.Minute
)

// Difference is something that is not what the log gives.
type Difference struct {
	Board string `json:"board,omitempty"`
	// In is where: "log", "snapshot", "past snapshot", "directory", "index",
	// "tiles of shard N", "boards loaded lately", or the name of a memory.
	In  string `json:"in"`
	Seq uint64 `json:"seq,omitempty"` // where that stands
	// What is wrong, in words.
	What string `json:"what"`
	// Fixed says that it is right now; not in a check, and of a log never.
	Fixed bool `json:"fixed"`
}

// Progress is how far a run is.
type Progress struct {
	Boards      int     `json:"boards"`
	OfBoards    int     `json:"ofBoards"`
	Records     uint64  `json:"records"`
	OfRecords   uint64  `json:"ofRecords"`
	Seconds     float64 `json:"seconds"`
	Differences int     `json:"differences"`
	Unfixed     int     `json:"unfixed"`
	// After is what [Options.After] is to be to go on from here.
	After string `json:"after,omitempty"`
}

// run is one Run.
type run struct {
	log Log
	opt Options

	mu      sync.Mutex
	at      Progress
	start   time.Time
	told    time.Time // when Progress was called last
	waiting []string  // boards that are done, but for one before them
	order   []string  // boards whose turn is still to come, or that are under way
}

// Run compares everything with the log and, unless it only checks, puts right
// what is wrong. What is wrong is no error: it is found and reported. It fails
// when the log does not answer; Progress says where another run goes on.
func Run(ctx context.Context, log Log, opt Options) (Progress, error) {
	if opt.Parallel == 0 {
		opt.Parallel = defaultParallel
	}
	if opt.settle == 0 {
		opt.settle = settleFor
	}
	r := &run{log: log, opt: opt, start: time.Now()}
	r.at.After = opt.After
	all, err := log.Boards(ctx)
	if err != nil {
		return r.at, fmt.Errorf("rebuild: %w", err)
	}
	boards := slices.DeleteFunc(slices.Clone(all), func(b eventlog.BoardRecords) bool {
		return b.Board <= opt.After || opt.Board != "" && b.Board != opt.Board
	})
	if opt.Board != "" && len(boards) == 0 {
		return r.at, fmt.Errorf("rebuild: %w: the log has no board %s", eventlog.ErrNotFound, opt.Board)
	}
	for _, b := range boards {
		r.order = append(r.order, b.Board)
		r.at.OfRecords += b.Records
	}
	r.at.OfBoards = len(boards)
	group, folding := errgroup.WithContext(ctx)
	group.SetLimit(opt.Parallel)
	for _, b := range boards {
		if folding.Err() != nil {
			break
		}
		group.Go(func() error { return r.one(folding, b.Board) })
	}
	err = group.Wait()
	if err == nil && opt.Board == "" {
		err = r.directory(ctx, all)
		for shard := 0; shard < log.Shards() && err == nil; shard++ {
			err = r.tiles(ctx, shard)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tell(true)
	if err != nil {
		err = fmt.Errorf("rebuild: %w", err)
	}
	return r.at, err
}

// one rebuilds a board. A board that cannot be folded is a difference: the
// others can.
func (r *run) one(ctx context.Context, board string) error {
	b := &rebuilt{run: r, id: board}
	err := b.rebuild(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, eventlog.ErrClosed):
		return err
	case err != nil:
		r.found(Difference{Board: board, In: "log", Seq: b.seq(), What: err.Error()})
	}
	r.done(board)
	return nil
}

// done notes that a board is, and up to which all are.
func (r *run) done(board string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Boards++
	r.waiting = append(r.waiting, board)
	for len(r.order) > 0 && slices.Contains(r.waiting, r.order[0]) {
		r.at.After = r.order[0]
		r.waiting = slices.DeleteFunc(r.waiting, func(b string) bool { return b == r.order[0] })
		r.order = r.order[1:]
	}
	r.tell(false)
}

// folded counts records.
func (r *run) folded(n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Records += n
	r.tell(false)
}

func (r *run) found(d Difference) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at.Differences++
	if !d.Fixed {
		r.at.Unfixed++
	}
	if r.opt.Found != nil {
		r.opt.Found(d)
	}
}

// tellEvery is how often progress is told.
const tellEvery = 200 * time.Millisecond

// tell tells the progress, if that is due or last. Call it with r.mu held.
func (r *run) tell(last bool) {
	now := time.Now()
	r.at.Seconds = now.Sub(r.start).Seconds()
	if r.opt.Progress != nil && (last || now.Sub(r.told) >= tellEvery) {
		r.told = now
		r.opt.Progress(r.at)
	}
}

// Line is one line of what a run tells somebody elsewhere.
type Line struct {
	// Type is "difference", "progress", "end" (with the last progress), or
	// "failed" (with that and Error).
	Type string `json:"type"`
	*Difference
	*Progress
	Error string `json:"error,omitempty"`
}
