package service

import (
	"sync/atomic"
	"time"
)

// pace is how long appends take of late. When a stream gets another leader, the
// answers to appends under way may never come; who waits much longer than
// usual had better ask the new one. Safe for concurrent use.
type pace struct {
	usual atomic.Int64 // a running mean, nanoseconds
}

const (
	// firstSilence is how long an append may go without an answer, at least,
	// before the leader is asked what became of it: much longer than one takes,
	// shorter than anybody likes to wait.
	firstSilence = 250 * time.Millisecond
	// muchLonger is how many times as long as usual counts as much longer.
	muchLonger = 4
	// longestTaken is what one append counts for at most: that a leader was
	// away says nothing about the next one.
	longestTaken = time.Second
)

// took notes how long an append took until it was known to be stored. One that
// is lost among several at the same time changes little.
func (p *pace) took(d time.Duration) {
	old := p.usual.Load()
	p.usual.Store(old + (int64(min(d, longestTaken))-old)/8)
}

// patience is how long to wait for an answer, after so many waits in vain, at
// most so long: twice as long each time, so that a disk that is slow does not
// get more and more to do.
func (p *pace) patience(silences int, most time.Duration) time.Duration {
	return min(max(firstSilence, muchLonger*time.Duration(p.usual.Load()))<<min(silences, 10), most)
}
