package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/crowd"
	"github.com/snapback-io/snapback/test/node"
)

// person is a client at work.
type person interface {
	Act()
	Settle(ctx context.Context) error
	Close()
}

// notary records HTTP requests.
type notary struct {
	ctx context.Context // of the run

	mu   sync.Mutex
	list []check.Request
}

func (n *notary) requests() []check.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]check.Request(nil), n.list...)
}

var plainHTTP = &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}

// ask sends one request about a board to a node, and records it.
func (n *notary) ask(s *node.Server, r check.Request) check.Request {
	url := "http://" + s.Addr + "/v1/boards" + slash(r.Board)
	if path, query, ok := strings.Cut(r.Path, "?"); ok {
		url += slash(path) + "?" + query + "&user=" + r.User
	} else {
		url += slash(path) + "?user=" + r.User
	}
	r.Node = s.Name()
	req, err := http.NewRequestWithContext(n.ctx, r.Method, url, strings.NewReader(r.Body))
	if err != nil {
		panic(err) // our own words
	}
	r.Sent = time.Now()
	if resp, err := plainHTTP.Do(req); err == nil {
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			r.Done, r.Status, r.Answer = time.Now(), resp.StatusCode, string(text)
		}
	}
	if r.Quiet && (r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable) {
		return r // the caller asks again
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, r)
	return r
}

func slash(path string) string {
	if path == "" {
		return ""
	}
	return "/" + path
}

// caller is a person without a socket, who posts mutations to any node, often
// the same one to two, and looks at the board elsewhere when he is told a rev.
type caller struct {
	w     *world
	user  string
	board string
	r     *rand.Rand
	gen   *crowd.Generator
	open  sync.WaitGroup
	slots chan struct{} // how many requests may be under way

	mu     sync.Mutex
	undone map[string]string // bodies without a verdict, by id
}

const slots = 4

func newCaller(w *world, user, board string, r *rand.Rand, gen *crowd.Generator) *caller {
	return &caller{w: w, user: user, board: board, r: r, gen: gen, slots: make(chan struct{}, slots), undone: map[string]string{}}
}

func (c *caller) Act() {
	id, body := c.next()
	first, second := c.r.IntN(len(c.w.gates)), -1
	if c.r.IntN(3) == 0 {
		second = (first + 1) % len(c.w.gates)
	}
	select {
	case c.slots <- struct{}{}:
	default:
		return // all wait
	}
	c.mu.Lock()
	c.undone[id] = body
	c.mu.Unlock()
	c.open.Go(func() {
		defer func() { <-c.slots }()
		var both sync.WaitGroup
		if second >= 0 {
			c.w.count("same mutation to two nodes", 1)
			both.Go(func() { c.post(id, body, c.w.gates[second]) })
		}
		rev := c.post(id, body, c.w.gates[first])
		both.Wait()
		if rev > 0 {
			other := c.w.gates[(first+1)%len(c.w.gates)]
			c.w.notary.ask(other, check.Request{User: c.user, Board: c.board, Method: http.MethodGet, Path: fmt.Sprint("?minRev=", rev)})
		}
	})
}

// next is a new mutation, or one whose verdict is not known.
func (c *caller) next() (id, body string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.undone) > 0 && c.r.IntN(3) == 0 {
		for id, body := range c.undone {
			return id, body
		}
	}
	id = ulid.Make().String()
	raw, _ := json.Marshal(map[string]any{"type": "mutate", "clientMutationId": id, "changes": c.gen.Next()[0], "ttlMs": 1000 + c.r.IntN(3000)})
	return id, string(raw)
}

// post gives the rev of an ack, 0 for anything else.
func (c *caller) post(id, body string, n *node.Server) uint64 {
	r := c.w.notary.ask(n, check.Request{User: c.user, Board: c.board, Method: http.MethodPost, Path: "mutations", Body: body})
	var answer struct {
		Rev  uint64
		Code string
	}
	if r.Status == 0 || json.Unmarshal([]byte(r.Answer), &answer) != nil {
		return 0
	}
	if r.Status == http.StatusOK || answer.Code != "undecided" && r.Status < 500 && r.Status != http.StatusTooManyRequests {
		c.mu.Lock()
		delete(c.undone, id)
		c.mu.Unlock()
	}
	return answer.Rev
}

// Settle posts what is undecided again until it is decided.
func (c *caller) Settle(ctx context.Context) error {
	c.open.Wait()
	left := map[string]string{}
	err := crowd.Poll(ctx, func() bool {
		c.mu.Lock()
		clear(left)
		for id, body := range c.undone {
			left[id] = body
		}
		c.mu.Unlock()
		for id, body := range left {
			c.post(id, body, c.w.gates[0])
		}
		return len(left) == 0
	})
	if err != nil {
		return fmt.Errorf("%s: %d posts without a verdict: %w", c.user, len(left), err)
	}
	return nil
}

func (c *caller) Close() { c.open.Wait() }

// invite lets the people in: on every board users of the Go client and raw
// sockets in turn, each behind a proxy of his own, and one who calls.
func (w *world) invite() {
	w.tb.Helper()
	for i := range w.plan.clients {
		board, name := w.boards[i%len(w.boards)], fmt.Sprint("user", i)
		r := rand.New(rand.NewPCG(w.plan.seed, uint64(100+i)))
		gen := &crowd.Generator{R: r, Pool: w.pools[board]}
		door := w.newDoor(w.gates[i%len(w.gates)].Addr)
		if (i/len(w.boards))%2 == 1 {
			dialer := &websocket.Dialer{HandshakeTimeout: 5 * time.Second}
			w.admit(crowd.NewRaw(dialer, "ws://"+door.Addr()+"/v1/boards/"+board+"/ws?user="+name, r, gen))
			continue
		}
		ctx, cancel := context.WithTimeout(w.tb.Context(), settleTime)
		keen, err := crowd.NewKeen(ctx, name, "http://"+door.Addr(), board, client.WebSocket{}, r, gen)
		cancel()
		if err != nil {
			w.tb.Fatal(err)
		}
		w.keens = append(w.keens, keen)
		w.admit(keen)
	}
	for i, board := range w.boards {
		r := rand.New(rand.NewPCG(w.plan.seed, uint64(1000+i)))
		w.admit(newCaller(w, fmt.Sprint("caller", i), board, r, &crowd.Generator{R: r, Pool: w.pools[board]}))
	}
}

func (w *world) admit(p person) {
	w.people = append(w.people, p)
	w.tb.Cleanup(p.Close)
}
