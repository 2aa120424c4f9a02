package eventlog

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/snapback-io/snapback/test/cutter"
)

// TestCommands_AQueueThatDoesNotAnswerIsMadeAgain: its consumer is silent,
// whatever is asked, until the stream is deleted.
func TestCommands_AQueueThatDoesNotAnswerIsMadeAgain(t *testing.T) {
	t.Parallel()
	var deleted atomic.Int32
	var mute atomic.Bool
	_, direct, p := behindProxy(t, func(way cutter.Way, subject, _ string) cutter.Fate {
		if way == cutter.Up && subject == "$JS.API.STREAM.DELETE.CMD_0" {
			deleted.Add(1)
		}
		if mute.Load() && way == cutter.Up && (deleted.Load() == 0 && strings.HasPrefix(subject, "$JS.API.CONSUMER.") ||
			subject == "$JS.API.STREAM.CREATE.CMD_0") { // of three copies: direct makes one

			return cutter.Lose
		}
		return cutter.Pass
	})
	l := openLog(t, Config{URL: p.URL(), Shards: 1, Replicas: 3}) // as of a cluster
	l.stillFor = 3 * time.Second                                  // twice as long is more than a lost request is waited for
	mute.Store(true)
	w := startWorker(t, l, 0, true)
	eventually(t, "the queue is deleted", func() bool { return deleted.Load() > 0 })
	board, id := newBoard(), "after"
	eventually(t, "commands come again", func() bool {
		if _, err := direct.ensureStream(t.Context(), direct.commandConfig(0)); err != nil {
			t.Fatal(err)
		}
		_ = direct.PublishCommand(command(board, id), time.Hour)
		return w.has(id)
	})
	if n := deleted.Load(); n != 1 {
		t.Errorf("deleted %d times", n)
	}
}

// TestCommands_AQueueOfWhichNothingComesIsMadeAgain: its consumer answers, says
// that requests wait, and delivers nothing, as when the server that leads it
// does not get what is published. Two nodes ask for commands; one of them makes
// the queue again, once.
func TestCommands_AQueueOfWhichNothingComesIsMadeAgain(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	var logs []*Log
	var workers []*worker
	for _, s := range c.servers {
		l := openLog(t, Config{InProcess: s, Shards: 1, Replicas: 3})
		l.stillFor = 5 * time.Second
		logs = append(logs, l)
	}
	for _, l := range logs[:2] {
		workers = append(workers, startWorker(t, l, 0, false))
	}
	board := newBoard()
	comes := func(id string) func() bool {
		return func() bool {
			send(t, logs[2], board, id)
			return workers[0].has(id) || workers[1].has(id)
		}
	}
	eventually(t, "commands come", comes("before"))
	var first jetstream.StreamInfo
	eventually(t, "its consumer delivers nothing more", func() bool {
		stream, err := logs[2].js.Stream(t.Context(), commandStream(0))
		if err == nil {
			first = *stream.CachedInfo()
			cfg := logs[2].consumerConfig()
			cfg.MaxAckPending = 1 // which has come
			_, err = stream.UpdateConsumer(t.Context(), cfg)
		}
		return err == nil
	})
	eventually(t, "commands come again", comes("after"))
	stream, err := logs[2].js.Stream(t.Context(), commandStream(0))
	if err != nil {
		t.Fatal(err)
	}
	if again := stream.CachedInfo(); !again.Created.After(first.Created) || again.Config.Replicas != 3 {
		t.Errorf("the queue is of %v with %d copies; it was of %v", again.Created, again.Config.Replicas, first.Created)
	}
}

// TestCommands_AQuietQueueStays: nobody sends anything, and those who ask for
// commands see that it would come.
func TestCommands_AQuietQueueStays(t *testing.T) {
	t.Parallel()
	_, direct, p := behindProxy(t, pass)
	l := openLog(t, Config{URL: p.URL(), Shards: 1, Replicas: 3})
	l.stillFor = 200 * time.Millisecond
	probes := func() uint64 {
		info, err := direct.js.Stream(t.Context(), commandStream(0))
		if err != nil {
			t.Fatal(err)
		}
		return info.CachedInfo().State.LastSeq
	}
	a, b := startWorker(t, l, 0, true), startWorker(t, openLog(t, Config{URL: p.URL(), Shards: 1, Replicas: 3}), 0, true)
	eventually(t, "probes are put in", func() bool { return probes() > 10 })
	if n := a.count() + b.count(); n != 0 {
		t.Errorf("%d probes were taken for commands", n)
	}
	eventually(t, "probes are acknowledged", func() bool {
		consumer, err := direct.js.Consumer(t.Context(), commandStream(0), consumerName)
		return err == nil && consumer.CachedInfo().NumAckPending == 0
	})
	send(t, direct, newBoard(), "quiet")
	eventually(t, "a command comes", func() bool { return a.has("quiet") || b.has("quiet") })
}
