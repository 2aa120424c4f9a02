package main

import (
	"context"
	"encoding/json"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// eye is a nats-server of our own among those of the nodes, without a log:
// through it the log is read, past everything that snapback does.
type eye struct {
	nc *nats.Conn

	mu    sync.Mutex
	beats map[string]beat // the last of each node
}

// beat is what a node says of itself, a few times a second.
type beat struct {
	Node  string
	Takes []int // shards it works on
	heard time.Time
}

func newEye(tb testing.TB, peers []string) *eye {
	tb.Helper()
	opts := &server.Options{ServerName: "eye", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true}
	opts.Cluster = server.ClusterOpts{Name: "snapback", Host: "127.0.0.1", Port: server.RANDOM_PORT, NoAdvertise: true}
	for _, peer := range peers {
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: peer})
	}
	s, err := server.NewServer(opts)
	if err != nil {
		tb.Fatal(err)
	}
	s.Start()
	tb.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		tb.Fatal("the eye does not open")
	}
	nc, err := nats.Connect(s.ClientURL(), nats.MaxReconnects(-1))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(nc.Close)
	e := &eye{nc: nc}
	e.listen(tb)
	return e
}

// leader is the name of the node that leads a stream now, "" if nobody says so.
func (e *eye) leader(stream string) string {
	js, err := jetstream.New(e.nc)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	s, err := js.Stream(ctx, stream)
	if err != nil || s.CachedInfo().Cluster == nil {
		return ""
	}
	return s.CachedInfo().Cluster.Leader
}

// listen hears what the nodes say of themselves.
func (e *eye) listen(tb testing.TB) {
	tb.Helper()
	e.beats = map[string]beat{}
	_, err := e.nc.Subscribe("node.beat", func(msg *nats.Msg) {
		b := beat{heard: time.Now()}
		if json.Unmarshal(msg.Data, &b) == nil {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.beats[b.Node] = b
		}
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// silent is for how long a node may be silent and count as there.
const silent = 1500 * time.Millisecond

// owned are the shards that a node says it works on, none if it is silent.
func (e *eye) owned(node string) map[int]bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	shards := map[int]bool{}
	if b := e.beats[node]; time.Since(b.heard) < silent {
		for _, shard := range b.Takes {
			shards[shard] = true
		}
	}
	return shards
}
