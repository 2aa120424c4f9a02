package main

import (
	"context"
	"fmt"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// bench is a measurement every server goes through.
type bench struct {
	name string
	run  func(ctx context.Context, t load.Target, run string, span load.Span) (load.Result, error)
	show []column
}

func (b bench) id() string { return b.name }

// column is a figure in the table.
type column struct{ figure, title string }

// perMove is the one figure that other work on the machine hardly changes.
var perMove = column{"server CPU per move", "CPU/move"}

const highest = "highest rate"

var benches = []bench{
	moves("moves", load.Room{Boards: 50, Clients: 4, Window: 4},
		column{"acked", "50 boards x 4 clients: moves/s"}, column{"ack p50", "ack p50"}, column{"ack p99", "p99"}, perMove),
	moves("hot", load.Room{Boards: 1, Clients: 50, Window: 4},
		column{"acked", "1 board x 50 clients: moves/s"}, column{"syncs", "syncs/s"}, column{"ack p50", "ack p50"}, column{"ack p99", "p99"}, perMove),
	{"fanout", fanout, []column{{highest, "1,000 viewers: changes/s within 100 ms"}}},
}

// moves is load.Moves in a room.
func moves(name string, room load.Room, show ...column) bench {
	return bench{name, func(ctx context.Context, t load.Target, run string, span load.Span) (load.Result, error) {
		r, err := load.Moves(ctx, t, run, room, span)
		r.Bench = name
		return r, err
	}, show}
}

// rates at which fanout's one writer changes cards, per second.
var rates = []float64{10, 30, 50, 100, 150, 200, 300, 500, 700, 1000}

const (
	viewers   = 1000
	tolerated = 100 // ms, for 99 % of what the viewers hear
)

// fanout finds the highest rate that all viewers hear in time. The result is
// that of the highest such run; its generator load, and so whether the figure
// is the server's, that of the one that ended the search.
func fanout(ctx context.Context, t load.Target, run string, span load.Span) (load.Result, error) {
	best := load.Result{Figures: load.Figures{{Name: highest, Unit: "/s"}}}
	for _, rate := range rates {
		r, err := load.Fanout(ctx, t, fmt.Sprintf("%s-%g", run, rate), viewers, rate, span)
		if err != nil {
			return load.Result{}, err
		}
		late := r.Figures.Get("sync p99") > tolerated || r.Figures.Get("changes") < 0.97*rate
		best.Load = r.Load
		if late || !r.Quotable() {
			break
		}
		best = r
		best.Figures = append(load.Figures{{Name: highest, Value: rate, Unit: "/s"}}, r.Figures...)
	}
	best.Bench, best.Setting = "fanout", fmt.Sprintf("%d viewers, p99 within %d ms", viewers, tolerated)
	return best, nil
}
