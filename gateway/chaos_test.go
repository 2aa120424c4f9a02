package gateway

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

var chaosSeeds = flag.Int("chaos", 30, "schedules of TestChaos")

// TestChaos: clients send, repeat, cancel and leave while commands, news and
// answers are lost, late and doubled. Whatever comes of it, every sending on a
// living connection has its verdicts, all alike; every ack is in the log once,
// in time, and no nack; syncs and acks keep laws 1 and 2 (socket.next); and in
// the end each client holds what the log says.
func TestChaos(t *testing.T) {
	did := map[string]int{}
	for seed := range *chaosSeeds {
		synctest.Test(t, func(t *testing.T) { chaos(t, uint64(seed), did) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Log(did)
	for _, what := range []string{"ack", "nack", "expired", "withdrawn", "lag", "resumed", "republished"} {
		if did[what] == 0 {
			t.Errorf("no %s in %d schedules", what, *chaosSeeds)
		}
	}
}

// chaotic is one client of TestChaos.
type chaotic struct {
	w       *world
	rng     *rand.Rand
	user    string
	s       *socket
	held    map[string]string // entity -> JSON, as the frames say
	sent    map[string]string // id -> frame
	due     map[string]int    // verdict frames still to come on this connection,
	spare   map[string]bool   // and whether there may be one more
	verdict map[string]frame
	asked   map[string]bool // ids of cancels
	did     map[string]int
}

func chaos(t *testing.T, seed uint64, did map[string]int) {
	rng := rand.New(rand.NewPCG(seed, 2))
	t.Cleanup(func() { time.Sleep(time.Minute) }) // what the log still does
	w := newWorld(t, options{cfg: Config{QueueBytes: 1 << 10}})
	w.demo()
	w.fake.SetFaults(logtest.Faults{
		Latency:  time.Duration(rng.IntN(30)) * time.Millisecond,
		LoseNews: rng.Float64() / 3, RepeatNews: rng.Float64() / 3, NewsDelay: time.Duration(rng.IntN(200)) * time.Millisecond,
		LoseCommand: rng.Float64() / 2, RepeatCommand: rng.Float64() / 3, CommandDelay: time.Duration(rng.IntN(300)) * time.Millisecond,
		FailRead: rng.Float64() / 4, LoseAnswer: rng.Float64() / 10, Stall: rng.Float64() / 10, StallFor: 8 * time.Second,
	})
	var clients []*chaotic
	for i := range 2 + rng.IntN(3) {
		c := &chaotic{w: w, rng: rng, user: []string{"ada", "bob"}[i%2], held: map[string]string{}, sent: map[string]string{}, verdict: map[string]frame{}, asked: map[string]bool{}, did: did}
		c.connect(false)
		clients = append(clients, c)
	}
	for range 60 {
		clients[rng.IntN(len(clients))].act()
		if rng.IntN(4) == 0 {
			time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
		}
	}
	w.fake.SetFaults(logtest.Faults{})
	for _, c := range clients {
		c.settle()
	}
	w.do(put("c3", "", "title", "the last word"))
	for _, c := range clients {
		c.s.send(`{"type":"ping"}`) // answered at once, also in a lag
		for ponged := false; !ponged || !strings.Contains(c.held["c3"], "the last word"); {
			ponged = c.take().Type == "pong" || ponged
		}
	}
	checkChaos(t, w, clients)
	did["republished"] += int(w.hubs.counters().Republished)
}

func (c *chaotic) connect(resume bool) {
	if c.s != nil {
		c.s.ws.Close()
	}
	if resume && c.s.epoch != "" && c.s.rev > 0 {
		c.s = c.w.connect(c.user, fmt.Sprintf("since=%d&epoch=%s", c.s.rev, c.s.epoch))
	} else {
		c.s = c.w.connect(c.user)
	}
	c.due, c.spare = map[string]int{}, map[string]bool{}
	for {
		f := c.take()
		if f.Type == "hello" && f.Resumed {
			c.did["resumed"]++
		} else if f.Type == "hello" {
			c.held = map[string]string{}
		}
		if f.Type == "ready" {
			return
		}
	}
}

// take reads a frame and remembers what it says.
func (c *chaotic) take() frame {
	f := c.s.next()
	c.did[f.Type]++
	switch f.Type {
	case "":
		c.w.t.Fatalf("%s", f)
	case "sync":
		raw, _ := json.Marshal(f.Entity)
		c.held[f.Entity["id"].(string)] = string(raw)
		if f.Entity["deleted"] == true {
			delete(c.held, f.Entity["id"].(string))
		}
	case "ack", "nack":
		c.did[f.Code]++
		if f.Retryable {
			c.w.t.Fatalf("%s", f)
		}
		if c.due[f.ID]--; c.due[f.ID] < 0 {
			if !c.spare[f.ID] {
				c.w.t.Fatalf("a verdict too many: %s", f)
			}
			c.due[f.ID], c.spare[f.ID] = 0, false
		}
		if before, ok := c.verdict[f.ID]; ok && before.raw != f.raw && f.Code != "id_reused" {
			c.w.t.Fatalf("first %s, then %s", before, f)
		}
		if f.Code != "id_reused" {
			c.verdict[f.ID] = f
		}
	}
	return f
}

func (c *chaotic) act() {
	switch n := c.rng.IntN(20); {
	case n < 12:
		id := ulid.Make().String()
		entity := []string{"c1", "c2", "nowhere", "new" + id[20:]}[c.rng.IntN(4)]
		patch := fmt.Sprintf(`{"title":"%s %s"}`, id, strings.Repeat("y", c.rng.IntN(500)))
		if strings.HasPrefix(entity, "new") {
			patch = `{"kind":"card","title":"new","columnId":"todo"}`
		}
		left := 4 * time.Second
		if c.rng.IntN(4) == 0 { // less than a lost command costs
			left = 400 * time.Millisecond
		}
		c.sent[id] = fmt.Sprintf(`{"type":"mutate","clientMutationId":%q,"entityId":%q,"patch":%s,"expiresAt":%q}`,
			id, entity, patch, time.Now().Add(left).UTC().Format(time.RFC3339Nano))
		c.send(id, c.sent[id])
	case n < 14 && len(c.sent) > 0:
		id := c.any()
		c.send(id, c.sent[id])
	case n < 15 && len(c.sent) > 0: // answered together with the mutate, if that waits
		id := c.any()
		if !c.asked[id] {
			if c.due[id] > 0 { // one frame for both, or two if the first is on its way
				c.spare[id] = true
				c.due[id]--
			}
			c.asked[id] = true
			c.send(id, fmt.Sprintf(`{"type":"cancel","clientMutationId":%q}`, id))
		}
	case n < 16 && len(c.sent) > 0: // another content
		id := c.any()
		c.send(id, strings.Replace(c.sent[id], `"patch":{`, `"patch":{"color":"red",`, 1))
	case n < 17:
		c.connect(true)
		for id := range c.sent {
			if _, ok := c.verdict[id]; !ok {
				c.send(id, c.sent[id])
			}
		}
	default:
		for len(c.s.frames) > 0 {
			c.take()
		}
	}
}

// any gives an id that was sent; the map's order is not the seed's, so the
// smallest after a drawn one.
func (c *chaotic) any() string {
	from, best, least := ulid.Make().String(), "", ""
	if c.rng.IntN(2) == 0 {
		from = ""
	}
	for id := range c.sent {
		if id > from && (best == "" || id < best) {
			best = id
		}
		least = max(least, id)
	}
	if best == "" {
		return least
	}
	return best
}

func (c *chaotic) send(id, text string) {
	if c.asked[id] && c.due[id] > 0 && !strings.Contains(text, "cancel") {
		return // one frame would answer both
	}
	c.s.send(text)
	c.due[id]++
}

// settle waits for every verdict that is due.
func (c *chaotic) settle() {
	for id, n := range c.due {
		for ; c.due[id] > 0 && n > 0; n-- {
			for c.due[id] > 0 {
				c.take()
			}
		}
	}
}

func checkChaos(t *testing.T, w *world, clients []*chaotic) {
	b, err := eventlog.LoadBoard(t.Context(), w.fake, board)
	if err != nil {
		t.Fatal(err)
	}
	accepted := map[mutationKey]int{}
	for _, rec := range w.fake.Stored(board) {
		if rec.Commit.VoidAt(rec.Time) {
			continue
		}
		for _, d := range rec.Commit.Decisions {
			if d.Rejection == nil {
				accepted[mutationKey{d.User, d.ID}]++
				if rec.Time.After(d.Deadline) {
					t.Errorf("%s took effect after its deadline", d.ID)
				}
			}
		}
	}
	for i, c := range clients {
		for id, f := range c.verdict {
			if n := accepted[mutationKey{c.user, id}]; f.Type == "ack" && n != 1 || f.Type == "nack" && n != 0 {
				t.Errorf("client %d: %s, but %d times in the log", i, f, n)
			}
		}
		want := map[string]string{}
		for e := range b.All() {
			raw, err := entityJSON(e, c.user)
			var m map[string]any
			if err != nil || json.Unmarshal(raw, &m) != nil {
				t.Fatal(err)
			}
			raw, _ = json.Marshal(m)
			want[e.ID] = string(raw)
		}
		for id := range want {
			if c.held[id] != want[id] {
				t.Errorf("client %d holds %s, the log says %s", i, c.held[id], want[id])
			}
		}
		if len(c.held) != len(want) {
			t.Errorf("client %d holds %d entities of %d", i, len(c.held), len(want))
		}
	}
}
