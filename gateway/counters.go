package gateway

import (
	"sync/atomic"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// counters are for metrics: totals since start, but for Boards, Sessions and
// InFlight, which are as of now.
type counters struct {
	Boards, Sessions, InFlight int64

	Mutations   int64 // sendings taken from sockets and HTTP
	Acks, Nacks int64 // verdict frames to sockets; Nacks without Retryable
	Retryable   int64 // refused without a verdict
	Republished int64
	Syncs       int64 // entities changed, however many were told
	Lags        int64 // catch-ups of slow sessions
	Presences   int64 // taken from sockets
	Broken      int64 // frames answered with an error frame
	Writes      int64 // to sockets, of however many frames
}

// tally is what is counted while running.
type tally struct {
	// observe, if set, hears of each verdict frame to a socket: its code or
	// "ack", and the time since its sending was received. Set before use.
	observe func(outcome string, took time.Duration)

	mutations, httpMutations, acks, nacks, retryable atomic.Int64
	republished, syncs, lags, presences, broken      atomic.Int64
	writes                                           atomic.Int64
}

func (t *tally) verdict(v *domain.Verdict, s *sending) {
	outcome := outcomeAck
	if v.Rejection == nil {
		t.acks.Add(1)
	} else {
		t.nacks.Add(1)
		outcome = string(v.Rejection.Code)
	}
	if t.observe != nil {
		t.observe(outcome, time.Since(s.cmd.ReceivedAt))
	}
}

func (hs *hubs) counters() counters {
	t := &hs.counts
	c := counters{
		Mutations: t.mutations.Load() + t.httpMutations.Load(), Acks: t.acks.Load(), Nacks: t.nacks.Load(),
		Retryable: t.retryable.Load(), Republished: t.republished.Load(), Syncs: t.syncs.Load(),
		Lags: t.lags.Load(), Presences: t.presences.Load(), Broken: t.broken.Load(), Writes: t.writes.Load(),
	}
	hs.mu.Lock()
	defer hs.mu.Unlock()
	c.Boards, c.Sessions = int64(len(hs.rooms)), int64(len(hs.sessions))
	for s := range hs.sessions {
		c.InFlight += int64(s.q.flight().mutates)
	}
	return c
}
