package main

import (
	"context"
	"time"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

func one(r load.Result, err error) ([]load.Result, error) { return []load.Result{r}, err }

type movesBench struct {
	Boards  int `default:"50" help:"Boards (${default})."`
	Clients int `default:"4" help:"Clients of each (${default})."`
	Window  int `default:"4" help:"Moves each has in flight (${default})."`
}

func (b *movesBench) name() string { return "moves" }
func (b *movesBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	return one(load.Moves(ctx, o, run, load.Room{Boards: b.Boards, Clients: b.Clients, Window: b.Window}, span))
}

type hotBench struct {
	Clients int `default:"50" help:"Clients (${default})."`
	Window  int `default:"4" help:"Moves each has in flight (${default})."`
}

func (b *hotBench) name() string { return "hot" }
func (b *hotBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	r, err := load.Moves(ctx, o, run, load.Room{Boards: 1, Clients: b.Clients, Window: b.Window}, span)
	r.Bench = b.name()
	return one(r, err)
}

type steadyBench struct {
	Boards  int     `default:"50" help:"Boards (${default})."`
	Clients int     `default:"4" help:"Clients of each (${default})."`
	Rate    float64 `default:"500" help:"Moves per second in all (${default})."`
}

func (b *steadyBench) name() string { return "steady" }
func (b *steadyBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	return one(load.Steady(ctx, o, run, load.Room{Boards: b.Boards, Clients: b.Clients}, b.Rate, span))
}

type fanoutBench struct {
	Viewers int           `default:"1000" help:"Clients that watch (${default})."`
	Rate    float64       `default:"0" help:"Moves per second; 0 finds the highest rate that is within --limit."`
	Limit   time.Duration `default:"100ms" help:"What 99 % of all syncs must be within, when searching (${default})."`
}

func (b *fanoutBench) name() string { return "fanout" }
func (b *fanoutBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	if b.Rate > 0 {
		return one(load.Fanout(ctx, o, run, b.Viewers, b.Rate, span))
	}
	return one(load.FanoutLimit(ctx, o, run, b.Viewers, b.Limit, span))
}

type idleBench struct {
	Boards      int `default:"500" help:"Boards (${default})."`
	Connections int `default:"5000" help:"Connections in all (${default})."`
}

func (b *idleBench) name() string { return "idle" }
func (b *idleBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	return one(load.Idle(ctx, o, run, b.Boards, b.Connections, span))
}

type joinBench struct {
	Cards   int `default:"2000" help:"Cards of the board (${default})."`
	Records int `default:"100000" help:"Records of its history, for a join that finds it not in memory (${default})."`
	Samples int `default:"200" help:"Joins of the board in memory (${default})."`
}

func (b *joinBench) name() string { return "join" }
func (b *joinBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	return one(load.Join(ctx, o, run, b.Cards, b.Records, b.Samples, span))
}

type resumeBench struct {
	Boards  int `default:"500" help:"Boards (${default})."`
	Clients int `default:"5000" help:"Clients in all (${default})."`
}

func (b *resumeBench) name() string { return "resume" }
func (b *resumeBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	return one(load.Resume(ctx, o, run, b.Boards, b.Clients, span))
}

type historyBench struct {
	Records int `default:"1000000" help:"Records of the longest history (${default})."`
}

func (b *historyBench) name() string { return "history" }
func (b *historyBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	return load.History(ctx, o, run, b.Records, span)
}

type pastBench struct {
	Cards   int `default:"500" help:"Cards of the board (${default})."`
	Records int `default:"300000" help:"Records of the longest history (${default})."`
	Samples int `default:"50" help:"Looks at each (${default})."`
}

func (b *pastBench) name() string { return "past" }
func (b *pastBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	return load.Past(ctx, o, run, b.Cards, b.Records, b.Samples, span)
}

type boardsBench struct {
	Boards int `default:"100000" help:"The largest number of boards (${default})."`
}

func (b *boardsBench) name() string { return "boards" }
func (b *boardsBench) round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error) {
	counts := []int{}
	for n := 10; n <= b.Boards; n *= 10 {
		counts = append(counts, n)
	}
	return load.Boards(ctx, o, run, counts, span)
}

type allBench struct{}
