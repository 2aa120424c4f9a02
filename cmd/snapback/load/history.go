package load

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// History compares acks on a board with a long history to acks on young boards
// of the same server, in turns, for 10^2 to 10^max records, and times the
// opening of the long one after a restart.
func History(ctx context.Context, o Own, run string, most int, span Span) ([]Result, error) {
	const cards = 10
	long := run + "-long"
	if err := o.Make(ctx, long, cards); err != nil {
		return nil, err
	}
	var results []Result
	have := 2
	for records := 100; records <= most; records *= 10 {
		if err := o.lengthen(ctx, long, cards, records-have, span); err != nil {
			return results, err
		}
		r, added, err := o.compare(ctx, fmt.Sprintf("%s-%d", run, records), long, cards, span)
		if err != nil {
			return results, err
		}
		have = records + added
		r.Bench, r.Setting = "history", fmt.Sprintf("%d records", records)
		if o.Server != nil {
			if err := o.restart(ctx, ""); err != nil {
				return results, err
			}
			open := newLatencies()
			if _, err := o.timeJoin(ctx, long, open); err != nil {
				return results, err
			}
			r.Figures = append(r.Figures, Figure{"opening", open.ms(50), "ms"})
		}
		results = append(results, r)
	}
	return results, nil
}

const (
	turns       = 20
	movesOfTurn = 100
)

// compare measures acks on a new board of 100 records and on another one, in turns.
func (o Own) compare(ctx context.Context, run, board string, cards int, span Span) (r Result, added int, err error) {
	young, old := newLatencies(), newLatencies()
	m := span.startMeter()
	for i := range turns {
		span.say("comparing", float64(i)/turns)
		fresh := fmt.Sprintf("%s-y%d", run, i)
		if err := o.Make(ctx, fresh, cards); err != nil {
			return r, added, err
		}
		for _, side := range []struct {
			board string
			warm  int
			lat   latencies
		}{{fresh, 100, young}, {board, 20, old}} {
			c, err := o.Open(ctx, side.board, 0)
			if err != nil {
				return r, added, err
			}
			if _, err = c.oneByOne(ctx, cards, side.warm, nil); err == nil {
				var lat latencies
				lat, err = c.oneByOne(ctx, cards, movesOfTurn, nil)
				side.lat.add(lat)
			}
			c.Close()
			if err != nil {
				return r, added, err
			}
		}
		added += 20 + movesOfTurn
	}
	m.stop(&r)
	r.Figures = Figures{{"ack p50", old.ms(50), "ms"}, {"ack p50 of 10^2", young.ms(50), "ms"}, {"ratio", old.ms(50) / young.ms(50), ""}}
	return r, added, nil
}

// Boards touches boards at random, 10 of them and count of them in turns, and
// compares the acks: a touch is a client that joins, moves a card, is acked
// and leaves; only the ack is timed.
func Boards(ctx context.Context, o Own, run string, counts []int, span Span) ([]Result, error) {
	var results []Result
	made := 0
	for _, count := range counts {
		if err := o.makeMany(ctx, run, made, count, span); err != nil {
			return results, err
		}
		made = max(made, count)
		few, many := newLatencies(), newLatencies()
		m := span.startMeter()
		for i := range turns {
			span.say(fmt.Sprintf("touching %d boards", count), float64(i)/turns)
			if err := o.touch(ctx, run, 10, movesOfTurn, few); err != nil {
				return results, err
			}
			if err := o.touch(ctx, run, count, movesOfTurn, many); err != nil {
				return results, err
			}
		}
		r := Result{Bench: "boards", Setting: fmt.Sprintf("%d boards", count)}
		m.stop(&r)
		r.Figures = Figures{{"ack p50", many.ms(50), "ms"}, {"ack p50 of 10", few.ms(50), "ms"}, {"ratio", many.ms(50) / few.ms(50), ""}}
		if o.Admin != "" {
			if rss, err := Metric(ctx, o.Admin, residentBytes); err == nil {
				r.Figures = append(r.Figures, Figure{"server", rss / (1 << 20), "MiB"})
			}
		}
		results = append(results, r)
	}
	return results, nil
}

// makeMany makes boards from to to, of one card each.
func (o Own) makeMany(ctx context.Context, run string, from, to int, span Span) error {
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4 * preparing)
	for i := from; i < to; i++ {
		g.Go(func() error {
			span.say("making boards", float64(done.Add(1))/float64(to-from))
			return o.Make(ctx, fmt.Sprintf("%s-%d", run, i), 1)
		})
	}
	return g.Wait()
}

// touch has a client join one of the first count boards, picked at random, and
// move a card, so many times.
func (o Own) touch(ctx context.Context, run string, count, times int, lat latencies) error {
	for range times {
		c, err := o.Open(ctx, fmt.Sprintf("%s-%d", run, rand.IntN(count)), 0)
		if err != nil {
			return err
		}
		one, err := c.oneByOne(ctx, 1, 1, nil)
		c.Close()
		if err != nil {
			return err
		}
		lat.add(one)
	}
	return nil
}
