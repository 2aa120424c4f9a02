package gateway

import (
	"sync"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
)

// itemKind says what may happen to a queued item when its reader is slow.
type itemKind uint8

const (
	itemReply    itemKind = iota // kept: hello, ready, lag, nack, error, pong, goaway, control
	itemSync                     // dropped, caught up later
	itemAck                      // held until the catch-up that covers its rev
	itemPresence                 // dropped first, complete later
	itemBulk                     // entities, encoded when written; kept
)

// item is something to write to one connection; one of prepared, data, bulk
// and control is set.
type item struct {
	kind     itemKind
	rev      uint64 // sync, ack
	prepared *websocket.PreparedMessage
	data     []byte
	size     int // bytes
	bulk     []*domain.Entity
	control  int    // websocket.PingMessage, PongMessage
	of       string // presence: the session
	ends     flight // what is no longer in flight once this is written
}

// flight counts sendings without a written verdict.
type flight struct{ mutates, cancels int }

// queue is what waits to be written to one connection. It holds at most limit
// bytes of what the board sends; replies are bounded by what the reader lets
// in. Safe for concurrent use.
type queue struct {
	limit int
	wake  chan struct{} // one token: there is something to write
	room  chan struct{} // one token: something was written, or nothing will be

	mu    sync.Mutex
	items []item
	spare []item
	bytes int
	// lagging: syncs were dropped, since is the rev up to which none was, held
	// the acks beyond it. Until the catch-up further syncs are dropped too.
	lagging bool
	since   uint64
	held    []item
	stale   map[string]struct{} // sessions whose presence was dropped
	pong    *item               // owed to the newest ping, however many have come
	flying  flight
	closing *closing // set: nothing more is queued, the close frame is last
}

type closing struct {
	code   int
	reason string
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// update runs fn, which may call the methods below, and wakes the writer: what
// fn queues leaves in one flush.
func (q *queue) update(fn func()) {
	q.mu.Lock()
	fn()
	q.mu.Unlock()
	token(q.wake)
}

// put queues it, or does with it what its kind says. Call it inside update.
func (q *queue) put(it item) {
	if q.closing != nil {
		return
	}
	switch it.kind {
	case itemSync:
		if !q.lagging && q.bytes > 0 && q.bytes+it.size > q.limit {
			q.lag(it.rev - 1)
		}
		if q.lagging {
			return
		}
	case itemAck:
		if q.lagging && it.rev > q.since {
			q.held = append(q.held, it)
			return
		}
	case itemPresence:
		if q.lagging || q.bytes+it.size > q.limit/2 {
			q.miss(it.of)
			return
		}
	}
	q.items = append(q.items, it)
	q.bytes += it.size
}

// lag drops the queued syncs and presence; everything up to rev had been
// queued. Call it inside update.
func (q *queue) lag(rev uint64) {
	if q.lagging || q.closing != nil {
		return
	}
	for i := range q.items {
		if q.items[i].kind == itemSync {
			rev = min(rev, q.items[i].rev-1)
		}
	}
	q.lagging, q.since = true, rev
	kept := q.items[:0]
	for _, it := range q.items {
		switch {
		case it.kind == itemAck && it.rev > rev:
			q.held = append(q.held, it)
		case it.kind == itemPresence:
			q.miss(it.of)
		case it.kind != itemSync:
			kept = append(kept, it)
			continue
		}
		q.bytes -= it.size
	}
	clear(q.items[len(kept):])
	q.items = kept
}

func (q *queue) miss(session string) {
	if q.stale == nil {
		q.stale = make(map[string]struct{})
	}
	q.stale[session] = struct{}{}
}

// caughtUp ends the lag with the items that make up for it, then the acks that
// waited. Call it inside update.
func (q *queue) caughtUp(items []item) {
	held := q.held
	q.lagging, q.held = false, nil
	for _, it := range append(items, held...) {
		q.put(it)
	}
}

// end makes the close frame with this code the last thing written, and wakes
// who waits for room. The first call counts. Call it inside update.
func (q *queue) end(code int, reason string) {
	if q.closing == nil {
		q.closing = &closing{code, reason}
		token(q.room)
	}
}

// close is end by itself.
func (q *queue) close(code int, reason string) { q.update(func() { q.end(code, reason) }) }

// ended says whether the connection is being closed.
func (q *queue) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closing != nil
}

// answer owes a pong with data instead of those owed until now.
func (q *queue) answer(data string) {
	q.update(func() {
		q.pong = &item{kind: itemReply, control: websocket.PongMessage, data: []byte(data), size: len(data)}
	})
}

// batch is what a writer has to do next.
type batch struct {
	items   []item
	behind  bool // nothing is queued and the session must be brought up to date
	closing *closing
}

// take gives everything queued. done must be called once it is written.
func (q *queue) take() batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.pong != nil {
		q.items, q.pong = append(q.items, *q.pong), nil
	}
	b := batch{items: q.items, closing: q.closing}
	if len(q.items) == 0 && q.closing == nil {
		b.behind = q.lagging || len(q.stale) > 0
	}
	q.items, q.spare, q.bytes = q.spare, nil, 0
	return b
}

// done takes back a written batch and gives what is still in flight.
func (q *queue) done(items []item) flight {
	q.mu.Lock()
	for i := range items {
		q.flying.mutates -= items[i].ends.mutates
		q.flying.cancels -= items[i].ends.cancels
	}
	clear(items)
	q.spare = items[:0]
	left := q.flying
	q.mu.Unlock()
	token(q.room)
	return left
}

// full says whether the reader must wait before it takes another frame: more
// answers wait than may.
func (q *queue) full(maxFlight int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closing == nil && (q.bytes > q.limit || q.flying.mutates > maxFlight || q.flying.cancels > maxFlight)
}

func (q *queue) flight() flight {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.flying
}

func (q *queue) fly(f flight) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying.mutates += f.mutates
	q.flying.cancels += f.cancels
}
