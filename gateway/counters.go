package gateway

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// counters are for metrics: what is so now, and totals since start.
type counters struct {
	Boards, Sessions, InFlight int64
	Lagging                    int64         // of Sessions
	Oldest                     time.Duration // since the receipt of the oldest mutation that waits; 0: none does
	Behind                     time.Duration // of the board's view that is behind for longest
	BehindRecords              int64         // of the one with the most
	BehindBoards               int64         // for more than a second

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
	// told, if set, hears of each record that decides what somebody waits for
	// here, when it is queued to everybody. Set before use.
	told func(stored time.Time)

	mutations, httpMutations, acks, nacks, retryable atomic.Int64
	republished, syncs, lags, presences, broken      atomic.Int64
	writes                                           atomic.Int64
	lagSaid                                          atomic.Int64 // when it was logged last, by hubs.clock; 0: never
}

// verdict counts one that a session's sending gets now.
func (t *tally) verdict(v *domain.Verdict, s *sending, now time.Time) {
	outcome := outcomeAck
	if v.Rejection == nil {
		t.acks.Add(1)
	} else {
		t.nacks.Add(1)
		outcome = string(v.Rejection.Code)
	}
	if t.observe != nil {
		t.observe(outcome, now.Sub(s.cmd.ReceivedAt))
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
	c.Boards, c.Sessions = int64(len(hs.rooms)), int64(len(hs.sessions))
	for s := range hs.sessions {
		s.q.mu.Lock()
		c.InFlight += int64(s.q.flying.mutates)
		if s.q.lagging {
			c.Lagging++
		}
		s.q.mu.Unlock()
	}
	rooms := slices.Collect(maps.Values(hs.rooms))
	hs.mu.Unlock()
	now := hs.now()
	for _, h := range rooms {
		h.measure(now, &c)
	}
	return c
}

// lagEvery is how often it is logged that connections fall behind.
const lagEvery = 10 * time.Second

// lagged counts a connection that has fallen behind, and says so now and then.
func (hs *hubs) lagged(board string) {
	lags, now, said := hs.counts.lags.Add(1), hs.clock(), hs.counts.lagSaid.Load()
	if (said == 0 || now-said > int64(lagEvery)) && hs.counts.lagSaid.CompareAndSwap(said, now) {
		hs.logger.Info("a connection is behind", "board", board, "lags", lags)
	}
}

// measure adds what the room knows.
func (h *hub) measure(now time.Time, c *counters) {
	h.mu.Lock()
	for _, o := range h.owned {
		c.Oldest = max(c.Oldest, now.Sub(o.sendings[0].cmd.ReceivedAt))
	}
	h.mu.Unlock()
	select {
	case <-h.started:
	default:
		return
	}
	if h.feed == nil {
		return
	}
	records, behind := h.feed.Behind(time.Now())
	c.Behind, c.BehindRecords = max(c.Behind, behind), max(c.BehindRecords, int64(records))
	if behind > time.Second {
		c.BehindBoards++
	}
}
