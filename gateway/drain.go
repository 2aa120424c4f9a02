package gateway

import (
	"context"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

const (
	// leaveEvery is what lies between the times at which two clients are sent
	// away, for who takes them in has a join to do for each; drain's spread is
	// the most for all.
	leaveEvery = 5 * time.Millisecond
	// leaveGrace is how long after its time a client that stays is served on.
	leaveGrace = time.Second
)

// drain lets no new session in and sends goaway to every other, with times
// spread over leaveEvery for each or, if that is less, over spread. Until its
// time a client is served as ever and then goes elsewhere by itself. One that
// does not is refused what is new a second later, gets the verdicts that are
// under way and is closed 1012. It returns when no session is left or, with
// ctx's error and the rest closed at once, when ctx ends. Rooms stay while
// somebody uses them.
func (hs *hubs) drain(ctx context.Context, spread time.Duration) error {
	hs.mu.Lock()
	first := hs.draining.CompareAndSwap(false, true)
	sessions := make([]*session, 0, len(hs.sessions))
	for s := range hs.sessions {
		sessions = append(sessions, s)
	}
	if first && len(sessions) == 0 {
		hs.allLeft()
	}
	hs.mu.Unlock()
	if first {
		hs.sendAway(sessions, min(spread, time.Duration(len(sessions))*leaveEvery))
	}
	select {
	case <-hs.drained:
		hs.closeUnused()
		return nil
	case <-ctx.Done():
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for s := range hs.sessions {
		s.shut(wire.CloseRestart, "restart")
	}
	return ctx.Err()
}

// sendAway says goaway to all, and leaves beside to end those that stay.
func (hs *hubs) sendAway(sessions []*session, spread time.Duration) {
	after := func(i int) time.Duration { return spread * time.Duration(i) / time.Duration(len(sessions)) }
	start := time.Now()
	for i, s := range sessions {
		s.goaway(after(i))
	}
	go func() {
		for i, s := range sessions {
			select {
			case <-time.After(time.Until(start.Add(after(i) + leaveGrace))):
				s.retire()
			case <-hs.drained:
				return
			case <-hs.ctx.Done():
				return
			}
		}
	}()
}

// closeUnused ends the rooms that wait for somebody to come back.
func (hs *hubs) closeUnused() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for _, h := range hs.rooms {
		if h.refs == 0 && h.idle != nil {
			h.idle.Reset(0)
		}
	}
}

// goaway announces the stop.
func (s *session) goaway(after time.Duration) {
	s.put(replyItem(wire.Goaway{Type: wire.TypeGoaway, ReconnectAfterMs: after.Milliseconds()}))
}

// retire ends a session once nothing of it is in flight.
func (s *session) retire() {
	s.retired.Store(true)
	if s.q.flight() == (flight{}) {
		s.shut(wire.CloseRestart, "restart") // else the writer does it behind the last verdict
	}
}

// allLeft ends the wait of drain. Call it with hs.mu held.
func (hs *hubs) allLeft() {
	select {
	case <-hs.drained:
	default:
		close(hs.drained)
	}
}
