package gateway

import (
	"sync"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// itemKind says what may happen to a queued item when its reader is slow.
type itemKind uint8

const (
	itemReply    itemKind = iota // kept: hello, ready, lag, nack, error, pong, goaway, bulk
	itemSync                     // dropped, caught up later
	itemAck                      // held until the catch-up that covers its rev
	itemPresence                 // dropped first, complete later
	itemLoaded                   // made anew after a catch-up that covers its rev
)

// item is something to write to one connection: frames that are ready, or
// entities.
type item struct {
	kind itemKind
	ends flight     // what is no longer in flight once this is written
	rev  uint64     // ack, loaded: its rev; sync: that of the first frame, for there may be many
	data []byte     // whole frames, shared with other queues: nobody changes them
	bulk *bulk      // instead of data
	of   string     // presence: the session; verdict, sync: its trace, if it has one
	ask  *wire.Page // loaded: what was asked for
}

// unmade is the item while it is held: a page is made anew.
func (it item) unmade() item {
	if it.kind == itemLoaded {
		it.data = nil
	}
	return it
}

// size is how many bytes it holds that nobody encodes later.
func (it *item) size() int {
	if it.bulk != nil {
		return it.bulk.size
	}
	return len(it.data)
}

// bulk is frames that lie in several places, and pages and entities as user sees
// them, encoded when they are written.
type bulk struct {
	frames   [][]byte
	size     int // of frames, bytes
	pages    []*page
	entities []*domain.Entity
	user     string
}

// flight counts sendings without a written verdict, and loads without a written
// page.
type flight struct{ mutates, cancels, loads int32 }

// maxLoads is how many loads may wait before the reader does: pages that were
// held are made all at once.
const maxLoads = 4

// queue is what waits to be written to one connection. It holds at most limit
// bytes of what the board sends, or one record's; replies are bounded by what
// the reader lets in. Safe for concurrent use.
type queue struct {
	limit int
	of    writer

	mu     sync.Mutex
	items  []item
	list   *[]item // where items came from, to go back to
	bytes  int
	active bool // there is a writer
	over   bool // the last frame is written or never will be: there is no writer any more
	ping   bool // a ping is owed
	// lagging: syncs were dropped, since is the rev up to which none was, held
	// the acks and pages beyond it. Until the catch-up further syncs are dropped
	// too.
	lagging bool
	since   uint64
	held    []item
	stale   map[string]struct{} // sessions whose presence was dropped
	pong    []byte              // owed to the newest ping, however many have come
	flying  flight
	closing *closing      // set: nothing more is queued, the close frame is last
	room    chan struct{} // somebody waits for room: one token, something was written, or nothing will be
	end     chan struct{} // somebody waits until it is over: closed then
}

type closing struct {
	code   int
	reason string
}

// writer takes from a queue what is in it, until there is nothing to do.
type writer interface{ startWriting() }

func (q *queue) init(limit int, of writer) { q.limit, q.of = limit, of }

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// update runs fn, which may call the methods that say so, and then has a
// writer write: what fn queues leaves in one flush.
func (q *queue) update(fn func()) {
	q.mu.Lock()
	fn()
	q.unlock()
}

// unlock ends an update.
func (q *queue) unlock() {
	start := !q.active && !q.over && q.due()
	q.active = q.active || start
	q.mu.Unlock()
	if start {
		q.of.startWriting()
	}
}

// due says whether there is something for a writer to do.
func (q *queue) due() bool {
	return len(q.items) > 0 || q.ping || q.pong != nil || q.closing != nil || q.lagging || len(q.stale) > 0
}

// put queues it, or does with it what its kind says. Call it inside update.
func (q *queue) put(it item) {
	if q.closing != nil {
		return
	}
	switch it.kind {
	case itemSync:
		if !q.lagging && q.bytes > 0 && q.bytes+it.size() > q.limit {
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
	case itemLoaded:
		if q.lagging {
			q.held = append(q.held, it.unmade())
			return
		}
	case itemPresence:
		if q.lagging || q.bytes+len(it.data) > q.limit/2 {
			q.miss(it.of)
			return
		}
	}
	q.add(it)
	q.bytes += it.size()
}

func (q *queue) add(it item) {
	if q.list == nil {
		q.list = lists.Get().(*[]item)
		q.items = *q.list
	}
	q.items = append(q.items, it)
}

// lists are for queues that hold something: most hold nothing most of the time.
var lists = sync.Pool{New: func() any { list := make([]item, 0, 8); return &list }}

// maxList is how many items a list may have room for that is used again.
const maxList = 256

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
		case (it.kind == itemAck || it.kind == itemLoaded) && it.rev > rev:
			q.held = append(q.held, it.unmade())
		case it.kind == itemPresence:
			q.miss(it.of)
		case it.kind != itemSync:
			kept = append(kept, it)
			continue
		}
		q.bytes -= it.size()
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
// waited, and gives the pages that did. Call it inside update.
func (q *queue) caughtUp(items []item) (pages []item) {
	held := q.held
	q.lagging, q.held = false, nil
	for _, it := range append(items, held...) {
		if it.kind == itemLoaded {
			pages = append(pages, it)
		} else {
			q.put(it)
		}
	}
	return pages
}

// stop makes the close frame with this code the last thing written, and wakes
// who waits for room. The first call counts. Call it inside update.
func (q *queue) stop(code int, reason string) {
	if q.closing == nil {
		q.closing = &closing{code, reason}
		q.cleared()
	}
}

// close is stop by itself.
func (q *queue) close(code int, reason string) { q.update(func() { q.stop(code, reason) }) }

// ended says whether the connection is being closed.
func (q *queue) ended() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closing != nil
}

// batch is what a writer has to do next.
type batch struct {
	items   []item
	list    *[]item
	behind  bool // nothing is queued and the session must be brought up to date
	closing *closing
}

// take gives everything queued; done must be called once it is written. It
// says no when there is nothing to do: then the writer has ended.
func (q *queue) take(b *batch) bool {
	q.mu.Lock()
	if !q.due() {
		q.active = false
		q.mu.Unlock()
		return false
	}
	if q.ping {
		q.add(item{data: pingFrame})
		q.ping = false
	}
	if q.pong != nil {
		q.add(item{data: q.pong})
		q.pong = nil
	}
	b.items, b.list, b.closing = q.items, q.list, q.closing
	b.behind = len(q.items) == 0 && q.closing == nil
	q.items, q.list, q.bytes = nil, nil, 0
	q.mu.Unlock()
	return true
}

// done takes back a written batch and gives what is still in flight.
func (q *queue) done(b *batch) flight {
	q.mu.Lock()
	for i := range b.items {
		q.flying.mutates -= b.items[i].ends.mutates
		q.flying.cancels -= b.items[i].ends.cancels
		q.flying.loads -= b.items[i].ends.loads
	}
	q.cleared()
	left := q.flying
	q.mu.Unlock()
	if b.list != nil && cap(b.items) <= maxList {
		clear(b.items)
		*b.list = b.items[:0]
		lists.Put(b.list)
	}
	return left
}

// finish ends it all: the writer has done its last.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.active, q.over, q.items, q.list, q.held, q.stale = false, true, nil, nil, nil, nil
	if q.end != nil {
		close(q.end)
	}
}

// wait returns when it is over.
func (q *queue) wait() {
	q.mu.Lock()
	over := q.over
	if !over && q.end == nil {
		q.end = make(chan struct{})
	}
	q.mu.Unlock()
	if !over {
		<-q.end
	}
}

// cleared wakes who waits for room. Call it with q.mu held.
func (q *queue) cleared() {
	if q.room != nil {
		token(q.room)
	}
}

// full says whether the reader must wait before it takes another frame: more
// answers wait than may. If so a token comes to q.room when it should ask again.
func (q *queue) full(maxFlight int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	limit := int32(maxFlight)
	full := q.closing == nil && (q.bytes > q.limit || q.flying.mutates > limit || q.flying.cancels > limit || q.flying.loads >= maxLoads)
	switch {
	case !full:
		q.room = nil
	case q.room == nil:
		q.room = make(chan struct{}, 1)
	}
	return full
}

func (q *queue) flight() flight {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.flying
}

// fly counts a mutate in, unless there are as many as may be.
func (q *queue) fly(maxFlight int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.flying.mutates >= int32(maxFlight) {
		return false
	}
	q.flying.mutates++
	return true
}

// drop counts a mutate out that is not answered by an item, and gives what is
// still in flight.
func (q *queue) drop() flight {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying.mutates--
	q.cleared()
	return q.flying
}

// count counts in, or out, what fly does not.
func (q *queue) count(f flight) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flying.mutates += f.mutates
	q.flying.cancels += f.cancels
	q.flying.loads += f.loads
}
