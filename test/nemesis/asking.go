package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/test/check"
	"github.com/snapback-io/snapback/test/node"
)

// asker is who asks what people are told while a fault lasts and after it.
const asker = "asker"

// question is one mutation sent to one node while a fault lasts.
type question struct {
	gate        *node.Server
	board, body string
	answer      string // "pending", "acked", a code, or "silence"
	done        bool   // it has its verdict
}

// questions are those of one fault; all is done when each has an answer, which
// may be that there is none.
type questions struct {
	list []*question
	all  sync.WaitGroup
}

// probe is a mutation that changes something each time.
func probe(ttl time.Duration) string {
	id := ulid.Make().String()
	body, _ := json.Marshal(map[string]any{"type": "mutate", "clientMutationId": id, "entityId": "asked",
		"patch": map[string]any{"kind": "label", "name": id}, "ttlMs": ttl.Milliseconds()})
	return string(body)
}

// ask sends a mutation to each gateway, and reads a board there.
func (w *world) ask(r *rand.Rand) *questions {
	q := &questions{}
	for _, gate := range w.gates {
		x := &question{gate: gate, board: w.boards[r.IntN(len(w.boards))], body: probe(2 * time.Second)}
		q.list = append(q.list, x)
		q.all.Go(func() { x.ask(w) })
		q.all.Go(func() {
			got := w.notary.ask(gate, check.Request{User: asker, Board: x.board, Method: http.MethodGet})
			w.count(fmt.Sprintf("boards read amid a fault: %d", got.Status), 1)
		})
	}
	return q
}

// ask sends the mutation, the first time or again.
func (x *question) ask(w *world) {
	r := w.notary.ask(x.gate, check.Request{User: asker, Board: x.board, Method: http.MethodPost, Path: "mutations", Body: x.body})
	var said struct{ Code string }
	_ = json.Unmarshal([]byte(r.Answer), &said)
	switch {
	case r.Status == 0:
		x.answer = "silence"
	case r.Status == http.StatusOK:
		x.answer, x.done = "acked", true
	case said.Code == "undecided":
		x.answer = "pending"
	default:
		x.answer = said.Code
		x.done = r.Status != http.StatusServiceUnavailable && r.Status != http.StatusTooManyRequests
	}
}

// heal waits, if the step is a calm one, until what was asked while the fault
// lasted has its verdict and every gateway acks something new on every board.
func (w *world) heal(ctx context.Context, s step, q *questions) {
	began := time.Now()
	q.all.Wait()
	said := map[string]int{}
	for _, x := range q.list {
		said[x.answer]++
		w.count("told amid "+s.kind+": "+x.answer, 1)
	}
	if !s.calm {
		w.plan.say("meanwhile %s", summary(said))
		return
	}
	for _, gate := range w.gates {
		for _, board := range w.boards {
			q.list = append(q.list, &question{gate: gate, board: board})
		}
	}
	var all sync.WaitGroup
	for _, x := range q.list {
		all.Go(func() { x.insist(ctx, w) })
	}
	all.Wait()
	took := time.Since(began)
	if ctx.Err() != nil {
		return
	}
	w.plan.say("meanwhile %s; everybody is answered after %v", summary(said), took.Round(time.Millisecond))
	w.healed(s.kind, took, q)
}

// insist asks until there is a verdict: of what was asked before any, of what is
// new an ack. It gives up when ctx ends or after the longest that may take.
func (x *question) insist(ctx context.Context, w *world) {
	fresh := x.body == ""
	for end := time.Now().Add(patience); !x.done && ctx.Err() == nil && time.Now().Before(end); {
		if fresh {
			x.body = probe(5 * time.Second)
		}
		x.ask(w)
		if x.done = x.done && (!fresh || x.answer == "acked"); !x.done {
			pause(ctx, 100*time.Millisecond)
		}
	}
}

// patience is how long it may take after a fault until everybody is answered.
const patience = 3 * time.Minute

// healed notes how long it took, and who was not answered in time.
func (w *world) healed(kind string, took time.Duration, q *questions) {
	w.count("healed from "+kind, 1)
	w.mu.Lock()
	w.healing[kind] = max(w.healing[kind], took)
	w.mu.Unlock()
	var open []string
	for _, x := range q.list {
		if !x.done {
			open = append(open, fmt.Sprintf("%s on %s (%s)", x.gate.Name(), x.board, x.answer))
		}
	}
	if len(open) > 0 {
		slices.Sort(open)
		w.found = append(w.found, fmt.Sprintf("healing: %v after %s no verdict from %s", patience, kind, strings.Join(slices.Compact(open), ", ")))
	}
}

// recovery tells the longest that each kind of fault took to heal.
func (w *world) recovery() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(w.healing)) {
		parts = append(parts, fmt.Sprintf("%s %v", kind, w.healing[kind].Round(10*time.Millisecond)))
	}
	return strings.Join(parts, ", ")
}
