package client

import (
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
)

// listeners are told from one goroutine, without the Client's lock.
type listeners struct {
	mu    sync.Mutex
	some  *sync.Cond
	queue []notice // in order
	end   bool

	next      int
	onChange  map[int]func([]Change)
	onRoll    map[int]func(*Mutation, Result)
	onState   map[int]func(State)
	onPresent map[int]func([]Peer)
}

// notice is one thing to tell: a call, or entity changes merged by id.
type notice struct {
	call  func()
	batch map[string]Change
	upTo  int // listeners subscribed later are not concerned
}

func (l *listeners) init() {
	l.some = sync.NewCond(&l.mu)
	l.onChange = map[int]func([]Change){}
	l.onRoll = map[int]func(*Mutation, Result){}
	l.onState = map[int]func(State){}
	l.onPresent = map[int]func([]Peer){}
}

// Subscribe has fn called with the entities whose view changed, by id (law
// 11) from now on. What changes while fn runs is merged into its next call.
// cancel ends it.
func (c *Client) Subscribe(fn func([]Change)) (cancel func()) {
	return subscribe(&c.listeners, c.listeners.onChange, fn)
}

// OnRollback has fn called when the view has taken back a mutation.
func (c *Client) OnRollback(fn func(*Mutation, Result)) (cancel func()) {
	return subscribe(&c.listeners, c.listeners.onRoll, fn)
}

// OnState has fn called when the state changes.
func (c *Client) OnState(fn func(State)) (cancel func()) {
	return subscribe(&c.listeners, c.listeners.onState, fn)
}

// OnPresence has fn called with everybody else on the board when that changes.
func (c *Client) OnPresence(fn func([]Peer)) (cancel func()) {
	return subscribe(&c.listeners, c.listeners.onPresent, fn)
}

// subscribe adds a listener that hears of what comes after it.
func subscribe[F any](l *listeners, to map[int]F, fn F) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	id := l.next
	to[id] = fn
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(to, id)
	}
}

// each calls f with every listener up to the id, in the order subscribed.
func each[F any](l *listeners, of map[int]F, upTo int, f func(F)) {
	l.mu.Lock()
	fns := make([]F, 0, len(of))
	for _, id := range slices.Sorted(maps.Keys(of)) {
		if id <= upTo {
			fns = append(fns, of[id])
		}
	}
	l.mu.Unlock()
	for _, fn := range fns {
		f(fn)
	}
}

const everybody = math.MaxInt

func (l *listeners) rolledBack(m *Mutation, r Result) {
	each(l, l.onRoll, everybody, func(fn func(*Mutation, Result)) { fn(m, r) })
}

// tell queues a call.
func (c *Client) tell(call func()) {
	l := &c.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, notice{call: call})
	l.some.Broadcast()
}

// changed queues entity changes, merged with the last ones not yet told. The
// caller holds c.mu, so their order is the view's.
func (c *Client) changed(list []Change) {
	l := &c.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(list) == 0 {
		return
	}
	last := len(l.queue) - 1
	if last < 0 || l.queue[last].batch == nil || l.queue[last].upTo != l.next {
		l.queue = append(l.queue, notice{batch: map[string]Change{}, upTo: l.next})
		last++
	}
	batch := l.queue[last].batch
	for _, ch := range list {
		if old, ok := batch[ch.ID]; ok {
			ch.Before = old.Before
		}
		if batch[ch.ID] = ch; alike(ch.Before, ch.After) {
			delete(batch, ch.ID)
		}
	}
	l.some.Broadcast()
}

// deliver is the listeners' goroutine. It ends after what was queued when the
// Client stopped.
func (c *Client) deliver() {
	defer close(c.told)
	l := &c.listeners
	for {
		l.mu.Lock()
		for len(l.queue) == 0 && !l.end {
			l.some.Wait()
		}
		if len(l.queue) == 0 {
			l.mu.Unlock()
			return
		}
		n := l.queue[0]
		l.queue = l.queue[1:]
		l.mu.Unlock()
		if n.call != nil {
			n.call()
		} else if batch := slices.Collect(maps.Values(n.batch)); len(batch) > 0 {
			slices.SortFunc(batch, func(a, b Change) int { return strings.Compare(a.ID, b.ID) })
			each(l, l.onChange, n.upTo, func(fn func([]Change)) { fn(batch) })
		}
	}
}

func (l *listeners) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = true
	l.some.Broadcast()
}
