package load

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Fanout has one client move cards of a board at a fixed rate and every viewer
// hear each change as a sync of its own. Times count from when a move was due
// to when a viewer read it. A viewer that is told to have fallen behind, or
// misses a change, makes the run one that is not to be quoted.
func Fanout(ctx context.Context, t Target, run string, viewers int, rate float64, span Span) (Result, error) {
	room := Room{Boards: 1, Clients: viewers + 1}
	const cards = 100
	board := run + "-0"
	if err := t.Make(ctx, board, cards); err != nil {
		return Result{}, err
	}
	clients, err := room.join(ctx, t, board, span)
	if err != nil {
		return Result{}, err
	}
	defer closeAll(clients)
	var phase counting
	changes := &changeTimes{}
	writer := &walker{Client: clients[0], cards: cards, phase: &phase, lat: newLatencies()}
	first := make(chan uint64, 1)
	writer.heard = func(e Event, _ time.Time) {
		if e.Kind == Ack && e.N == 1 {
			first <- e.Rev
		}
	}
	var g errgroup.Group
	g.Go(writer.receive)
	watchers := make([]*watcher, viewers)
	for i := range watchers {
		w := &watcher{Client: clients[i+1], phase: &phase, times: changes, lat: newLatencies()}
		watchers[i] = w
		g.Go(w.run)
	}
	g.Go(func() error {
		if err := writer.step(time.Now()); err != nil {
			return err
		}
		select { // the first change tells which rev the others will have
		case rev := <-first:
			changes.first.Store(rev + 1)
		case <-ctx.Done():
			return ctx.Err()
		}
		return pace(rate, phase.over.Load, func(due time.Time) error {
			changes.add(due)
			return writer.step(due)
		})
	})
	r := Result{Bench: "fanout", Setting: fmt.Sprintf("%d viewers, %g moves/s", viewers, rate)}
	err = span.measure(ctx, &phase, &r)
	time.Sleep(200 * time.Millisecond)
	closeAll(clients)
	if failed := g.Wait(); err == nil {
		err = failed
	}
	if err != nil {
		return Result{}, err
	}
	r.Faults = writer.refused
	total := newLatencies()
	heard := 0
	for _, w := range watchers {
		total.add(w.lat)
		heard += w.heard
		r.Faults += w.missed
	}
	r.Figures = append(Figures{{"changes", float64(writer.acks) / r.Seconds, "/s"}, {"syncs", float64(heard) / r.Seconds, "/s"}}, total.figures("sync")...)
	r.perMove(writer.acks)
	return r, nil
}

// join connects r.Clients clients to a board that is there.
func (r Room) join(ctx context.Context, t Target, board string, span Span) ([]*Client, error) {
	clients := make([]*Client, r.Clients)
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(preparing)
	for i := range clients {
		g.Go(func() (err error) {
			clients[i], err = t.Open(ctx, board, i)
			span.say("connecting", float64(done.Add(1))/float64(len(clients)))
			return err
		})
	}
	err := g.Wait()
	if err != nil {
		closeAll(clients)
	}
	return clients, err
}

// changeTimes says when each change of a board was due, by its rev: revs rise
// by one with each. One goroutine adds.
type changeTimes struct {
	first atomic.Uint64 // rev of due[0]; 0: not known yet
	n     int
	due   [1 << 20]atomic.Int64
}

func (c *changeTimes) add(due time.Time) {
	c.due[c.n%len(c.due)].Store(due.UnixNano())
	c.n++
}

func (c *changeTimes) of(rev uint64) (time.Time, bool) {
	first := c.first.Load()
	if first == 0 || rev < first {
		return time.Time{}, false
	}
	return time.Unix(0, c.due[(rev-first)%uint64(len(c.due))].Load()), true
}

// watcher is a viewer of Fanout. Its goroutine in run has all of it.
type watcher struct {
	*Client
	phase *counting
	times *changeTimes

	last          uint64 // rev
	heard, missed int
	lat           latencies
}

func (w *watcher) run() error {
	for {
		var now time.Time
		var counted bool
		err := w.Receive(func(e Event) error {
			if e.Kind != Sync {
				return nil
			}
			if now.IsZero() { // after the wait
				now, counted = time.Now(), w.phase.on.Load()
			}
			if w.last > 0 && e.Rev != w.last+1 {
				w.missed++
			}
			w.last = e.Rev
			if due, known := w.times.of(e.Rev); known && counted {
				w.heard++
				w.lat.record(now.Sub(due))
			}
			return nil
		})
		switch {
		case w.phase.over.Load():
			return nil
		case err != nil:
			return err
		}
	}
}

// FanoutLimit finds the highest rate of the series 100, 150, 200, 300, 500,
// 700, 1,000, 1,500, ... at which 99 % of all syncs are heard within limit.
func FanoutLimit(ctx context.Context, t Target, run string, viewers int, limit time.Duration, span Span) (Result, error) {
	best := Result{}
	for i, rate := range rates {
		r, err := Fanout(ctx, t, fmt.Sprintf("%s-%d", run, i), viewers, rate, span)
		if err != nil {
			return Result{}, err
		}
		if r.Load > MaxLoad {
			if best.Bench == "" {
				return r, nil
			}
			best.Note = fmt.Sprintf("at least: at %g/s the generator was at its limit", rate)
			break
		}
		if !r.Quotable() || r.Figures.Get("sync p99") > limit.Seconds()*1000 || r.Figures.Get("changes") < 0.97*rate {
			break
		}
		best = r
		best.Figures = append(Figures{{"highest rate", rate, "/s"}}, r.Figures...)
	}
	best.Bench, best.Setting = "fanout", fmt.Sprintf("%d viewers, p99 within %s", viewers, limit)
	if best.Figures == nil {
		best.Figures = Figures{{"highest rate", 0, "/s"}}
	}
	return best, nil
}

var rates = []float64{100, 150, 200, 300, 400, 500, 700, 1000, 1200, 1500, 2000, 3000, 5000}
