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
	Board      string   `arg:"" optional:"" help:"The board."`
	All        bool     `env:"SNAPBACK_ALL" help:"Every board that you are an admin of; with --data or --nats-url every board."`
	Format     string   `env:"SNAPBACK_FORMAT" placeholder:"trello|csv|json" help:"The board as it is now: as Trello exports one, which 'import trello' reads; one line per card for a spreadsheet; or every entity as GET /v1/boards/BOARD has it. Without it: a bundle, the whole history with its proofs."`
	Output     string   `short:"o" env:"SNAPBACK_OUTPUT" placeholder:"FILE|DIR" help:"With --format: write to this file (standard output). Else the directory to make."`
	Contents   bool     `env:"SNAPBACK_CONTENTS" help:"The bytes of uploaded files, too; of a bundle."`
	Checkpoint []string `env:"SNAPBACK_CHECKPOINT" placeholder:"FILE" help:"A checkpoint that you keep: the bundle has the proof that its tree goes on from there, so that 'audit verify --bundle' can hold it against that; repeatable."`
}

// Help is shown by --help.
func (*exportCmd) Help() string {
	return `A bundle is a directory that 'audit verify --bundle' checks without a server and 'import bundle' restores boards from.

What Trello's format has no place for is listed by name and count. It is kept beside the board, as the data of a
power-up, and an import takes it back; card numbers are given anew, and of uploaded files there is a link.
A text in a CSV that a spreadsheet would take for a formula has a ' before it.`
}

func (c *exportCmd) run(ctx context.Context, s streams) error {
	switch {
	case c.Format == "":
		return c.bundle(ctx, s)
	case c.All || c.Contents || len(c.Checkpoint) > 0:
		return usageError{errors.New("--all, --contents and --checkpoint: not with --format")}
	case !slices.Contains(presentFormats, c.Format):
		return usageError{fmt.Errorf("--format=%s: it is one of %s", c.Format, strings.Join(presentFormats, ", "))}
	case c.Board == "":
		return usageError{errors.New("which board?")}
	}
	return exportPresent(ctx, s, &c.remote, &c.direct, c.Board, c.Format, c.Output)
}

func (c *exportCmd) bundle(ctx context.Context, s streams) error {
	switch {
	case c.All == (c.Board != ""):
		return usageError{errors.New("which board? One, or --all")}
	case c.Output == "":
		return usageError{errors.New("-o: it names the directory to make (a bundle), or give a --format")}
	}
	return exportBundle(ctx, s, &c.remote, &c.direct, c.Board, c.Contents, c.Output, c.Checkpoint)
}
