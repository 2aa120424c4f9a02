package eventlog

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/test/node"
)

// quiet keeps the servers' words out of the test's output, unless they are asked for.
func quiet() *slog.Logger {
	if os.Getenv("SNAPBACK_TEST_LOG") != "" {
		return slog.Default()
	}
	return slog.New(slog.DiscardHandler)
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(serverDirEnv); dir != "" {
		serveForParent(dir)
		return
	}
	code := m.Run()
	sharedCluster.stop()
	os.Exit(code)
}

// startServer starts a server of one node with sync always.
func startServer(t testing.TB, dir string) *natsd.Server {
	t.Helper()
	s, err := natsd.Start(natsd.Config{StoreDir: dir, SyncAlways: true, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func openLog(t testing.TB, cfg Config) *Log {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cfg.Logger = quiet()
	l, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// single is a log on a server of its own.
func single(t testing.TB) *Log {
	t.Helper()
	return openLog(t, Config{InProcess: startServer(t, t.TempDir()), Shards: 2})
}

// onBoth runs a test on a single server and on a cluster of three.
func onBoth(t *testing.T, test func(t *testing.T, l *Log)) {
	t.Run("R1", func(t *testing.T) {
		t.Parallel()
		test(t, single(t))
	})
	t.Run("R3", func(t *testing.T) {
		t.Parallel()
		nodes := sharedCluster.nodes(t)
		test(t, openLog(t, Config{InProcess: nodes[0], Shards: clusterShards, Replicas: 3}))
	})
}

// newBoard gives a board id of the shape that is hardest on a subject.
func newBoard() string { return "b:_-" + ulid.Make().String() }

// commitOf is a record without decisions, distinct by text.
func commitOf(t testing.TB, board string, prev domain.Hash, text string) ([]byte, domain.Hash) {
	t.Helper()
	c := domain.Commit{V: domain.CommitVersion, Board: board, Prev: prev, At: time.Now().UTC().Truncate(time.Second),
		Decisions: []domain.Decision{{Command: domain.Command{ID: text, Op: domain.OpMutate, User: "u"}}}}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data, hash
}

// fill appends n records to a board and gives their sequences.
func fill(t testing.TB, l *Log, board string, n int) (seqs []uint64) {
	t.Helper()
	var last uint64
	for i := range n {
		data, hash := commitOf(t, board, domain.Hash{}, fmt.Sprint(i))
		seq, err := l.Append(t.Context(), board, data, hash, last)
		if err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
		seqs, last = append(seqs, seq), seq
	}
	return seqs
}

// cluster is three servers in this process.
type cluster struct {
	mu      sync.Mutex
	dir     string
	servers []*natsd.Server
	configs []natsd.Config
}

// clusterShards is S of the shared cluster's log.
const clusterShards = 6

// sharedCluster is for the tests that do not harm it.
var sharedCluster cluster

func (c *cluster) nodes(t testing.TB) []*natsd.Server {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.servers != nil {
		return c.servers
	}
	dir, err := os.MkdirTemp("", "snapback-cluster")
	if err != nil {
		t.Fatal(err)
	}
	c.dir = dir
	addrs := freePorts(t, 3)
	var routes []string
	for _, addr := range addrs {
		routes = append(routes, "nats://"+addr)
	}
	for i, addr := range addrs {
		cfg := natsd.Config{StoreDir: filepath.Join(dir, fmt.Sprint(i)), SyncAlways: true, Logger: quiet(),
			Cluster: &natsd.Cluster{Name: "test", Node: fmt.Sprintf("n%d", i), Listen: addr, Routes: routes}}
		s, err := natsd.Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		c.servers, c.configs = append(c.servers, s), append(c.configs, cfg)
	}
	return c.servers
}

func (c *cluster) stop() {
	for _, s := range c.servers {
		s.Shutdown()
	}
	if c.dir != "" {
		os.RemoveAll(c.dir)
	}
}

// ownCluster is for a test that stops its nodes.
func ownCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{}
	c.nodes(t)
	t.Cleanup(c.stop)
	return c
}

// freePorts gives loopback addresses that nobody takes by chance.
func freePorts(t testing.TB, n int) (addrs []string) {
	t.Helper()
	for range n {
		addrs = append(addrs, node.FreeAddr(t))
	}
	return addrs
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.Now().Add(60 * time.Second)
	for !ok() {
		if time.Now().After(end) {
			t.Fatalf("not so after 60 s: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
