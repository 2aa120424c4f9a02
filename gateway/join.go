package gateway

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// reachTimeout is how long a join waits for the view to reach its client.
const reachTimeout = 2 * time.Second

// join lets s into the room: hello, the board or what changed of it, ready,
// who else is there, and from then on everything live. It says no when the
// board does not exist or s may not see it.
func (h *hub) join(s *session, query url.Values) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	board := h.view.Board()
	role := h.roleOf(s.id)
	if !board.Exists() || !role.Valid() {
		return false
	}
	states := &bulk{user: s.id.user}
	var resumed bool
	if states.entities, resumed = h.resume(s, query); !resumed {
		states.pages = slices.Clone(h.pages(s.open))
	}
	s.hub = h
	rev := h.view.Rev()
	hello := wire.Hello{
		Type: wire.TypeHello, Protocol: 1, Board: h.board,
		User: s.id.user, Name: s.id.name, Picture: s.id.picture, Role: role, Session: s.key,
		Epoch: h.hs.log.Epoch(), Rev: rev, Resumed: resumed, ServerTime: stamp(h.hs.now()),
		Limits: wire.HelloLimits{FrameBytes: wire.FrameBytes, InFlight: wire.InFlight, AckTimeoutMs: wire.AckTimeoutMs},
		Lab:    h.hs.lab != nil,
	}
	s.q.update(func() {
		s.q.put(replyItem(hello))
		s.q.put(item{bulk: states})
		s.q.put(replyItem(wire.Mark{Type: wire.TypeReady, Rev: rev}))
		for _, it := range h.everyPresence(s) {
			s.q.put(it)
		}
	})
	h.sessions = append(h.sessions, s)
	s.at = len(h.sessions)
	if s.open {
		h.opens++
		h.view.WatchOpen(true)
	}
	return true
}

// partOpen says whether the query asks for the open part of a board.
func partOpen(query url.Values) (open bool, bad *problem) {
	switch part := query.Get("part"); {
	case part == "open":
		return true, nil
	case query.Has("part"):
		p := invalid("part", "only open is known")
		return false, &p
	}
	return false, nil
}

// position is where the query says a client resumes, if in this life of the log.
func (h *hub) position(query url.Values) (since uint64, ok bool) {
	since, err := strconv.ParseUint(query.Get("since"), 10, 64)
	return since, err == nil && query.Get("epoch") == h.hs.log.Epoch()
}

// reach brings the view to where a client resumes that was ahead of it on
// another node, whose news was lost or is still to come. That the log has no
// such rev is for join to find; if the log does not say, as on a node that is
// cut off from the others, reach says no: nobody is taken back to what he has
// seen the end of.
func (h *hub) reach(ctx context.Context, query url.Values) bool {
	since, ok := h.position(query)
	behind := func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return ok && h.view.Rev() < since
	}
	if !behind() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if err := h.feed.Current(ctx); err != nil {
		h.hs.logger.Debug("tail not seen", "board", h.board, "error", err)
		return !behind()
	}
	return true
}

// resume gives what changed for s since the position in the query, if this life
// of the log has it.
func (h *hub) resume(s *session, query url.Values) ([]*domain.Entity, bool) {
	since, ok := h.position(query)
	if !ok {
		return nil, false
	}
	changed, ok := h.changedSince(s, since)
	if ok && changed == nil {
		changed = []*domain.Entity{}
	}
	return changed, ok
}

// changedSince gives what s, who has what it watches as of rev, must be told.
func (h *hub) changedSince(s *session, rev uint64) ([]*domain.Entity, bool) {
	if s.open {
		return h.view.OpenSince(rev)
	}
	return h.view.Board().ChangedSince(rev)
}

// catchUp brings a session up to date whose queue has overflowed and is empty
// now: the same way as a resume, from the last rev it was sent.
func (h *hub) catchUp(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.at == 0 {
		s.shut(wire.CloseTooSlow, "")
		return
	}
	s.q.update(func() {
		if !s.q.lagging {
			for _, it := range h.missedPresence(s) {
				s.q.put(it)
			}
			return
		}
		changed, ok := h.changedSince(s, s.q.since)
		if !ok { // too far behind to be told what is gone: a new join tells
			s.q.stop(wire.CloseTooSlow, "too far behind")
			return
		}
		h.hs.lagged(h.board)
		items := []item{
			replyItem(wire.Mark{Type: wire.TypeLag, Rev: s.q.since}),
			{bulk: &bulk{entities: changed, user: s.id.user}},
			replyItem(wire.Mark{Type: wire.TypeReady, Rev: h.view.Rev()}),
		}
		if len(changed) == 0 {
			items = append(items[:1], items[2])
		}
		for _, held := range s.q.caughtUp(items) {
			it, _ := h.page(s, held.ask)
			s.q.put(it)
		}
		s.q.stale = nil
		for _, it := range h.everyPresence(s) {
			s.q.put(it)
		}
	})
}

// part takes a session out: its mutations wait for nobody any more, and the
// others hear that it left.
func (h *hub) part(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.at > 0 {
		last := len(h.sessions) - 1
		h.sessions[s.at-1] = h.sessions[last]
		h.sessions[s.at-1].at = s.at
		h.sessions[last] = nil
		h.sessions, s.at = h.sessions[:last], 0
		if s.open {
			h.opens--
			h.view.WatchOpen(h.opens > 0)
		}
	}
	for _, sending := range slices.Clone(s.waiting) {
		h.hs.lab.leave(h.board, sending.key)
		h.forget(sending)
	}
	h.gone(s)
}
