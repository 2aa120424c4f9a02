package notary

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/test/node"
)

// freeAddrs gives loopback addresses that nobody takes by chance.
func freeAddrs(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for range n {
		addrs = append(addrs, node.FreeAddr(t))
	}
	return addrs
}

// clusterLogs are logs on the three nodes of a cluster, three copies of all.
func clusterLogs(t *testing.T) (logs []*eventlog.Log) {
	t.Helper()
	addrs := freeAddrs(t, 3)
	var routes []string
	for _, addr := range addrs {
		routes = append(routes, "nats://"+addr)
	}
	dir := t.TempDir()
	var servers []*natsd.Server
	for i, addr := range addrs {
		s, err := natsd.Start(natsd.Config{StoreDir: filepath.Join(dir, fmt.Sprint(i)), Logger: quiet,
			Cluster: &natsd.Cluster{Name: "test", Node: fmt.Sprint("n", i), Listen: addr, Routes: routes}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Shutdown)
		servers = append(servers, s)
	}
	for _, s := range servers {
		l, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: s, Shards: 1, Replicas: 3, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		logs = append(logs, l)
	}
	return logs
}

// Notaries on every node of a cluster sign one history while it is written,
// each checkpoint a continuation of the one before.
func TestNotary_OnACluster(t *testing.T) {
	t.Parallel()
	logs, signer := clusterLogs(t), newSigner(t)
	var notaries []*Notary
	for _, l := range logs {
		notaries = append(notaries, newNotary(t, Config{Log: l, Signer: signer}))
	}
	const records = 400
	written := make(chan struct{})
	var last uint64
	go func() {
		defer close(written)
		for range records / 20 {
			last = write(t, logs[0], "demo", 20, last)
		}
	}()
	var mu sync.Mutex
	bySize := map[int64]string{}
	var wg sync.WaitGroup
	for _, n := range notaries {
		wg.Go(func() {
			for going := true; going; {
				select {
				case <-written:
					going = false // once more, for what came last
				case <-time.After(5 * time.Millisecond):
				}
				c, err := n.Checkpoint(t.Context(), 0)
				if err != nil {
					if !strings.Contains(err.Error(), ErrNone.Error()) {
						t.Error(err)
					}
					continue
				}
				mu.Lock()
				if note, ok := bySize[c.Size]; ok && note != string(c.Note) {
					t.Errorf("two checkpoints of %d records", c.Size)
				}
				bySize[c.Size] = string(c.Note)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	c, err := notaries[2].Latest(t.Context(), 0)
	if err != nil || c.Size != records {
		t.Fatalf("%+v, %v", c, err)
	}
	for size, note := range bySize {
		older, err := proof.OpenCheckpoint([]byte(note), signer.Verifier())
		if err != nil || older.Size != size {
			t.Fatal(err)
		}
		checkProofs(t, notaries[1], logs[1], "demo", &older)
	}
	if len(bySize) < 3 {
		t.Errorf("%d checkpoints only", len(bySize))
	}
}
