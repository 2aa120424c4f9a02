package client

import (
	"context"
	"encoding/json"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// Mutation is the handle of one change made here. Safe for concurrent use.
type Mutation struct {
	id      string
	changes []domain.Change
	parent  string // traceparent of who made it, "": none
	c       *Client
	done    chan struct{} // closed with result

	// Guarded by c.mu.
	result     Result
	status     Status
	rolledBack *Result
	onRollback []func(Result)
	frame      []byte // set at the first sending and never again: one deadline for ever
	ask        bool   // cancel instead of mutate from now on
	link       *link  // where it waits for a verdict, nil: to be sent
	order      int    // of sending on that link
	deadline   time.Time
	owed       int // nacks of sendings that the server refuses for an earlier one (law 7)
}

// ID is the clientMutationId.
func (m *Mutation) ID() string { return m.id }

// EntityID is the id of the first entity it changes.
func (m *Mutation) EntityID() string { return m.changes[0].EntityID }

// Status says how it stands.
func (m *Mutation) Status() Status {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	return m.status
}

// Wait waits for the verdict, offline for as long as it takes. A refusal is a
// Result, not an error. It fails when ctx ends, or the Client stops first:
// then the mutation may or may not take effect.
func (m *Mutation) Wait(ctx context.Context) (Result, error) {
	select {
	case <-m.done:
		return m.result, nil
	default:
	}
	select {
	case <-m.done:
		return m.result, nil
	case <-m.c.stopped:
		select {
		case <-m.done:
			return m.result, nil
		default:
			return Result{}, m.c.Err()
		}
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// OnRollback has fn called once, from the Client's goroutine for listeners,
// when the view has taken the change back; at once if it has already.
func (m *Mutation) OnRollback(fn func(Result)) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.rolledBack != nil {
		r := *m.rolledBack
		m.c.tell(func() { fn(r) })
		return
	}
	m.onRollback = append(m.onRollback, fn)
}

// Cancel withdraws the mutation if it is undecided; the verdict says whether
// it came in time. One that was never sent is withdrawn at once.
func (m *Mutation) Cancel() {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.status == StatusAcked || m.status == StatusRejected || m.ask {
		return
	}
	if m.frame == nil {
		m.c.reject(m, domain.Withdrawn, "withdrawn before it was sent", nil)
		return
	}
	m.ask = true
	if m.link != nil && m.link == m.c.link {
		m.link.send(wire.Cancel{Type: wire.TypeCancel, ClientMutationID: m.id})
	} else {
		m.c.kick()
	}
}

// encode gives the frame to send, the same for every sending.
func (m *Mutation) encode(expires time.Time) ([]byte, error) {
	if m.frame != nil {
		return m.frame, nil
	}
	expires = expires.UTC().Truncate(time.Millisecond)
	f := wire.Mutate{Type: wire.TypeMutate, ClientMutationID: m.id, ExpiresAt: &expires, Traceparent: m.parent}
	if len(m.changes) == 1 {
		c := m.changes[0]
		patch, err := json.Marshal(c.Patch)
		if err != nil {
			return nil, err
		}
		f.EntityID, f.Patch, f.If, f.IfRev = c.EntityID, patch, c.If, c.IfRev
	} else {
		f.Changes = m.changes
	}
	return json.Marshal(f)
}

// canonical gives the changes as they are read from the wire, so that the view
// replays what the server will.
func canonical(changes []domain.Change) ([]domain.Change, error) {
	raw, err := json.Marshal(changes)
	if err != nil {
		return nil, err
	}
	var out []domain.Change
	err = json.Unmarshal(raw, &out)
	return out, err
}
