// Package logtest has an event log in memory that misbehaves on demand, for
// tests of whatever works with a log, and the contract every log keeps
// ([Contract]), for the fake and the real one alike.
//
// Time is package time's, so that everything runs under testing/synctest. What
// goes wrong is drawn from Config.Seed, the name of the call, its board and how
// often that was called, so a seed goes wrong in the same places again as far
// as the goroutines of the test come in the same order.
package logtest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Config of a Log.
type Config struct {
	Seed      uint64
	Shards    int    // default 1
	MaxRecord int    // bytes, default 4 MiB
	Epoch     string // default "fake"
	// Now is the clock of the server, by which records and commands are stamped.
	// Default time.Now.
	Now    func() time.Time
	Faults Faults
}

// Faults is what goes wrong, and how often: a chance is 0 to 1 for each call.
// The zero value is a log that always works at once.
type Faults struct {
	Latency time.Duration // every call takes up to this long, each way

	LoseAppend float64       // chance that an append is never stored: ErrUnknown
	LoseAnswer float64       // chance that an append is stored: ErrUnknown all the same
	Stall      float64       // chance that an append is stored only after up to StallFor
	StallFor   time.Duration // its caller waits, or gives up and knows nothing
	FailRead   float64       // chance that a read ends with an error, maybe half way

	LoseCommand, RepeatCommand float64 // chances for each published command
	CommandDelay               time.Duration
	Redeliver                  time.Duration // a command that is not Done is delivered again after this; 0 never

	LoseNews, RepeatNews float64 // chances for each announcement and subscriber
	NewsDelay            time.Duration

	// NoFence stores appends whatever sequence they expect: a log that is broken.
	NoFence bool
	// NoClock gives every record the commit's own time as the stream's, so that
	// nothing is ever void: a log that is broken.
	NoClock bool
}

// silence is for how long an append waits for an answer that does not come.
const silence = 2 * time.Second

// errLost is how a read fails.
var errLost = errors.New("logtest: no answer")

// Log is an event log in memory. Safe for concurrent use.
type Log struct {
	cfg Config

	mu        sync.Mutex
	faults    Faults
	full      bool
	seq       uint64
	records   map[string][]Stored
	draws     map[string]uint64
	queues    []*queue
	undone    int // commands published and not done
	subs      map[string]map[*subscription]bool
	snapshots map[string]eventlog.Snapshot
	pasts     map[string]map[uint64]eventlog.Snapshot // by board and sequence
	listings  map[string]eventlog.Listing
	refused   map[string]error // of PutListing, PutSnapshot and PutPast, by name of the method
}

// Stored is a record with the time at which it was really stored, which
// differs from Record.Time under Faults.NoClock.
type Stored struct {
	eventlog.Record
	At time.Time
}

// New makes an empty Log.
func New(cfg Config) *Log {
	if cfg.Shards == 0 {
		cfg.Shards = 1
	}
	if cfg.MaxRecord == 0 {
		cfg.MaxRecord = 4 << 20
	}
	if cfg.Epoch == "" {
		cfg.Epoch = "fake"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	l := &Log{
		cfg: cfg, faults: cfg.Faults,
		records:   make(map[string][]Stored),
		draws:     make(map[string]uint64),
		subs:      make(map[string]map[*subscription]bool),
		snapshots: make(map[string]eventlog.Snapshot),
		pasts:     make(map[string]map[uint64]eventlog.Snapshot),
		listings:  make(map[string]eventlog.Listing),
		refused:   make(map[string]error),
	}
	for range cfg.Shards {
		l.queues = append(l.queues, &queue{})
	}
	return l
}

// SetFaults replaces what goes wrong from now on.
func (l *Log) SetFaults(f Faults) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = f
}

// SetFull makes every append fail with ErrFull, or no longer.
func (l *Log) SetFull(full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = full
}

// Full says whether SetFull made it so.
func (l *Log) Full(string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return eventlog.ErrFull
	}
	return nil
}

// Refuse has the method of that name ("PutListing", "PutSnapshot", "PutPast") fail with err; nil ends it.
func (l *Log) Refuse(method string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused[method] = err
}

// Stored gives all records of a board, nothing lost or late.
func (l *Log) Stored(board string) []Stored {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records[board])
}

// Decisions counts the decisions in all records.
func (l *Log) Decisions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, list := range l.records {
		for i := range list {
			n += len(list[i].Commit.Decisions)
		}
	}
	return n
}

// Undone counts the published commands that are not done, each copy; not those that were lost.
func (l *Log) Undone() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.undone
}

// Listing gives a board's listing.
func (l *Log) Listing(board string) (eventlog.Listing, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, ok := l.listings[board]
	return entry, ok
}

// Shards is S.
func (l *Log) Shards() int { return l.cfg.Shards }

// Shard of a board.
func (l *Log) Shard(board string) int {
	h := fnv.New32a()
	h.Write([]byte(board))
	return int(h.Sum32() % uint32(l.cfg.Shards))
}

// Epoch names the life of the log.
func (l *Log) Epoch() string { return l.cfg.Epoch }

// MaxRecord is how large a record's data may be, bytes.
func (l *Log) MaxRecord() int { return l.cfg.MaxRecord }

// Healthy never fails.
func (l *Log) Healthy(context.Context) error { return nil }

// dice draws what happens to one call.
type dice struct {
	*rand.Rand
	Faults
}

// roll gives the dice of one call of what on board.
func (l *Log) roll(what, board string) dice {
	name := what + " " + board
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draws[name]++
	h := fnv.New64a()
	fmt.Fprint(h, name)
	return dice{rand.New(rand.NewPCG(l.cfg.Seed, h.Sum64()^l.draws[name]*0x9e3779b97f4a7c15)), l.faults}
}

func (d dice) chance(p float64) bool { return p > 0 && d.Float64() < p }

func (d dice) upTo(t time.Duration) time.Duration {
	if t <= 0 {
		return 0
	}
	return time.Duration(d.Int64N(int64(t) + 1))
}

// wait takes time; it fails when ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Append stores data as the board's next record; see eventlog.Log.
func (l *Log) Append(ctx context.Context, board string, data []byte, hash domain.Hash, expected uint64) (uint64, error) {
	c, sum, err := domain.DecodeCommit(data)
	if err != nil || sum != hash || c.Board != board {
		return 0, fmt.Errorf("logtest: append of what is no commit of %s with hash %v: %w", board, hash, err)
	}
	if len(data) > l.cfg.MaxRecord {
		return 0, eventlog.ErrTooLarge
	}
	d := l.roll("append", board)
	there, back := d.upTo(d.Latency), d.upTo(d.Latency)
	if d.chance(d.Stall) {
		there += d.upTo(d.StallFor)
	}
	lost, unheard := d.chance(d.LoseAppend), d.chance(d.LoseAnswer)
	forgetful := d.chance(0.5)
	type result struct {
		seq uint64
		err error
	}
	done := make(chan result, 1)
	try := func() {
		time.Sleep(there)
		seq, err := uint64(0), eventlog.ErrUnknown
		if !lost {
			seq, err = l.store(board, data, c, hash, expected, d.Faults, forgetful)
		}
		if lost || unheard {
			seq, err, back = 0, eventlog.ErrUnknown, silence
		}
		time.Sleep(back)
		done <- result{seq, err}
	}
	if there+back == 0 && !lost && !unheard {
		try()
	} else {
		go try()
	}
	select {
	case r := <-done:
		return r.seq, r.err
	case <-ctx.Done():
		return 0, fmt.Errorf("%w: %w", eventlog.ErrUnknown, ctx.Err())
	}
}

// store is the compare and set. A forgetful log answers the retry of what is
// stored with a conflict.
func (l *Log) store(board string, data []byte, c *domain.Commit, hash domain.Hash, expected uint64, f Faults, forgetful bool) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		return 0, eventlog.ErrFull
	}
	var last uint64
	list := l.records[board]
	if len(list) > 0 {
		last = list[len(list)-1].Seq
	}
	if i := slices.IndexFunc(list, func(s Stored) bool { return s.Hash == hash }); i >= 0 && !forgetful {
		return list[i].Seq, nil
	}
	if last != expected && !f.NoFence {
		return 0, eventlog.ErrConflict
	}
	l.seq++
	now := time.Now().UTC()
	rec := eventlog.Record{Board: board, Seq: l.seq, Prev: last, Time: l.cfg.Now().UTC(), Data: slices.Clone(data), Hash: hash, Commit: c}
	if f.NoClock {
		rec.Time = c.At
	}
	l.records[board] = append(list, Stored{rec, now})
	return l.seq, nil
}

// Head is the board's last sequence.
func (l *Log) Head(ctx context.Context, board string) (uint64, error) {
	if err := l.answer(ctx, "head", board); err != nil {
		return 0, err
	}
	return l.head(board), nil
}

func (l *Log) head(board string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if list := l.records[board]; len(list) > 0 {
		return list[len(list)-1].Seq
	}
	return 0
}

// answer takes the time of a read and fails if it is its turn to.
func (l *Log) answer(ctx context.Context, what, board string) error {
	d := l.roll(what, board)
	if err := wait(ctx, d.upTo(d.Latency)); err != nil {
		return err
	}
	if d.chance(d.FailRead) {
		return errLost
	}
	return nil
}

// Get reads one record.
func (l *Log) Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error) {
	if err := l.answer(ctx, "get", board); err != nil {
		return eventlog.Record{}, err
	}
	for _, s := range l.Stored(board) {
		if s.Seq == seq {
			return s.Record, nil
		}
	}
	return eventlog.Record{}, eventlog.ErrNotFound
}

// Read gives the board's records from sequence from on.
func (l *Log) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return l.read(ctx, board, to, func([]Stored) uint64 { return from })
}

// ReadSince is Read from behind the last record whose decisions were all taken before start.
func (l *Log) ReadSince(ctx context.Context, board string, start time.Time, to uint64) iter.Seq2[eventlog.Record, error] {
	return l.read(ctx, board, to, func(list []Stored) uint64 {
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].DecidedBefore(start) {
				return list[i].Seq + 1
			}
		}
		return 0
	})
}

func (l *Log) read(ctx context.Context, board string, to uint64, first func([]Stored) uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		d := l.roll("read", board)
		if err := wait(ctx, d.upTo(d.Latency)); err != nil {
			yield(eventlog.Record{}, err)
			return
		}
		fails := d.chance(d.FailRead)
		left := d.IntN(10)
		if to == 0 {
			to = l.head(board)
		}
		list := l.Stored(board)
		from := first(list)
		for _, s := range list {
			switch {
			case s.Seq < from || s.Seq > to:
				continue
			case ctx.Err() != nil:
				yield(eventlog.Record{}, ctx.Err())
				return
			case fails && left == 0:
				yield(eventlog.Record{}, errLost)
				return
			}
			left--
			if !yield(s.Record, nil) {
				return
			}
		}
		if fails {
			yield(eventlog.Record{}, errLost)
		}
	}
}
