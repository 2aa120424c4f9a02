package notary

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// fakeLog is a log of one shard in memory, open to whoever would change it.
type fakeLog struct {
	mu      sync.Mutex
	epoch   string
	entries []eventlog.Entry
	notes   [][]byte // the sequence of each is its index + 1
	tiles   map[string][]byte
	reads   int // entries read
	puts    int // tiles stored
	lose    int // answers of this many appends of checkpoints
	rival   func()
}

func newFakeLog(records int) *fakeLog {
	l := &fakeLog{epoch: "e1", tiles: map[string][]byte{}}
	l.write(records)
	return l
}

func (l *fakeLog) write(n int) {
	for range n {
		seq := uint64(len(l.entries)) + 1
		l.entries = append(l.entries, eventlog.Entry{
			Board: fmt.Sprint("board-", seq%3), Seq: seq, Time: time.Unix(int64(seq), 0), Hash: sha256.Sum256([]byte(fmt.Sprint(seq))),
		})
	}
}

// renumber gives the entries the sequences that a stream would.
func (l *fakeLog) renumber() {
	for i := range l.entries {
		l.entries[i].Seq = uint64(i) + 1
	}
}

func (l *fakeLog) Epoch() string    { return l.epoch }
func (l *fakeLog) Shards() int      { return 1 }
func (l *fakeLog) Shard(string) int { return 0 }

func (l *fakeLog) ShardState(context.Context, int) (eventlog.ShardState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.entries) == 0 {
		return eventlog.ShardState{}, nil
	}
	return eventlog.ShardState{First: l.entries[0].Seq, Last: l.entries[len(l.entries)-1].Seq, Records: uint64(len(l.entries))}, nil
}

func (l *fakeLog) Entries(_ context.Context, _ int, from, to uint64) iter.Seq2[eventlog.Entry, error] {
	return func(yield func(eventlog.Entry, error) bool) {
		l.mu.Lock()
		entries := l.entries
		l.mu.Unlock()
		for _, e := range entries {
			if e.Seq < from || e.Seq > to {
				continue
			}
			l.mu.Lock()
			l.reads++
			l.mu.Unlock()
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (l *fakeLog) LastCheckpoint(context.Context, int) ([]byte, uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.notes) == 0 {
		return nil, 0, eventlog.ErrNotFound
	}
	return l.notes[len(l.notes)-1], uint64(len(l.notes)), nil
}

func (l *fakeLog) Checkpoints(_ context.Context, _ int, from, to uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		l.mu.Lock()
		notes := l.notes[from-1 : to]
		l.mu.Unlock()
		for _, note := range notes {
			if !yield(note, nil) {
				return
			}
		}
	}
}

func (l *fakeLog) AppendCheckpoint(_ context.Context, _ int, note []byte, after uint64) (uint64, error) {
	if rival := l.rival; rival != nil {
		l.rival = nil
		rival()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if after != uint64(len(l.notes)) {
		return 0, eventlog.ErrConflict
	}
	l.notes = append(l.notes, note)
	if l.lose > 0 {
		l.lose--
		return 0, eventlog.ErrUnknown
	}
	return uint64(len(l.notes)), nil
}

func tileKey(level int, n int64) string { return fmt.Sprint(level, "/", n) }

func (l *fakeLog) GetTile(_ context.Context, _, level int, n int64) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	data, ok := l.tiles[tileKey(level, n)]
	if !ok {
		return nil, eventlog.ErrNotFound
	}
	return data, nil
}

func (l *fakeLog) PutTile(_ context.Context, _ int, t proof.Tile) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.puts++
	l.tiles[tileKey(t.L, t.N)] = bytes.Clone(t.Data)
	return nil
}

// naive is the tree of the log's first records.
func (l *fakeLog) naive(size int64) *proof.Tree {
	var tree proof.Tree
	for _, e := range l.entries[:size] {
		tree.Append(leafOf(&e), nil)
	}
	return &tree
}

func checkpointOf(t testing.TB, n *Notary) Signed {
	t.Helper()
	c, err := n.Checkpoint(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
