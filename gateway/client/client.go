package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// Client keeps a live view of one board and sends what is changed here. Safe
// for concurrent use. Listeners are called one at a time, in order, from a
// goroutine of their own; they may use the Client.
type Client struct {
	opts    Options
	servers []string // in the order tried
	cancel  context.CancelFunc
	wake    chan struct{} // something to send
	joined  chan struct{} // closed at the first ready
	stopped chan struct{} // closed when all goroutines but the listeners' have ended
	told    chan struct{} // closed when the listeners' has

	mu        sync.Mutex
	store     *Store
	mutations map[string]*Mutation // pending
	clock     clock
	state     State
	err       error // why it stopped, or failed last
	link      *link // nil while there is no connection
	links     int
	hello     wire.Hello // the newest
	peers     map[string]Peer
	presence  json.RawMessage
	listeners listeners
}

// Peer is another session on the board.
type Peer struct {
	Session, User, Name, Picture string
	Data                         json.RawMessage
}

// Connect joins a board and returns when the view holds it. Until then it
// tries again as after any loss of connection; it fails when ctx ends or the
// server refuses for good (*[CloseError], *[RefusedError]). The Client lives
// until Close.
func Connect(ctx context.Context, opts Options) (*Client, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	servers := opts.shuffled()
	for _, server := range servers {
		if _, err := socketURL(opts, server, "", 0, false); err != nil {
			return nil, err
		}
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := &Client{
		opts: opts, servers: servers, cancel: cancel, state: Connecting,
		wake: make(chan struct{}, 1), joined: make(chan struct{}), stopped: make(chan struct{}), told: make(chan struct{}),
		store:     NewStore(opts.User, opts.RollbackOnSilence),
		mutations: map[string]*Mutation{}, peers: map[string]Peer{},
	}
	c.listeners.init()
	go c.run(life)
	go c.deliver()
	select {
	case <-c.joined:
		return c, nil
	case <-c.stopped:
		return nil, c.Err()
	case <-ctx.Done():
		c.mu.Lock()
		last := c.err
		c.mu.Unlock()
		c.Close()
		if last != nil {
			return nil, fmt.Errorf("%w: %w", ctx.Err(), last)
		}
		return nil, ctx.Err()
	}
}

// Close leaves the board and returns when every goroutine has ended; it must
// not be called by a listener. Pending mutations keep the fate they have.
func (c *Client) Close() {
	c.cancel()
	<-c.stopped
	<-c.told
}

// Done is closed when the Client has stopped.
func (c *Client) Done() <-chan struct{} { return c.stopped }

// Err says why the Client stopped ([ErrClosed], *[CloseError],
// *[RefusedError]), or while it lives why it last lost the connection.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// State says how the Client stands to the server.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Me is the server's newest hello: user, role, session, limits.
func (c *Client) Me() wire.Hello {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hello
}

// Rev is the board's rev that the view's confirmed part holds, 0 while joining afresh.
func (c *Client) Rev() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, rev, _ := c.store.Resume()
	return rev
}

// Get gives an entity as shown, nil if there is none; see [Store.Get].
func (c *Client) Get(id string) *domain.Entity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store.Get(id)
}

// Confirmed gives an entity without the pending mutations; see [Store.Confirmed].
func (c *Client) Confirmed(id string) *domain.Entity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store.Confirmed(id)
}

// List gives the entities of a kind as shown; see [Store.List].
func (c *Client) List(kind domain.Kind) []*domain.Entity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store.List(kind)
}

// Children gives the entities of a kind under a parent as shown; see [Store.Children].
func (c *Client) Children(kind domain.Kind, parent string) []*domain.Entity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store.Children(kind, parent)
}

// All gives every entity shown, in no particular order.
func (c *Client) All() []*domain.Entity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(c.store.All())
}

// IsPending says whether a mutation without a verdict concerns the entity.
func (c *Client) IsPending(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store.IsPending(id)
}

// Pending gives the mutations without a verdict in the order made.
func (c *Client) Pending() []*Mutation {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []*Mutation
	for _, p := range c.store.Pending() {
		out = append(out, c.mutations[p.ID])
	}
	return out
}

// Mutate changes fields of one entity. Patch values are those of
// [domain.Patch], or anything that encodes to the same JSON.
func (c *Client) Mutate(entityID string, patch domain.Patch) *Mutation {
	if patch == nil {
		patch = domain.Patch{} // nil deletes; that is Remove
	}
	return c.Transact(domain.Change{EntityID: entityID, Patch: patch})
}

// Create makes an entity; its id is minted and stands in [Mutation.EntityID].
func (c *Client) Create(kind domain.Kind, patch domain.Patch) *Mutation {
	c.mu.Lock()
	id := c.opts.NewID(c.clock.now())
	c.mu.Unlock()
	made := domain.Patch{}
	for name, v := range patch {
		made[name] = v
	}
	made["kind"] = string(kind)
	var unused uint64
	return c.Transact(domain.Change{EntityID: id, Patch: made, IfRev: &unused})
}

// Remove deletes an entity.
func (c *Client) Remove(entityID string) *Mutation {
	return c.Transact(domain.Change{EntityID: entityID})
}

// Transact makes several changes in order, all or nothing, with one verdict.
// The view shows them when it returns. There must be at least one.
func (c *Client) Transact(changes ...domain.Change) *Mutation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.transact(c.opts.NewID(c.clock.now()), "", changes)
}

// TransactTraced is Transact under a span of the caller's: traceparent is its
// W3C trace context, which a server that traces goes on with, as OpenTelemetry's
// propagation.TraceContext writes it. What is none is ignored there.
func (c *Client) TransactTraced(traceparent string, changes ...domain.Change) *Mutation {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.transact(c.opts.NewID(c.clock.now()), traceparent, changes)
}

// TransactAs is Transact under a mutation id of the caller's, as for a resend
// after a restart. An id that is pending already gives its handle.
func (c *Client) TransactAs(id string, changes ...domain.Change) *Mutation {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.mutations[id]; m != nil {
		return m
	}
	return c.transact(id, "", changes)
}

func (c *Client) transact(id, traceparent string, changes []domain.Change) *Mutation {
	m := &Mutation{id: id, changes: changes, parent: traceparent, c: c, done: make(chan struct{}), status: StatusPending}
	clean, err := canonical(changes)
	switch {
	case err == nil && len(changes) == 0:
		err = errors.New("no changes")
		m.changes = make([]domain.Change, 1)
	case err == nil:
		m.changes = clean
	}
	if err != nil {
		m.conclude(Result{ID: id, Code: domain.Invalid, Reason: err.Error()})
		return m
	}
	c.mutations[id] = m
	c.apply(c.store.Mutate(id, m.changes))
	c.kick()
	return m
}

// reject ends a mutation that the server will never see (again).
func (c *Client) reject(m *Mutation, code domain.Code, reason string, details domain.Details) {
	c.apply(c.store.Nack(wire.Nack{ClientMutationID: m.id, Code: code, Reason: reason, Details: details}))
}

// apply carries out what follows from an input to the store.
func (c *Client) apply(eff Effects) {
	c.changed(eff.Changed)
	for _, r := range eff.Verdicts {
		m := c.mutations[r.ID]
		delete(c.mutations, r.ID)
		if m.link != nil {
			m.link.landed(m)
		}
		m.conclude(r)
	}
}

// conclude sets the verdict.
func (m *Mutation) conclude(r Result) {
	m.result, m.status = r, StatusAcked
	if !r.OK {
		m.status = StatusRejected
		m.rollback(r)
	}
	close(m.done)
}

// rollback tells that the view has taken the change back.
func (m *Mutation) rollback(r Result) {
	if m.rolledBack != nil {
		return
	}
	m.rolledBack = &r
	fns := m.onRollback
	m.onRollback = nil
	m.c.tell(func() {
		for _, fn := range fns {
			fn(r)
		}
		m.c.listeners.rolledBack(m, r)
	})
}

// kick wakes the connection's goroutine.
func (c *Client) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}
