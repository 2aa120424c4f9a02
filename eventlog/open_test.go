package eventlog

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

func TestOpen_ShardsAreFixed(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := openLog(t, Config{InProcess: s, Shards: 3})
	_, err := Open(t.Context(), Config{InProcess: s, Shards: 5, Logger: quiet()})
	if !errors.Is(err, ErrShards) || !strings.Contains(err.Error(), "3") || !strings.Contains(err.Error(), "5") {
		t.Fatalf("other shards: %v", err)
	}
	same := openLog(t, Config{InProcess: s})
	if same.Shards() != 3 || same.Epoch() != l.Epoch() || len(l.Epoch()) != 26 {
		t.Fatalf("opened with %d shards of epoch %q, made with 3 of %q", same.Shards(), same.Epoch(), l.Epoch())
	}
}

func TestOpen_DefaultShards(t *testing.T) {
	t.Parallel()
	if l := openLog(t, Config{InProcess: startServer(t, t.TempDir())}); l.Shards() != 8 {
		t.Fatalf("%d shards", l.Shards())
	}
}

// Who only looks makes no log where there is none.
func TestOpen_Existing(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	for range 2 {
		if _, err := Open(t.Context(), Config{InProcess: s, Existing: true, Logger: quiet()}); !errors.Is(err, ErrNotFound) {
			t.Fatalf("where there is no log: %v", err)
		}
	}
	l := openLog(t, Config{InProcess: s, Shards: 3})
	if same := openLog(t, Config{InProcess: s, Existing: true}); same.Shards() != 3 || same.Epoch() != l.Epoch() {
		t.Fatalf("%d shards of epoch %s", same.Shards(), same.Epoch())
	}
	if err := l.js.DeleteStream(t.Context(), eventStream(2)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Config{InProcess: s, Existing: true, Logger: quiet()})
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "EVT_2") {
		t.Fatalf("a stream of records is made anew by who only looks: %v", err)
	}
}

// Many nodes that open a new log at once agree on shards and epoch.
func TestOpen_AtOnce(t *testing.T) {
	nodesOf := map[string]func(t *testing.T) []*natsd.Server{
		"R1": func(t *testing.T) []*natsd.Server { return []*natsd.Server{startServer(t, t.TempDir())} },
		"R3": func(t *testing.T) []*natsd.Server { return ownCluster(t).servers },
	}
	for name, nodes := range nodesOf {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers := nodes(t)
			var mu sync.Mutex
			epochs := map[string]int{}
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
					defer cancel()
					cfg := Config{InProcess: servers[i%len(servers)], Shards: 2, Replicas: min(3, len(servers)), Logger: quiet()}
					l, err := Open(ctx, cfg)
					if err != nil {
						t.Error(err)
						return
					}
					defer l.Close()
					mu.Lock()
					defer mu.Unlock()
					epochs[l.Epoch()]++
				})
			}
			wg.Wait()
			if len(epochs) != 1 {
				t.Fatalf("epochs %v", epochs)
			}
		})
	}
}

// DESIGN.md: limits retention, no age limit, DenyDelete, DenyPurge, DiscardNew.
func TestOpen_EventStreamsCannotBeCut(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		board := newBoard()
		seqs := fill(t, l, board, 2)
		stream, err := l.js.Stream(t.Context(), eventStream(l.Shard(board)))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Purge(t.Context()); err == nil {
			t.Error("purged")
		}
		if err := stream.DeleteMsg(t.Context(), seqs[0]); err == nil {
			t.Error("deleted")
		}
		cfg := stream.CachedInfo().Config
		if cfg.MaxAge != 0 || cfg.Discard != jetstream.DiscardNew || cfg.Retention != jetstream.LimitsPolicy || cfg.Replicas != l.cfg.Replicas {
			t.Errorf("config %+v", cfg)
		}
		sameSeqs(t, "records", seqsOf(t, l.Read(t.Context(), board, 0, 0)), seqs)
	})
}

func TestOpen_BadConfig(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{}, {URL: "nats://127.0.0.1:1", Shards: 1025}, {URL: "nats://127.0.0.1:1", Shards: -1}, {URL: "nats://127.0.0.1:1", Replicas: 2}} {
		if _, err := Open(t.Context(), cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, Config{URL: "nats://127.0.0.1:1", Logger: quiet()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody there: %v", err)
	}
}

// A stream of that name that is no log's is refused, not taken over.
func TestOpen_ForeignStream(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	l := openLog(t, Config{InProcess: s, Shards: 1})
	if err := l.js.DeleteStream(t.Context(), eventStream(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: eventStream(0), Subjects: []string{"evt.0.*"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{InProcess: s, Logger: quiet()}); err == nil {
		t.Fatal("taken over")
	}
}

func TestRestart_SameStoreDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir)
	if _, err := natsd.Start(natsd.Config{StoreDir: dir, Logger: quiet()}); !errors.Is(err, natsd.ErrStoreInUse) {
		t.Fatalf("a second server on the same directory: %v", err)
	}
	l := openLog(t, Config{InProcess: s, Shards: 2})
	board := newBoard()
	seqs := fill(t, l, board, 100)
	epoch := l.Epoch()
	l.Close()
	s.Shutdown()

	l = openLog(t, Config{InProcess: startServer(t, dir)})
	if l.Epoch() != epoch || l.Shards() != 2 {
		t.Fatalf("epoch %s, %d shards", l.Epoch(), l.Shards())
	}
	sameSeqs(t, "after a restart", seqsOf(t, l.Read(t.Context(), board, 0, 0)), seqs)
	data, hash := commitOf(t, board, domain.Hash{}, "next")
	if _, err := l.Append(t.Context(), board, data, hash, seqs[99]); err != nil {
		t.Fatal(err)
	}
}

// An external server: another process, killed (SIGKILL) and started again. What was
// acknowledged is there, and what was asked for while it was gone never comes.
func TestExternalServer_KilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	dir, listen := t.TempDir(), freePorts(t, 1)[0]
	url, kill := startProcess(t, dir, listen)
	l := openLog(t, Config{URL: url, Shards: 1})
	if sync := l.Info().Sync; sync != "unverified" {
		t.Errorf("sync %q", sync)
	}
	board := newBoard()
	seqs := fill(t, l, board, 50)
	heard := make(chan uint64, 1000)
	stop, err := l.Subscribe(board, func(a Announcement) { heard <- a.Head })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	w := startWorker(t, l, 0, true)
	send(t, l, board, "before")
	eventually(t, "delivered", func() bool { return w.has("before") })
	if err := l.Healthy(t.Context()); err != nil {
		t.Error(err)
	}

	kill()
	data, hash := commitOf(t, board, domain.Hash{}, "while gone")
	eventually(t, "appends are without an answer", func() bool {
		_, err := l.Append(t.Context(), board, data, hash, seqs[49])
		return errors.Is(err, ErrUnknown)
	})
	eventually(t, "commands fail", func() bool { return l.PublishCommand(command(board, "while gone"), time.Minute) != nil })
	if err := l.Healthy(t.Context()); err == nil {
		t.Error("healthy without a server")
	}

	startProcess(t, dir, listen)
	eventually(t, "healthy again", func() bool { return l.Healthy(t.Context()) == nil })
	sameSeqs(t, "after SIGKILL", seqsOf(t, l.Read(t.Context(), board, 0, 0)), seqs)
	n := 0
	eventually(t, "commands flow again", func() bool {
		if n++; n%50 == 1 {
			_ = l.PublishCommand(command(board, "after"), time.Minute)
		}
		return w.has("after")
	})
	if w.has("while gone") {
		t.Error("a command came late")
	}
	eventually(t, "announcements flow again", func() bool {
		_ = l.Announce(board, Announcement{Head: 7})
		return len(heard) > 0
	})
	sameSeqs(t, "nothing came late", seqsOf(t, l.Read(t.Context(), board, 0, 0)), seqs)
}

func TestInfo_SyncIsKnownOfTheEmbeddedServer(t *testing.T) {
	t.Parallel()
	l := single(t)
	info := l.Info()
	if info.Sync != "always" || !info.Embedded || info.Shards != 2 || info.MaxRecord != 4<<20 {
		t.Errorf("%+v", info)
	}
	if err := l.Healthy(t.Context()); err != nil {
		t.Error(err)
	}
	l.Close()
	l.Close()
	if err := l.Healthy(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("healthy after Close: %v", err)
	}
}

// A full disk, or a limit, is ErrFull, and nothing is stored.
func TestAppend_Full(t *testing.T) {
	t.Parallel()
	s, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), MaxStore: 3 << 20, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	l, other := openLog(t, Config{InProcess: s, Shards: 1}), openLog(t, Config{InProcess: s, Shards: 1})
	board := newBoard()
	var last uint64
	for i := range 10 {
		data, hash := sized(t, board, 1<<20-i) // no two alike: the server would take them for one
		seq, err := l.Append(t.Context(), board, data, hash, last)
		if err != nil {
			if !errors.Is(err, ErrFull) {
				t.Fatal(err)
			}
			if head, _ := l.Head(t.Context(), board); head != last || i == 0 {
				t.Fatalf("head %d after %d", head, last)
			}
			if !errors.Is(l.Full(board), ErrFull) || !errors.Is(l.Writes(), ErrFull) {
				t.Error("nobody is told")
			}
			eventually(t, "another node heard of it", func() bool { return errors.Is(other.Full(board), ErrFull) })
			return
		}
		last = seq
	}
	t.Fatal("never full")
}

func TestServer_StoreDirIsMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/a/b"
	startServer(t, dir).Shutdown()
	if _, err := os.Stat(dir); err != nil {
		t.Fatal(err)
	}
}
