// Package eventlog is the only package that knows NATS: subjects, streams,
// headers, consumers, buckets and their failures have their one home here. To
// everybody else it offers a log of commits per board with compare-and-set
// append, a queue of commands per shard, announcements, and three stores that
// follow the log: snapshots, the directory and file contents.
package eventlog

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// Errors of this package. Match with errors.Is.
var (
	// ErrConflict: the board's last sequence is not the expected one; nothing
	// was stored by this call. It may still be this very commit, stored by an
	// earlier try: read the tail before deciding again.
	ErrConflict = errors.New("eventlog: the board has moved on")
	// ErrUnknown: the append may or may not be stored, now or in a moment. Read
	// the tail from the leader until it answers; decide nothing before that.
	ErrUnknown = errors.New("eventlog: append without an answer")
	// ErrTooLarge: the server refuses a message of this size; nothing was stored.
	ErrTooLarge = errors.New("eventlog: record larger than the server takes")
	// ErrFull: the stream takes no more (disk or limit); nothing was stored.
	ErrFull = errors.New("eventlog: log is full")
	// ErrNotFound: no such record, snapshot, entry or object.
	ErrNotFound = errors.New("eventlog: not found")
	// ErrShards: the log was made with another number of shards.
	ErrShards = errors.New("eventlog: the log has another number of shards")
)

// Config of a Log.
type Config struct {
	// URL of the NATS server or servers, comma separated; not read when InProcess is set.
	URL string
	// InProcess is an embedded server (natsd) to connect to without a socket.
	InProcess InProcess
	// Shards is S, 1 to 1024; fixed when the log is made. 0: what the log has, 8 for a new one.
	Shards int
	// Replicas of every stream, 1 or 3. 0: 1.
	Replicas int
	// Name of the connection, for the server's monitoring.
	Name string
}

// Log is a connection to the log. Safe for concurrent use.
type Log struct{}

// Open connects, makes what is missing of streams and buckets, and checks that
// the log was made with cfg.Shards.
func Open(ctx context.Context, cfg Config) (*Log, error) { panic("todo") }

// Close ends every subscription and the connections.
func (l *Log) Close() { panic("todo") }

// Shards is S.
func (l *Log) Shards() int { panic("todo") }

// Shard of a board: FNV-1a-32(board) mod S.
func (l *Log) Shard(board string) int { panic("todo") }

// Epoch names the life of the log.
func (l *Log) Epoch() string { panic("todo") }

// MaxRecord is how large a record's data may be, bytes: 4 MiB or what the server leaves.
func (l *Log) MaxRecord() int { panic("todo") }

// Healthy fails when the log cannot be reached or a stream has no leader.
func (l *Log) Healthy(ctx context.Context) error { panic("todo") }

// Record is one stored commit of a board.
type Record struct {
	Board  string
	Seq    uint64
	Prev   uint64    // the board's sequence before it, 0 for the first; not known (0) from a direct read unless stored in a header
	Time   time.Time // the stream's timestamp, or, announced before it was read, the commit's own At
	Data   []byte
	Hash   domain.Hash
	Commit *domain.Commit
}

// Append stores data (an encoded commit with this hash) as the board's next
// record, if the board's last sequence is expected (0: none yet). When it
// returns nil the record is durable as far as the server makes it so (sync
// always: fsynced; R3: on a majority). It retries by itself what is not yet an
// outcome (in process, 10164 and 10158) with the same message. Errors:
// ErrConflict, ErrUnknown, ErrTooLarge, ErrFull. A retry of what is stored may
// answer as stored or as ErrConflict.
func (l *Log) Append(ctx context.Context, board string, data []byte, hash domain.Hash, expected uint64) (seq uint64, err error) {
	panic("todo")
}

// Head is the board's last sequence by the stream's leader, 0 if it has none.
func (l *Log) Head(ctx context.Context, board string) (uint64, error) { panic("todo") }

// Get reads one record from the leader. ErrNotFound if seq holds none of this board.
func (l *Log) Get(ctx context.Context, board string, seq uint64) (Record, error) { panic("todo") }

// Read gives the board's records from sequence from on, in order, up to and
// including sequence to (0: the head the leader names at the call). It ends
// with an error when it could not get that far; it never ends silently early.
func (l *Log) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[Record, error] {
	panic("todo")
}

// ReadSince is Read from the first record stored at or after start.
func (l *Log) ReadSince(ctx context.Context, board string, start time.Time, to uint64) iter.Seq2[Record, error] {
	panic("todo")
}

// PublishCommand puts cmd into its shard's queue. It does not wait: a command
// may be lost or doubled, its owner publishes it again. ttl is the time to
// live that is left, counted by the queue's clock from its arrival there.
func (l *Log) PublishCommand(cmd *domain.Command, ttl time.Duration) error { panic("todo") }

// Delivery is a command taken from the queue.
type Delivery struct {
	// Command with Deadline set to the earlier of what the gateway stamped and
	// the queue's timestamp + ttl.
	Command domain.Command
	// Done acknowledges it: its decision is logged and announced. Not calling
	// it has the command delivered again.
	Done func()
}

// Commands delivers the commands of one shard to fn, one at a time, until ctx
// ends, whichever node is the shard's active one (pinned consumer). It makes
// again a stream or consumer that is missing. When ctx ends it gives up the
// pin, so that another node takes over at once.
func (l *Log) Commands(ctx context.Context, shard int, fn func(Delivery)) error { panic("todo") }

// Announcement is news of a board on core NATS: at most once, in any order.
// Exactly one of the three is set.
type Announcement struct {
	Record  *Record         // just stored and known not to be void; Seq and Prev set
	Verdict *domain.Verdict // a stored verdict for somebody who asked again; Seq set
	Head    uint64          // the board's last sequence
}

// Announce sends an announcement to every subscriber of the board.
func (l *Log) Announce(board string, a Announcement) error { panic("todo") }

// Subscribe calls fn for every announcement of the board, one at a time, until
// stop is called. When it returns, the subscription is in force at the server:
// whatever is announced from then on arrives, unless lost. fn must not block.
func (l *Log) Subscribe(board string, fn func(Announcement)) (stop func(), err error) {
	panic("todo")
}

// Snapshot is a board's encoded state at a sequence.
type Snapshot struct {
	Seq  uint64
	Hash domain.Hash // of the commit at Seq; use only if the log agrees
	Data []byte
}

// PutSnapshot keeps s as the board's only snapshot.
func (l *Log) PutSnapshot(ctx context.Context, board string, s Snapshot) error { panic("todo") }

// GetSnapshot gives the board's snapshot if it is of this epoch. ErrNotFound if there is none.
func (l *Log) GetSnapshot(ctx context.Context, board string) (Snapshot, error) { panic("todo") }

// Listing is what the directory knows of a board.
type Listing struct {
	Board    string                 `json:"board"`
	Title    string                 `json:"title"`
	Archived bool                   `json:"archived,omitempty"`
	Seq      uint64                 `json:"seq"` // of the commit it was made from; an older one never replaces a newer
	Members  map[string]domain.Role `json:"members,omitempty"`
}

// PutListing writes the board's listing and the entries of its members, unless
// the directory has a newer one.
func (l *Log) PutListing(ctx context.Context, entry Listing) error { panic("todo") }

// Listings gives at most limit boards with an id above after, in order of id:
// those user is a member of and those match says yes to; match nil: members only.
func (l *Log) Listings(ctx context.Context, user string, match func(board string) bool, after string, limit int) ([]Listing, error) {
	panic("todo")
}

// PutContent stores a file's bytes under a new upload id and gives their size
// and SHA-256. More than limit bytes: ErrTooLarge, and nothing is kept.
func (l *Log) PutContent(ctx context.Context, object string, r io.Reader, limit int64) (size int64, sha256 string, err error) {
	panic("todo")
}

// OpenContent opens a file's bytes from offset on. ErrNotFound if there is no such object.
func (l *Log) OpenContent(ctx context.Context, object string, offset int64) (io.ReadCloser, error) {
	panic("todo")
}

// DeleteContent removes an object that no event names. Unknown objects are fine.
func (l *Log) DeleteContent(ctx context.Context, object string) error { panic("todo") }
