package main

import (
	"context"
	"io"
)

// auditLogCmd is the flags of `snapback audit log`.
type auditLogCmd struct {
	remote
	Board string `arg:"" help:"The board."`
}

func (c *auditLogCmd) run(ctx context.Context, s streams) error {
	lines, err := c.get(ctx, nil, "boards", c.Board, "log")
	if err != nil {
		return err
	}
	defer lines.Close()
	_, err = io.Copy(s.Out, lines)
	return err
}
