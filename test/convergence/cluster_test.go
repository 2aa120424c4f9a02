package convergence

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/snapback-io/snapback/test/crowd"
	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/node"
)

// cluster is a world on three NATS servers that keep three copies.
type cluster struct {
	*world
	nodes []*node.NATS
	nc    *nats.Conn
}

// killLeader kills the server that leads the board's stream and starts it
// again when another one does.
func (c *cluster) killLeader(ctx context.Context) {
	leader := c.leader(ctx)
	for _, n := range c.nodes {
		if n.Name() != leader {
			continue
		}
		n.Kill()
		c.count("leaders killed", 1)
		wait, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		next := ""
		_ = crowd.Poll(wait, func() bool { next = c.leader(wait); return next != "" && next != leader })
		if next != "" && next != leader {
			c.count("leaders elected", 1)
		}
		n.Again()
	}
}

func (c *cluster) leader(ctx context.Context) string {
	js, err := c.nc.JetStream(nats.MaxWait(time.Second))
	if err != nil {
		return ""
	}
	info, err := js.StreamInfo("EVT_0")
	if err != nil || info.Cluster == nil {
		return ""
	}
	return info.Cluster.Leader
}

// TestConvergenceOnThreeCopies: nothing that was acked is lost, and no law is
// broken, when the leader of the board's stream is killed again and again.
func TestConvergenceOnThreeCopies(t *testing.T) {
	t.Parallel()
	seed := max(*oneSeed, 1)
	p := plan{seed: seed, external: true, clients: 4, activity: 20 * time.Second, uplink: time.Second, stall: time.Second}
	w := &world{t: t, plan: p, cast: (*world).usual, tap: &cutter.Recorder{}, pool: crowd.NewPool(), counts: map[string]int{}}
	dir := t.TempDir()
	c := &cluster{world: w, nodes: node.StartCluster(t, filepath.Join(dir, "nats"))}
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, n.URL())
	}
	var err error
	if c.nc, err = nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.nc.Close)
	for i := range 2 {
		w.servers = append(w.servers, node.Start(t, fmt.Sprintf("server%d", i), filepath.Join(dir, fmt.Sprint(i)),
			strings.Join(urls, ","), "--demo=false", "--shards=1", "--replicas=3", "--log-level=warn"))
	}
	w.move()
	w.run(func(ctx context.Context, r *rand.Rand) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(4 * time.Second): // of quiet, for something to be acked
			}
			w.count("cuts", w.proxies[r.IntN(len(w.proxies))].CutAll())
			c.killLeader(ctx)
		}
	})
	conns, rest := w.tap.Conns(), w.rest()
	for _, s := range w.servers {
		s.Stop()
	}
	w.hold(w.read(c.nc), conns, rest)
	t.Logf("%+v: %s", p, summary(w.counts))
	for _, what := range []string{"leaders killed", "leaders elected", "acked", "resumed", "client acked"} {
		if w.counts[what] == 0 && !t.Failed() {
			t.Errorf("no %q", what)
		}
	}
}
