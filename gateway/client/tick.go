package client

import (
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// tick does what is due at now and says when to come again. An error ends the
// connection.
func (l *link) tick(now time.Time) (next time.Time, err error) {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	next = now.Add(l.c.opts.Quiet)
	due := func(at time.Time) bool {
		if at.After(now) {
			if at.Before(next) {
				next = at
			}
			return false
		}
		return true
	}
	if !l.leaveAt.IsZero() && due(l.leaveAt) {
		return next, errGoaway
	}
	if !l.pinged.IsZero() && due(l.pinged.Add(l.c.opts.PongTimeout)) {
		return next, errNoPong
	}
	if l.pinged.IsZero() && (due(l.heard.Add(l.c.opts.Quiet)) || due(l.spoke.Add(l.c.opts.Quiet))) {
		l.pinged = now
		l.send(struct {
			Type string `json:"type"`
		}{wire.TypePing})
		due(now.Add(l.c.opts.PongTimeout))
	}
	if !l.ready {
		return next, nil
	}
	for m := range l.flight {
		if due(m.deadline) {
			l.silent(m, now)
			due(m.deadline)
		}
	}
	if len(l.c.mutations) > len(l.flight) && due(l.blocked) {
		l.pump(now)
		for m := range l.flight {
			due(m.deadline)
		}
	}
	if string(l.c.presence) != l.shown && due(l.presence.Add(time.Second/wire.PresencePerSec)) {
		l.presence, l.shown = now, string(l.c.presence)
		l.send(wire.Presence{Type: wire.TypePresence, Data: l.c.presence})
	}
	return next, nil
}

// silent handles law 5: the verdict is overdue, so the mutation is unconfirmed
// and asked for, again and again while the connection is open.
func (l *link) silent(m *Mutation, now time.Time) {
	m.ask = true
	m.deadline = now.Add(time.Duration(l.limits.AckTimeoutMs) * time.Millisecond)
	l.send(wire.Cancel{Type: wire.TypeCancel, ClientMutationID: m.id})
	if m.status != StatusPending {
		return
	}
	m.status = StatusUnconfirmed
	l.c.apply(l.c.store.Silence(m.id))
	if l.c.opts.RollbackOnSilence {
		m.rollback(Result{ID: m.id, Code: Silence, Reason: "no verdict in time"})
	}
}

// pump sends what waits, in the order made, as far as the connection may have
// in flight.
func (l *link) pump(now time.Time) {
	var tooLarge []*Mutation
	for _, p := range l.c.store.Pending() {
		if len(l.flight) >= l.limits.InFlight {
			break
		}
		m := l.c.mutations[p.ID]
		if m.link != nil {
			continue
		}
		if !m.ask {
			frame, err := m.encode(l.c.clock.now().Add(l.c.opts.TTL))
			if err != nil || len(frame) > l.limits.FrameBytes {
				tooLarge = append(tooLarge, m)
				continue
			}
			m.frame = frame
			l.sendRaw(frame)
		} else {
			l.send(wire.Cancel{Type: wire.TypeCancel, ClientMutationID: m.id})
		}
		l.sent++
		m.link, m.order = l, l.sent
		m.deadline = now.Add(time.Duration(l.limits.AckTimeoutMs) * time.Millisecond)
		l.flight[m] = struct{}{}
	}
	for _, m := range tooLarge {
		l.c.reject(m, domain.TooLarge, "larger than a frame may be", domain.Details{"limit": l.limits.FrameBytes})
	}
}
