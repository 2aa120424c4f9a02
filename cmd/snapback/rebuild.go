package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/snapback-io/snapback/projector/rebuild"
)

// rebuildCmd is the flags of `snapback rebuild`.
type rebuildCmd struct {
	admin
	direct
	Board string `arg:"" optional:"" help:"The only board to look at (all)."`
	Check bool   `env:"SNAPBACK_CHECK" help:"Compare and change nothing; the exit code is 1 when anything differs."`
	After string `env:"SNAPBACK_AFTER" placeholder:"BOARD" help:"Go on behind this board: what a run that was stopped says."`
}

// Help is shown by --help.
func (*rebuildCmd) Help() string {
	return `Folds every board from its first record on and compares what is made from the log with that: snapshots, past
snapshots, the directory and its index, and what the node has in memory. What differs is listed and put right. The
server may go on serving: nothing newer is ever replaced by something older. Of several nodes each knows its own
memory only: ask one to rebuild, and the others with --check. With --data or --nats-url the log is opened here, and
nobody's memory is looked at.`
}

func (c *rebuildCmd) run(ctx context.Context, s streams) error {
	show := newRebuildShow(s)
	var last rebuild.Progress
	var err error
	if c.asked() {
		last, err = c.here(ctx, s, show)
	} else {
		last, err = c.there(ctx, show)
	}
	show.done()
	if err != nil {
		if last.After != "" && c.Board == "" {
			err = fmt.Errorf("%w; --after=%s goes on", err, last.After)
		}
		return err
	}
	fmt.Fprintf(s.Out, "%s, %s in %.1f s (%.0f records/s): ", several(last.Boards, "board"), several(int(last.Records), "record"), last.Seconds, float64(last.Records)/max(last.Seconds, 0.001))
	switch {
	case last.Differences == 0:
		fmt.Fprintln(s.Out, "everything is as the log says.")
	case last.Unfixed == 0:
		fmt.Fprintf(s.Out, "%s, all put right.\n", several(last.Differences, "difference"))
	default:
		fmt.Fprintf(s.Out, "%s.\n", several(last.Differences, "difference"))
		return fmt.Errorf("not as the log says: %s", several(last.Unfixed, "thing"))
	}
	return nil
}

// here rebuilds in this process.
func (c *rebuildCmd) here(ctx context.Context, s streams, show *rebuildShow) (rebuild.Progress, error) {
	log, end, err := c.open(ctx, s)
	if err != nil {
		return rebuild.Progress{}, err
	}
	defer end()
	return rebuild.Run(ctx, log, rebuild.Options{Check: c.Check, Board: c.Board, After: c.After, Found: show.found, Progress: show.progress})
}

// there has the node do it.
func (c *rebuildCmd) there(ctx context.Context, show *rebuildShow) (last rebuild.Progress, err error) {
	query := url.Values{}
	for name, v := range map[string]string{"board": c.Board, "after": c.After} {
		if v != "" {
			query.Set(name, v)
		}
	}
	if c.Check {
		query.Set("check", "1")
	}
	answer, err := c.post(ctx, "rebuild", query, nil)
	if err != nil {
		return last, err
	}
	defer answer.Close()
	for lines := json.NewDecoder(answer); ; {
		var line rebuild.Line
		if err := lines.Decode(&line); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return last, fmt.Errorf("the answer of %s breaks off: %w", c.AdminServer, err)
		}
		if line.Progress != nil {
			last = *line.Progress
		}
		switch {
		case line.Type == "difference" && line.Difference != nil:
			show.found(*line.Difference)
		case line.Type == "progress":
			show.progress(last)
		case line.Type == "end":
			return last, nil
		case line.Type == "failed":
			return last, errors.New(line.Error)
		}
	}
}
