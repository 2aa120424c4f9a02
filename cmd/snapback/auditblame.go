package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/past"
	"github.com/snapback-io/snapback/projector/wording"
)

// auditBlameCmd is the flags of `snapback audit blame`.
type auditBlameCmd struct {
	remote
	direct
	Board  string `arg:"" help:"The board."`
	Entity string `arg:"" help:"The id of a card, a column, a label, ... also of a deleted one."`
	Field  string `arg:"" optional:"" help:"One field; also one that is absent by now."`
	Rev    string `env:"SNAPBACK_REV" placeholder:"N" help:"As of this rev (now)."`
	JSON   bool   `name:"json" env:"SNAPBACK_JSON" help:"As GET /v1/boards/BOARD/blame has it."`
}

// shownBlame is what a server gives.
type shownBlame struct {
	Epoch string `json:"epoch"`
	past.Blame
}

func (c *auditBlameCmd) run(ctx context.Context, s streams) error {
	question := past.Question{Entity: c.Entity, Field: c.Field}
	query := url.Values{"entity": {c.Entity}}
	if c.Field != "" {
		query.Set("field", c.Field)
	}
	if c.Rev != "" {
		query.Set("rev", c.Rev)
		m, err := past.ParseMoment(c.Rev)
		if err != nil || m.Rev == 0 {
			return usageError{fmt.Errorf("--rev=%s: not a rev from 1", c.Rev)}
		}
		question.Rev = m.Rev
	}
	q := pastQuestion{&c.remote, &c.direct, c.Board, c.JSON}
	var b shownBlame
	return q.ask(ctx, s, &b, query, "blame", func(log *eventlog.Log) (any, error) {
		blame, err := past.Whose(ctx, log, c.Board, question)
		if err != nil {
			return nil, err
		}
		return shownBlame{log.Epoch(), *blame}, nil
	}, func() error { return b.print(s.Out) })
}

// print shows a line for each field and each element of a set.
func (b *shownBlame) print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s %s as of rev %d, %s\n", b.Kind, b.Entity, b.Rev, b.At.Format(time.RFC3339Nano))
	if d := b.Deleted; d != nil {
		with := ""
		if d.Entity != "" {
			with = ", with " + d.Entity
		}
		fmt.Fprintf(out, "deleted at rev %d, %s, by %s (mutation %s)%s; it held:\n", d.Rev, d.At.Format(time.RFC3339Nano), wording.Short(d.User), d.Mutation, with)
	}
	fmt.Fprintln(out, "FIELD\tVALUE\tREV\tTIME\tWHO\tMUTATION\tEVENT")
	line := func(name, value string, set *past.Set) {
		imported := ""
		if o := set.Origin; o != nil {
			imported = fmt.Sprintf(", imported: %s's of %s", wording.Short(o.UpdatedBy), o.UpdatedAt.Format(time.RFC3339))
		}
		fmt.Fprintf(out, "%s\t%s\t%d\t%s\t%s\t%s\t%s%s\n", name, wording.Short(value), set.Rev, set.At.Format(time.RFC3339Nano), wording.Short(set.User), set.Mutation, set.Event, imported)
	}
	for i := range b.Fields {
		f := &b.Fields[i]
		if len(f.Elements) == 0 {
			line(f.Name, valueWords(f.Value), &f.Set)
		}
		for j := range f.Elements {
			line(f.Name, "+ "+f.Elements[j].Element, &f.Elements[j].Set)
		}
	}
	return out.Flush()
}

// valueWords is a value as people read it: a text without quotes.
func valueWords(raw json.RawMessage) string {
	var text string
	switch {
	case string(raw) == "null":
		return "none"
	case json.Unmarshal(raw, &text) == nil:
		return text
	}
	return string(raw)
}
