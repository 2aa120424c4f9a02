package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector/audit"
	"github.com/snapback-io/snapback/projector/wording"
)

// auditVerdictCmd is the flags of `snapback audit verdict`.
type auditVerdictCmd struct {
	remote
	direct
	Board    string `arg:"" help:"The board."`
	Mutation string `arg:"" name:"mutation-id" help:"The mutation's id."`
	Actor    string `env:"SNAPBACK_ACTOR" placeholder:"USER" help:"Whose mutation: users may have the same id; without it all are told."`
	UTC      bool   `name:"utc" env:"SNAPBACK_UTC" help:"Times in UTC, not in this machine's zone."`
	JSON     bool   `name:"json" env:"SNAPBACK_JSON" help:"As GET /v1/boards/BOARD/log has it, one decision a line."`
}

// errNoDecision: the log does not know the mutation.
var errNoDecision = errors.New("the log has no decision on it")

func (c *auditVerdictCmd) run(ctx context.Context, s streams) error {
	query := url.Values{"id": {c.Mutation}, "with": {"words,asked,record"}}
	if c.Actor != "" {
		query.Set("actor", c.Actor)
	}
	var bad *audit.FieldError
	if _, err := audit.ParseQuery(query); errors.As(err, &bad) {
		return usageError{fmt.Errorf("%s: %s", query.Get(bad.Field), bad.Reason)}
	}
	zone := time.Local
	if c.UTC {
		zone = time.UTC
	}
	found := 0
	question := logQuestion{&c.remote, &c.direct, c.Board}
	var fault error
	err := question.ask(ctx, s, query, func(dst []byte, l *wire.Logged) []byte {
		if found++; c.JSON {
			if dst, fault = wire.AppendLogged(dst, l); fault != nil {
				return nil
			}
			return dst
		}
		if found > 1 {
			dst = append(dst, '\n')
		}
		return appendVerdict(dst, l, zone)
	})
	if err = errors.Join(err, fault); err == nil && found == 0 && ctx.Err() == nil {
		by := ""
		if c.Actor != "" {
			by = " of " + c.Actor
		}
		err = fmt.Errorf("mutation %s%s on board %s: %w", c.Mutation, by, c.Board, errNoDecision)
	}
	return err
}

// appendVerdict tells one decision in words.
func appendVerdict(dst []byte, l *wire.Logged, zone *time.Location) []byte {
	const millis = "2006-01-02 15:04:05.000 MST"
	who := wording.Short(l.User)
	if l.Name != "" {
		who += " (" + wording.Short(l.Name) + ")"
	}
	verdict := fmt.Sprintf("accepted, rev %d", l.Rev)
	switch {
	case l.Rejection != nil:
		verdict = fmt.Sprintf("refused (%s) at rev %d", l.Rejection.Code, l.Rev)
	case len(l.Events) == 0:
		verdict = fmt.Sprintf("accepted at rev %d, and changed nothing", l.Rev)
	}
	row := func(name, value string) { dst = fmt.Appendf(dst, "%-10s%s\n", name, value) }
	row("mutation", l.ID)
	row("asked by", who)
	row("asked to", l.Asked)
	row("received", l.ReceivedAt.In(zone).Format(millis))
	row("decided", l.At.In(zone).Format(millis))
	if l.Record != nil {
		row("stored", l.Record.Stored.In(zone).Format(millis))
	}
	row("verdict", verdict)
	for _, words := range l.Words {
		row("", who+" "+words)
	}
	if changes, err := json.Marshal(l.Changes); err == nil && len(l.Changes) > 0 {
		row("changes", shown(string(changes)))
	}
	if l.Record != nil {
		row("record", fmt.Sprintf("%d, decision %d, sha256 %s", l.Record.Seq, l.Record.Index, l.Record.Hash))
	}
	return dst
}
