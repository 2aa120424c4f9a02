package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// Code says why a mutation was refused (append-only list, PROTOCOL.md "Nack
// codes"). Codes that never come from a decision are in gateway/wire.
type Code string

// The codes of decisions.
const (
	Invalid   Code = "invalid"    // details: field, limit
	NotFound  Code = "not_found"  // entityId
	Conflict  Code = "conflict"   // entity, fields
	Forbidden Code = "forbidden"  // needs (role)
	NameTaken Code = "name_taken" // entityId
	WIPLimit  Code = "wip_limit"  // columnId, limit, count
	Limit     Code = "limit"      // limit, count
	NotEmpty  Code = "not_empty"  // cards, archived
	Archived  Code = "archived"   // entityId
	Expired   Code = "expired"    //
	Withdrawn Code = "withdrawn"  //
	IDReused  Code = "id_reused"  // never a first verdict: another content has the id
	TooLarge  Code = "too_large"  // limit (bytes)
)

// Details are the members of a rejection's details by name; a value is
// anything encoding/json writes.
type Details map[string]any

// UnmarshalJSON reads details as encoding/json does. A value that it cannot
// hold stays a json.RawMessage: the entity of a conflict may have an x- field
// with a number beyond float64, and a record of it must be readable.
func (d *Details) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil || raw == nil {
		return err
	}
	*d = make(Details, len(raw))
	for name, part := range raw {
		(*d)[name] = decodeDetail(part)
	}
	return nil
}

func decodeDetail(raw json.RawMessage) any {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return raw
	}
	return v
}

// Rejection is why a command was refused: a value with a code, matched by
// Code, never by Reason.
type Rejection struct {
	Code    Code    `json:"code"`
	Reason  string  `json:"reason"` // English, for logs
	Details Details `json:"details,omitempty"`
}

func (r *Rejection) Error() string { return string(r.Code) + ": " + r.Reason }

// Decision is the outcome of one command, a stored fact. Either Rejection is
// set, or Events holds what happened (none: accepted, changed nothing).
type Decision struct {
	Command           // as it was decided; Board is left out, the Commit has it
	At      time.Time `json:"at"` // UTC, whole milliseconds, never before an earlier one of the board
	// Clock is the clock it was taken by when that was behind At, else zero.
	Clock time.Time `json:"clock,omitzero"`
	// Rev is the board's rev after the decision: that of the last event, or
	// the rev at the decision when there is none.
	Rev       uint64     `json:"rev"`
	Events    []Event    `json:"events,omitempty"`
	Rejection *Rejection `json:"rejection,omitempty"`
}

// Now is the time the decision was taken with: Decide with it decides the same.
func (d *Decision) Now() time.Time {
	if d.Clock.IsZero() {
		return d.At
	}
	return d.Clock
}

// Verdict is what the decision says to whoever asked.
func (d *Decision) Verdict() Verdict {
	return Verdict{User: d.User, ID: d.ID, Content: d.ContentHash(), Rev: d.Rev, Events: len(d.Events), Rejection: d.Rejection}
}

// Verdict is the answer to every sending of one mutation: a sending with the
// same content, and every cancel, gets it as ack (Rejection nil) or nack; a
// sending with another content gets id_reused.
type Verdict struct {
	User      string     `json:"user"`
	ID        string     `json:"id"`
	Content   string     `json:"content,omitempty"` // ContentHash of what was decided; "" when a cancel was first: fits every sending
	Rev       uint64     `json:"rev"`
	Events    int        `json:"events"`
	Rejection *Rejection `json:"rejection,omitempty"`
	Seq       uint64     `json:"seq,omitempty"` // stream position of the record that holds it
}

// Fits says whether the verdict answers a sending with this content hash ("" for a cancel).
func (v *Verdict) Fits(content string) bool {
	return content == "" || v.Content == "" || v.Content == content
}

// Event is an accepted fact, in the past tense, about one entity. It raises
// the board's rev by one.
type Event struct {
	Type     string `json:"type"`           // "card.moved"; the part before the dot is the kind, or "list"
	V        int    `json:"v"`              // version of this event's shape
	Rev      uint64 `json:"rev"`            // of the board and the entity after it
	EntityID string `json:"entityId"`       // list.respaced: the parent, "" the board's columns or labels (Kind says which)
	Kind     Kind   `json:"kind,omitempty"` // list.respaced only: of the siblings
	// Before and After hold each changed field: in Before nil for "was
	// absent", in After nil for "is absent". A created entity has only After, a
	// deleted one neither.
	Before Fields `json:"before,omitempty"`
	After  Fields `json:"after,omitempty"`
	// Added and Removed are the changed elements of set fields, which are not
	// in Before and After: before = after - added + removed.
	Added   map[string][]string `json:"added,omitempty"`
	Removed map[string][]string `json:"removed,omitempty"`
	// Gone counts what a deleted parent took with it.
	Gone map[Kind]int `json:"gone,omitempty"`
	// Positions are old and new key by entity, list.respaced only.
	Positions map[string][2]string `json:"positions,omitempty"`
	// Origin is who made the entity and when, for an imported one.
	Origin *Origin `json:"origin,omitempty"`
}

// Origin is the authorship of an imported entity, as its source has it.
type Origin struct {
	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
	UpdatedAt time.Time `json:"updatedAt"`
	UpdatedBy string    `json:"updatedBy"`
}

// The versions of the shape of a record that this code writes.
const (
	CommitVersion = 1
	MovedVersion  = 2 // of one with Moved, which older code must not pass over
)

// Hash is the SHA-256 of a commit's stored bytes: its id.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes lower-case hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hex.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("domain: a hash has %d hex digits, not %d", hex.EncodedLen(len(h)), len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Commit is one log record: the ordered outcomes of one or more commands on
// one board. Commits of a board form a chain: Prev is the hash of the stored
// bytes before this one (zero for the first), void ones included.
type Commit struct {
	V     int       `json:"v"`
	Board string    `json:"board"`
	Prev  Hash      `json:"prev"`
	At    time.Time `json:"at"`
	// NotAfter is the earliest deadline of the accepted decisions, zero when
	// there is none. Stored later than that the commit is void.
	NotAfter  time.Time  `json:"notAfter,omitzero"`
	Decisions []Decision `json:"decisions"`
	// Moved ends the board's records in this shard; then there are no decisions.
	Moved *Moved `json:"moved,omitempty"`
}

// Moved says where a board goes on: there, all its records stand once more, this
// one as the last of them, and what comes follows it.
type Moved struct {
	Generation int `json:"generation"` // of shards, from 1 on
	Shard      int `json:"shard"`
}

// Encode gives the bytes to store and their hash.
func (c *Commit) Encode() ([]byte, Hash, error) {
	w := encoder{buf: make([]byte, 0, c.room()), esc: plainjson.Plain}
	w.commit(c)
	if w.err != nil {
		data, err := marshalPlain(c)
		if err != nil {
			return nil, Hash{}, fmt.Errorf("domain: encode commit: %w", err)
		}
		w.buf = data
	}
	return w.buf, sha256.Sum256(w.buf), nil
}

// VoidAt says whether the commit, stored at that time by the stream's clock,
// is void: every fold skips it, it decides nothing, rev does not move; only
// the chain and the sequence go on.
func (c *Commit) VoidAt(stored time.Time) bool {
	return !c.NotAfter.IsZero() && stored.After(c.NotAfter)
}

// DecodeCommit reads stored bytes and lifts old versions to the present shape
// ([upcast]). It fails on a version newer than this code.
func DecodeCommit(data []byte) (*Commit, Hash, error) {
	c, ok := readCommit(data)
	if !ok {
		c = &Commit{}
		if err := json.Unmarshal(data, c); err != nil {
			return nil, Hash{}, fmt.Errorf("domain: decode commit: %w", err)
		}
	}
	if err := upcast(c); err != nil {
		return nil, Hash{}, err
	}
	return c, sha256.Sum256(data), nil
}

// upcast lifts what older code wrote. The one place for it: version 1 is the
// first, so there is nothing to lift yet but a newer version to refuse.
func upcast(c *Commit) error {
	if c.V < 1 || c.V > MovedVersion {
		return fmt.Errorf("domain: commit version %d, this code reads 1 to %d", c.V, MovedVersion)
	}
	if (c.Moved != nil) != (c.V == MovedVersion) || c.Moved != nil && (len(c.Decisions) > 0 || !c.NotAfter.IsZero()) {
		return fmt.Errorf("domain: a commit of version %d with %d decisions that says moved: %t", c.V, len(c.Decisions), c.Moved != nil)
	}
	return nil
}
