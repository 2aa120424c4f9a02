package eventlog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/snapback-io/snapback/domain"
)

// Record is one stored commit of a board.
type Record struct {
	Board  string
	Seq    uint64    // position ([StreamSeq])
	Prev   uint64    // the board's position before it, 0 for the first
	Time   time.Time // when it was first stored ([storedAt]); of an announced record one at which it is not void
	Stored time.Time // of an announced record: when its worker knew that it is stored, by that node's clock; zero: not known
	Data   []byte
	Hash   domain.Hash
	Commit *domain.Commit
	// More: it was restored, and those behind it are still to come. Nobody
	// decides on a board that ends here.
	More bool
}

// Void says whether the commit was stored after its notAfter and so never took
// effect ([domain.Commit.VoidAt]). An announced record is not.
func (r *Record) Void() bool { return r.Commit.VoidAt(r.Time) }

// Decision is the record's decision on the mutation id of user, nil if it has
// none or is void. The caller must not change it.
func (r *Record) Decision(user, id string) *domain.Decision {
	if r.Void() {
		return nil
	}
	for i := range r.Commit.Decisions {
		if d := &r.Commit.Decisions[i]; d.ID == id && d.User == user {
			return d
		}
	}
	return nil
}

// newRecord decodes a message that a stream of that generation stored at that time.
func newRecord(board string, gen int, seq uint64, at time.Time, header nats.Header, data []byte) (Record, error) {
	fail := func(err error) (Record, error) {
		return Record{}, fmt.Errorf("eventlog: record %d of board %s: %w", seq, board, err)
	}
	prev, err := strconv.ParseUint(header.Get(headerExpected), 10, 64)
	if err != nil {
		return fail(err)
	}
	commit, hash, err := domain.DecodeCommit(data)
	if err != nil {
		return fail(err)
	}
	if hash.String() != header.Get(headerMsgID) {
		return fail(errors.New("its bytes do not have its hash"))
	}
	if at, err = storedAt(header, at); err != nil {
		return fail(err)
	}
	return Record{Board: board, Seq: position(gen, seq), Prev: position(gen, prev), Time: at, Data: data, Hash: hash, Commit: commit, More: header.Get(headerMore) != ""}, nil
}

// storedAt is when a record was first stored, by which it is void or not: of a
// restored one what its header says, of any other the stream's timestamp.
func storedAt(header nats.Header, stream time.Time) (time.Time, error) {
	text := header.Get(headerStoredAt)
	if text == "" {
		return stream, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, fmt.Errorf("header %s: %w", headerStoredAt, err)
	}
	return at, nil
}

// stored is a message as a leader's answer holds it.
type stored struct {
	Subject string    `json:"subject"`
	Seq     uint64    `json:"seq"`
	Headers []byte    `json:"hdrs"`
	Data    []byte    `json:"data"`
	Time    time.Time `json:"time"`
}

func (s *stored) header() (nats.Header, error) {
	if len(s.Headers) == 0 {
		return nil, nil
	}
	return nats.DecodeHeadersMsg(s.Headers)
}

// messageGet is the request of a message, to a leader or direct.
type messageGet struct {
	Seq      uint64     `json:"seq,omitempty"`
	LastFor  string     `json:"last_by_subj,omitempty"`
	NextFor  string     `json:"next_by_subj,omitempty"`
	Batch    int        `json:"batch,omitempty"`
	MaxBytes int        `json:"max_bytes,omitempty"`
	Start    *time.Time `json:"start_time,omitempty"`
}

// directSeq and directTime read where and when a message of a direct get is stored.
func directSeq(h nats.Header) (uint64, error) {
	return strconv.ParseUint(h.Get("Nats-Sequence"), 10, 64)
}

func directTime(h nats.Header) (time.Time, error) {
	return time.Parse(time.RFC3339Nano, h.Get("Nats-Time-Stamp"))
}

// lastToken is what stands behind the last dot of a subject.
func lastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }
