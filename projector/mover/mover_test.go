package mover

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/projector/past"
	"github.com/snapback-io/snapback/projector/rebuild"
)

var quiet = slog.New(slog.DiscardHandler)

func open(t *testing.T, s *natsd.Server) *eventlog.Log {
	t.Helper()
	l, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: s, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// write makes a board with so many changes of its title, and what is made from its log.
func write(t *testing.T, l *eventlog.Log, id string, changes int) {
	t.Helper()
	b := domain.NewBoard(id)
	for i := range 1 + changes {
		now := time.Now().UTC().Truncate(time.Millisecond)
		cmd := &domain.Command{ID: fmt.Sprint("m", i), Board: id, Op: domain.OpMutate, User: "ann", Grant: domain.GrantOpen, ReceivedAt: now, Deadline: now.Add(time.Minute),
			Changes: []domain.Change{{EntityID: id, Patch: domain.Patch{"title": fmt.Sprint("T", i)}}}}
		if i == 0 {
			cmd.Changes[0].Patch["kind"] = "board"
		}
		seq, prev, _ := b.Head()
		d := domain.Decide(b, cmd, now)
		c := &domain.Commit{V: domain.CommitVersion, Board: id, Prev: prev, At: d.At, NotAfter: d.Deadline, Decisions: []domain.Decision{d}}
		data, hash, err := c.Encode()
		if err != nil || d.Rejection != nil {
			t.Fatal(err, d.Rejection)
		}
		if seq, err = l.Append(t.Context(), id, data, hash, seq); err != nil {
			t.Fatal(err)
		}
		if err := b.Apply(c, hash, seq, now, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := past.Derive(t.Context(), l, b); err != nil {
		t.Fatal(err)
	}
}

// Boards are moved one after the other, a run that was stopped goes on, and what
// is made from their logs is what the logs give, where they are now.
func TestRun(t *testing.T) {
	t.Parallel()
	s, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	l := open(t, s)
	for _, board := range []string{"a", "b", "c"} {
		write(t, l, board, 40)
	}
	write(t, l, "d", 3000) // long enough for past snapshots
	if _, err := Run(t.Context(), l, Options{Idle: true}); !errors.Is(err, ErrGeneration) {
		t.Errorf("without other shards: %v", err)
	}
	if _, err := l.AddShards(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	l = open(t, s)
	if _, err := Run(t.Context(), l, Options{Idle: true, To: 2}); !errors.Is(err, ErrGeneration) {
		t.Errorf("to shards that are not there: %v", err)
	}
	if last, err := Run(t.Context(), l, Options{}); !errors.Is(err, ErrUnworked) || last.Moved > 0 {
		t.Errorf("to shards that nobody works on: %+v, %v", last, err)
	}
	var told []string
	opt := Options{Idle: true, After: "a", Told: func(l Line) { told = append(told, l.Board) }}
	last, err := Run(t.Context(), l, opt)
	if err != nil || fmt.Sprint(told) != "[b c d]" || last.Moved != 3 || last.Boards != 3 || last.Board != "d" || last.Type != "end" {
		t.Errorf("%v, %+v, %v", told, last, err)
	}
	if last, err := Run(t.Context(), l, Options{Idle: true}); err != nil || last.Moved != 1 || last.Boards != 4 {
		t.Errorf("%+v, %v", last, err)
	}
	if _, err := Run(t.Context(), l, Options{Idle: true, Board: "nobody"}); !errors.Is(err, eventlog.ErrNotFound) {
		t.Errorf("a board that is not there: %v", err)
	}
	pasts, err := l.Pasts(t.Context(), "d")
	if err != nil || len(pasts) == 0 {
		t.Errorf("past snapshots %v, %v", pasts, err)
	}
	done, err := rebuild.Run(t.Context(), open(t, s), rebuild.Options{Check: true, Found: func(d rebuild.Difference) { t.Errorf("%+v", d) }})
	if err != nil || done.Boards != 4 {
		t.Errorf("%+v, %v", done, err)
	}
}
