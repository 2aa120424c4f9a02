package crowd

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/test/check"
)

// Raw is a client without a store: it sends what no decent client would, again
// and again, and only keeps track of what it still has no verdict of.
type Raw struct {
	url  string // of the board's socket, with the user
	dial *websocket.Dialer
	r    *mathrand.Rand
	gen  *Generator
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	ws      *websocket.Conn
	epoch   string
	rev     uint64
	live    bool
	resume  bool
	undone  map[string][]byte // frames without a final verdict, by id
	order   []string          // their ids as sent
	cancels map[string]bool   // ids asked about, without an answer
	past    [][]byte          // frames decided long ago
	refused map[string]bool   // ids refused for now
}

func NewRaw(dial *websocket.Dialer, url string, r *mathrand.Rand, gen *Generator) *Raw {
	ctx, stop := context.WithCancel(context.Background())
	c := &Raw{url: url, dial: dial, r: r, gen: gen, stop: stop, done: make(chan struct{}), undone: map[string][]byte{}, cancels: map[string]bool{}, refused: map[string]bool{}}
	go c.run(ctx)
	return c
}

func (c *Raw) Close() {
	c.stop()
	c.mu.Lock()
	if c.ws != nil {
		c.ws.Close()
	}
	c.mu.Unlock()
	<-c.done
}

func (c *Raw) run(ctx context.Context) {
	defer close(c.done)
	for ctx.Err() == nil {
		c.mu.Lock()
		url := c.url
		if c.resume {
			url += fmt.Sprintf("&since=%d&epoch=%s", c.rev, c.epoch)
		}
		c.mu.Unlock()
		dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
		ws, _, err := c.dial.DialContext(dialing, url, nil)
		cancel()
		if err == nil {
			c.mu.Lock()
			c.ws, c.live = ws, false
			c.mu.Unlock()
			c.read(ws)
			ws.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (c *Raw) read(ws *websocket.Conn) {
	joining := true
	for {
		_, data, err := ws.ReadMessage()
		c.mu.Lock()
		if err != nil {
			c.ws, c.live = nil, false
			c.mu.Unlock()
			return
		}
		var f check.Frame
		json.Unmarshal(data, &f)
		switch f.Type {
		case "hello":
			c.epoch = f.Epoch
			if !f.Resumed {
				c.resume = false
			}
		case "lag":
			joining = true
		case "ready":
			joining = false
			c.rev, c.resume = f.Rev, true
			if !c.live {
				c.live = true
				c.resend()
			}
		case "sync":
			if !joining {
				c.rev = f.Rev
			}
		case "ack", "nack":
			c.verdict(&f)
		}
		c.mu.Unlock()
	}
}

func (c *Raw) verdict(f *check.Frame) {
	if f.Retryable {
		c.refused[f.ID] = true
		return
	}
	delete(c.cancels, f.ID)
	if frame, ok := c.undone[f.ID]; ok && f.Code != "id_reused" {
		delete(c.undone, f.ID)
		c.past = append(c.past, frame)
	}
}

// resend sends again, in the order first sent, what has no verdict.
func (c *Raw) resend() {
	kept := c.order[:0]
	for _, id := range c.order {
		if frame, ok := c.undone[id]; ok {
			kept = append(kept, id)
			c.write(frame)
		}
	}
	c.order = kept
	clear(c.refused)
	for id := range c.cancels {
		c.write([]byte(fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, id)))
	}
}

// retry sends again, in order, some of what was refused for now.
func (c *Raw) retry() {
	n := 0
	for _, id := range c.order {
		if frame, ok := c.undone[id]; ok && c.refused[id] && n < 100 {
			n++
			delete(c.refused, id)
			c.write(frame)
		}
	}
}

func (c *Raw) write(frame []byte) {
	if c.ws != nil {
		c.ws.SetWriteDeadline(time.Now().Add(2 * time.Second))
		c.ws.WriteMessage(websocket.TextMessage, frame)
	}
}

func (c *Raw) id() string {
	switch c.r.IntN(4) {
	case 0:
		var b [16]byte
		rand.Read(b[:])
		return fmt.Sprintf("%x-%x", b[:8], b[8:])
	case 1:
		return ulid.MustNew(ulid.Timestamp(time.Now().Add(20*time.Second)), rand.Reader).String()
	}
	return ulid.MustNew(ulid.Now(), rand.Reader).String()
}

// mutate makes and sends a mutate frame.
func (c *Raw) mutate(id string, changes []Change) {
	f := map[string]any{"type": "mutate", "clientMutationId": id, "changes": changes}
	if len(changes) == 1 && c.r.IntN(2) == 0 {
		f = map[string]any{"type": "mutate", "clientMutationId": id, "entityId": changes[0].EntityID, "patch": changes[0].Patch}
		if changes[0].If != nil {
			f["if"] = changes[0].If
		}
		if changes[0].IfRev != nil {
			f["ifRev"] = changes[0].IfRev
		}
	}
	switch c.r.IntN(6) {
	case 0:
		f["ttlMs"] = 1000 + c.r.IntN(3000)
	case 1, 2:
		f["expiresAt"] = time.Now().Add(time.Duration(c.r.IntN(8000)-500) * time.Millisecond).UTC().Format(time.RFC3339Nano)
	}
	frame, _ := json.Marshal(f)
	c.undone[id] = frame
	c.order = append(c.order, id)
	c.write(frame)
}

func (c *Raw) cancel(id string) {
	c.cancels[id] = true
	c.write([]byte(fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, id)))
}

// Act does one random thing.
func (c *Raw) Act() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ws == nil || len(c.undone) > 400 {
		return
	}
	if len(c.refused) > 0 && c.r.IntN(3) == 0 {
		c.retry()
	}
	switch c.r.IntN(24) {
	case 0: // the same again at once
		id := c.id()
		c.mutate(id, c.gen.Next()[0])
		c.write(c.undone[id])
	case 1: // long ago decided
		if len(c.past) > 0 {
			c.write(c.past[c.r.IntN(len(c.past))])
		}
	case 2: // another content under an id that is taken
		if len(c.past) > 0 {
			var f check.Frame
			json.Unmarshal(c.past[c.r.IntN(len(c.past))], &f)
			c.write([]byte(fmt.Sprintf(`{"type":"mutate","clientMutationId":%q,"entityId":"c0","patch":{"title":"other %d"}}`, f.ID, c.r.IntN(1000))))
		}
	case 3: // withdrawn at once, or too late
		id := c.id()
		c.mutate(id, c.gen.Next()[0])
		c.cancel(id)
	case 4: // withdrawn before it comes
		id := c.id()
		c.cancel(id)
		c.mutate(id, c.gen.Next()[0])
	case 5:
		if len(c.past) > 0 {
			var f check.Frame
			json.Unmarshal(c.past[c.r.IntN(len(c.past))], &f)
			c.cancel(f.ID)
		}
	case 6:
		if c.r.IntN(8) == 0 {
			c.write([]byte([]string{`{"type":`, `[1,2]`, `{"no":"type"}`}[c.r.IntN(3)]))
		}
	case 7:
		if c.r.IntN(25) == 0 { // more than may be in flight
			for range 300 {
				c.mutate(c.id(), []Change{{EntityID: "c0", Patch: map[string]any{"color": "red"}}})
			}
		}
	case 8:
		c.write([]byte(`{"type":"ping"}`))
		c.write([]byte(`{"type":"presence","data":{"at":` + fmt.Sprint(c.r.IntN(9)) + `}}`))
	case 9:
		if c.r.IntN(4) == 0 {
			c.ws.Close()
		}
	default:
		for _, m := range c.gen.Next() {
			c.mutate(c.id(), m)
		}
	}
}

// Settle sends what is undecided again until everything has a verdict.
func (c *Raw) Settle(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		c.mu.Lock()
		left := len(c.undone) + len(c.cancels)
		var some []string
		for id := range c.undone {
			some = append(some, id)
		}
		if left > 0 && n%30 == 29 {
			c.resend()
		}
		live := c.live
		c.mu.Unlock()
		if left == 0 && live {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d mutations and cancels without a verdict, live %v: %.200s", left, live, strings.Join(some, " "))
		case <-tick.C:
		}
	}
}
