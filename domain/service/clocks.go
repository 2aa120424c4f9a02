package service

import (
	"context"
	"sync/atomic"
	"time"
)

// Deadlines are judged by three clocks: a gateway stamps what it takes in, a
// worker decides by [Config.Now], and the server that leads a board's stream
// stamps the record, by its own wall clock, which is what counts (DESIGN.md,
// Deadline). They may be a second apart. A wall clock that is set is more, and at
// once, and the PubAck does not tell. So what another node's server stamps is
// read back before it is announced, until the stream is led here, and while any
// node's clock is in doubt.

// late says whether a commit whose PubAck has just come may be void, so that only
// the record can tell.
func (s *Service) late(f *flight) bool {
	if s.Members == nil {
		return f.commit.VoidAt(s.Now().Add(voidMargin))
	}
	if f.commit.NotAfter.IsZero() {
		return false
	}
	return f.commit.VoidAt(s.Members.Latest().Add(voidMargin)) || s.Members.Doubtful() || s.stamps.elsewhere(s.Log.Shard(f.commit.Board))
}

// stamps knows which of the shards this node has are stamped by its own clock.
type stamps struct {
	log  stampLog                          // nil: all that is known is what the nodes say of their clocks
	here []atomic.Pointer[<-chan struct{}] // by shard: until another server is elected; nil: not here
}

// stampLog is an [eventlog.Log] that says who leads.
type stampLog interface {
	Clustered() bool
	LeadsRecords(ctx context.Context, shard int) (bool, error)
	Elected(shard int) <-chan struct{}
}

// ledEvery is how often it is asked who leads.
const ledEvery = time.Second

func (p *stamps) init(s *Service) {
	p.here = make([]atomic.Pointer[<-chan struct{}], s.Log.Shards())
	if log, ok := s.Log.(stampLog); ok && s.Members != nil && log.Clustered() {
		p.log = log
	}
}

func (p *stamps) elsewhere(shard int) bool {
	if p.log == nil {
		return false
	}
	elected := p.here[shard].Load()
	if elected == nil {
		return true
	}
	select {
	case <-*elected:
		return true
	default:
		return false
	}
}

// run asks until ctx ends.
func (p *stamps) run(ctx context.Context, owned func() []Holding) {
	for p.log != nil && ctx.Err() == nil {
		for _, h := range owned() {
			elected := p.log.Elected(h.Shard) // before it is asked: none is missed
			if here, err := p.log.LeadsRecords(ctx, h.Shard); here && err == nil {
				p.here[h.Shard].Store(&elected)
			} else {
				p.here[h.Shard].Store(nil)
			}
		}
		pause(ctx, ledEvery)
	}
}

// Void commits stay in the log: while one follows the other, as long as a server
// with a wrong clock leads the stream, the next one waits.
const (
	firstVoidWait = 20 * time.Millisecond
	longVoidWait  = 500 * time.Millisecond
)

// voided puts the next try off, unless it is the first that was void.
func (w *worker) voided() {
	w.s.metrics.voids.Inc()
	w.reload()
	if w.voids++; w.voids > 1 {
		w.retryAt = time.Now().Add(min(firstVoidWait<<min(w.voids-2, 10), longVoidWait))
	}
}
