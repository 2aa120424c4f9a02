// Package convergence lets many clients work on one board while everything
// between them and the disk misbehaves, and then holds every frame that was
// recorded on the way, and what every client shows in the end, against the
// log: each law of PROTOCOL.md, for every connection.
package convergence

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/nats-io/nats.go"

	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/crowd"
	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
	"github.com/snapback-io/snapback/test/node"
)

const (
	board      = "b"
	settleTime = 90 * time.Second
)

// world is one run: one or two servers, their log, and clients behind proxies
// of their own.
//
//	clients ── cutter.Proxy ── snapback (embedded log)
//
//	clients ── cutter.Proxy ─┬ snapback ── cutter.NATS ─┬ nats-server
//	clients ── cutter.Proxy ─┴ snapback ── cutter.NATS ─┘
type world struct {
	t       *testing.T
	plan    plan
	hosts   []host
	servers []*node.Server
	nats    *node.NATS // nil: embedded
	lines   []*cutter.NATS
	tap     *cutter.Recorder
	virtual bool // time is that of a bubble
	proxies []*cutter.Proxy
	actors  []actor
	pool    *crowd.Pool
	fates   *fates
	cast    func(w *world, e *entry) (actor, error)

	mu     sync.Mutex
	counts map[string]int
}

// host is a server as its clients see it.
type host struct {
	addr string
	dial func(ctx context.Context, network, addr string) (net.Conn, error) // straight to it
	// proxy makes a proxy to it and says how a client reaches that.
	proxy func(tap *cutter.Recorder) (p *cutter.Proxy, addr string, dial func(ctx context.Context, network, addr string) (net.Conn, error), err error)
}

func (h *host) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: h.dial, DisableKeepAlives: true}, Timeout: 20 * time.Second}
}

func tcpHost(addr string) host {
	dial := (&net.Dialer{}).DialContext
	return host{addr: addr, dial: dial, proxy: func(tap *cutter.Recorder) (*cutter.Proxy, string, func(context.Context, string, string) (net.Conn, error), error) {
		p, err := cutter.New(addr, tap)
		if err != nil {
			return nil, "", nil, err
		}
		return p, p.Addr(), dial, nil
	}}
}

// plan is what a seed decides.
type plan struct {
	seed     uint64
	external bool          // two nodes on a NATS server of their own
	clients  int           // 2 to 8
	activity time.Duration // of clients and faults
	uplink   time.Duration // the longest delay of an uplink
	stall    time.Duration // the longest stall of the log
}

func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 1))
	p := plan{seed: seed, external: seed%2 == 0, clients: 2 + r.IntN(7), activity: 5 * time.Second, uplink: 2 * time.Second, stall: 2 * time.Second}
	if seed%7 == 4 { // even and odd seeds alike
		p.activity, p.stall = 15*time.Second, 10*time.Second
	}
	if seed%10 == 3 {
		p.activity, p.uplink = 8*time.Second, 30*time.Second
	}
	return p
}

func (w *world) count(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what] += n
}

func newWorld(t *testing.T, p plan, cast func(w *world, e *entry) (actor, error)) *world {
	t.Helper()
	w := &world{t: t, plan: p, cast: cast, tap: &cutter.Recorder{}, pool: crowd.NewPool(), counts: map[string]int{}}
	dir := t.TempDir()
	args := []string{"--demo=false", "--shards=2", "--log-level=warn", "--origin=*"}
	if !p.external {
		w.servers = []*node.Server{node.Start(t, "server", dir, "", args...)}
	} else {
		w.fates = newFates(w, rand.New(rand.NewPCG(p.seed, 2)))
		w.nats = node.StartNATS(t, filepath.Join(dir, "nats"))
		for i := range 2 {
			line, err := cutter.NewNATS(w.nats.Addr, w.fates.of)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(line.Close)
			w.lines = append(w.lines, line)
			w.servers = append(w.servers, node.Start(t, fmt.Sprintf("server%d", i), filepath.Join(dir, fmt.Sprint(i)), line.URL(), args...))
		}
	}
	w.move()
	return w
}

// move lets the people in, when the servers run.
func (w *world) move() {
	w.t.Helper()
	for _, s := range w.servers {
		w.hosts = append(w.hosts, tcpHost(s.Addr))
	}
	w.furnish()
	w.people()
}

// furnish makes the board and what the pool begins with.
func (w *world) furnish() {
	w.t.Helper()
	w.must("/v1/boards", map[string]any{"id": board, "title": "Board"})
	for i, c := range crowd.Furniture() {
		w.must("/v1/boards/"+board+"/mutations", map[string]any{"type": "mutate", "clientMutationId": fmt.Sprint("furnish-", i), "entityId": c.EntityID, "patch": c.Patch, "ttlMs": 30_000})
	}
}

// must posts as the owner until it is done: an answer may be lost on the way.
func (w *world) must(path string, body any) {
	w.t.Helper()
	raw, _ := json.Marshal(body)
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	last := ""
	err := crowd.Poll(ctx, func() bool {
		resp, err := w.hosts[0].client().Post("http://"+w.hosts[0].addr+path+"?user=owner", "application/json", bytes.NewReader(raw))
		if err != nil {
			last = err.Error()
			return false
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		last = resp.Status + " " + string(text)
		return resp.StatusCode < 300
	})
	if err != nil {
		w.t.Fatalf("POST %s: %s", path, last)
	}
}

// entry is where a client comes in: a proxy of its own to one of the hosts.
type entry struct {
	i    int
	addr string
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	r    *rand.Rand
	gen  *crowd.Generator
}

func (e *entry) socket(user string) string {
	return "ws://" + e.addr + "/v1/boards/" + board + "/ws?user=" + user
}

// people lets the clients in.
func (w *world) people() {
	w.t.Helper()
	for i := range w.plan.clients {
		r := rand.New(rand.NewPCG(w.plan.seed, uint64(100+i)))
		p, addr, dial, err := w.hosts[i%len(w.hosts)].proxy(w.tap)
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(p.Close)
		w.proxies = append(w.proxies, p)
		a, err := w.cast(w, &entry{i, addr, dial, r, &crowd.Generator{R: r, Pool: w.pool}})
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(a.Close)
		w.actors = append(w.actors, a)
	}
}

// usual is a mix of clients that are in Go.
func (w *world) usual(e *entry) (actor, error) {
	name := fmt.Sprint("user", e.i)
	dialer := &websocket.Dialer{NetDialContext: e.dial, HandshakeTimeout: 10 * time.Second}
	switch {
	case e.i == 1 || e.i > 2 && e.r.IntN(4) == 0:
		return &rude{crowd.NewRaw(dialer, e.socket(name), e.r, e.gen), name}, nil
	case e.i == 2:
		return newPlain(name, e.socket(name), dialer, e.r, e.gen), nil
	case e.i == 3: // a second window of the first user
		name = "user0"
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	return crowd.NewKeen(ctx, name, "http://"+e.addr, board, client.WebSocket{NetDial: e.dial}, e.r, e.gen)
}

// run lets everybody work while things break, mends everything and waits until
// all is decided and seen.
func (w *world) run(faults func(context.Context, *rand.Rand)) {
	w.t.Helper()
	r := rand.New(rand.NewPCG(w.plan.seed, 3))
	ctx, cancel := context.WithTimeout(context.Background(), w.plan.activity)
	defer cancel()
	var all sync.WaitGroup
	for i, a := range w.actors {
		pace := rand.New(rand.NewPCG(w.plan.seed, uint64(200+i)))
		all.Go(func() {
			for ctx.Err() == nil {
				a.Act()
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(5+pace.IntN(80)) * time.Millisecond):
				}
			}
		})
	}
	faults(ctx, r)
	all.Wait()
	w.mend()
	w.settle()
}

func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleTime+w.plan.uplink)
	defer cancel()
	each := func(what string, fn func(a actor) error) {
		var all sync.WaitGroup
		for _, a := range w.actors {
			all.Go(func() {
				if err := fn(a); err != nil {
					w.t.Errorf("%s: %v", what, err)
				}
			})
		}
		all.Wait()
	}
	each("not settled", func(a actor) error { return a.Settle(ctx) })
	w.must("/v1/boards/"+board+"/mutations", map[string]any{"type": "mutate", "clientMutationId": "the-end", "entityId": "the-end", "patch": map[string]any{"kind": "label", "name": "end"}, "ttlMs": 30_000})
	each("does not see the end", func(a actor) error { return a.Sees(ctx, "the-end") })
	err := crowd.Poll(ctx, func() bool { return check.Unanswered(w.tap.Conns()) == 0 })
	if err != nil {
		w.t.Errorf("%d sendings on living connections without a verdict", check.Unanswered(w.tap.Conns()))
	}
}

// judge stops the servers and reads the log.
func (w *world) judge() {
	w.t.Helper()
	conns := w.tap.Conns()
	rest := w.rest()
	for _, s := range w.servers {
		s.Stop()
	}
	var nc *nats.Conn
	if w.nats == nil {
		nc = node.OpenLog(w.t, w.servers[0].Data)
	} else {
		var err error
		if nc, err = nats.Connect(w.nats.URL()); err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(nc.Close)
	}
	w.hold(w.read(nc), conns, rest)
}

func (w *world) read(nc *nats.Conn) []naive.Record {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	records, err := naive.Read(ctx, nc, board)
	if err != nil {
		w.t.Fatal(err)
	}
	return records
}

// hold holds everything against the log.
func (w *world) hold(records []naive.Record, conns []cutter.Conn, rest []restView) {
	w.t.Helper()
	j := check.NewJudge(records, conns)
	j.Virtual = w.virtual
	j.Laws()
	verifyAll(j, records)
	for _, a := range w.actors {
		a.Judge(j)
	}
	for _, view := range rest {
		for _, d := range naive.Differences(view.entities, naive.Fold(records, view.rev).View("owner")) {
			j.Fault("convergence", "REST at rev %d: %s", view.rev, d)
		}
	}
	w.count("records", len(records))
	w.count("voids", j.Log.Voids)
	w.count("revs", int(j.Log.Rev))
	w.count("decisions", len(j.Log.Order))
	for what, n := range j.Counts {
		w.count(what, n)
	}
	for _, f := range j.Faults {
		w.t.Error(f)
	}
}

type restView struct {
	rev      uint64
	entities map[string]naive.Object
}

// rest asks every node for the board over HTTP.
func (w *world) rest() []restView {
	w.t.Helper()
	var out []restView
	for _, h := range w.hosts {
		resp, err := h.client().Get("http://" + h.addr + "/v1/boards/" + board + "?user=owner")
		if err != nil {
			w.t.Error(err)
			continue
		}
		raw, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		o, err := naive.ToObject(raw)
		if err != nil || resp.StatusCode != http.StatusOK {
			w.t.Errorf("GET board: %s %.200s", resp.Status, raw)
			continue
		}
		view := restView{rev: check.RevOf(o), entities: map[string]naive.Object{}}
		list, _ := o["entities"].([]any)
		for _, e := range list {
			entity, _ := e.(naive.Object)
			view.entities[fmt.Sprint(entity["id"])] = entity
		}
		out = append(out, view)
	}
	return out
}

// summary is the counts in order of name.
func summary(counts map[string]int) string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%s %d, ", what, counts[what])
	}
	return strings.TrimSuffix(b.String(), ", ")
}
