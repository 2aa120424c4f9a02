package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/past"
	"github.com/snapback-io/snapback/projector/wording"
)

// auditShowCmd is the flags of `snapback audit show`.
type auditShowCmd struct {
	remote
	direct
	Board string `arg:"" help:"The board."`
	Rev   string `env:"SNAPBACK_REV" placeholder:"N" help:"As it was after the mutation that raised it to this rev."`
	At    string `env:"SNAPBACK_AT" placeholder:"TIME" help:"As it was at this time, like 2026-03-01T10:04:12Z. Without --rev and --at: as it is."`
	JSON  bool   `name:"json" env:"SNAPBACK_JSON" help:"As GET /v1/boards/BOARD has it, every entity."`
}

func (c *auditShowCmd) run(ctx context.Context, s streams) error {
	query := url.Values{}
	var m past.Moment
	var err error
	switch {
	case c.Rev != "" && c.At != "":
		return usageError{errors.New("--at: beside --rev")}
	case c.Rev != "":
		query.Set("rev", c.Rev)
		if m, err = past.ParseMoment(c.Rev); err != nil || m.Rev == 0 {
			return usageError{fmt.Errorf("--rev=%s: not a rev from 1", c.Rev)}
		}
	default:
		at := c.At
		if at == "" {
			at = time.Now().Add(time.Hour).UTC().Format(time.RFC3339) // clocks may differ
		}
		query.Set("at", at)
		if m, err = past.ParseMoment(at); err != nil || m.Rev > 0 {
			return usageError{fmt.Errorf("--at=%s: not a time as 2026-03-01T10:04:12Z", c.At)}
		}
	}
	q := pastQuestion{&c.remote, &c.direct, c.Board, c.JSON}
	var b shownBoard
	err = q.ask(ctx, s, &b, query, "", func(log *eventlog.Log) (any, error) {
		look, err := m.Look(ctx, log, c.Board)
		if err != nil {
			return nil, err
		}
		b := shownBoard{Board: c.Board, Epoch: log.Epoch(), Point: look.Point}
		for e := range look.Board.All() {
			raw, err := e.JSONFor(false)
			if err != nil {
				return nil, err
			}
			b.Raw = append(b.Raw, raw)
		}
		return b, nil
	}, func() error { return b.print(s.Out) })
	return err
}

// pastQuestion is one about a board's past, to a server or to the log itself.
type pastQuestion struct {
	*remote
	*direct
	board string
	json  bool
}

// ask puts the question: query below the board's path, or answer on the log. It
// writes the answer as JSON, or else reads it into v and has it told.
func (q *pastQuestion) ask(ctx context.Context, s streams, v any, query url.Values, path string, answer func(*eventlog.Log) (any, error), tell func() error) error {
	data, err := q.fetch(ctx, s, query, path, answer)
	if err != nil {
		return err
	}
	if q.json {
		_, err := s.Out.Write(append(bytes.TrimRight(data, "\n"), '\n'))
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("the answer is not what was expected: %w", err)
	}
	return tell()
}

func (q *pastQuestion) fetch(ctx context.Context, s streams, query url.Values, path string, answer func(*eventlog.Log) (any, error)) ([]byte, error) {
	if !q.asked() {
		parts := []string{"boards", q.board}
		if path != "" {
			parts = append(parts, path)
		}
		body, err := q.get(ctx, query, parts...)
		if err != nil {
			return nil, err
		}
		defer body.Close()
		return io.ReadAll(body)
	}
	log, end, err := q.direct.open(ctx, s)
	if err != nil {
		return nil, err
	}
	defer end()
	found, err := answer(log)
	if err != nil {
		return nil, err
	}
	return json.Marshal(found)
}

// shownBoard is a board as it was, as a server gives it.
type shownBoard struct {
	Board string `json:"board"`
	Epoch string `json:"epoch"`
	past.Point
	Raw []json.RawMessage `json:"entities"`
}

// print shows the columns with their cards.
func (b *shownBoard) print(w io.Writer) error {
	names, cards := map[string]string{}, map[string][]*domain.Entity{}
	var columns []*domain.Entity
	title := b.Board
	for _, raw := range b.Raw {
		e := &domain.Entity{}
		if err := json.Unmarshal(raw, e); err != nil {
			return fmt.Errorf("the answer is not what was expected: %w", err)
		}
		names[e.ID] = wording.Short(wording.Name(e))
		switch e.Kind {
		case domain.KindBoard:
			title = names[e.ID]
		case domain.KindColumn:
			columns = append(columns, e)
		case domain.KindCard:
			cards[e.Parent()] = append(cards[e.Parent()], e)
		}
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s at rev %d, %s\n", title, b.Rev, b.At.Format(time.RFC3339Nano))
	for _, column := range columns {
		fmt.Fprintf(out, "\n%s%s (%d)\n", names[column.ID], archived(column), len(cards[column.ID]))
		for _, card := range cards[column.ID] {
			fmt.Fprintf(out, "  #%d\t%s%s\t%s\n", card.Fields.Int("number"), names[card.ID], archived(card), aboutCard(card, names))
		}
	}
	return out.Flush()
}

func archived(e *domain.Entity) string {
	if e.Fields.Bool("archived") {
		return " (archived)"
	}
	return ""
}

// aboutCard is what a card wears: labels, people, likes, when it is due.
func aboutCard(card *domain.Entity, names map[string]string) string {
	var words []string
	for _, label := range card.Fields.Set("labels") {
		name := names[label]
		if name == "" {
			name = label
		}
		words = append(words, "["+name+"]")
	}
	for _, user := range card.Fields.Set("assignees") {
		words = append(words, "@"+wording.Short(user))
	}
	if n := len(card.Fields.Set("likedBy")); n > 0 {
		words = append(words, "liked by "+strconv.Itoa(n))
	}
	if due := card.Fields.String("due"); due != "" {
		words = append(words, "due "+due)
	}
	return strings.Join(words, " ")
}
