package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// benchCmd is `snapback bench`.
type benchCmd struct {
	URL      string        `placeholder:"URL" help:"Measure this running server; without it one is started for each round, in a temporary directory."`
	Token    string        `env:"SNAPBACK_TOKEN" help:"Bearer token for --url; it must allow to make boards and edit them."`
	AdminURL string        `name:"admin-url" placeholder:"URL" help:"The admin listener of --url, for its memory."`
	Pin      bool          `help:"Keep the server to core 0 with GOMAXPROCS=4, the load to core 1 (Linux)."`
	Small    bool          `help:"Cards of about 200 bytes of JSON instead of 2.6 KiB."`
	Rounds   int           `default:"3" help:"How often each is measured; the median is shown (${default})."`
	Warm     time.Duration `default:"2s" help:"Load before anything is counted (${default})."`
	Time     time.Duration `default:"10s" help:"How long is counted (${default})."`
	JSON     bool          `name:"json" help:"Print JSON instead of a table."`
	Profile  string        `placeholder:"FILE" help:"Write a CPU profile of the server that is started, taken while it is measured."`
	Nodes    int           `default:"1" help:"How many nodes to start, 1, or 3 or more that are one cluster on this machine; clients connect to all of them in turns (${default})."`
	Serve    []string      `placeholder:"FLAG" sep:"none" help:"A flag for the server that is started, as in --serve=--shards=16; repeatable."`

	Moves   movesBench   `cmd:"" help:"Closed loop: every client keeps some moves in flight."`
	Hot     hotBench     `cmd:"" help:"The same with all clients on one board."`
	Steady  steadyBench  `cmd:"" help:"Open loop: moves at a fixed rate; times count from when each was due."`
	Fanout  fanoutBench  `cmd:"" help:"One client moves cards, many watch: the time until each has heard."`
	Idle    idleBench    `cmd:"" help:"Memory of the server per connection that does nothing."`
	Join    joinBench    `cmd:"" help:"The time until a client has the board, in memory and not."`
	Resume  resumeBench  `cmd:"" help:"Many clients come back at once after a restart."`
	History historyBench `cmd:"" help:"Acks and opening time against the length of a board's history."`
	Past    pastBench    `cmd:"" help:"Looks at a board as it was, against the length of its history."`
	Boards  boardsBench  `cmd:"" help:"Acks against the number of boards touched at random."`
	All     allBench     `cmd:"" help:"All of these as they are."`
}

// bench is one measurement: one round of it on a server.
type bench interface {
	name() string
	round(ctx context.Context, o load.Own, run string, span load.Span) ([]load.Result, error)
}

// selected is the measurements the command line asks for.
func (c *benchCmd) selected(name string) []bench {
	all := []bench{&c.Moves, &c.Hot, &c.Steady, &c.Fanout, &c.Idle, &c.Join, &c.Resume, &c.History, &c.Past, &c.Boards}
	for _, b := range all {
		if b.name() == name {
			return []bench{b}
		}
	}
	return all
}

func (c *benchCmd) check() error {
	switch {
	case c.Rounds < 1:
		return fmt.Errorf("--rounds=%d: it is 1 or more", c.Rounds)
	case c.Time < 100*time.Millisecond:
		return fmt.Errorf("--time=%s: it is 100ms or more", c.Time)
	case c.URL != "" && !strings.HasPrefix(c.URL, "http://"):
		return fmt.Errorf("--url=%s: it is like http://localhost:8080", c.URL)
	case c.URL != "" && c.Pin:
		return errors.New("--pin: only a server that is started here can be pinned, leave out --url")
	case c.URL != "" && c.Profile != "":
		return errors.New("--profile: it is of a server that is started here, leave out --url")
	case c.Nodes != 1 && c.Nodes < copies:
		return fmt.Errorf("--nodes=%d: it is 1, or %d or more", c.Nodes, copies)
	case c.Nodes > 1 && (c.URL != "" || c.Profile != ""):
		return errors.New("--nodes: nodes are started here, and none of them is profiled: leave out --url and --profile")
	case c.URL == "" && c.Token != "":
		return errors.New("--token: it is for --url")
	}
	return nil
}

// run measures, shows how far it is on s.Err and the outcome on s.Out. It
// fails when a figure may not be quoted.
func (c *benchCmd) run(ctx context.Context, s streams, name string) error {
	if err := c.check(); err != nil {
		return usageError{err}
	}
	if c.Pin {
		if err := load.PinSelf(); err != nil {
			return usageError{fmt.Errorf("--pin: %w", err)}
		}
	}
	report := benchReport{Machine: load.ThisMachine(c.Pin), Date: time.Now().UTC().Truncate(time.Second), Small: c.Small}
	for _, b := range c.selected(name) {
		shown := newSteps(s.Err)
		for round := range c.Rounds {
			results, err := c.round(ctx, b, shown.of(fmt.Sprintf("%s %d/%d", b.name(), round+1, c.Rounds)))
			if err != nil {
				shown.done()
				return fmt.Errorf("bench %s: %w", b.name(), err)
			}
			report.add(results)
		}
		shown.done()
	}
	if c.JSON {
		out := json.NewEncoder(s.Out)
		out.SetIndent("", "  ")
		if err := out.Encode(&report); err != nil {
			return err
		}
	} else if err := report.write(s.Out); err != nil {
		return err
	}
	return report.fault()
}

// round measures once, on a server of its own unless --url names one.
func (c *benchCmd) round(ctx context.Context, b bench, progress func(string, float64)) (results []load.Result, err error) {
	target := &load.Snapback{URL: strings.TrimSuffix(c.URL, "/"), Token: c.Token, Small: c.Small}
	own := load.Own{Snapback: target, Admin: c.AdminURL}
	if c.URL == "" {
		binary, err := os.Executable()
		if err != nil {
			return nil, err
		}
		progress("starting a server", 0)
		args := c.Serve
		if c.Profile != "" {
			args = append(args[:len(args):len(args)], "--pprof")
		}
		cfg := load.ServerConfig{Binary: binary, Pin: c.Pin, Args: args}
		if c.Nodes > 1 {
			nodes, remove, err := load.TempNodes(ctx, cfg, c.Nodes)
			if err != nil {
				return nil, err
			}
			defer remove()
			own.TakeNodes(nodes)
			return b.round(ctx, own, newRun(), load.Span{Warm: c.Warm, Measure: c.Time, Progress: progress, CPU: own.CPU(ctx)})
		}
		server, remove, err := load.TempServer(ctx, cfg)
		if err != nil {
			return nil, err
		}
		defer remove()
		target.URL, own.Admin, own.Server = server.URL, server.Admin, server
		if c.Profile != "" {
			profiled, wait := c.profile(ctx, server, progress)
			progress = profiled
			defer func() { err = cmp.Or(err, wait()) }()
		}
	}
	return b.round(ctx, own, newRun(), load.Span{Warm: c.Warm, Measure: c.Time, Progress: progress, CPU: own.CPU(ctx)})
}

// newRun names a round, and its boards.
func newRun() string { return "bench-" + strings.ToLower(ulid.Make().String()) }

// profile gives a progress function that has the server profiled when the
// first measuring begins; wait ends when the profile is written.
func (c *benchCmd) profile(ctx context.Context, s *load.Server, progress func(string, float64)) (profiled func(string, float64), wait func() error) {
	var once sync.Once
	var taking errgroup.Group
	profiled = func(what string, done float64) {
		progress(what, done)
		if what == "measuring" {
			once.Do(func() { taking.Go(func() error { return s.Profile(ctx, c.Time, c.Profile) }) })
		}
	}
	return profiled, taking.Wait
}
