package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

const (
	demoID     = "demo"
	demoSource = "demo"
	demoUser   = "snapback"
	demoWithin = 30 * time.Second
	askAgain   = 500 * time.Millisecond
)

// ensureDemo makes the demo board unless there is one. It gives up after
// demoWithin with a warning: a server without a demo still serves.
func ensureDemo(ctx context.Context, log *eventlog.Log, logger *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, demoWithin)
	defer cancel()
	made, err := makeDemo(ctx, log)
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		logger.Warn("the demo board is missing or not complete", "error", err)
	case made:
		logger.Info("made the demo board", "board", demoID)
	}
}

// makeDemo makes what is missing of the demo board, through the log as
// everything is made. Several nodes may do so at once: the board is one
// command and its files another, and of each the first one counts.
func makeDemo(ctx context.Context, log *eventlog.Log) (made bool, err error) {
	board, err := eventlog.LoadBoard(ctx, log, demoID)
	if err != nil {
		return false, err
	}
	now := time.Now().UTC()
	if !board.Exists() {
		part := &domain.Import{Source: demoSource, Done: true, Entities: demoBoard(now)}
		if made, err = demoCommand(ctx, log, domain.Command{Op: domain.OpImport, Import: part}); err != nil {
			return made, err
		}
		if board, err = eventlog.LoadBoard(ctx, log, demoID); err != nil {
			return made, err
		}
	}
	// Nothing has happened since the import: the files are still to come.
	if e := board.Get(demoID); board.Imported() == demoSource && e != nil && e.Rev == board.Rev() {
		return made, addDemoFiles(ctx, log)
	}
	return made, nil
}

// addDemoFiles stores the contents of the demo's files and adds them to the board.
func addDemoFiles(ctx context.Context, log *eventlog.Log) error {
	var changes []domain.Change
	for _, f := range demoFiles {
		content := &domain.Content{Object: eventlog.ObjectName(demoID), ContentType: f.contentType}
		var err error
		if content.Size, content.SHA256, err = log.PutContent(ctx, content.Object, strings.NewReader(f.content), int64(len(f.content))); err != nil {
			return fmt.Errorf("store %s: %w", f.name, err)
		}
		patch := domain.Patch{"kind": string(domain.KindFile), "name": f.name}
		if f.card != "" {
			patch["cardId"] = f.card
		}
		changes = append(changes, domain.Change{EntityID: f.id, Patch: patch, IfRev: new(uint64), Content: content})
	}
	added, err := demoCommand(ctx, log, domain.Command{Op: domain.OpMutate, Changes: changes})
	if !added && err == nil { // another node was first; its objects are the named ones
		for _, c := range changes {
			_ = log.DeleteContent(ctx, c.Content.Object) // left behind, it is swept
		}
	}
	return err
}

// demoCommand has cmd decided, and says whether it was accepted; a conflict
// means that another node was first. It asks again until there is a verdict or
// ctx ends.
func demoCommand(ctx context.Context, log *eventlog.Log, cmd domain.Command) (accepted bool, err error) {
	cmd.ID, cmd.Board, cmd.User, cmd.Grant = ulid.Make().String(), demoID, demoUser, domain.GrantOpen
	cmd.ReceivedAt = time.Now().UTC()
	cmd.Deadline = cmd.ReceivedAt.Add(demoWithin)
	news := make(chan struct{}, 1)
	stop, err := log.Subscribe(cmd.Board, func(eventlog.Announcement) {
		select {
		case news <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return false, err
	}
	defer stop()
	again := time.NewTicker(askAgain)
	defer again.Stop()
	for {
		if err := log.PublishCommand(&cmd, time.Until(cmd.Deadline)); err != nil {
			return false, err
		}
		select {
		case <-news:
		case <-again.C:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		board, err := eventlog.LoadBoard(ctx, log, cmd.Board)
		if err != nil {
			return false, err
		}
		if seq, ok := board.Decided(cmd.User, cmd.ID); ok {
			return acceptedAt(ctx, log, &cmd, seq)
		}
	}
}

// acceptedAt reads what the record at seq decided about cmd.
func acceptedAt(ctx context.Context, log *eventlog.Log, cmd *domain.Command, seq uint64) (bool, error) {
	record, err := log.Get(ctx, cmd.Board, seq)
	if err != nil {
		return false, err
	}
	d := record.Decision(cmd.User, cmd.ID)
	switch {
	case d == nil:
		return false, fmt.Errorf("record %d of %s does not hold the decision it should", seq, cmd.Board)
	case d.Rejection == nil:
		return len(d.Events) > 0, nil
	case d.Rejection.Code == domain.Conflict:
		return false, nil
	}
	return false, d.Rejection
}
