package gateway

import "time"

// One timer looks after all connections of a node: who is silent is pinged and
// then given up, and so is who does not take what is written to him.

// beats is how often it looks at a connection while that may be silent, and
// pings how often that is pinged. It looks at so many groups of them by turns,
// so that those which came together are not all pinged together.
const (
	beats  = 15
	pings  = 3
	groups = 10
)

// enter makes s one of the sessions that are looked after, and drained.
func (hs *hubs) enter(s *session) {
	s.heard()
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.sessions[s] = struct{}{}
	s.group = uint8(hs.entered % groups)
	hs.entered++
	if hs.beat == nil {
		hs.beat = time.AfterFunc(hs.cfg.PongTimeout/beats/groups, hs.watch)
	}
}

// clock is the time since the hubs were made, whatever becomes of the wall clock.
func (hs *hubs) clock() int64 { return int64(time.Since(hs.made)) + 1 }

// watch looks at the next group of sessions, until there is none at all.
func (hs *hubs) watch() {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.turn = (hs.turn + 1) % groups
	for s := range hs.sessions {
		if s.group == hs.turn {
			s.watch(hs.clock(), hs.cfg.PongTimeout)
		}
	}
	if len(hs.sessions) == 0 {
		hs.beat = nil
		return
	}
	hs.beat.Reset(hs.cfg.PongTimeout / beats / groups)
}

// watch pings a peer that has been silent for a while, and makes the reader's
// read or the writer's write fail as timed out when it has lasted too long.
func (s *session) watch(now int64, patience time.Duration) {
	if since := s.conn.since.Load(); since != 0 && now-since >= int64(writeTimeout) {
		_ = s.conn.SetWriteDeadline(time.Now())
	}
	s.q.mu.Lock()
	defer s.q.unlock()
	silent := now - s.lastHeard.Load()
	switch often := int64(patience / pings); {
	case s.q.closing != nil:
	case silent >= int64(patience) && s.q.room == nil: // else the reader is not listening
		_ = s.conn.SetReadDeadline(time.Now())
	case silent >= often && now-s.pinged >= often:
		s.q.ping, s.pinged = true, now
	}
}
