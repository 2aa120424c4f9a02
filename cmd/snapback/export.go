package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// exportCmd is the flags of `snapback export`.
type exportCmd struct {
	remote
	direct
	Board  string `arg:"" optional:"" help:"The board."`
	Format string `default:"trello" env:"SNAPBACK_FORMAT" placeholder:"trello|csv|json" help:"The board as it is now: as Trello exports one, which 'import trello' reads; one line per card for a spreadsheet; or every entity as GET /v1/boards/BOARD has it (${default})."`
	Output string `short:"o" env:"SNAPBACK_OUTPUT" placeholder:"FILE" help:"Write to this file (standard output)."`
}

// Help is shown by --help.
func (*exportCmd) Help() string {
	return `What Trello's format has no place for is listed by name and count. It is kept beside the board, as the data of a
power-up, and an import takes it back; card numbers are given anew, and of uploaded files there is a link.
A text in a CSV that a spreadsheet would take for a formula has a ' before it.`
}

func (c *exportCmd) run(ctx context.Context, s streams) error {
	switch {
	case !slices.Contains(presentFormats, c.Format):
		return usageError{fmt.Errorf("--format=%s: it is one of %s", c.Format, strings.Join(presentFormats, ", "))}
	case c.Board == "":
		return usageError{errors.New("which board?")}
	}
	return exportPresent(ctx, s, &c.remote, &c.direct, c.Board, c.Format, c.Output)
}
