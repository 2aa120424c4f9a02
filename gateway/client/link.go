package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// link is one connection. Its goroutine (serve) alone handles frames and
// timers; a reader feeds it, a writer drains out, so that a stalled uplink
// never holds up what comes down. Fields are guarded by the Client's mu.
type link struct {
	c      *Client
	t      Transport
	number int
	out    *queue
	in     chan []byte
	failed chan error // the reader's end: it knows of a close frame
	broken chan error // the writer's end

	greeted bool // hello came
	ready   bool // the join is complete
	lagging bool
	rev     uint64 // of the last live sync: the next one has this or one more
	limits  wire.HelloLimits
	leaveAt time.Time // the server is to stop: when to go to another; zero: it said nothing

	flight   map[*Mutation]struct{} // sent here, no verdict yet
	sent     int                    // counts sendings
	blocked  time.Time              // nothing is sent before (law 7)
	heard    time.Time              // last frame in
	spoke    time.Time              // last frame out
	pinged   time.Time              // zero: no ping is unanswered
	presence time.Time              // last presence sent
	shown    string                 // presence data sent here

	loads  map[uint64]chan loadAnswer // sent here, without an answer yet
	loaded uint64                     // id of the last one
}

func newLink(c *Client, t Transport, number int) *link {
	now := time.Now()
	return &link{
		c: c, t: t, number: number, out: newQueue(), in: make(chan []byte), failed: make(chan error, 1), broken: make(chan error, 1),
		flight: map[*Mutation]struct{}{}, loads: map[uint64]chan loadAnswer{}, heard: now, spoke: now,
	}
}

var (
	errNoPong = errors.New("client: no sign of life")
	errGap    = errors.New("client: a rev is missing")
	errGoaway = errors.New("client: the server is to stop")
)

// serve runs the connection to its end and says why it ended.
func (l *link) serve(ctx context.Context) (err error) {
	done := make(chan struct{})
	read, written := make(chan struct{}), make(chan struct{})
	go func() { defer close(read); l.read(done) }()
	go func() { defer close(written); l.write() }()
	l.c.setState(Joining)
	l.c.attach(l)
	code := 1000
	defer func() {
		l.c.detach()
		close(done)
		l.out.drop()
		_ = l.t.Close(code, "") // it is over either way
		<-read
		<-written
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ErrClosed
		case err := <-l.failed:
			return err
		case err := <-l.broken:
			return l.lastWord(err)
		case frame := <-l.in:
			l.c.opts.Trace(Trace{Kind: TraceReceived, Link: l.number, Frame: frame})
			if err := l.receive(frame); err != nil {
				return err
			}
		case <-l.c.wake:
		case <-timer.C:
		}
		next, err := l.tick(time.Now())
		if err != nil {
			code = 1001
			return err
		}
		timer.Reset(time.Until(next))
	}
}

// lastWord waits a moment after a failed write for a close frame, which says
// why and whether to come again.
func (l *link) lastWord(err error) error {
	for patience := time.After(time.Second); ; {
		select {
		case said := <-l.failed:
			return said
		case <-l.in: // sent again after the next join
		case <-patience:
			return err
		}
	}
}

func (l *link) read(done chan struct{}) {
	for {
		frame, err := l.t.Read()
		if err != nil {
			l.failed <- err
			return
		}
		select {
		case l.in <- frame:
		case <-done:
			return
		}
	}
}

func (l *link) write() {
	for {
		frame, err := l.out.take()
		if err == nil {
			err = l.t.Write(frame)
		}
		if err != nil {
			l.broken <- err
			return
		}
	}
}

func (l *link) send(frame any) {
	raw, err := json.Marshal(frame)
	if err != nil { // cannot happen: frames are ours
		l.c.opts.Logger.Error("frame not encoded", "error", err)
		return
	}
	l.sendRaw(raw)
}

func (l *link) sendRaw(raw []byte) {
	l.spoke = time.Now()
	l.c.opts.Trace(Trace{Kind: TraceSent, Link: l.number, Frame: raw})
	_ = l.out.put(raw) // fails at the end only, when nothing is sent any more
}

// receive handles one frame. An error ends the connection.
func (l *link) receive(raw []byte) error {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	l.heard, l.pinged = time.Now(), time.Time{}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("client: frame: %w", err)
	}
	switch head.Type {
	case wire.TypeSync:
		return handle(raw, l.sync)
	case wire.TypeAck:
		return handle(raw, func(f wire.Ack) error { l.c.apply(l.c.store.Ack(f)); return nil })
	case wire.TypeNack:
		return handle(raw, l.nack)
	case wire.TypeHello:
		return handle(raw, l.hello)
	case wire.TypeReady:
		return handle(raw, l.markReady)
	case wire.TypeLag:
		l.lagging = true
		l.c.store.Lag()
		l.c.setPeers(map[string]Peer{})
	case wire.TypePong:
		return handle(raw, func(f wire.Pong) error { l.c.clock.hear(f.ServerTime); return nil })
	case wire.TypePresence:
		return handle(raw, l.peer)
	case wire.TypeGoaway:
		return handle(raw, func(f wire.Goaway) error {
			l.leaveAt = time.Now().Add(time.Duration(max(0, min(f.ReconnectAfterMs, math.MaxInt32))) * time.Millisecond)
			return nil
		})
	case wire.TypeLoaded:
		return handle(raw, l.page)
	case wire.TypeError:
		l.c.opts.Logger.Warn("the server made no sense of a frame", "answer", string(raw))
		return handle(raw, l.refusedLoad)
	}
	return nil
}

func handle[F any](raw []byte, fn func(F) error) error {
	var f F
	if err := json.Unmarshal(raw, &f); err != nil {
		return fmt.Errorf("client: frame: %w", err)
	}
	return fn(f)
}

func (l *link) hello(f wire.Hello) error {
	if f.Protocol != 1 {
		return &CloseError{wire.CloseVersion, fmt.Sprint("server speaks protocol ", f.Protocol)}
	}
	l.greeted, l.limits = true, f.Limits
	if l.limits.InFlight <= 0 {
		l.limits.InFlight = wire.InFlight
	}
	if l.limits.FrameBytes <= 0 {
		l.limits.FrameBytes = wire.FrameBytes
	}
	if l.limits.AckTimeoutMs <= 0 {
		l.limits.AckTimeoutMs = wire.AckTimeoutMs
	}
	l.c.clock.hear(f.ServerTime)
	l.c.hello = f
	l.c.apply(l.c.store.Hello(f))
	return nil
}

func (l *link) markReady(f wire.Mark) error {
	if !l.greeted {
		return errors.New("client: ready before hello")
	}
	l.c.apply(l.c.store.Ready(f.Rev))
	l.rev, l.lagging = f.Rev, false
	if l.ready {
		return nil
	}
	l.ready = true
	select {
	case <-l.c.joined:
	default:
		close(l.c.joined)
	}
	l.c.state = Live
	l.c.tell(func() { each(&l.c.listeners, l.c.listeners.onState, everybody, func(fn func(State)) { fn(Live) }) })
	return nil
}

// sync takes an entity. Law 1: from ready on revs have no gap; should one be
// missing all the same, a new join brings it.
func (l *link) sync(f wire.Sync) error {
	if l.ready && !l.lagging {
		if f.Rev != l.rev && f.Rev != l.rev+1 {
			return fmt.Errorf("%w: %d after %d", errGap, f.Rev, l.rev)
		}
		l.rev = f.Rev
	}
	eff, err := l.c.store.Sync(f)
	l.c.apply(eff)
	return err
}

// nack ends a mutation, or by law 7 has it and all later ones sent again.
func (l *link) nack(f wire.Nack) error {
	m := l.c.mutations[f.ClientMutationID]
	if !f.Retryable {
		l.c.apply(l.c.store.Nack(f))
		return nil
	}
	switch {
	case m == nil:
	case m.owed > 0:
		m.owed--
	case m.link == l:
		l.refused(m, retryAfter(f.Details))
	}
	return nil
}

// refused handles law 7: the server refuses every later mutate of this
// connection until m is sent again. So all of them are sent again after the
// pause, m first, and the refusals still to come are not counted.
func (l *link) refused(m *Mutation, pause time.Duration) {
	if m.ask { // the cancel that is on its way frees the server; ask again if it is lost
		m.deadline = time.Now().Add(pause)
		return
	}
	for other := range l.flight {
		if other.order > m.order && !other.ask {
			other.owed++
			l.landed(other)
		}
	}
	l.landed(m)
	l.blocked = time.Now().Add(pause)
}

// landed ends the wait for a verdict to what was sent here.
func (l *link) landed(m *Mutation) {
	delete(l.flight, m)
	m.link = nil
}

func retryAfter(d domain.Details) time.Duration {
	const unnamed = time.Second
	ms, ok := d["retryAfterMs"].(float64)
	if !ok || ms < 0 {
		return unnamed
	}
	return time.Duration(ms) * time.Millisecond
}
