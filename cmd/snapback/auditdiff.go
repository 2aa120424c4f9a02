package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/past"
)

// auditDiffCmd is the flags of `snapback audit diff`.
type auditDiffCmd struct {
	remote
	direct
	Board string `arg:"" help:"The board."`
	From  string `required:"" env:"SNAPBACK_FROM" placeholder:"MOMENT" help:"A rev, or a time like 2026-03-01T10:04:12Z."`
	To    string `env:"SNAPBACK_TO" placeholder:"MOMENT" help:"A rev or a time (now)."`
	JSON  bool   `name:"json" env:"SNAPBACK_JSON" help:"As GET /v1/boards/BOARD/diff has it, with the values before and after."`
}

// shownDiff is what a server gives.
type shownDiff struct {
	Board string `json:"board"`
	Epoch string `json:"epoch"`
	past.Diff
}

func (c *auditDiffCmd) run(ctx context.Context, s streams) error {
	var moments [2]past.Moment
	query := url.Values{}
	for i, f := range []struct{ name, text string }{{"from", c.From}, {"to", c.To}} {
		if f.text == "" {
			continue
		}
		query.Set(f.name, f.text)
		var err error
		if moments[i], err = past.ParseMoment(f.text); err != nil {
			return usageError{fmt.Errorf("--%s=%s: %w", f.name, f.text, err)}
		}
	}
	q := pastQuestion{&c.remote, &c.direct, c.Board, c.JSON}
	var d shownDiff
	return q.ask(ctx, s, &d, query, "diff", func(log *eventlog.Log) (any, error) {
		var looks [2]past.Look
		for i, m := range moments {
			var err error
			if looks[i], err = m.Look(ctx, log, c.Board); err != nil {
				return nil, err
			}
		}
		if looks[1].Rev < looks[0].Rev {
			return nil, usageError{fmt.Errorf("--to=%s: before --from", c.To)}
		}
		return shownDiff{c.Board, log.Epoch(), *past.Compare(looks[0], looks[1])}, nil
	}, func() error {
		if _, err := fmt.Fprintf(s.Out, "From rev %d, %s\nto   rev %d, %s\n", d.From.Rev, d.From.At.Format(time.RFC3339Nano), d.To.Rev, d.To.At.Format(time.RFC3339Nano)); err != nil {
			return err
		}
		for _, line := range d.Words() {
			if _, err := fmt.Fprintln(s.Out, line); err != nil {
				return err
			}
		}
		return nil
	})
}
