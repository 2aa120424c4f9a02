package gateway

import "time"

// One timer looks after all connections of a node: who is silent is pinged and
// then given up, and so is who does not take what is written to him.

// beats is how often it looks while a connection may be silent, and pings how
// often that is pinged.
const (
	beats = 15
	pings = 3
)

// enter makes s one of the sessions that are looked after, and drained.
func (hs *hubs) enter(s *session) {
	s.heard()
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.sessions[s] = struct{}{}
	if hs.beat == nil {
		hs.beat = time.AfterFunc(hs.cfg.PongTimeout/beats, hs.watch)
	}
}

// watch looks at every session, until there is none.
func (hs *hubs) watch() {
	now := time.Now()
	hs.mu.Lock()
	defer hs.mu.Unlock()
	for s := range hs.sessions {
		s.watch(now, hs.cfg.PongTimeout)
	}
	if len(hs.sessions) == 0 {
		hs.beat = nil
		return
	}
	hs.beat.Reset(hs.cfg.PongTimeout / beats)
}

// watch pings a peer that has been silent for a while, and makes the reader's
// read or the writer's write fail as timed out when it has lasted too long.
func (s *session) watch(now time.Time, patience time.Duration) {
	if since := s.conn.since.Load(); since != 0 && now.Sub(time.Unix(0, since)) >= writeTimeout {
		_ = s.conn.SetWriteDeadline(now)
	}
	s.q.mu.Lock()
	defer s.q.unlock()
	silent := now.Sub(time.Unix(0, s.lastHeard.Load()))
	switch {
	case s.q.closing != nil:
	case silent >= patience && s.q.room == nil: // else the reader is not listening
		_ = s.conn.SetReadDeadline(now)
	case silent >= patience/pings && now.UnixNano()-s.pinged >= int64(patience/pings):
		s.q.ping, s.pinged = true, now.UnixNano()
	}
}
