package gateway

import (
	"encoding/json"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
)

// presence is what a session says of itself: ephemeral, never logged. Under
// hub.mu.
type presence struct {
	next  json.RawMessage // said too soon after the last, waits for timer
	last  time.Time       // when the others were told
	timer *time.Timer
}

// present tells the others, at most wire.PresencePerSec times a second; what
// comes later replaces what waits.
func (s *session) present(data json.RawMessage) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hs.counts.presences.Add(1)
	if s.said == nil {
		s.said = new(presence)
	}
	s.said.next = data
	if s.said.timer != nil {
		return
	}
	wait := time.Until(s.said.last.Add(time.Second / wire.PresencePerSec))
	if wait <= 0 {
		h.say(s)
		return
	}
	s.said.timer = time.AfterFunc(wait, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		s.said.timer = nil
		if s.at > 0 {
			h.say(s)
		}
	})
}

// shown is what a session has said, and the frame that says so.
type shown struct {
	wire.Presence
	item item
}

func (h *hub) say(s *session) {
	if s.said.next == nil && h.presence[s.key] == nil {
		return // nobody knows of it
	}
	s.said.last = time.Now()
	h.showPresence(wire.Presence{Type: wire.TypePresence, Session: s.key, User: s.id.user,
		Name: s.id.name, Picture: s.id.picture, Data: s.said.next})
}

// gone tells the others that s left, if they knew of it. Call it with h.mu held.
func (h *hub) gone(s *session) {
	if s.said != nil && s.said.timer != nil {
		s.said.timer.Stop()
	}
	if p := h.presence[s.key]; p != nil {
		left := p.Presence
		left.Data = nil
		h.showPresence(left)
	}
}

// showPresence keeps what a session says and tells every session but that one. Call it with h.mu held.
func (h *hub) showPresence(p wire.Presence) {
	it := presenceItem(p)
	if p.Data == nil {
		delete(h.presence, p.Session)
	} else {
		if h.presence == nil {
			h.presence = map[string]*shown{}
		}
		h.presence[p.Session] = &shown{p, it}
	}
	for _, s := range h.sessions {
		if s.key != p.Session {
			s.put(it)
		}
	}
}

func presenceItem(p wire.Presence) item {
	it := replyItem(p)
	it.kind, it.of = itemPresence, p.Session
	return it
}

// everyPresence is one frame for each other session that has said something.
// Call it with h.mu held.
func (h *hub) everyPresence(s *session) []item {
	var items []item
	for key, p := range h.presence {
		if key != s.key {
			items = append(items, p.item)
		}
	}
	return items
}

// missedPresence makes up for what a slow session was not told. Call it with
// h.mu held, inside the queue's update.
func (h *hub) missedPresence(s *session) []item {
	var items []item
	for key := range s.q.stale {
		if p := h.presence[key]; p != nil {
			items = append(items, p.item)
		} else {
			items = append(items, presenceItem(wire.Presence{Type: wire.TypePresence, Session: key}))
		}
	}
	s.q.stale = nil
	return items
}
