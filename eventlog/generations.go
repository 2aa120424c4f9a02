package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// S, the number of shards, is fixed when the log is made: a board's shard is
// computed from its id. To have more, shards are added behind those there are,
// as a generation of their own, and boards are moved there one by one
// ([Log.Move]). A board's records are then those in the newest generation that
// has it; the last of those it left behind says where it has gone
// (domain.Commit.Moved, header Snapback-Moved).
//
// Outside of this package a record's sequence is its position: the sequence in
// its stream, and above it the generation. So positions of a board rise when it
// moves, none means another record there than here, and of a board that never
// moved they are the sequences of its stream. What goes by streams (Entries,
// Raw, proofs) has sequences of streams.

// seqBits are those of a position that hold the sequence in its stream.
const seqBits = 44

func position(gen int, seq uint64) uint64 {
	if seq == 0 {
		return 0
	}
	return uint64(gen)<<seqBits | seq
}

// StreamSeq is the sequence in its stream of the record at a position.
func StreamSeq(position uint64) uint64 { return position & (1<<seqBits - 1) }

// Generation is that of the shard in which the record at a position is stored.
func Generation(position uint64) int { return int(position >> seqBits) }

// First is the position of a stream's first record in the generation of another
// position: from there on are all records of a board whose head that is.
func First(head uint64) uint64 { return position(Generation(head), 1) }

// metaAdded in the metadata of EVT_0 says how many shards each further
// generation has, with commas between.
const metaAdded = "snapback-added"

const (
	// headerMoved stands on the last record of a board in a shard that it has
	// left: the generation in which it goes on.
	headerMoved = "Snapback-Moved"
	// headerCopied stands on a record that a move has brought: the position it
	// has where the board was.
	headerCopied = "Snapback-Copied"
)

// generation is a row of shards.
type generation struct{ first, count int }

// home is where records of a board are.
type home struct {
	gen, shard      int
	stream, subject string
}

// homes are the boards known to have left generation 0.
type homes struct {
	mu sync.RWMutex
	of map[string]int // generation
}

func (h *homes) get(board string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.of[board]
}

// put learns that a board is in a generation, or in a later one.
func (h *homes) put(board string, gen int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = make(map[string]int)
	}
	h.of[board] = max(h.of[board], gen)
}

// Generations are how many shards each generation has, the first included.
func (l *Log) Generations() []int {
	counts := make([]int, len(l.generations))
	for i, g := range l.generations {
		counts[i] = g.count
	}
	return counts
}

// Position is that of the record at a sequence of a shard's stream.
func (l *Log) Position(shard int, seq uint64) uint64 {
	for gen, g := range l.generations {
		if shard < g.first+g.count {
			return position(gen, seq)
		}
	}
	return seq
}

// Shard of a board: FNV-1a-32(board) mod the number of shards in its
// generation, behind those of the generations before. Of a board that has moved
// it is the new one as soon as this Log has met it there ([Log.Head]).
func (l *Log) Shard(board string) int {
	if len(l.generations) < 2 {
		return shardOf(board, l.shards)
	}
	return l.ShardIn(l.moved.get(board), board)
}

// ShardIn is the shard that a board has, or would have, in a generation.
func (l *Log) ShardIn(gen int, board string) int {
	g := l.generations[gen]
	return g.first + shardOf(board, g.count)
}

// home is where a board is, as far as this Log knows.
func (l *Log) home(board string) home { return l.homeIn(l.moved.get(board), board) }

// homeAt is where the record of a board at a position is; 0: its first.
func (l *Log) homeAt(board string, position uint64) home {
	if position == 0 {
		return l.home(board)
	}
	return l.homeIn(Generation(position), board)
}

func (l *Log) homeIn(gen int, board string) home {
	if gen >= len(l.generations) { // a position that is none of this log
		gen = 0
	}
	shard := l.ShardIn(gen, board)
	return home{gen, shard, eventStream(shard), "evt." + strconv.Itoa(shard) + "." + board}
}

// generationsOf reads the metadata of EVT_0.
func generationsOf(shards int, added string) (list []generation, err error) {
	list = []generation{{0, shards}}
	if added == "" {
		return list, nil
	}
	for text := range strings.SplitSeq(added, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || shards+n > maxShards {
			return nil, fmt.Errorf("eventlog: metadata %s of stream %s: %q", metaAdded, eventStream(0), added)
		}
		list = append(list, generation{shards, n})
		shards += n
	}
	return list, nil
}

// AddShards adds a generation of n shards to the log and gives its number. The
// nodes take it in when they start again; boards are moved there after that.
// One call at a time.
func (l *Log) AddShards(ctx context.Context, n int) (gen int, err error) {
	if n < 1 || l.shards+n > maxShards {
		return 0, fmt.Errorf("eventlog: %d more shards than %d: there are 1 to %d", n, l.shards, maxShards)
	}
	for shard := l.shards; shard < l.shards+n; shard++ {
		// Made here and nowhere else: what is missing later is lost, and not new.
		if _, err := l.js.CreateStream(ctx, l.eventConfig(shard, l.base, l.epoch)); err != nil {
			return 0, fmt.Errorf("eventlog: stream %s: %w", eventStream(shard), err)
		}
		if err := l.ensureShard(ctx, shard); err != nil {
			return 0, err
		}
	}
	stream, err := l.js.Stream(ctx, eventStream(0))
	if err != nil {
		return 0, fmt.Errorf("eventlog: stream %s: %w", eventStream(0), err)
	}
	cfg := stream.CachedInfo().Config
	known, err := generationsOf(l.base, cfg.Metadata[metaAdded])
	if err != nil {
		return 0, err
	}
	if len(known) != len(l.generations) {
		return 0, errors.New("eventlog: shards were added since this node started")
	}
	cfg.Metadata[metaAdded] = strings.TrimPrefix(cfg.Metadata[metaAdded]+","+strconv.Itoa(n), ",")
	if _, err := l.js.UpdateStream(ctx, cfg); err != nil {
		return 0, fmt.Errorf("eventlog: stream %s: %w", eventStream(0), err)
	}
	return len(known), nil
}

// Worked says whether a node takes the commands of a shard, or waits to.
func (l *Log) Worked(ctx context.Context, shard int) (bool, error) {
	consumer, err := l.js.Consumer(ctx, commandStream(shard), consumerName)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("eventlog: consumer of %s: %w", commandStream(shard), err)
	}
	info := consumer.CachedInfo()
	pinned := false
	for _, g := range info.PriorityGroups {
		pinned = pinned || g.PinnedClientID != ""
	}
	return pinned || info.NumWaiting > 0, nil
}
