// Package bundle is the form in which a board leaves a log with its proofs: a
// stream of lines, one JSON object each, and a directory of such streams. It
// carries what the log has, damaged or not; whether that is true is for package
// verify to say.
package bundle

import (
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
)

// Version of the stream that this code writes.
const Version = 1

// MaxLine is how long a line may be, bytes.
const MaxLine = 8 << 20

// Errors of reading. Match with errors.Is; the text says where.
var (
	// ErrCutOff: the stream ends before its end.
	ErrCutOff = errors.New("the bundle is cut off")
	// ErrForm: a line is none of a bundle, or stands in the wrong place.
	ErrForm = errors.New("not a line of a bundle")
)

// Header says which board of which log a stream is of. It is its first line.
type Header struct {
	Board  string
	Epoch  string // of the log
	Shard  int    // that the board belongs to
	Shards int    // that the log has
	// Generation of that shard: above 0 if shards were added to the log and the board moved there.
	Generation int
	At         time.Time
}

// Record is a record of the board as the log has it.
type Record struct {
	Seq  uint64
	Prev uint64    // the board's sequence before it, as the record names it
	Time time.Time // when it was first stored
	Hash string    // hex SHA-256 of Data, as the log names it
	Data []byte
}

// Content is a piece of an object that an event names; pieces come in order.
type Content struct {
	Object string
	SHA256 string // hex, of the whole object
	Size   int64  // of the whole object, bytes
	Offset int64  // where the piece belongs
	Data   []byte // empty only of an object without bytes
	// Missing: the log does not have the object; there are no pieces.
	Missing bool
}

// Item is one line of a stream behind the header; exactly one of the fields is
// set. It does not change when the next is read.
type Item struct {
	Record     *Record
	Head       []byte // signed board head (proof.Head)
	Checkpoint []byte // signed checkpoint of the shard (proof.Checkpoint)
	Hashes     map[int64]tlog.Hash
	Content    *Content
}

// The types of lines.
const (
	typeBundle     = "bundle"
	typeRecord     = "record"
	typeHead       = "head"
	typeCheckpoint = "checkpoint"
	typeHashes     = "hashes"
	typeContent    = "content"
	typeEnd        = "end"
)

// line is any line as it is decoded. Commit and Bytes alias nothing.
type line struct {
	Type string `json:"type"`

	V      int        `json:"v,omitzero"`
	Board  string     `json:"board,omitzero"`
	Epoch  string     `json:"epoch,omitzero"`
	Shard  int        `json:"shard"`
	Shards int        `json:"shards,omitzero"`
	Gen    int        `json:"generation,omitzero"`
	At     *time.Time `json:"at,omitzero"`

	Seq    uint64    `json:"seq,omitzero"`
	Prev   uint64    `json:"prev,omitzero"`
	Time   time.Time `json:"time,omitzero"`
	Hash   string    `json:"hash,omitzero"`
	Commit verbatim  `json:"commit,omitzero"`
	Bytes  []byte    `json:"bytes,omitzero"`

	Note string              `json:"note,omitzero"`
	Of   map[int64]tlog.Hash `json:"of,omitzero"`

	Object  string `json:"object,omitzero"`
	SHA256  string `json:"sha256,omitzero"`
	Size    int64  `json:"size,omitzero"`
	Offset  int64  `json:"offset,omitzero"`
	Missing bool   `json:"missing,omitzero"`

	Records *int `json:"records,omitzero"`
}

// verbatim is a value's bytes as they stand.
type verbatim []byte

// UnmarshalJSON keeps a copy.
func (v *verbatim) UnmarshalJSON(data []byte) error {
	*v = append([]byte(nil), data...)
	return nil
}

// HashOf is the record's hash, if it is one.
func (r *Record) HashOf() (h domain.Hash, err error) {
	err = h.UnmarshalText([]byte(r.Hash))
	return h, err
}
