package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// line is a command as it stands in a message of its queue.
func line(t testing.TB, cmd *domain.Command, ttl time.Duration) string {
	t.Helper()
	data, err := appendCommand(nil, cmd, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Commands published at the same time go together, in order, each with its own
// time to live, and what is large does not go with others.
func TestPublishCommand_ManyGoTogether(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	board := newBoard()
	const n = 3000
	o := l.outboxes[0]
	o.mu.Lock() // nothing is sent meanwhile
	var all sync.WaitGroup
	all.Go(func() {
		for i := range n {
			cmd := command(board, fmt.Sprint(i))
			cmd.Deadline = time.Time{}
			cmd.Name = strings.Repeat("x", i)
			if err := l.PublishCommand(cmd, time.Duration(i+1)*time.Minute); err != nil {
				t.Error(err)
			}
		}
	})
	o.mu.Unlock()
	all.Wait()
	w := startWorker(t, l, 0, true)
	eventually(t, "all delivered", func() bool { return w.count() == n })
	for i, d := range w.got {
		left := time.Until(d.Command.Deadline)
		if d.Command.ID != fmt.Sprint(i) || len(d.Command.Name) != i || left > time.Duration(i+1)*time.Minute || left < time.Duration(i)*time.Minute {
			t.Fatalf("delivery %d is %s with %v left", i, d.Command.ID, left)
		}
	}
	stream, err := l.js.Stream(t.Context(), commandStream(0))
	if err != nil {
		t.Fatal(err)
	}
	if info := stream.CachedInfo(); info.State.Msgs > n/2 || info.State.Msgs < info.State.Bytes/(2*batchBytes) {
		t.Errorf("%d messages of %d bytes", info.State.Msgs, info.State.Bytes)
	}
}

// A message comes again as long as one of its commands is not done, without
// those that are; when all are done it is acknowledged.
func TestCommands_WhatIsNotDoneComesAgain(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := openLog(t, Config{InProcess: s, Shards: 1})
	w := startWorker(t, l, 0, false)
	var message string
	for _, id := range []string{"a", "b", "c"} {
		message += line(t, command("board", id), time.Minute)
	}
	if err := l.write.Publish(commandSubject(0), []byte(message)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all delivered", func() bool { return w.count() == 3 })
	w.got[0].Done()
	w.got[2].Done()
	w.got[2].Done()
	eventually(t, "delivered again", func() bool { return w.count() > 3 })
	if w.count() != 4 || w.got[3].Command.ID != "b" {
		t.Fatalf("%d delivered, then %s", w.count(), w.got[3].Command.ID)
	}
	w.got[1].Done()
	w.stop()
	next := startWorker(t, l, 0, true)
	send(t, l, "board", "last")
	eventually(t, "delivered", func() bool { return next.has("last") })
	if next.count() != 1 {
		t.Errorf("%d delivered again", next.count()-1)
	}
}

// A stream that is made again counts from 1 again: its messages are no others'.
func TestCommands_AnotherStreamsMessagesAreNew(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	w := startWorker(t, l, 0, false)
	publish := func(ids ...string) {
		t.Helper()
		var message string
		for _, id := range ids {
			message += line(t, command("board", id), time.Minute)
		}
		if err := l.write.Publish(commandSubject(0), []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	publish("a", "b")
	eventually(t, "delivered", func() bool { return w.count() == 2 })
	w.got[0].Done()
	if err := l.js.DeleteStream(t.Context(), commandStream(0)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stream is back", func() bool {
		_, err := l.js.Stream(context.Background(), commandStream(0))
		return err == nil
	})
	publish("c", "d", "e")
	eventually(t, "delivered", func() bool { return w.has("c") && w.has("d") && w.has("e") })
}

func TestPublishCommand_FailsWithoutAConnection(t *testing.T) {
	t.Parallel()
	l := openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 1})
	l.Close()
	if err := l.PublishCommand(command("board", "id"), time.Minute); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

// The largest command that can be decided fits into its queue, however many there are.
func TestCommands_TheLargestHasRoom(t *testing.T) {
	for _, shards := range []int{1, 8, 64, maxShards} {
		cfg := (&Log{shards: shards}).commandConfig(0)
		if cfg.MaxBytes < 2*maxRecord || shards <= 8 && cfg.MaxBytes*int64(shards) > commandBytes {
			t.Errorf("%d shards: %d bytes each", shards, cfg.MaxBytes)
		}
	}
}
