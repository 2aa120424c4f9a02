// Package audit reads the log of a board for those who ask what happened: it
// picks decisions, finds words for them, and writes them in several formats.
package audit

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
)

// Limits of a query's fields.
const (
	MaxLast     = 1000 // of the newest decisions that may be asked for
	maxEntityID = 64   // but for members
	maxActor    = 255  // bytes
	maxID       = 64
)

// The formats.
const (
	NDJSON      = "ndjson"      // the decisions as the log has them, one a line
	CSV         = "csv"         // a row per event, or per decision without any
	CloudEvents = "cloudevents" // CloudEvents 1.0, one a line
	Text        = "text"        // words, a line per event
)

// The outcomes beside the codes of refusals.
const (
	Accepted = "accepted"
	Refused  = "refused"
	Void     = "void" // stored too late to take effect; told only when asked for
)

// Query is which decisions of a board are asked for, and in which format. A
// decision is told, whole, if all that is set holds.
type Query struct {
	Since    uint64    // it has a higher rev
	Until    uint64    // it has no higher rev; 0: any
	From, To time.Time // it was taken at From or later, before To; zero: any time
	Actor    string    // who asked for it
	Entity   string    // it concerns this one or what hangs on it ([domain.Trail])
	Kind     string    // an entity's kind, or the type of an event
	Outcome  string    // Accepted, Refused, Void or a domain.Code
	ID       string    // of the mutation
	Last     int       // the newest so many of these; 0: all
	Follow   bool      // and those to come

	Format string // "": NDJSON
	Words  bool   // NDJSON has words, too
	Asked  bool   // and what was asked for, in words
	Record bool   // and where the record stands
}

// FieldError is a value that a query cannot have.
type FieldError struct {
	Field, Reason string
	Limit         int // 0: none
}

func (e *FieldError) Error() string {
	if e.Limit > 0 {
		return fmt.Sprintf("%s: %s (limit %d)", e.Field, e.Reason, e.Limit)
	}
	return e.Field + ": " + e.Reason
}

// ParseQuery reads the parameters of GET …/log; a missing one is empty. It fails
// with a *FieldError.
func ParseQuery(v url.Values) (q Query, err error) {
	q = Query{Actor: v.Get("actor"), Entity: v.Get("entity"), Kind: v.Get("kind"), Outcome: v.Get("outcome"), ID: v.Get("id"), Format: v.Get("format")}
	if q.Since, err = parseRev(v, "since"); err != nil {
		return q, err
	}
	if q.Until, err = parseRev(v, "until"); err != nil {
		return q, err
	}
	if q.Until == 0 && v.Get("until") != "" { // not all there is
		return q, &FieldError{"until", "not a rev from 1", 0}
	}
	if q.From, err = parseTime(v, "from"); err != nil {
		return q, err
	}
	if q.To, err = parseTime(v, "to"); err != nil {
		return q, err
	}
	if text := v.Get("last"); text != "" {
		if q.Last, err = strconv.Atoi(text); err != nil || q.Last < 1 || q.Last > MaxLast {
			return q, &FieldError{"last", "1 to 1000", MaxLast}
		}
	}
	switch v.Get("follow") {
	case "", "0":
	case "1":
		q.Follow = true
	default:
		return q, &FieldError{"follow", "0 or 1", 1}
	}
	for _, with := range strings.FieldsFunc(v.Get("with"), func(r rune) bool { return r == ',' }) {
		switch with {
		case "words":
			q.Words = true
		case "asked":
			q.Asked = true
		case "record":
			q.Record = true
		default:
			return q, &FieldError{"with", "any of words, asked and record", 0}
		}
	}
	return q, q.check()
}

func parseRev(v url.Values, name string) (uint64, error) {
	text := v.Get(name)
	if text == "" {
		return 0, nil
	}
	rev, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, &FieldError{name, "not a rev", 0}
	}
	return rev, nil
}

func parseTime(v url.Values, name string) (time.Time, error) {
	text := v.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.IsZero() {
		return time.Time{}, &FieldError{name, "not a time as RFC 3339 has it, like 2026-03-01T10:04:12Z", 0}
	}
	return at, nil
}

// check judges what is no number or time.
func (q *Query) check() error {
	_, member := domain.IsMemberID(q.Entity)
	switch {
	case q.Until > 0 && q.Until <= q.Since:
		return &FieldError{"until", "not above since", 0}
	case !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To):
		return &FieldError{"to", "not after from", 0}
	case q.Entity != "" && !member && !domain.ValidID(q.Entity):
		return &FieldError{"entity", "not the id of an entity", maxEntityID}
	case len(q.Actor) > maxActor || !utf8.ValidString(q.Actor):
		return &FieldError{"actor", "not the name of a user", maxActor}
	case q.ID != "" && !domain.ValidMutationID(q.ID):
		return &FieldError{"id", "not the id of a mutation", maxID}
	case q.Kind != "" && !isKind(q.Kind) && !slices.Contains(domain.EventTypes(), q.Kind):
		return &FieldError{"kind", "not a kind of entity, as card, or a type of event, as card.moved", 0}
	case q.Outcome != "" && !slices.Contains([]string{Accepted, Refused, Void}, q.Outcome) && !slices.Contains(domain.Codes(), domain.Code(q.Outcome)):
		return &FieldError{"outcome", "not accepted, refused, void or the code of a refusal", 0}
	case !slices.Contains([]string{"", NDJSON, CSV, CloudEvents, Text}, q.Format):
		return &FieldError{"format", "ndjson, csv, cloudevents or text", 0}
	case (q.Words || q.Asked || q.Record) && q.Format != "" && q.Format != NDJSON:
		return &FieldError{"with", "only the format ndjson has more", 0}
	}
	return nil
}

func isKind(s string) bool {
	return slices.ContainsFunc(domain.Shapes(), func(k domain.Shape) bool { return string(k.Kind) == s })
}

// told says whether the decision is asked for as far as it shows by itself.
func (q *Query) told(d *domain.Decision, void bool) bool {
	rev := d.Rev
	if void {
		rev -= uint64(len(d.Events)) // which did not happen
	}
	switch {
	case q.Since > 0 && rev <= q.Since:
		return false
	case q.beyond(rev, d.At):
		return false
	case !q.From.IsZero() && d.At.Before(q.From):
		return false
	case q.Actor != "" && d.User != q.Actor:
		return false
	case q.ID != "" && d.ID != q.ID:
		return false
	}
	switch q.Outcome {
	case "":
		return !void
	case Void:
		return void
	case Accepted:
		return !void && d.Rejection == nil
	case Refused:
		return !void && d.Rejection != nil
	}
	return !void && d.Rejection != nil && string(d.Rejection.Code) == q.Outcome
}

// beyond says whether a decision with this rev, at this time, comes after all
// that are asked for.
func (q *Query) beyond(rev uint64, at time.Time) bool {
	return q.Until > 0 && rev > q.Until || !q.To.IsZero() && !at.Before(q.To)
}

// once says whether no more than one decision can be asked for.
func (q *Query) once() bool {
	_, minted := domain.IDTime(q.ID)
	return minted && q.Actor != "" && q.Outcome != Void
}

// ofKind says whether the decision has to do with q.Kind: an event of it
// happened, or, without events, somebody asked to change an entity of that
// kind.
func (q *Query) ofKind(d *domain.Decision, void bool, n *Names) bool {
	if !void {
		for i := range d.Events {
			ev := &d.Events[i]
			kind, _, _ := strings.Cut(ev.Type, ".")
			if q.Kind == ev.Type || q.Kind == kind || q.Kind == string(ev.Kind) {
				return true
			}
		}
		if len(d.Events) > 0 {
			return false
		}
	}
	if n == nil { // a type of event
		return false
	}
	for i := range d.Changes {
		if string(n.kindOf(&d.Changes[i])) == q.Kind {
			return true
		}
	}
	return false
}
