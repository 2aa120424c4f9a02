package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Own is a target whose server this process may stop and start. Server is nil
// for one that runs by itself: what needs a restart is then left out.
type Own struct {
	*Snapback
	Server *Server
	Admin  string   // of its metrics; "": not known
	Admins []string // of further nodes
}

// TakeNodes has clients connect to the nodes of a cluster. It is not started
// again: what needs that fails.
func (o *Own) TakeNodes(nodes []*Server) {
	for i, s := range nodes {
		if i == 0 {
			o.URL, o.Admin = s.URL, s.Admin
			continue
		}
		o.More, o.Admins = append(o.More, s.URL), append(o.Admins, s.Admin)
	}
}

var errOwn = errors.New("load: this needs a server of its own: without --url")

// restart ends the server and starts it with the same log; nothing is in memory then.
func (o Own) restart(ctx context.Context, sync string) error {
	if o.Server == nil {
		return errOwn
	}
	if err := o.Server.Stop(); err != nil {
		return err
	}
	return o.Server.Start(ctx, sync)
}

// fill adds records to a board, one commit each: one move at a time.
func (o Own) fill(ctx context.Context, board string, cards, records int, span Span) error {
	c, err := o.Open(ctx, board, 0)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.oneByOne(ctx, cards, records, func(i int) { span.say("filling the log", float64(i)/float64(records)) })
	return err
}

// oneByOne sends moves one after the other, each when the one before is acked.
func (c *Client) oneByOne(ctx context.Context, cards, moves int, each func(i int)) (latencies, error) {
	defer context.AfterFunc(ctx, c.Close)()
	lat := newLatencies()
	for i := range moves {
		if each != nil && i%1000 == 0 {
			each(i)
		}
		n := int(c.n)
		sent := c.Send(n%cards, 1-n/cards%2)
		start := time.Now()
		if err := c.Flush(); err != nil {
			return lat, err
		}
		for waiting := true; waiting; {
			err := c.Receive(func(e Event) error {
				if e.Kind == Nack {
					return fmt.Errorf("load: move %d was refused", e.N)
				}
				if e.Kind == Ack && e.N == sent {
					lat.record(time.Since(start))
					waiting = false
				}
				return nil
			})
			if err != nil {
				return lat, errors.Join(err, ctx.Err())
			}
		}
	}
	return lat, nil
}

// Join measures from dialling to `ready`: warm, the board being watched by
// somebody else all the time, and cold, right after a restart of the server,
// of a board with so many records.
func Join(ctx context.Context, o Own, run string, cards, records, samples int, span Span) (Result, error) {
	board := run + "-0"
	if err := o.Make(ctx, board, cards); err != nil {
		return Result{}, err
	}
	if err := o.lengthen(ctx, board, cards, records, span); err != nil {
		return Result{}, err
	}
	r := Result{Bench: "join", Setting: fmt.Sprintf("%d cards, %d records", cards, records)}
	if o.Server != nil {
		cold := newLatencies()
		const restarts = 5
		for i := range restarts {
			span.say("joining cold", float64(i)/restarts)
			if err := o.restart(ctx, ""); err != nil {
				return Result{}, err
			}
			if _, err := o.timeJoin(ctx, board, cold); err != nil {
				return Result{}, err
			}
		}
		r.Figures = append(r.Figures, Figure{"cold p50", cold.ms(50), "ms"}, Figure{"cold max", cold.ms(100), "ms"})
	}
	stays, err := o.Open(ctx, board, 0)
	if err != nil {
		return Result{}, err
	}
	defer stays.Close()
	warm := newLatencies()
	m := span.startMeter()
	bytes := 0
	for i := range samples {
		span.say("joining warm", float64(i)/float64(samples))
		j, err := o.timeJoin(ctx, board, warm)
		if err != nil {
			return Result{}, err
		}
		bytes = j.Bytes
	}
	m.stop(&r)
	r.Load = 0 // it waits for itself: a join is its client's work too
	r.Figures = append(warm.figures("warm"), r.Figures...)
	r.Figures = append(r.Figures, Figure{"board", float64(bytes) / 1024, "KiB"})
	return r, nil
}

// lengthen fills a board up to so many records, quickly if the server is own.
func (o Own) lengthen(ctx context.Context, board string, cards, records int, span Span) error {
	if records == 0 {
		return nil
	}
	if o.Server != nil {
		if err := o.restart(ctx, "interval"); err != nil {
			return err
		}
	}
	if err := o.fill(ctx, board, cards, records, span); err != nil || o.Server == nil {
		return err
	}
	return o.restart(ctx, "")
}

func (o Own) timeJoin(ctx context.Context, board string, lat latencies) (Joined, error) {
	start := time.Now()
	c, j, err := o.Join(ctx, board, 1, "")
	if err != nil {
		return j, err
	}
	lat.record(time.Since(start))
	c.Close()
	return j, nil
}

// Resume connects clients, restarts the server (or only drops them, when it is
// not ours) and has all of them come back at once with their position. It
// gives the time from the server's being ready to the last client's.
func Resume(ctx context.Context, o Own, run string, boards, clients int, span Span) (Result, error) {
	room := Room{Boards: boards, Clients: clients / boards, Window: 1}
	positions, err := o.positions(ctx, run, room, span)
	if err != nil {
		return Result{}, err
	}
	if o.Server != nil {
		span.say("restarting", 0)
		if err := o.restart(ctx, ""); err != nil {
			return Result{}, err
		}
	}
	lats := make([]latencies, len(positions))
	back := make([]*Client, len(positions))
	defer func() { closeAll(back) }()
	var done atomic.Int64
	var fresh atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	m := span.startMeter()
	for i, p := range positions {
		lats[i] = newLatencies()
		g.Go(func() error {
			c, j, err := o.Join(gctx, fmt.Sprintf("%s-%d", run, i/room.Clients), i%room.Clients, p.Resume())
			if err != nil {
				return err
			}
			back[i] = c
			lats[i].record(time.Since(m.start))
			if !j.Resumed || j.Entities > 0 {
				fresh.Add(1)
			}
			span.say("resuming", float64(done.Add(1))/float64(len(positions)))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return Result{}, err
	}
	r := Result{Bench: "resume", Setting: fmt.Sprintf("%d clients on %d boards", len(positions), boards), Faults: int(fresh.Load())}
	m.stop(&r)
	total := newLatencies()
	for _, l := range lats {
		total.add(l)
	}
	r.Figures = Figures{{"all ready", r.Seconds, "s"}, {"ready p50", total.ms(50) / 1000, "s"}}
	return r, nil
}

// positions connects every client of the room once and gives where each is.
func (o Own) positions(ctx context.Context, run string, room Room, span Span) ([]Joined, error) {
	positions := make([]Joined, room.Boards*room.Clients)
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(preparing)
	for b := range room.Boards {
		g.Go(func() error {
			board := fmt.Sprintf("%s-%d", run, b)
			if err := o.Make(ctx, board, room.Clients); err != nil {
				return err
			}
			for i := range room.Clients {
				c, j, err := o.Join(ctx, board, i, "")
				if err != nil {
					return err
				}
				c.Close()
				positions[b*room.Clients+i] = j
				span.say("connecting", float64(done.Add(1))/float64(len(positions)))
			}
			return nil
		})
	}
	return positions, g.Wait()
}
