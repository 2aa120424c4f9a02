package eventlog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// Whoever takes mutations has to know that the log takes no appends, before it
// promises anything. There are two ways to know: an embedded server says that
// its disk is full, and the answer to an append does. Both are told to all
// nodes, for the one that takes a mutation need not be the one that appends.

const (
	fullSubject = "full"                 // a node's name; and a shard, if it was an append that was refused
	fullEvery   = 250 * time.Millisecond // while it is so, and to look
	fullFor     = 3 * time.Second        // longer than the longest wait between two tries of an append
)

// fullness is what is known of that.
type fullness struct {
	start  time.Time
	shards []atomic.Int64 // by shard: until when appends count as refused, nanoseconds since start
	disks  atomic.Bool    // of so many nodes are full that no append is sure of its majority

	mu    sync.Mutex
	nodes map[string]time.Time // those whose disk is full, and when they said so last
}

// Full says why the board's shard takes no appends now: ErrFull with a reason,
// nil if it takes them as far as is known. It costs nothing; what other nodes
// know comes a moment later.
func (l *Log) Full(board string) error {
	if err := l.disksFull(); err != nil {
		return err
	}
	shard := l.Shard(board)
	if until := l.full.shards[shard].Load(); until != 0 && until > int64(time.Since(l.full.start)) {
		return fmt.Errorf("%w: stream %s refuses appends", ErrFull, eventStream(shard))
	}
	return nil
}

// disksFull is Full for what is in no shard. A node of several whose disk is
// full does not count alone: its server may fall out, and the others go on.
func (l *Log) disksFull() error {
	if !l.full.disks.Load() {
		return nil
	}
	if err := l.ownDisk(); err != nil {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return fmt.Errorf("%w: the disks of too many nodes are full", ErrFull)
}

// Writes says why this node, or any, cannot write to the log, for operators:
// ErrFull with a reason, nil if all is well.
func (l *Log) Writes() error {
	err := l.disksFull()
	for shard := 0; err == nil && shard < l.shards; shard++ {
		if until := l.full.shards[shard].Load(); until > int64(time.Since(l.full.start)) {
			err = fmt.Errorf("%w: stream %s refuses appends", ErrFull, eventStream(shard))
		}
	}
	if own := l.ownDisk(); err == nil && own != nil {
		err = fmt.Errorf("%w: other nodes go on: %w", ErrFull, own)
	}
	return err
}

// ownDisk is what an embedded server says of its disk.
func (l *Log) ownDisk() error {
	if server, ok := l.cfg.InProcess.(interface{ Full() error }); ok {
		return server.Full()
	}
	return nil
}

// watchFull listens to the other nodes, and tells them of this one's disk until
// the Log is closed.
func (l *Log) watchFull() error {
	l.full.start, l.full.shards, l.full.nodes = time.Now(), make([]atomic.Int64, l.shards), map[string]time.Time{}
	if _, err := l.live.Subscribe(fullSubject, l.hearFull); err != nil {
		return fmt.Errorf("eventlog: %w", err)
	}
	l.countDisks()
	go func() {
		look := time.NewTicker(fullEvery)
		defer look.Stop()
		for {
			select {
			case <-l.closed:
				return
			case <-look.C:
				l.countDisks()
			}
		}
	}()
	return nil
}

// countDisks tells the others if this node's disk is full, and counts whose are.
func (l *Log) countDisks() {
	n := 0
	if l.ownDisk() != nil {
		n++
		_ = l.live.Publish(fullSubject, []byte(l.cfg.Name)) // they hear the next
	}
	l.full.mu.Lock()
	for name, said := range l.full.nodes {
		if time.Since(said) > fullFor {
			delete(l.full.nodes, name)
		} else {
			n++
		}
	}
	l.full.mu.Unlock()
	if full := n > (l.cfg.Replicas-1)/2; l.full.disks.Swap(full) != full {
		l.log.Warn("the disks of nodes are full or have room again", "full", n, "log takes writes", !full)
	}
}

func (l *Log) hearFull(msg *nats.Msg) {
	name, rest, refused := strings.Cut(string(msg.Data), " ")
	if !refused {
		l.full.mu.Lock()
		l.full.nodes[name] = time.Now()
		l.full.mu.Unlock()
		return
	}
	if shard, err := strconv.Atoi(rest); err == nil && shard >= 0 && shard < l.shards {
		l.holdBack(shard, fullFor)
	}
}

// appended keeps what the server's answer to an append said of the shard.
func (l *Log) appended(shard int, err error) {
	switch {
	case errors.Is(err, ErrFull) && l.full.disks.Load():
	case errors.Is(err, ErrFull):
		l.holdBack(shard, fullFor)
		_ = l.live.Publish(fullSubject, fmt.Appendf(nil, "%s %d", l.cfg.Name, shard)) // they hear the next
	case err == nil && l.full.shards[shard].Load() != 0:
		l.full.shards[shard].Store(0)
	}
}

func (l *Log) holdBack(shard int, span time.Duration) {
	l.full.shards[shard].Store(int64(time.Since(l.full.start) + span))
}
