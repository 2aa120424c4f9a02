package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// ring is how many mutations of one client may be in flight, a power of two.
const ring = 1 << 12

// walker is a client whose moves are sent by somebody else's clock: one
// goroutine sends, another receives.
type walker struct {
	*Client
	first, cards int
	phase        *counting

	due     [ring]atomic.Int64 // when each was to be sent, nanoseconds since the epoch, by number modulo ring
	acks    int
	refused int
	lat     latencies
	heard   func(Event, time.Time) // every event; may be nil
}

// step sends the next move and says that it was due then.
func (w *walker) step(due time.Time) error {
	n := int(w.n)
	w.due[uint64(n+1)%ring].Store(due.UnixNano())
	w.Send(w.first+n%w.cards, 1-n/w.cards%2)
	return w.Flush()
}

func (w *walker) receive() error {
	for {
		var now time.Time
		var counted bool
		err := w.Receive(func(e Event) error {
			if now.IsZero() { // after the wait
				now, counted = time.Now(), w.phase.on.Load()
			}
			switch {
			case e.Kind == Nack:
				w.refused++
			case e.Kind == Ack && counted:
				w.acks++
				w.lat.record(now.Sub(time.Unix(0, w.due[e.N%ring].Load())))
			}
			if w.heard != nil {
				w.heard(e, now)
			}
			return nil
		})
		switch {
		case w.phase.over.Load() && !errors.Is(err, ErrClosed):
			return nil
		case err != nil:
			return err
		}
	}
}

// Steady sends moves at a fixed rate over all clients in turn, whatever the
// answers do: open loop. Times count from when a move was due.
func Steady(ctx context.Context, t Target, run string, room Room, rate float64, span Span) (Result, error) {
	room.Window = 4 // cards of each client
	clients, err := room.open(ctx, t, run, span)
	if err != nil {
		return Result{}, err
	}
	defer closeAll(clients)
	var phase counting
	var g errgroup.Group
	walkers := make([]*walker, len(clients))
	for i, c := range clients {
		w := &walker{Client: c, first: i % room.Clients * room.Window, cards: room.Window, phase: &phase, lat: newLatencies()}
		walkers[i] = w
		g.Go(w.receive)
	}
	late := newLatencies()
	next := 0
	g.Go(func() error {
		return pace(rate, phase.over.Load, func(due time.Time) error {
			if phase.on.Load() {
				late.record(time.Since(due))
			}
			next++
			return walkers[next%len(walkers)].step(due)
		})
	})
	r := Result{Bench: "steady", Setting: fmt.Sprintf("%d boards x %d clients, %g moves/s", room.Boards, room.Clients, rate)}
	err = span.measure(ctx, &phase, &r)
	time.Sleep(100 * time.Millisecond) // the last answers
	closeAll(clients)
	if failed := g.Wait(); err == nil {
		err = failed
	}
	if err != nil {
		return Result{}, err
	}
	total := newLatencies()
	acks := 0
	for _, w := range walkers {
		total.add(w.lat)
		acks += w.acks
		r.Faults += w.refused
	}
	r.Figures = append(Figures{{"acked", float64(acks) / r.Seconds, "/s"}}, total.figures("ack")...)
	r.Figures = append(r.Figures, Figure{"sent late p99", late.ms(99), "ms"})
	r.perMove(acks)
	return r, nil
}
