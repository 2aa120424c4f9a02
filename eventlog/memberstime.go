package eventlog

import "time"

// steady is a node's notion of now: the wall clock as it was when others agreed
// with it last, and the monotonic time since. Setting the wall clock does nothing
// to it: the others are asked first ([Members.adjust]).
type steady struct {
	since time.Time     // monotonic
	at    time.Time     // what it showed then
	owed  time.Duration // by which the wall clock was ahead then
}

// agreedAfter is how long the others must agree with a wall clock that differs
// from the node's time by more than a second, and was not astray: by then each
// has compared with what it is now.
const agreedAfter = 2 * beatEvery

// slewShare of the time that passes makes up for what is owed: nothing that has
// a second to live loses more than a tenth of it, and it never runs backwards.
const slewShare = 10

func (s *steady) now(mono time.Time) time.Time {
	passed := mono.Sub(s.since)
	most := passed / slewShare
	return s.at.Add(passed + max(-most, min(most, s.owed)))
}

// Now is the time that a node stamps what comes in with, and judges deadlines by.
// Its wall clock may be set meanwhile, or the machine have slept: that changes
// nothing at once. An agreed difference of less than a second is made up for
// slowly; a larger one makes the node stand aside (Astray), and its time is its
// wall clock's again when the others agree with that. Alone it follows the wall
// clock, for so does the log. It has no monotonic part.
func (m *Members) Now() time.Time { return m.time.Load().now(time.Now()) }

// Latest is the later one of Now and the wall clock: the log of this process may
// stamp by that.
func (m *Members) Latest() time.Time {
	now, wall := m.Now(), m.cfg.Now().Round(0)
	if wall.After(now) {
		return wall
	}
	return now
}

// set says whether the wall clock differs from Now by more than a second: it was
// set, or the machine has slept.
func (m *Members) set() bool {
	return m.cfg.Now().Round(0).Sub(m.Now()).Abs() > maxAstray
}

// Doubtful says whether the clock of a node is, or may be, more than a second
// off: its server may lead streams, and what these say of the time a record was
// stored may be wrong. It costs nothing.
func (m *Members) Doubtful() bool { return m.doubt.Load() }

// adjust has the node's time follow the wall clock once that is agreed on; with
// what was set bit by bit that takes as long as everybody takes to say so. Call
// it with m.mu held, after the clocks were judged.
func (m *Members) adjust(now, wall time.Time, agrees bool) {
	at, wall := m.time.Load().now(now), wall.Round(0)
	owed := wall.Sub(at)
	c := &m.clock
	if c.astray || !c.compared || c.doubts > 0 || owed.Abs() <= maxAstray {
		c.agreed = time.Time{}
	} else if c.agreed.IsZero() {
		c.agreed = now
	}
	switch {
	case agrees || len(m.roster) == 0 || !c.agreed.IsZero() && now.Sub(c.agreed) >= agreedAfter:
		at, owed = wall, 0
	case c.astray:
		owed = 0
	}
	m.time.Store(&steady{since: now, at: at, owed: owed})
	m.doubt.Store(m.clock.astray || m.roster.doubtful())
}

// doubtful says whether the clock of one of them is wrong or not compared.
func (r roster) doubtful() bool {
	for _, p := range r {
		if p.doubtful() {
			return true
		}
	}
	return false
}

func (p *peer) doubtful() bool {
	best, ok := p.best()
	return p.Astray || !ok || best.by.Abs()-best.err > maxAstray
}

// Expiry is when a command expires that its gateway stamped with a deadline, and
// that came into the queue at queued with that time to live left: the earlier of
// both, unless the queue's is earlier by more than a second. As it cannot arrive
// before it was sent, that means a clock is wrong, and it is not the gateway's: that is
// not set from one moment to the next, and takes nothing while it is astray.
func Expiry(stamped, queued time.Time, ttl time.Duration) time.Time {
	end := queued.Add(ttl).UTC()
	if stamped.IsZero() || end.Before(stamped) && stamped.Sub(end) <= maxAstray {
		return end
	}
	return stamped
}
