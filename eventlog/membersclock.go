package eventlog

import (
	"cmp"
	"slices"
	"time"
)

const (
	// maxAstray is how far a node's clock may be from the others': verdicts near
	// a deadline allow for so much (DESIGN.md, Deadline).
	maxAstray = time.Second
	// backWithin is how near it must come to be taken for right again.
	backWithin = 900 * time.Millisecond
	// sureAfter is how many looks in a row must agree.
	sureAfter  = 2
	maxOffsets = 8 // of a node that are kept
	// unlike is by how much more than they may be wrong two offsets differ if a
	// clock was set, or stood still, in between.
	unlike   = 100 * time.Millisecond
	sentKept = 64
)

// offset is by how much another node's wall clock is ahead of ours; it is wrong
// by err at most.
type offset struct{ by, err time.Duration }

// compare keeps an offset that was measured. It is the only one if the best so
// far cannot be true any more.
func (p *peer) compare(o offset, ok bool) {
	if !ok {
		return
	}
	if best, known := p.best(); known && (o.by-best.by).Abs() > o.err+best.err+unlike {
		p.offsets = nil
	}
	if len(p.offsets) == maxOffsets {
		p.offsets = slices.Delete(p.offsets, 0, 1)
	}
	p.offsets = append(p.offsets, o)
}

// best is the most exact of the last offsets.
func (p *peer) best() (offset, bool) {
	if len(p.offsets) == 0 {
		return offset{}, false
	}
	return slices.MinFunc(p.offsets, func(a, b offset) int { return cmp.Compare(a.err, b.err) }), true
}

// clock is what a node knows of its own wall clock. Arguments named now are of
// the monotonic clock, wall of the other one.
type clock struct {
	start, startWall time.Time
	drift            time.Duration // of wall against now since start
	steadySince      time.Time
	sentAt           [sentKept]time.Time // the last beats, by number
	lastSent         uint64

	astray   bool
	doubts   int       // looks in a row that say the contrary of astray
	compared bool      // with another node's, at the last look
	agreed   time.Time // since when the others agree with a wall clock that is not the node's time; zero: they do not
}

func (c *clock) begin(now, wall time.Time) {
	*c = clock{start: now, startWall: wall.Round(0), steadySince: now}
}

// steady is for how long the wall clock was not set.
func (c *clock) steady(now time.Time) time.Duration { return now.Sub(c.steadySince) }

func (c *clock) sent(n uint64, now time.Time) { c.sentAt[n%sentKept], c.lastSent = now, n }

// sample compares by a beat that answers one of ours: the other node's clock
// was at b.At half way between, and half the time on the way is the error.
func (c *clock) sample(b *Beat, echo Echo, now, wall time.Time) (offset, bool) {
	if echo.N == 0 || echo.N > c.lastSent || c.lastSent-echo.N >= sentKept {
		return offset{}, false
	}
	way := now.Sub(c.sentAt[echo.N%sentKept]) - echo.Held
	if way < 0 {
		return offset{}, false
	}
	return offset{by: b.At.Sub(wall.Round(0).Add(-way / 2)), err: way / 2}, true
}

// judge compares this node's clock with the median of all, its own included.
// Of an even number the two in the middle may differ: there the one counts
// that was not set for longer, so that of two nodes the one that came later, or
// whose clock was set, gives way.
func (c *clock) judge(now, wall time.Time, others roster, self string) (ahead time.Duration) {
	drift := wall.Round(0).Sub(c.startWall) - now.Sub(c.start)
	by := (drift - c.drift).Abs()
	c.drift = drift // slewing adds up to no jump
	if by > jump {
		c.steadySince = now
		for _, p := range others {
			p.offsets = nil // they were compared with what it was
		}
		if by > maxAstray && len(others) > 0 { // until they say otherwise
			c.astray, c.doubts, c.compared = true, 0, false
			return drift
		}
	}
	type hand struct {
		offset
		steady time.Duration
		node   string
	}
	hands := []hand{{steady: c.steady(now), node: self}}
	for node, p := range others {
		if o, ok := p.best(); ok {
			hands = append(hands, hand{o, p.Steady, node})
		}
	}
	if c.compared = len(hands) > 1; !c.compared && len(others) > 0 { // they have not said yet
		c.doubts = 0
		return 0
	}
	slices.SortFunc(hands, func(a, b hand) int { return cmp.Or(cmp.Compare(a.by, b.by), cmp.Compare(a.node, b.node)) })
	right := hands[len(hands)/2]
	if low := hands[(len(hands)-1)/2]; cmp.Or(cmp.Compare(low.steady, right.steady), cmp.Compare(right.node, low.node)) > 0 {
		right = low
	}
	far := max(right.by, -right.by) - right.err
	if !c.astray && far > maxAstray || c.astray && far < backWithin {
		c.doubts++
	} else {
		c.doubts = 0
	}
	if c.doubts >= sureAfter || c.doubts > 0 && now.Sub(c.start) < 2*beatEvery {
		c.astray, c.doubts = !c.astray, 0
	}
	return -right.by
}
