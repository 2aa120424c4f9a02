package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector/audit"
	"github.com/snapback-io/snapback/projector/wording"
)

// auditLogCmd is the flags of `snapback audit log`.
type auditLogCmd struct {
	remote
	direct
	Board   string `arg:"" help:"The board."`
	Since   string `env:"SNAPBACK_SINCE" placeholder:"REV" help:"Only what came after this rev."`
	Until   string `env:"SNAPBACK_UNTIL" placeholder:"REV" help:"Only what came up to this rev."`
	From    string `env:"SNAPBACK_FROM" placeholder:"TIME" help:"Only what was decided at this time or later, like 2026-03-01T10:04:12Z."`
	To      string `env:"SNAPBACK_TO" placeholder:"TIME" help:"Only what was decided before this time."`
	Actor   string `env:"SNAPBACK_ACTOR" placeholder:"USER" help:"Only what this user asked for."`
	Entity  string `env:"SNAPBACK_ENTITY" placeholder:"ID" help:"Only what concerns this entity or what hangs on it."`
	Kind    string `env:"SNAPBACK_KIND" placeholder:"KIND" help:"Only what concerns this kind of entity, as card, or events of this type, as card.moved."`
	Outcome string `env:"SNAPBACK_OUTCOME" placeholder:"OUTCOME" help:"Only what was accepted, refused, refused with this code, as wip_limit, or void: stored too late to take effect."`
	ID      string `name:"id" env:"SNAPBACK_ID" placeholder:"ID" help:"Only the mutation with this id."`
	Last    string `env:"SNAPBACK_LAST" placeholder:"N" help:"Only the newest so many of these, 1 to 1000."`
	Follow  bool   `env:"SNAPBACK_FOLLOW" help:"Go on with what happens, until you stop it."`
	Format  string `default:"table" enum:"table,ndjson,csv,cloudevents" env:"SNAPBACK_FORMAT" placeholder:"FORMAT" help:"table, ndjson, csv or cloudevents (${default})."`
	UTC     bool   `name:"utc" env:"SNAPBACK_UTC" help:"Times of the table in UTC, not in this machine's zone."`
}

func (c *auditLogCmd) run(ctx context.Context, s streams) error {
	query := url.Values{}
	for name, value := range map[string]string{
		"since": c.Since, "until": c.Until, "from": c.From, "to": c.To, "actor": c.Actor,
		"entity": c.Entity, "kind": c.Kind, "outcome": c.Outcome, "id": c.ID, "last": c.Last,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if c.Follow {
		query.Set("follow", "1")
	}
	if c.Format == "table" {
		query.Set("with", "words")
	} else {
		query.Set("format", c.Format)
	}
	var table *logTable
	if c.Format == "table" {
		zone := time.Local
		if c.UTC {
			zone = time.UTC
		}
		table = &logTable{zone: zone}
	}
	if err := checkLogQuery(query); err != nil {
		return err
	}
	question := logQuestion{&c.remote, &c.direct, c.Board}
	if table == nil {
		return question.copy(ctx, s, query)
	}
	return question.ask(ctx, s, query, func(dst []byte, l *wire.Logged) []byte { return table.append(dst, l) })
}

// checkLogQuery says which flag has a value that cannot be.
func checkLogQuery(query url.Values) error {
	_, err := audit.ParseQuery(query)
	var bad *audit.FieldError
	if errors.As(err, &bad) {
		return usageError{fmt.Errorf("--%s=%s: %s", bad.Field, query.Get(bad.Field), bad.Reason)}
	}
	return err
}

// logQuestion is one about a board's decisions, to a server or to the log itself.
type logQuestion struct {
	*remote
	*direct
	board string
}

// copy writes the answer as it comes.
func (q *logQuestion) copy(ctx context.Context, s streams, query url.Values) error {
	if q.asked() {
		return q.read(ctx, s, query, nil)
	}
	lines, err := q.get(ctx, query, "boards", q.board, "log")
	if err != nil {
		return err
	}
	defer lines.Close()
	_, err = io.Copy(s.Out, lines)
	return over(ctx, query, err)
}

// ask writes what tell makes of each decision of the answer.
func (q *logQuestion) ask(ctx context.Context, s streams, query url.Values, tell func(dst []byte, l *wire.Logged) []byte) error {
	if q.asked() {
		return q.read(ctx, s, query, tell)
	}
	body, err := q.get(ctx, query, "boards", q.board, "log")
	if err != nil {
		return err
	}
	defer body.Close()
	lines, out := bufio.NewReader(body), bufio.NewWriter(s.Out)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return over(ctx, query, out.Flush())
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return over(ctx, query, errors.Join(out.Flush(), err))
		}
		var l wire.Logged
		if err := json.Unmarshal(line, &l); err != nil {
			return fmt.Errorf("the answer is not what was expected: %w", err)
		}
		if _, err = out.Write(tell(nil, &l)); err == nil && lines.Buffered() == 0 {
			err = out.Flush()
		}
		if err != nil {
			return over(ctx, query, err)
		}
	}
}

// headEvery is how often a log that is followed is asked how far it is.
const headEvery = 500 * time.Millisecond

// read reads the log itself. tell is for a query without a format.
func (q *logQuestion) read(ctx context.Context, s streams, query url.Values, tell func(dst []byte, l *wire.Logged) []byte) error {
	asked, err := audit.ParseQuery(query)
	if err != nil {
		return err
	}
	if asked.Follow && q.NATSURL == "" {
		return usageError{errors.New("--follow: nobody writes to a log while this command has it open")}
	}
	log, end, err := q.direct.open(ctx, s)
	if err != nil {
		return err
	}
	defer end()
	cfg := audit.Config{
		Query: asked, Board: q.board, Source: log, Line: gateway.LogLine,
		Out: func(lines []byte) error { _, err := s.Out.Write(lines); return err },
		Past: func(ctx context.Context, board string, seq uint64) (*domain.Board, error) {
			return eventlog.LoadBoardAt(ctx, log, board, seq)
		},
	}
	if tell != nil {
		cfg.Line = func(dst []byte, e *audit.Entry, q *audit.Query) ([]byte, error) {
			l := gateway.LoggedEntry(e, q)
			return tell(dst, &l), nil
		}
	}
	return over(ctx, query, q.follow(ctx, log, audit.NewReader(cfg), asked.Follow))
}

// follow reads to the log's head and, if asked for, on as it moves.
func (q *logQuestion) follow(ctx context.Context, log *eventlog.Log, reader *audit.Reader, on bool) error {
	for {
		head, err := log.Head(ctx, q.board)
		if err != nil {
			return err
		}
		if head == 0 {
			return fmt.Errorf("there is no board %s", q.board)
		}
		if err := reader.Read(ctx, head); err != nil || !on || reader.Ended() {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(headEvery):
		}
	}
}

var (
	errStopped = errors.New("stopped before the end")
	errEnded   = errors.New("the server ended the answer: it was stopped, the token expired, or you may not see the board any more; --since goes on behind a rev")
)

// over is what there is to say at the end of an answer: nothing if it is whole
// or its reader has gone, nor if the person has stopped what goes on by itself.
func over(ctx context.Context, query url.Values, err error) error {
	follow := query.Get("follow") != ""
	switch stopped := ctx.Err() != nil; {
	case errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe):
		return nil
	case stopped && (follow || err == nil):
		return nil
	case stopped:
		return errStopped
	case err == nil && follow && query.Get("until") == "" && query.Get("to") == "" && query.Get("id") == "": // nothing else ends it
		return errEnded
	}
	return err
}

// logTable writes decisions as rows: time, rev, who, what. A line says the day
// before the first row of each.
type logTable struct {
	zone *time.Location
	day  string
}

const (
	revWidth  = 7
	userWidth = 14
)

// append adds the rows of one decision, a row per event.
func (t *logTable) append(dst []byte, l *wire.Logged) []byte {
	at := l.At.In(t.zone)
	if day := at.Format("2006-01-02 Monday MST"); day != t.day {
		t.day = day
		dst = append(append(dst, day...), '\n')
	}
	for i, words := range l.Words {
		rev := l.Rev
		switch {
		case l.Outcome == wire.Void:
			rev -= uint64(len(l.Events))
		case i < len(l.Events):
			rev = l.Events[i].Rev
		}
		dst = fmt.Appendf(dst, "%s %*s  %-*s %s\n", at.Format(time.TimeOnly), revWidth, strconv.FormatUint(rev, 10), userWidth, wording.Short(l.User), words)
	}
	return dst
}
