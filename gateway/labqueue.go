package gateway

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// trial is the lab of one session: what is set, and a queue in which all its
// mutates and cancels wait, so that they keep their order (law 6). It is there
// while something is set or waits. Under hub.mu.
type trial struct {
	s     *session
	set   labSetting
	queue []turn // the first is the one that t.run has at hand; while there is one, t.run runs
	stop  context.CancelFunc
	runs  sync.WaitGroup
}

// turn is a mutate or cancel in the queue; it is counted in flight.
type turn struct {
	sent *sending
	fate fate      // of a mutate
	due  time.Time // not before
}

// take puts sent into the queue. It says no when there is no reason to: then it
// goes the usual way. out says that it may have been published before. Call it
// with hub.mu held.
func (t *trial) take(sent *sending, out bool) bool {
	if len(t.queue) == 0 && t.set.zero() {
		return false
	}
	now := turn{sent: sent, fate: fatePass, due: time.Now()}
	if sent.cmd.Op == domain.OpMutate {
		now.fate = t.fate(sent, out)
		wait := float64(t.set.DelayMs) + t.s.hs.lab.random()*float64(t.set.JitterMs)
		now.due = now.due.Add(time.Duration(wait * float64(time.Millisecond)))
	}
	if t.queue = append(t.queue, now); len(t.queue) == 1 {
		ctx, stop := context.WithCancel(t.s.hub.ctx)
		t.stop = stop
		t.runs.Go(func() { defer stop(); t.run(ctx) })
	}
	return true
}

// fate is what is to become of a mutate. Only a new one counts as one of the
// plan: one that is not sent for the first time goes on, or as the one that waits.
func (t *trial) fate(sent *sending, out bool) fate {
	lab, board := t.s.hs.lab, t.s.hub.board
	if _, refused := lab.refusal(board, sent.key); refused || out || lab.hasLeft(board, sent.key) {
		return fatePass
	}
	for _, other := range t.queue {
		if other.sent.key == sent.key && other.sent.cmd.Op == domain.OpMutate {
			return other.fate
		}
	}
	return t.set.next(lab.random)
}

// change makes this the session's setting; what waits keeps its place and time.
// Call it with hub.mu held.
func (s *session) change(set labSetting) {
	if s.trial == nil {
		s.trial = &trial{s: s}
	}
	s.trial.set = set
	s.trial.leave()
}

// leave ends the trial if nothing is set and nothing waits. Call it with hub.mu held.
func (t *trial) leave() {
	if t.set.zero() && len(t.queue) == 0 {
		t.s.trial = nil
	}
}

// endTrial ends what waits, when the reader has ended: it was never published.
func (s *session) endTrial() {
	s.hub.mu.Lock()
	t := s.trial
	if t != nil && t.stop != nil {
		t.stop()
	}
	s.hub.mu.Unlock()
	if t != nil {
		t.runs.Wait()
	}
}

// run lets one after the other go when it is due, until none is left.
func (t *trial) run(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			t.s.hs.logger.Error("panic in the lab", "board", t.s.hub.board, "panic", p, "stack", string(debug.Stack()))
			_ = t.s.conn.Close()
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for first, more := t.first(); more; first, more = t.following() {
		timer.Reset(time.Until(first.due))
		select {
		case <-timer.C:
			t.release(ctx, first)
		case <-ctx.Done():
			return
		}
	}
}

func (t *trial) first() (turn, bool) {
	t.s.hub.mu.Lock()
	defer t.s.hub.mu.Unlock()
	return t.queue[0], true
}

// following ends the first one's turn.
func (t *trial) following() (turn, bool) {
	t.s.hub.mu.Lock()
	defer t.s.hub.mu.Unlock()
	t.queue[0] = turn{}
	if t.queue = t.queue[1:]; len(t.queue) == 0 {
		t.queue = nil
		t.leave()
		return turn{}, false
	}
	return t.queue[0], true
}

// release does with a turn what is to become of it.
func (t *trial) release(ctx context.Context, now turn) {
	switch {
	case now.sent.cmd.Op == domain.OpCancel:
		_ = t.s.hub.own(now.sent, true) // not published yet: the chase will
	case now.fate == fatePass || !t.end(ctx, now) && ctx.Err() == nil:
		t.pass(now.sent)
	}
}

// end refuses or swallows a mutate. It says no to one that may have been
// published before: what nobody here knows of, the log is asked about.
func (t *trial) end(ctx context.Context, now turn) bool {
	s, h, key := t.s, t.s.hub, now.sent.key
	ctx, cancel := context.WithTimeout(ctx, chaseLimit)
	defer cancel()
	if _, known, err := h.lookup(ctx, key.user, key.id); known || err != nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.out(key) { // meanwhile, by another session
		return false
	}
	if now.fate == fateRefuse {
		s.hs.lab.refuse(h.board, now.sent)
		return h.refusedInLab(now.sent)
	}
	if s.q.drop() == (flight{}) && s.retired.Load() {
		s.shut(wire.CloseRestart, "restart") // nothing is written that the writer would do it after
	}
	return true
}

// out says whether a mutation may have been published. Call it with hub.mu held.
func (t *trial) out(key mutationKey) bool {
	made, _ := domain.IDTime(key.id)
	return t.s.hub.maybeOut(key, made, t.s.born) || t.s.hs.lab.hasLeft(t.s.hub.board, key)
}

// pass sends a mutate on its usual way.
func (t *trial) pass(sent *sending) {
	s, h := t.s, t.s.hub
	made, isULID := domain.IDTime(sent.key.id)
	h.mu.Lock()
	out := h.maybeOut(sent.key, made, s.born)
	sent.repeat = out || !isULID
	first := s.enlist(sent)
	h.mu.Unlock()
	if !first {
		return
	}
	if err := h.publish(sent, out); err != nil {
		t.pushBack(sent.key.id)
	}
}

// pushBack is law 7 for a mutate that could not be published: it and what waits
// behind it are refused, so that nothing overtakes it, up to where it is sent
// again or cancelled.
func (t *trial) pushBack(id string) {
	s, h := t.s, t.s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	refuse := func(id, reason string) {
		s.q.drop()
		s.pushBack(id, wire.Unavailable, reason)
	}
	refuse(id, "the log cannot be reached")
	holds := true
	behind := slices.DeleteFunc(t.queue[1:], func(w turn) bool {
		switch {
		case w.sent.key.id == id:
			holds = false
		case holds && w.sent.cmd.Op == domain.OpMutate && !t.out(w.sent.key):
			refuse(w.sent.key.id, "an earlier mutation was refused: send that one first")
			return true
		}
		return false
	})
	t.queue = t.queue[:1+len(behind)]
	if holds {
		s.refused = refused{id, wire.Unavailable} // whatever was refused on receipt came later
	}
}
