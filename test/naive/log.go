// Package naive reads a board's log and folds it the simplest possible way. It
// is written from PROTOCOL.md, DOMAIN.md and the record format alone and shares
// no code with the domain, so that the two can be held against each other.
package naive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Object is a JSON object, numbers as json.Number.
type Object = map[string]any

// Event is one accepted fact as it stands in a record.
type Event struct {
	Type      string               `json:"type"`
	V         int                  `json:"v"`
	Rev       uint64               `json:"rev"`
	EntityID  string               `json:"entityId"`
	After     map[string]any       `json:"after"`
	Before    map[string]any       `json:"before"`
	Added     map[string][]string  `json:"added"`
	Removed   map[string][]string  `json:"removed"`
	Positions map[string][2]string `json:"positions"`
	Origin    *struct {
		CreatedAt string `json:"createdAt"`
		CreatedBy string `json:"createdBy"`
		UpdatedAt string `json:"updatedAt"`
		UpdatedBy string `json:"updatedBy"`
	} `json:"origin"`
}

// Decision is the outcome of one command.
type Decision struct {
	ID         string    `json:"id"`
	Op         string    `json:"op"`
	User       string    `json:"user"`
	Session    string    `json:"session"`
	ReceivedAt time.Time `json:"receivedAt"`
	Deadline   time.Time `json:"deadline"`
	After      string    `json:"after"`
	AtText     string    `json:"at"` // as written; see At
	Rev        uint64    `json:"rev"`
	Events     []Event   `json:"events"`
	Rejection  *struct {
		Code    string `json:"code"`
		Details Object `json:"details"`
	} `json:"rejection"`
	Changes json.RawMessage `json:"changes"`
}

// At is when it was decided.
func (d *Decision) At() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, d.AtText)
	return at
}

// Accepted says whether it took effect (or changed nothing).
func (d *Decision) Accepted() bool { return d.Rejection == nil }

// Record is one stored message of a board.
type Record struct {
	Seq    uint64
	Stored time.Time // the stream's timestamp
	Data   []byte

	Prev      string     `json:"prev"`
	Board     string     `json:"board"`
	At        time.Time  `json:"at"`
	NotAfter  *time.Time `json:"notAfter"`
	Decisions []Decision `json:"decisions"`
}

// Void says whether the record came too late to count.
func (r *Record) Void() bool { return r.NotAfter != nil && r.Stored.After(*r.NotAfter) }

// Hash is the record's id: SHA-256 of the stored bytes, hex.
func (r *Record) Hash() string {
	sum := sha256.Sum256(r.Data)
	return hex.EncodeToString(sum[:])
}

// Decode reads stored bytes.
func Decode(seq uint64, stored time.Time, data []byte) (Record, error) {
	r := Record{Seq: seq, Stored: stored, Data: data}
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	if err := dec.Decode(&r); err != nil {
		return r, fmt.Errorf("record %d: %w", seq, err)
	}
	return r, nil
}

// Read gives the records of a board straight from the streams of the server
// that nc is connected to, in order of sequence.
func Read(ctx context.Context, nc *nats.Conn, board string) ([]Record, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	var all []Record
	names := js.StreamNames(ctx)
	for name := range names.Name() {
		if !strings.HasPrefix(name, "EVT_") {
			continue
		}
		list, err := readStream(ctx, js, name, board)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 && len(all) > 0 {
			return nil, fmt.Errorf("board %s is in two streams", board)
		}
		all = append(all, list...)
	}
	return all, names.Err()
}

func readStream(ctx context.Context, js jetstream.JetStream, name, board string) ([]Record, error) {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return nil, err
	}
	subject := "evt." + strings.TrimPrefix(name, "EVT_") + "." + board
	var list []Record
	for seq := uint64(1); seq <= info.State.LastSeq; seq++ {
		msg, err := stream.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s at %d: %w", name, seq, err)
		}
		if msg.Subject != subject {
			continue
		}
		r, err := Decode(seq, msg.Time, msg.Data)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}
