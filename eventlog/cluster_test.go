package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// leaderOf is the node that leads a shard's events.
func leaderOf(t testing.TB, l *Log, shard int) int {
	t.Helper()
	stream, err := l.js.Stream(t.Context(), eventStream(shard))
	if err != nil {
		t.Fatal(err)
	}
	var node int
	if _, err := fmt.Sscanf(stream.CachedInfo().Cluster.Leader, "n%d", &node); err != nil {
		t.Fatal(err)
	}
	return node
}

// DESIGN.md: on a conflict or an unknown outcome read the tail from the stream
// leader; if the commit is there it is stored, else decide again. Writers that
// keep to it, two to a board, lose and double nothing while the leader goes and
// comes back.
func TestCluster_LeaderGoesWhileWritersAppend(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	open := func(node int) *Log { return openLog(t, Config{InProcess: c.servers[node], Shards: 1, Replicas: 3}) }
	leader := leaderOf(t, open(0), 0)
	survivors := []*Log{open((leader + 1) % 3), open((leader + 2) % 3)}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	boards := []string{newBoard(), newBoard(), newBoard()}
	var mu sync.Mutex
	stored := map[string]map[domain.Hash]bool{}
	unknown, after := 0, 0
	gone := make(chan struct{})
	var wg sync.WaitGroup
	for _, board := range boards {
		stored[board] = map[domain.Hash]bool{}
		for w, l := range survivors {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					data, hash := commitOf(t, board, domain.Hash{}, fmt.Sprint(w, i))
					doubts := appendByTheBook(ctx, t, l, board, data, hash, appendTimeout)
					mu.Lock()
					unknown += doubts
					if ctx.Err() == nil {
						stored[board][hash] = true
						select {
						case <-gone:
							after++
						default:
						}
					}
					mu.Unlock()
				}
			})
		}
	}
	has := func(n int, of *int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			if of != nil {
				return *of >= n
			}
			return len(stored[boards[0]]) >= n && len(stored[boards[1]]) >= n && len(stored[boards[2]]) >= n
		}
	}
	eventually(t, "records before", has(20, nil))
	start := time.Now()
	c.servers[leader].Shutdown()
	close(gone)
	eventually(t, "records after the leader went", has(30, &after))
	mu.Lock()
	t.Logf("writes went on %v after the leader's end; %d unknown outcomes", time.Since(start), unknown)
	mu.Unlock()
	again, err := natsd.Start(c.configs[leader])
	if err != nil {
		t.Fatal(err)
	}
	c.servers[leader] = again
	eventually(t, "records after the node came back", has(100, &after))
	cancel()
	wg.Wait()

	back := open(leader)
	for _, board := range boards {
		eachOnce(t, back, board, stored[board])
	}
}

// eachOnce says that the board's records are a chain and that each of these
// hashes is in it once.
func eachOnce(t testing.TB, l *Log, board string, stored map[domain.Hash]bool) {
	t.Helper()
	seen := map[domain.Hash]bool{}
	var prev uint64
	for r, err := range l.Read(t.Context(), board, 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Prev != prev || seen[r.Hash] {
			t.Fatalf("record %d follows %d, not %d; twice: %v", r.Seq, r.Prev, prev, seen[r.Hash])
		}
		prev, seen[r.Hash] = r.Seq, true
	}
	for hash := range stored {
		if !seen[hash] {
			t.Fatalf("lost: %v", hash)
		}
	}
}

// appendByTheBook appends until it is known to be stored, or ctx ends, and
// counts unknown outcomes. An answer is waited for so long.
func appendByTheBook(ctx context.Context, t testing.TB, l *Log, board string, data []byte, hash domain.Hash, patience time.Duration) (unknown int) {
	var last uint64
	doubt := true // where the board stands is not known
	for ctx.Err() == nil {
		if doubt {
			found := false
			ok := true
			for r, err := range l.Read(ctx, board, last+1, 0) {
				if err != nil {
					ok = false
					break
				}
				last, found = r.Seq, found || r.Hash == hash
			}
			if !ok {
				continue
			}
			if found {
				return unknown
			}
		}
		answered, cancel := context.WithTimeout(ctx, patience)
		seq, err := l.Append(answered, board, data, hash, last)
		cancel()
		switch {
		case err == nil && seq > 0:
			return unknown
		case errors.Is(err, ErrUnknown):
			unknown++
		case !errors.Is(err, ErrConflict):
			t.Errorf("append: %v", err)
		}
		doubt = true
	}
	return unknown
}

// What is announced on one node is heard on another.
func TestCluster_AnnouncementsCrossNodes(t *testing.T) {
	t.Parallel()
	nodes := sharedCluster.nodes(t)
	a := openLog(t, Config{InProcess: nodes[0], Shards: clusterShards, Replicas: 3})
	b := openLog(t, Config{InProcess: nodes[2], Shards: clusterShards, Replicas: 3})
	board := newBoard()
	got := make(chan uint64, 10_000)
	stop, err := a.Subscribe(board, func(n Announcement) { got <- n.Head })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	eventually(t, "heard", func() bool {
		if err := b.Announce(board, Announcement{Head: 5}); err != nil {
			t.Error(err)
		}
		return len(got) > 0
	})
}

// Every node reads what any node has just appended, though replicas lag.
func TestCluster_ReadYourNeighboursWrites(t *testing.T) {
	t.Parallel()
	var logs []*Log
	for _, node := range sharedCluster.nodes(t) {
		logs = append(logs, openLog(t, Config{InProcess: node, Shards: clusterShards, Replicas: 3}))
	}
	board := newBoard()
	var last uint64
	for i := range 300 {
		data, hash := commitOf(t, board, domain.Hash{}, fmt.Sprint(i))
		seq, err := logs[i%3].Append(t.Context(), board, data, hash, last)
		if err != nil {
			t.Fatal(err)
		}
		reader := logs[(i+1)%3]
		if head, err := reader.Head(t.Context(), board); head != seq || err != nil {
			t.Fatalf("head %d, %v; want %d", head, err, seq)
		}
		sameSeqs(t, "tail", seqsOf(t, reader.Read(t.Context(), board, last+1, 0)), []uint64{seq})
		last = seq
	}
}

// A request for commands that the consumer's leader takes with it when it goes
// is made again soon, and not when nothing has been heard for long.
func TestCluster_ConsumerLeaderGoes(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	open := func(node int) *Log { return openLog(t, Config{InProcess: c.servers[node], Shards: 1, Replicas: 3}) }
	first := open(0)
	w := startWorker(t, first, 0, true)
	board := newBoard()
	n := 0
	publish := func(l *Log) string {
		n++
		cmd := command(board, fmt.Sprint("c", n))
		if err := l.PublishCommand(cmd, time.Minute); err != nil {
			t.Error(err)
		}
		return cmd.ID
	}
	eventually(t, "delivered", func() bool { publish(first); return w.count() > 0 })
	consumer, err := first.js.Consumer(t.Context(), commandStream(0), consumerName)
	if err != nil {
		t.Fatal(err)
	}
	var leader int
	if _, err := fmt.Sscanf(consumer.CachedInfo().Cluster.Leader, "n%d", &leader); err != nil {
		t.Fatal(err)
	}
	if leader == 0 { // the worker must outlive it
		w.stop()
		w = startWorker(t, open(1), 0, true)
		first = w.log
		eventually(t, "delivered to the next", func() bool { publish(first); return w.count() > 0 })
	}
	start := time.Now()
	c.servers[leader].Shutdown()
	var ids []string
	eventually(t, "delivered after the leader went", func() bool {
		ids = append(ids, publish(first))
		for _, id := range ids {
			if w.has(id) {
				return true
			}
		}
		time.Sleep(20 * time.Millisecond)
		return false
	})
	t.Logf("delivered %v after the leader began to go", time.Since(start))
}
