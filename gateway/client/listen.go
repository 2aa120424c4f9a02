package client

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// listeners are told from one goroutine, without the Client's lock.
type listeners struct {
	mu    sync.Mutex
	some  *sync.Cond
	calls []func()          // in order
	batch map[string]Change // entity changes not yet told, merged by id
	end   bool

	next      int
	onChange  map[int]func([]Change)
	onRoll    map[int]func(*Mutation, Result)
	onState   map[int]func(State)
	onPresent map[int]func([]Peer)
}

func (l *listeners) init() {
	l.some = sync.NewCond(&l.mu)
	l.batch = map[string]Change{}
	l.onChange = map[int]func([]Change){}
	l.onRoll = map[int]func(*Mutation, Result){}
	l.onState = map[int]func(State){}
	l.onPresent = map[int]func([]Peer){}
}

// Subscribe has fn called with the entities whose view changed, by id (law
// 11). What changes while fn runs is merged into its next call. cancel ends it.
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

// each calls f with every listener, in the order subscribed.
func each[F any](l *listeners, of map[int]F, f func(F)) {
	l.mu.Lock()
	fns := make([]F, 0, len(of))
	for _, id := range slices.Sorted(maps.Keys(of)) {
		fns = append(fns, of[id])
	}
	l.mu.Unlock()
	for _, fn := range fns {
		f(fn)
	}
}

func (l *listeners) rolledBack(m *Mutation, r Result) {
	each(l, l.onRoll, func(fn func(*Mutation, Result)) { fn(m, r) })
}

// tell queues a call.
func (c *Client) tell(call func()) {
	l := &c.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, call)
	l.some.Broadcast()
}

// changed queues entity changes. The caller holds c.mu, so their order is the view's.
func (c *Client) changed(list []Change) {
	l := &c.listeners
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(list) == 0 {
		return
	}
	for _, ch := range list {
		if old, ok := l.batch[ch.ID]; ok {
			ch.Before = old.Before
		}
		if l.batch[ch.ID] = ch; alike(ch.Before, ch.After) {
			delete(l.batch, ch.ID)
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
		for len(l.calls) == 0 && len(l.batch) == 0 && !l.end {
			l.some.Wait()
		}
		calls, batch := l.calls, slices.Collect(maps.Values(l.batch))
		l.calls = nil
		clear(l.batch)
		ended := l.end && len(calls) == 0 && len(batch) == 0
		l.mu.Unlock()
		if ended {
			return
		}
		if len(batch) > 0 {
			slices.SortFunc(batch, func(a, b Change) int { return strings.Compare(a.ID, b.ID) })
			each(l, l.onChange, func(fn func([]Change)) { fn(batch) })
		}
		for _, call := range calls {
			call()
		}
	}
}

func (l *listeners) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = true
	l.some.Broadcast()
}
