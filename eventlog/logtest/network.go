package logtest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// Network carries beats between nodes in memory, some of them late or never,
// and none between nodes that are cut off from each other. Safe for concurrent use.
type Network struct {
	mu    sync.Mutex
	rng   *rand.Rand
	lose  float64       // chance for each beat and listener
	delay time.Duration // of a beat, up to
	ears  map[string]*ear
	cut   map[[2]string]bool // from, to
	thaw  map[string]time.Time
	dead  map[string]bool
}

type ear struct {
	mailbox[func()]
	heard func([]byte)
	lost  func(string)
}

// NewNetwork makes a Network without nodes.
func NewNetwork(seed uint64, lose float64, delay time.Duration) *Network {
	return &Network{rng: rand.New(rand.NewPCG(seed, 5)), lose: lose, delay: delay, ears: map[string]*ear{}, cut: map[[2]string]bool{}, thaw: map[string]time.Time{}, dead: map[string]bool{}}
}

// Cut has nothing that from sends arrive at to, or lets it again.
func (n *Network) Cut(from, to string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut[[2]string{from, to}] = cut
}

// Isolate cuts a node off in both directions, or joins it again.
func (n *Network) Isolate(node string, cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for other := range n.ears {
		n.cut[[2]string{node, other}], n.cut[[2]string{other, node}] = cut, cut
	}
}

// Kill has a node neither say nor hear anything any more, for good.
func (n *Network) Kill(node string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead[node] = true
	delete(n.ears, node)
}

// Freeze has a node's calls take until d has passed, and what comes for it wait.
func (n *Network) Freeze(node string, d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.thaw[node] = time.Now().Add(d)
}

// Thawed waits until a node is not frozen.
func (n *Network) Thawed(node string) {
	n.mu.Lock()
	until := n.thaw[node]
	n.mu.Unlock()
	time.Sleep(time.Until(until))
}

// Bus is a node's place in the network.
func (n *Network) Bus(node string) eventlog.Bus { return nodeBus{n, node} }

type nodeBus struct {
	*Network
	node string
}

func (b nodeBus) Beat(data []byte) error {
	b.Thawed(b.node)
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, e := range b.ears {
		if name == b.node || b.dead[b.node] || b.cut[[2]string{b.node, name}] || b.lose > 0 && b.rng.Float64() < b.lose {
			continue
		}
		b.send(e, func() { e.heard(data) })
	}
	return nil
}

func (b nodeBus) send(e *ear, what func()) {
	var d time.Duration
	if b.delay > 0 {
		d = time.Duration(b.rng.Int64N(int64(b.delay)))
	}
	after(d, func() { e.put(what) })
}

// Probe finds nobody who is cut off in both directions.
func (b nodeBus) Probe(node string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.ears[b.node]
	if b.ears[node] == nil || b.cut[[2]string{b.node, node}] && b.cut[[2]string{node, b.node}] {
		if e != nil {
			b.send(e, func() { e.lost(node) })
		}
	}
	return nil
}

func (b nodeBus) Listen(node string, heard func([]byte), lost func(string)) (stop func(), err error) {
	e := &ear{heard: heard, lost: lost}
	e.init()
	ctx, cancel := context.WithCancel(context.Background())
	b.mu.Lock()
	b.ears[node] = e
	b.mu.Unlock()
	go func() {
		for {
			call, ok := e.take(ctx)
			if !ok {
				return
			}
			b.Thawed(b.node)
			b.mu.Lock()
			dead := b.dead[b.node]
			b.mu.Unlock()
			if !dead {
				call()
			}
		}
	}()
	return func() {
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.ears[node] == e {
			delete(b.ears, node)
		}
	}, nil
}
