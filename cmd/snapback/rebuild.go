package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/snapback-io/snapback/projector/rebuild"
)

// rebuildCmd is the flags of `snapback rebuild`.
type rebuildCmd struct {
	direct
	AdminServer string `default:"http://localhost:8081" env:"SNAPBACK_ADMIN_SERVER" placeholder:"URL" help:"The admin listener of the node that is to rebuild (${default})."`
	Board       string `arg:"" optional:"" help:"The only board to look at (all)."`
	Check       bool   `env:"SNAPBACK_CHECK" help:"Compare and change nothing; the exit code is 1 when anything differs."`
	After       string `env:"SNAPBACK_AFTER" placeholder:"BOARD" help:"Go on behind this board: what a run that was stopped says."`
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
	fmt.Fprintf(s.Out, "%d boards, %d records in %.1f s (%.0f records/s): ", last.Boards, last.Records, last.Seconds, float64(last.Records)/max(last.Seconds, 0.001))
	switch {
	case last.Differences == 0:
		fmt.Fprintln(s.Out, "everything is as the log says.")
	case last.Unfixed == 0:
		fmt.Fprintf(s.Out, "%d differences, all put right.\n", last.Differences)
	default:
		fmt.Fprintf(s.Out, "%d differences.\n", last.Differences)
		return fmt.Errorf("%d things are not as the log says", last.Unfixed)
	}
	return nil
}

// here rebuilds in this process.
func (c *rebuildCmd) here(ctx context.Context, s streams, show *rebuildShow) (rebuild.Progress, error) {
	log, end, err := c.open(ctx, slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return rebuild.Progress{}, err
	}
	defer end()
	return rebuild.Run(ctx, log, rebuild.Options{Check: c.Check, Board: c.Board, After: c.After, Found: show.found, Progress: show.progress})
}

// there has the node do it.
func (c *rebuildCmd) there(ctx context.Context, show *rebuildShow) (last rebuild.Progress, err error) {
	u, err := url.Parse(c.AdminServer)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return last, usageError{fmt.Errorf("--admin-server=%s: it is an address like http://localhost:8081", c.AdminServer)}
	}
	query := url.Values{}
	for name, v := range map[string]string{"board": c.Board, "after": c.After} {
		if v != "" {
			query.Set(name, v)
		}
	}
	if c.Check {
		query.Set("check", "1")
	}
	u = u.JoinPath("rebuild")
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), nil)
	if err != nil {
		return last, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return last, fmt.Errorf("no answer from %s: %w (the node's --admin-addr; --data opens the log itself)", c.AdminServer, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return last, readRefusal(answer)
	}
	for lines := json.NewDecoder(answer.Body); ; {
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
