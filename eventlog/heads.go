package eventlog

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Follower is somebody who takes in a board's records in order, without a gap.
// Its methods are safe for concurrent use.
type Follower interface {
	// Records is how many of the board's records it has, from the first on.
	Records() uint64
	// CheckHead asks the leader for the board's head and returns nil when it has
	// everything up to that.
	CheckHead(ctx context.Context) error
}

const (
	headEvery  = 30 * time.Second // how often the leader is asked about a board
	headWait   = 5 * time.Second  // how long one may take to check its head
	headsAsked = 4                // boards of a shard whose heads are asked for at once
	// headCost is what asking for one board's head costs, measured in boards of
	// which a leader counts the records.
	headCost = 50
)

// watches are the boards whose heads are watched, by shard.
type watches struct {
	once sync.Once
	mu   sync.Mutex
	sets []map[*watch]struct{}
	// checked is when the leader of each shard last told how far it is, or when
	// the first watch of a shard without any came; guarded by mu.
	checked []time.Time
	every   time.Duration // 0: headEvery; tests have less time
}

type watch struct {
	board string
	f     Follower
	shard int    // in whose set it is; under watches.mu
	seq   uint64 // the shard's last one when f was last known to have everything; the check's own
}

// WatchHead has f check the head of its board whenever the leader may have
// records that f does not, 30 s after they were stored or sooner, until stop is
// called or the log is closed. The leaders are asked once per shard, not per
// board. CheckHead may be called once more while stop returns.
func (l *Log) WatchHead(board string, f Follower) (stop func()) {
	ws, w := &l.watches, &watch{board: board, f: f}
	ws.once.Do(func() {
		ws.sets, ws.checked = make([]map[*watch]struct{}, l.shards), make([]time.Time, l.shards)
		go l.watchHeads()
	})
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.put(w, l.Shard(board))
	return func() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		delete(ws.sets[w.shard], w)
	}
}

// put has w in the set of a shard. Call it with ws.mu held.
func (ws *watches) put(w *watch, shard int) {
	if ws.sets[shard] == nil {
		ws.sets[shard] = make(map[*watch]struct{})
	}
	if len(ws.sets[shard]) == 0 {
		ws.checked[shard] = time.Now()
	}
	w.shard = shard
	ws.sets[shard][w] = struct{}{}
}

// watchHeads looks after one shard after the other, each every 30 s; one that
// takes long holds up no other.
func (l *Log) watchHeads() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	every := l.watches.every
	if every == 0 {
		every = headEvery
	}
	busy := make([]sync.Mutex, l.shards)
	for shard := 0; ; shard = (shard + 1) % l.shards {
		select {
		case <-l.closed:
			return
		case <-time.After(every / time.Duration(l.shards)):
		}
		go func() {
			if !busy[shard].TryLock() {
				return
			}
			defer busy[shard].Unlock()
			if err := l.checkHeads(ctx, shard); err != nil && ctx.Err() == nil {
				l.log.Warn("heads not checked, trying again", "stream", eventStream(shard), "error", err)
			}
		}()
	}
}

// checkHeads has every watched board of a shard checked that may have more
// records than its follower.
func (l *Log) checkHeads(ctx context.Context, shard int) error {
	l.watches.mu.Lock()
	all := make([]*watch, 0, len(l.watches.sets[shard]))
	for w := range l.watches.sets[shard] {
		if now := l.Shard(w.board); now != shard { // it has moved, and is looked at there
			delete(l.watches.sets[shard], w)
			w.seq = 0
			l.watches.put(w, now)
			continue
		}
		all = append(all, w)
	}
	l.watches.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	state, err := l.streamState(ctx, eventStream(shard))
	if err != nil {
		return err
	}
	l.watches.mu.Lock()
	l.watches.checked[shard] = time.Now()
	l.watches.mu.Unlock()
	due := all[:0]
	for _, w := range all {
		if w.seq != state.LastSeq {
			due = append(due, w)
		}
	}
	var counts map[string]uint64
	if state.Subjects < headCost*len(due) {
		if counts, err = l.recordCounts(ctx, shard); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(headsAsked)
	for _, w := range due {
		if n := counts[w.board]; n > 0 && n == w.f.Records() {
			w.seq = state.LastSeq
			continue
		}
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, headWait)
			defer cancel()
			if w.f.CheckHead(ctx) == nil {
				w.seq = state.LastSeq
			}
			return nil // the next round tries again
		})
	}
	return group.Wait()
}

// streamState is how far a stream is and how many subjects it has, by its
// leader.
func (l *Log) streamState(ctx context.Context, stream string) (streamState, error) {
	var resp struct {
		answer
		State streamState `json:"state"`
	}
	err := l.api(ctx, "STREAM.INFO."+stream, struct{}{}, &resp)
	return resp.State, err
}

type streamState struct {
	LastSeq  uint64 `json:"last_seq"`
	Subjects int    `json:"num_subjects"`
}

// recordCounts gives how many records each board of a shard has, by its leader.
func (l *Log) recordCounts(ctx context.Context, shard int) (map[string]uint64, error) {
	counts := make(map[string]uint64)
	err := l.subjectCounts(ctx, eventStream(shard), "evt.*.*", func(subject string, n uint64) {
		counts[lastToken(subject)] = n
	})
	return counts, err
}
