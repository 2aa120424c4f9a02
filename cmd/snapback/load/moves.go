package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Span is how long a measurement runs.
type Span struct {
	Warm    time.Duration // before anything is counted
	Measure time.Duration
	// Progress, if set, is told now and then what is being done and how far it
	// is, of a total of 1.
	Progress func(what string, done float64)
	// CPU, if set, gives the seconds of CPU time that the server has used.
	CPU func() float64
}

func (s Span) say(what string, done float64) {
	if s.Progress != nil {
		s.Progress(what, done)
	}
}

// Room is how many clients sit at how many boards.
type Room struct {
	Boards  int
	Clients int // of each board
	Window  int // mutations each client has in flight; each moves a card of its own
}

func (r Room) String() string {
	return fmt.Sprintf("%d boards x %d clients, window %d", r.Boards, r.Clients, r.Window)
}

// preparing is how many boards are made, and clients connected, at a time.
const preparing = 16

// open makes the boards and connects every client. Closing is the caller's.
func (r Room) open(ctx context.Context, t Target, run string, span Span) (clients []*Client, err error) {
	clients = make([]*Client, r.Boards*r.Clients)
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(preparing)
	for b := range r.Boards {
		g.Go(func() error {
			board := fmt.Sprintf("%s-%d", run, b)
			if err := t.Make(ctx, board, r.Clients*max(1, r.Window)); err != nil {
				return err
			}
			for c := range r.Clients {
				client, err := t.Open(ctx, board, c)
				if err != nil {
					return err
				}
				clients[b*r.Clients+c] = client
				span.say("connecting", float64(done.Add(1))/float64(len(clients)))
			}
			return nil
		})
	}
	if err = g.Wait(); err != nil {
		closeAll(clients)
	}
	return clients, err
}

func closeAll(clients []*Client) {
	for _, c := range clients {
		if c != nil {
			c.Close()
		}
	}
}

// counting is what phase a run is in.
type counting struct {
	on   atomic.Bool // results count
	over atomic.Bool // nothing more is sent
}

// Moves has every client keep Window moves in flight: closed loop. It gives
// the acked moves and the syncs heard per second and the time from sending to
// ack.
func Moves(ctx context.Context, t Target, run string, room Room, span Span) (Result, error) {
	clients, err := room.open(ctx, t, run, span)
	if err != nil {
		return Result{}, err
	}
	defer closeAll(clients)
	movers := make([]*mover, len(clients))
	var phase counting
	var g errgroup.Group
	for i, c := range clients {
		m := &mover{Client: c, first: i % room.Clients * room.Window, window: room.Window, phase: &phase, lat: newLatencies(), sent: make([]time.Time, 16*room.Window)}
		movers[i] = m
		g.Go(m.run)
	}
	r := Result{Bench: "moves", Setting: room.String()}
	err = span.measure(ctx, &phase, &r)
	closeAll(clients)
	if failed := g.Wait(); err == nil {
		err = failed
	}
	if err != nil {
		return Result{}, err
	}
	total := newLatencies()
	acks, syncs := 0, 0
	for _, m := range movers {
		total.add(m.lat)
		acks += m.acks
		syncs += m.syncs
		r.Faults += m.refused
	}
	r.Figures = append(Figures{{"acked", float64(acks) / r.Seconds, "/s"}, {"syncs", float64(syncs) / r.Seconds, "/s"}}, total.figures("ack")...)
	r.perMove(acks)
	return r, nil
}

// measure lets the clients run: warm, then counted.
func (s Span) measure(ctx context.Context, phase *counting, r *Result) error {
	defer phase.over.Store(true)
	if err := s.pass(ctx, "warming up", s.Warm); err != nil {
		return err
	}
	m := s.startMeter()
	phase.on.Store(true)
	err := s.pass(ctx, "measuring", s.Measure)
	phase.on.Store(false)
	m.stop(r)
	return err
}

// perMove adds what each of so many moves cost the server.
func (r *Result) perMove(moves int) {
	if r.Server > 0 && moves > 0 {
		r.Figures = append(r.Figures, Figure{"server CPU per move", 1e6 * r.Server * r.Seconds / float64(moves), "us"})
	}
}

func (s Span) pass(ctx context.Context, what string, d time.Duration) error {
	tick := max(d/20, 50*time.Millisecond)
	for start := time.Now(); ; {
		left := d - time.Since(start)
		s.say(what, 1-float64(left)/float64(max(d, 1)))
		if left <= 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(left, tick)):
		}
	}
}

// mover is a client of Moves. Its goroutine in run has all of it.
type mover struct {
	*Client
	first, window int // its cards
	phase         *counting

	sent                 []time.Time // of what is in flight, by number modulo length: verdicts may come out of order
	acks, syncs, refused int
	lat                  latencies
}

func (m *mover) run() error {
	m.SetDeadline(time.Now().Add(time.Hour))
	now := time.Now()
	for range m.window {
		m.move(now)
	}
	for {
		if err := m.Flush(); err != nil {
			return m.ended(err)
		}
		if m.phase.over.Load() {
			return nil
		}
		var now time.Time
		var counted bool
		err := m.Receive(func(e Event) error {
			if now.IsZero() { // after the wait
				now, counted = time.Now(), m.phase.on.Load()
			}
			switch e.Kind {
			case Sync:
				if counted {
					m.syncs++
				}
				return nil
			case Nack:
				m.refused++
			case Ack:
				if counted {
					m.acks++
					m.lat.record(now.Sub(m.sent[e.N%uint64(len(m.sent))]))
				}
			}
			m.move(now)
			return nil
		})
		if err != nil {
			return m.ended(err)
		}
	}
}

// move sends the next move: of the cards in turn, to and fro.
func (m *mover) move(now time.Time) {
	n := int(m.n)
	at := m.Send(m.first+n%m.window, 1-n/m.window%2)
	m.sent[at%uint64(len(m.sent))] = now
}

func (m *mover) ended(err error) error {
	if m.phase.over.Load() && !errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}
