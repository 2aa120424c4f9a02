package gateway

import "time"

// A write to a socket costs a core several microseconds, whatever is in it. So
// that a board of many viewers where much happens does not spend all its time
// in them, the viewers' writers are woken in rounds: at once after a quiet
// while, else not before the time that the last round's writes cost has passed
// once more. Who has a verdict to get is woken with it.
const (
	roundPer = 20 * time.Microsecond  // between two rounds, for each session: twice a write
	minRound = 500 * time.Microsecond // below which there is no wait: the board has few viewers
	maxRound = 50 * time.Millisecond
)

// round says when a hub's writers are woken. Under hub.mu.
type round struct {
	now   bool        // for what is queued now
	last  time.Time   // of the last one
	timer *time.Timer // of the next one; made when there first is one
	set   bool        // the timer runs
}

// beginRound decides about what is queued to every session next.
func (h *hub) beginRound() {
	pause := min(roundPer*time.Duration(len(h.sessions)), maxRound)
	r := &h.round
	now := time.Now()
	wait := r.last.Add(pause).Sub(now)
	if r.now = pause < minRound || wait <= 0; r.now {
		r.last = now
		return
	}
	switch {
	case r.set:
	case r.timer == nil:
		r.timer = time.AfterFunc(wait, h.wakeAll)
	default:
		r.timer.Reset(wait)
	}
	r.set = true
}

// end ends the update of a session's queue; urgent does not wait for the round.
func (r *round) end(q *queue, urgent bool) {
	if urgent || r.now || q.bytes > q.limit/4 {
		q.unlock()
	} else {
		q.mu.Unlock()
	}
}

// wakeAll is a round that was put off.
func (h *hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.round.set, h.round.last = false, time.Now()
	for _, s := range h.sessions {
		s.q.mu.Lock()
		s.q.unlock()
	}
}
