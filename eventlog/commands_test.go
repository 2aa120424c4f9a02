package eventlog

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// worker takes the commands of a shard in a goroutine of its own.
type worker struct {
	log  *Log
	stop func() // and wait

	mu  sync.Mutex
	got []Delivery
}

func startWorker(t testing.TB, l *Log, shard int, done bool) *worker {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &worker{log: l}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := l.Commands(ctx, shard, func(d Delivery) {
			w.mu.Lock()
			w.got = append(w.got, d)
			w.mu.Unlock()
			if done {
				d.Done()
			}
		}, nil)
		if err != nil && ctx.Err() == nil && err != ErrClosed {
			t.Errorf("commands: %v", err)
		}
	}()
	w.stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(w.stop)
	return w
}

func (w *worker) has(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.got {
		if d.Command.ID == id {
			return true
		}
	}
	return false
}

func (w *worker) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.got)
}

func command(board, id string) *domain.Command {
	return &domain.Command{ID: id, Board: board, Op: domain.OpCancel, User: "u", Deadline: time.Now().Add(time.Hour).UTC()}
}

func send(t testing.TB, l *Log, board, id string) {
	t.Helper()
	if err := l.PublishCommand(command(board, id), time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestCommands_InOrderToOne(t *testing.T) {
	onShard(t, func(t *testing.T, shard int, open func(node int) *Log) {
		a, b := open(0), open(1)
		board := newBoardOf(a, shard)
		first := startWorker(t, a, shard, true)
		second := startWorker(t, b, shard, true)
		const n = 1000
		for i := range n {
			send(t, b, board, fmt.Sprint(i))
		}
		eventually(t, "all delivered", func() bool { return first.count()+second.count() >= n })
		w := first
		if w.count() == 0 {
			w = second
		}
		if w.count() != n {
			t.Fatalf("%d and %d: not one active worker", first.count(), second.count())
		}
		for i, d := range w.got {
			if d.Command.ID != fmt.Sprint(i) || d.Command.Board != board {
				t.Fatalf("delivery %d is %s", i, d.Command.ID)
			}
		}
	})
}

// onShard runs a test on a single server and on the cluster, with a shard of
// its own: no other test's commands come by.
func onShard(t *testing.T, test func(t *testing.T, shard int, open func(node int) *Log)) {
	t.Run("R1", func(t *testing.T) {
		t.Parallel()
		s := startServer(t, t.TempDir())
		test(t, 0, func(int) *Log { return openLog(t, Config{InProcess: s, Shards: 1}) })
	})
	t.Run("R3", func(t *testing.T) {
		t.Parallel()
		nodes := sharedCluster.nodes(t)
		shard := takeShard(t)
		test(t, shard, func(node int) *Log {
			return openLog(t, Config{InProcess: nodes[node], Shards: clusterShards, Replicas: 3})
		})
	})
}

var shardsTaken atomic.Int32

// takeShard gives a test a shard of the shared cluster that no other test uses.
func takeShard(t *testing.T) int {
	t.Helper()
	shard := int(shardsTaken.Add(1)) - 1
	if shard >= clusterShards {
		t.Fatal("more tests than shards")
	}
	return shard
}

// DESIGN.md, Deadline: the stream's timestamp starts the time to live the gateway sent.
func TestCommands_DeadlineIsTheEarlierOfStampAndTTL(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	w := startWorker(t, l, 0, true)
	board := newBoard()
	stamp := time.Now().Add(2 * time.Minute).UTC().Truncate(time.Millisecond)
	ttls := map[string]time.Duration{"shorter": 119500 * time.Millisecond, "longer": 10 * time.Minute, "a clock is wrong": time.Minute}
	for id, ttl := range ttls {
		cmd := command(board, id)
		cmd.Deadline = stamp
		if err := l.PublishCommand(cmd, ttl); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all delivered", func() bool { return w.count() == len(ttls) })
	for _, d := range w.got {
		want := stamp
		if end := d.Queued.Add(ttls[d.Command.ID]); d.Command.ID == "shorter" && end.Before(stamp) {
			want = end
		}
		if !d.Command.Deadline.Equal(want) {
			t.Errorf("%s: %v, want %v", d.Command.ID, d.Command.Deadline, want)
		}
	}
}

// A planned stop gives up the pin and what is not done, at once.
func TestCommands_TakeoverOnPlannedStop(t *testing.T) {
	onShard(t, func(t *testing.T, shard int, open func(node int) *Log) {
		a, b := open(0), open(1)
		board := newBoardOf(a, shard)
		first := startWorker(t, a, shard, false)
		send(t, a, board, "undone")
		eventually(t, "delivered to the first", func() bool { return first.has("undone") })
		second := startWorker(t, b, shard, true)
		send(t, b, board, "also undone")
		eventually(t, "delivered to the first", func() bool { return first.has("also undone") })
		if second.count() != 0 {
			t.Fatal("two active workers")
		}
		start := time.Now()
		first.stop()
		send(t, b, board, "new")
		eventually(t, "all delivered to the second", func() bool {
			return second.has("undone") && second.has("also undone") && second.has("new")
		})
		d := time.Since(start)
		t.Logf("takeover after %v", d)
		if d > pinnedTTL*4/5 { // as if it had not been planned
			t.Errorf("takeover took %v", d)
		}
	})
}

// What is done is not delivered again.
func TestCommands_DoneIsForGood(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := openLog(t, Config{InProcess: s, Shards: 1})
	board := newBoard()
	first := startWorker(t, l, 0, true)
	for i := range 50 {
		send(t, l, board, fmt.Sprint(i))
	}
	eventually(t, "delivered", func() bool { return first.count() == 50 })
	first.stop()
	second := startWorker(t, l, 0, true)
	send(t, l, board, "last")
	eventually(t, "delivered", func() bool { return second.has("last") })
	if second.count() != 1 {
		t.Fatalf("%d delivered again", second.count()-1)
	}
}

// A worker that is cut off loses the shard after PinnedTTL, and what it had is
// delivered to the next.
func TestCommands_TakeoverOnAKilledConnection(t *testing.T) {
	onShard(t, func(t *testing.T, shard int, open func(node int) *Log) {
		a, b := open(0), open(1)
		board := newBoardOf(a, shard)
		first := startWorker(t, a, shard, false)
		send(t, a, board, "undone")
		eventually(t, "delivered to the first", func() bool { return first.has("undone") })
		second := startWorker(t, b, shard, true)
		start := time.Now()
		a.Close()
		send(t, b, board, "new")
		eventually(t, "new one delivered to the second", func() bool { return second.has("new") })
		t.Logf("takeover after %v", time.Since(start))
		eventually(t, "old one delivered to the second", func() bool { return second.has("undone") })
		t.Logf("undone delivered after %v", time.Since(start))
	})
}

// A missing CMD stream or consumer is made again on sight.
func TestCommands_MissingStreamIsMadeAgain(t *testing.T) {
	onShard(t, func(t *testing.T, shard int, open func(node int) *Log) {
		l := open(0)
		board := newBoardOf(l, shard)
		w := startWorker(t, l, shard, true)
		send(t, l, board, "before")
		eventually(t, "delivered", func() bool { return w.has("before") })
		if err := l.js.DeleteStream(t.Context(), commandStream(shard)); err != nil {
			t.Fatal(err)
		}
		n := 0
		eventually(t, "delivered through the new stream", func() bool {
			n++
			if n%20 == 1 { // its owner publishes again and again
				send(t, l, board, "after")
			}
			return w.has("after")
		})
		if err := l.js.DeleteConsumer(t.Context(), commandStream(shard), consumerName); err != nil {
			t.Fatal(err)
		}
		send(t, l, board, "again")
		eventually(t, "delivered through the new consumer", func() bool { return w.has("again") })
	})
}

func TestCommands_UnreadableIsDropped(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	w := startWorker(t, l, 0, true)
	if err := l.write.Publish(commandSubject(0), []byte("no command")); err != nil {
		t.Fatal(err)
	}
	send(t, l, "b", "good")
	eventually(t, "the good one is delivered", func() bool { return w.has("good") })
}
