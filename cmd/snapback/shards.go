package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/mover"
)

// shardsCmd is the flags of `snapback shards`.
type shardsCmd struct {
	admin
	direct
	Add int `env:"SNAPBACK_ADD" placeholder:"N" help:"Add a generation of N shards. The nodes take it in when they are started again."`
}

// Help is shown by --help.
func (*shardsCmd) Help() string {
	return `A board's shard is computed from its id, so the number of shards is fixed when the log is made. To have more, add a
generation of shards behind those there are, start the nodes again, one after the other, and move boards there
(snapback move).`
}

func (c *shardsCmd) run(ctx context.Context, s streams) error {
	if c.Add < 0 {
		return usageError{fmt.Errorf("--add=%d: it is 1 or more", c.Add)}
	}
	var generations []int
	if c.asked() {
		log, end, err := c.open(ctx, s)
		if err != nil {
			return err
		}
		defer end()
		if generations = log.Generations(); c.Add > 0 {
			if _, err := log.AddShards(ctx, c.Add); err != nil {
				return err
			}
		}
	} else {
		var known struct {
			Generations []int `json:"generations"`
		}
		if err := c.askJSON(ctx, http.MethodGet, "shards", nil, &known); err != nil {
			return err
		}
		if generations = known.Generations; c.Add > 0 {
			var added struct{}
			if err := c.askJSON(ctx, http.MethodPost, "shards", url.Values{"add": {strconv.Itoa(c.Add)}}, &added); err != nil {
				return err
			}
		}
	}
	for gen, n := range generations {
		fmt.Fprintf(s.Out, "generation %d: %s\n", gen, several(n, "shard"))
	}
	if c.Add > 0 {
		fmt.Fprintf(s.Out, "generation %d: %s, new: start each node again, then `snapback move --all`\n", len(generations), several(c.Add, "shard"))
	}
	return nil
}

// moveCmd is the flags of `snapback move`.
type moveCmd struct {
	admin
	direct
	Board string `arg:"" optional:"" help:"The board to move."`
	All   bool   `env:"SNAPBACK_ALL" help:"Move all boards."`
	To    int    `env:"SNAPBACK_TO" placeholder:"GENERATION" help:"To the shards of this generation (the newest)."`
	After string `env:"SNAPBACK_AFTER" placeholder:"BOARD" help:"With --all, go on behind this board: what a run that was stopped says."`
}

// Help is shown by --help.
func (*moveCmd) Help() string {
	return `The records of a board are copied to its shard in the new generation, with their bytes, hashes and times, while people
work on it; then a record that says so ends it where it was, and it goes on there. Nothing is lost or refused meanwhile.
What was left behind stays in its stream. A move that was stopped is continued by the same command.`
}

func (c *moveCmd) run(ctx context.Context, s streams) error {
	switch {
	case (c.Board == "") != c.All:
		return usageError{errors.New("name a board, or --all")}
	case c.To < 0:
		return usageError{fmt.Errorf("--to=%d: it is the number of a generation, 1 or more", c.To)}
	case c.After != "" && !c.All:
		return usageError{errors.New("--after: it needs --all")}
	}
	told := func(l mover.Line) {
		fmt.Fprintf(s.Out, "%s is in shard %d now (%.2f s)\n", l.Board, l.Shard, l.Seconds)
	}
	var last mover.Line
	var err error
	if c.asked() {
		last, err = c.here(ctx, s, told)
	} else {
		last, err = c.there(ctx, told)
	}
	if err != nil {
		if last.Board != "" {
			err = fmt.Errorf("%w; --after=%s goes on", err, last.Board)
		}
		return err
	}
	fmt.Fprintf(s.Out, "%s of %d moved to generation %d in %.1f s\n", several(last.Moved, "board"), last.Boards, last.Generation, last.Seconds)
	return nil
}

func (c *moveCmd) here(ctx context.Context, s streams, told func(mover.Line)) (last mover.Line, err error) {
	log, end, err := c.open(ctx, s)
	if err != nil {
		return last, err
	}
	defer end()
	last, err = mover.Run(ctx, log, mover.Options{Board: c.Board, To: c.To, After: c.After, Idle: c.NATSURL == "", Told: told})
	if errors.Is(err, eventlog.ErrNotFound) {
		err = fmt.Errorf("there is no board %s", c.Board)
	}
	return last, err
}

func (c *moveCmd) there(ctx context.Context, told func(mover.Line)) (last mover.Line, err error) {
	query := url.Values{}
	for name, v := range map[string]string{"board": c.Board, "after": c.After} {
		if v != "" {
			query.Set(name, v)
		}
	}
	if c.To > 0 {
		query.Set("to", strconv.Itoa(c.To))
	}
	answer, err := c.post(ctx, "move", query, nil)
	if err != nil {
		return last, err
	}
	defer answer.Close()
	for lines := json.NewDecoder(answer); ; {
		var line mover.Line
		if err := lines.Decode(&line); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return last, fmt.Errorf("the answer of %s breaks off: %w", c.AdminServer, err)
		}
		switch last = line; line.Type {
		case "moved":
			told(line)
		case "failed":
			return last, errors.New(line.Error)
		case "end":
			return last, nil
		}
	}
}
