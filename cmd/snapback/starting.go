package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// earlyPatience is how long a client's request waits for a node that starts.
	earlyPatience = 2 * time.Second
	// waitingEvery is how often a node says what it waits for; lookEvery how often it looks.
	waitingEvery = 5 * time.Second
	lookEvery    = time.Second
)

// gate is what a listener serves from its first moment on: early while the node
// starts, then the handler it is opened with. A request waits for that for
// patience, or until the node is told to stop.
type gate struct {
	early    http.HandlerFunc
	patience time.Duration
	stopping <-chan struct{}

	opened  chan struct{}
	handler http.Handler // set before opened is closed
}

func newGate(ctx context.Context, patience time.Duration, early http.HandlerFunc) *gate {
	return &gate{early: early, patience: patience, stopping: ctx.Done(), opened: make(chan struct{})}
}

// open has everything that comes from now on, and what waits, served by h. Once only.
func (g *gate) open(h http.Handler) {
	g.handler = h
	close(g.opened)
}

func (g *gate) isOpen() bool {
	select {
	case <-g.opened:
		return true
	default:
		return false
	}
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.isOpen() && g.patience > 0 {
		timer := time.NewTimer(g.patience)
		defer timer.Stop()
		select {
		case <-g.opened:
		case <-timer.C:
		case <-g.stopping:
		case <-r.Context().Done():
		}
	}
	if g.isOpen() {
		g.handler.ServeHTTP(w, r)
		return
	}
	g.early(w, r)
}

// waiting is what a node that starts waits for, in words.
type waiting struct{ atomic.Pointer[string] }

func (s *waiting) say(words string) { s.Store(&words) }

func (s *waiting) String() string {
	if words := s.Load(); words != nil {
		return *words
	}
	return "the node is starting"
}

// public answers a client: this node is of no use to it yet, another may be.
func (s *waiting) public(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	writeEarly(w, http.StatusServiceUnavailable, "application/problem+json", map[string]any{
		"type": "about:blank", "title": http.StatusText(http.StatusServiceUnavailable), "status": http.StatusServiceUnavailable,
		"code": "unavailable", "retryable": true, "detail": s.String(), "details": map[string]any{"retryAfterMs": 1000},
	})
}

// admin answers an operator: the process lives and is not ready.
func (s *waiting) admin(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		writeEarly(w, http.StatusOK, "application/json", map[string]any{"status": "ok"})
	case "/readyz":
		writeEarly(w, http.StatusServiceUnavailable, "application/json", map[string]any{"ready": false, "starting": true, "log": s.String()})
	default:
		s.public(w, r)
	}
}

func writeEarly(w http.ResponseWriter, status int, kind string, answer map[string]any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // who asked may have gone
}

// tellWaiting keeps saying what an embedded node of a cluster waits for, until
// ctx ends: in the log every few seconds, to who asks /readyz at any time.
func (n *node) tellWaiting(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	said := time.Now()
	for {
		words := n.waitsFor()
		n.waiting.say(words)
		if time.Since(said) >= waitingEvery {
			said = time.Now()
			n.log.Info(words, "peers", strings.Join(n.ClusterPeers, ","))
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

// waitsFor says what keeps a node of a cluster from having opened the log.
func (n *node) waitsFor() string {
	heard := "nobody"
	if peers := n.nats.Peers(); len(peers) > 0 {
		heard = strings.Join(peers, ", ")
	}
	if !n.nats.Quorum() {
		return "waiting for the other nodes: no quorum; heard of " + heard
	}
	return "waiting for the log: its streams have no leader yet; heard of " + heard
}
