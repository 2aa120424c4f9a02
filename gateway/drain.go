package gateway

import (
	"context"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

// drain refuses what is new, sends goaway to every session, lets what is in
// flight get its verdict and closes 1012. It returns when no session is left
// or, with ctx's error and the rest closed at once, when ctx ends. Rooms stay
// while somebody uses them.
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
		for i, s := range sessions {
			s.goaway(spread * time.Duration(i) / time.Duration(len(sessions)))
		}
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

// goaway announces the stop; the writer closes once nothing is in flight.
func (s *session) goaway(after time.Duration) {
	s.put(replyItem(wire.Goaway{Type: wire.TypeGoaway, ReconnectAfterMs: after.Milliseconds()}))
}

// allLeft ends the wait of drain. Call it with hs.mu held.
func (hs *hubs) allLeft() {
	select {
	case <-hs.drained:
	default:
		close(hs.drained)
	}
}
