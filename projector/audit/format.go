package audit

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/schema"
	"github.com/snapback-io/snapback/projector/wording"
)

// format writes decisions, each by itself.
type format interface {
	begin(dst []byte) []byte // what comes first
	entry(dst []byte, e *Entry) ([]byte, error)
}

func newFormat(cfg *Config) format {
	switch cfg.Format {
	case CSV:
		return csvFormat{}
	case CloudEvents:
		return cloudFormat{cfg.Board}
	case Text:
		return textFormat{}
	}
	return lineFormat{cfg.Line, &cfg.Query}
}

// lineFormat is NDJSON.
type lineFormat struct {
	line func(dst []byte, e *Entry, q *Query) ([]byte, error)
	q    *Query
}

func (lineFormat) begin(dst []byte) []byte { return dst }

func (f lineFormat) entry(dst []byte, e *Entry) ([]byte, error) { return f.line(dst, e, f.q) }

// textFormat is a line per event: time, who, what.
//
//	2026-03-01 10:04:12 ann moved «Fix login» from Doing to Done
type textFormat struct{}

func (textFormat) begin(dst []byte) []byte { return dst }

func (textFormat) entry(dst []byte, e *Entry) ([]byte, error) {
	for _, words := range e.Words {
		dst = e.At.UTC().AppendFormat(dst, time.DateTime)
		dst = append(append(dst, ' '), wording.Short(e.User)...)
		dst = append(append(append(dst, ' '), words...), '\n')
	}
	return dst, nil
}

// subject is the entity that a decision without events is about, "" if none.
func subject(d *domain.Decision) string {
	if len(d.Changes) == 0 {
		return ""
	}
	return blamed(d).EntityID
}

// cloudFormat is CloudEvents 1.0 in JSON, one per event, or per decision
// without any.
type cloudFormat struct{ board string }

func (cloudFormat) begin(dst []byte) []byte { return dst }

// What the types of CloudEvents begin with, and those of decisions without
// events: "io.snapback.card.moved", "io.snapback.mutation.refused".
const (
	cloudType     = "io.snapback."
	cloudRefused  = cloudType + "mutation.refused"
	cloudNoChange = cloudType + "mutation.unchanged"
	cloudVoid     = cloudType + "mutation.void"
)

// cloudEvent has the attributes of the specification first, then extensions.
type cloudEvent struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"` // of the record its hash, then where in it
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Schema      string    `json:"dataschema"`
	Actor       string    `json:"actor"`
	Mutation    string    `json:"mutation,omitempty"`
	Data        any       `json:"data"`
}

func (f cloudFormat) entry(dst []byte, e *Entry) (_ []byte, err error) {
	told := e.Told()
	c := cloudEvent{
		SpecVersion: "1.0", ID: e.Log.Hash.String() + "." + strconv.Itoa(e.Index), Source: "/v1/boards/" + f.board,
		Time: e.At.UTC(), ContentType: "application/json", Actor: e.User, Mutation: e.ID,
	}
	if e.Void || len(told.Events) == 0 {
		c.Type, c.Subject, c.Data, c.Schema = cloudNoChange, subject(e.Decision), &told, schema.Of("Decision")
		switch e.Outcome() {
		case Void:
			c.Type = cloudVoid
		case Refused:
			c.Type = cloudRefused
		}
		return appendCloud(dst, &c)
	}
	record := c.ID
	for i := range told.Events {
		ev := &told.Events[i]
		c.ID, c.Type, c.Subject = record+"."+strconv.Itoa(i), cloudType+ev.Type, ev.EntityID
		c.Data, c.Schema = ev, schema.Of(ev.Type)
		if dst, err = appendCloud(dst, &c); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendCloud(dst []byte, c *cloudEvent) ([]byte, error) {
	line, err := json.Marshal(c)
	return append(append(dst, line...), '\n'), err
}
