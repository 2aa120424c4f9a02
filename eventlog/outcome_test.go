package eventlog

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/test/cutter"
)

// behindProxy is a log whose server is reached through a proxy that decides
// the fate of every message, and the same log reached directly.
func behindProxy(t *testing.T, fate func(way cutter.Way, subject, reply string) cutter.Fate) (l, direct *Log, p *cutter.NATS) {
	t.Helper()
	s, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Listen: "127.0.0.1:0", Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	if p, err = cutter.NewNATS(strings.TrimPrefix(s.URL(), "nats://"), fate); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return openLog(t, Config{URL: p.URL(), Shards: 1}), openLog(t, Config{InProcess: s, Shards: 1}), p
}

func pass(cutter.Way, string, string) cutter.Fate { return cutter.Pass }

func shortly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// An append that is lost on its way is unknown, and not stored.
func TestAppend_LostMessageIsUnknown(t *testing.T) {
	t.Parallel()
	var lose, lost atomic.Bool
	l, direct, _ := behindProxy(t, func(way cutter.Way, subject, _ string) cutter.Fate {
		if lose.Load() && way == cutter.Up && strings.HasPrefix(subject, "evt.") {
			lost.Store(true)
			return cutter.Lose
		}
		return cutter.Pass
	})
	board := newBoard()
	seqs := fill(t, l, board, 1)
	lose.Store(true)
	data, hash := commitOf(t, board, domain.Hash{}, "lost")
	if _, err := l.Append(shortly(t), board, data, hash, seqs[0]); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	eventually(t, "it has come to the proxy", lost.Load)
	lose.Store(false)
	if head, err := direct.Head(t.Context(), board); head != seqs[0] || err != nil {
		t.Fatalf("head %d, %v", head, err)
	}
	if _, err := l.Append(t.Context(), board, data, hash, seqs[0]); err != nil {
		t.Fatalf("the same message again: %v", err)
	}
}

// An append whose answer is lost is unknown, and stored: the tail says so, and
// the same message again is a conflict (R1).
func TestAppend_LostAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	var lose atomic.Pointer[string]
	l, direct, _ := behindProxy(t, func(way cutter.Way, subject, reply string) cutter.Fate {
		if way == cutter.Up && strings.HasPrefix(subject, "evt.") && lose.Load() != nil {
			lose.Store(&reply)
		}
		if inbox := lose.Load(); inbox != nil && way == cutter.Down && subject == *inbox {
			return cutter.Lose
		}
		return cutter.Pass
	})
	board := newBoard()
	seqs := fill(t, l, board, 1)
	lose.Store(new(string))
	data, hash := commitOf(t, board, domain.Hash{}, "stored")
	if _, err := l.Append(shortly(t), board, data, hash, seqs[0]); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	var head uint64
	eventually(t, "it is stored", func() bool {
		var err error
		if head, err = direct.Head(t.Context(), board); err != nil {
			t.Fatal(err)
		}
		return head != seqs[0]
	})
	lose.Store(nil)
	if r, err := l.Get(t.Context(), board, head); err != nil || r.Hash != hash || r.Prev != seqs[0] {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := l.Append(t.Context(), board, data, hash, seqs[0]); !errors.Is(err, ErrConflict) {
		t.Fatalf("the same message again: %v", err)
	}
}

// A message the network doubles is stored once and answered as stored.
func TestAppend_DoubledMessageIsStoredOnce(t *testing.T) {
	t.Parallel()
	l, direct, _ := behindProxy(t, func(way cutter.Way, subject, _ string) cutter.Fate {
		if way == cutter.Up && strings.HasPrefix(subject, "evt.") {
			return cutter.Double
		}
		return cutter.Pass
	})
	board := newBoard()
	seqs := fill(t, l, board, 20)
	sameSeqs(t, "records", seqsOf(t, direct.Read(t.Context(), board, 0, 0)), seqs)
}

// A connection that is cut tells the append at once, and nothing of what was
// asked for before or while it was gone is sent when it is back.
func TestAppend_CutConnectionIsUnknownAndNothingComesLate(t *testing.T) {
	t.Parallel()
	var dead atomic.Bool // what the proxy held is lost with the connection
	l, direct, p := behindProxy(t, func(_ cutter.Way, subject, _ string) cutter.Fate {
		if dead.Load() && strings.HasPrefix(subject, "evt.") {
			return cutter.Lose
		}
		return cutter.Pass
	})
	board := newBoard()
	seqs := fill(t, l, board, 1)
	w := startWorker(t, direct, 0, true)

	release := p.Hold()
	dead.Store(true)
	sent := l.write.Stats().OutMsgs
	outcome := make(chan error, 1)
	data, hash := commitOf(t, board, domain.Hash{}, "held")
	go func() {
		_, err := l.Append(t.Context(), board, data, hash, seqs[0])
		outcome <- err
	}()
	eventually(t, "the append is under way", func() bool { return l.write.Stats().OutMsgs > sent })
	start := time.Now()
	p.CutAll()
	if err := <-outcome; !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	if d := time.Since(start); d >= appendTimeout {
		t.Fatalf("took %v", d)
	}
	// While it is gone.
	eventually(t, "commands are refused", func() bool { return l.PublishCommand(command(board, "gone"), time.Minute) != nil })
	for range 5 {
		if _, err := l.Append(t.Context(), board, data, hash, seqs[0]); !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
	}
	release()
	eventually(t, "healthy again", func() bool { return l.Healthy(t.Context()) == nil })
	eventually(t, "commands are taken", func() bool { return l.PublishCommand(command(board, "back"), time.Minute) == nil })
	eventually(t, "commands arrive", func() bool { return w.has("back") })
	dead.Store(false)
	if w.has("gone") {
		t.Error("a command that was refused came late")
	}
	sameSeqs(t, "records", seqsOf(t, direct.Read(t.Context(), board, 0, 0)), seqs)
	if _, err := l.Append(t.Context(), board, data, hash, seqs[0]); err != nil {
		t.Fatalf("append on the new connection: %v", err)
	}
}

// A worker whose connection is cut and comes back takes its commands again.
func TestCommands_ConnectionComesBack(t *testing.T) {
	t.Parallel()
	l, direct, p := behindProxy(t, pass)
	w := startWorker(t, l, 0, true)
	board := newBoard()
	send(t, direct, board, "before")
	eventually(t, "delivered", func() bool { return w.has("before") })
	p.CutAll()
	send(t, direct, board, "meanwhile")
	eventually(t, "delivered after the cut", func() bool { return w.has("meanwhile") })
}

// A subscription outlives its connection.
func TestSubscribe_ConnectionComesBack(t *testing.T) {
	t.Parallel()
	l, direct, p := behindProxy(t, pass)
	board := newBoard()
	got := make(chan uint64, 100_000)
	stop, err := l.Subscribe(board, func(a Announcement) { got <- a.Head })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	p.CutAll()
	eventually(t, "heard again", func() bool {
		_ = direct.Announce(board, Announcement{Head: 3})
		return len(got) > 0
	})
}

// An external server's limit is read: with NATS' own megabyte a record may
// have all of it but the room for headers.
func TestMaxRecord_OfAnOrdinaryServer(t *testing.T) {
	t.Parallel()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(60 * time.Second) {
		t.Fatal("not ready")
	}
	l := openLog(t, Config{URL: ns.ClientURL(), Shards: 1})
	if want := 1<<20 - headerSpace; l.MaxRecord() != want {
		t.Fatalf("%d, want %d", l.MaxRecord(), want)
	}
	board := strings.Repeat("b", 64)
	data, hash := sized(t, board, l.MaxRecord())
	if _, err := l.Append(t.Context(), board, data, hash, 0); err != nil {
		t.Fatal(err)
	}
	cmd := command(board, "large")
	cmd.Name = strings.Repeat("n", 1<<20)
	if err := l.PublishCommand(cmd, time.Minute); !errors.Is(err, ErrTooLarge) {
		t.Fatal(err)
	}
}

// A reading goes on by the leader when the replica that answers has nothing new,
// or none answers.
func TestRead_GoesOnByTheLeader(t *testing.T) {
	t.Parallel()
	var lose atomic.Bool
	l, _, _ := behindProxy(t, func(way cutter.Way, subject, _ string) cutter.Fate {
		if lose.Load() && way == cutter.Up && strings.HasPrefix(subject, "$JS.API.DIRECT.GET.") {
			return cutter.Lose
		}
		return cutter.Pass
	})
	board := newBoard()
	seqs := fill(t, l, board, 5)
	lose.Store(true)
	sameSeqs(t, "from the first on", seqsOf(t, l.Read(t.Context(), board, 0, 0)), seqs)
	sameSeqs(t, "from the third to the fourth", seqsOf(t, l.Read(t.Context(), board, seqs[2], seqs[3])), seqs[2:4])
}
