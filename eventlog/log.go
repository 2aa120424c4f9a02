// Package eventlog is the only package that knows NATS: subjects, streams,
// headers, consumers, buckets and their failures have their one home here. To
// everybody else it offers a log of commits per board with compare-and-set
// append, a queue of commands per shard, announcements, and three stores that
// follow the log: snapshots, the directory and file contents.
package eventlog

import (
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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
	// ErrRestoring: records of the board are still to be restored; until all are,
	// nobody reads it or decides on it.
	ErrRestoring = errors.New("eventlog: the board is being restored")
	// ErrUnreadable: the server counts records that it does not give: they were
	// changed or damaged on its disk. Trying again is no use.
	ErrUnreadable = errors.New("eventlog: a record cannot be read")
	// ErrRefused: the NATS server does not let this user in.
	ErrRefused = errors.New("eventlog: the NATS server refuses this user")
	// ErrClosed: the Log was closed while the call ran, or before.
	ErrClosed = errors.New("eventlog: closed")
)

// Config of a Log.
type Config struct {
	// URL of the NATS server or servers, comma separated; not read when InProcess is set.
	URL string
	// Access is what the servers of URL are shown.
	Access Access
	// InProcess is an embedded server (natsd) to connect to without a socket.
	InProcess InProcess
	// Shards is S, 1 to 1024; fixed when the log is made. 0: what the log has, 8 for a new one.
	Shards int
	// Existing: Open fails with ErrNotFound where there is no log, instead of making one.
	Existing bool
	// Replicas of every stream, 1 or 3. 0: 1. Streams that have fewer get as many,
	// if there are servers for them; those that have more keep them.
	Replicas int
	// Name of the connection, for the server's monitoring.
	Name string
	// Logger for what goes wrong and is put right again. nil: slog.Default().
	Logger *slog.Logger
}

const (
	defaultShards = 8
	maxShards     = 1024
)

func (cfg *Config) validate() error {
	if cfg.Shards < 0 || cfg.Shards > maxShards {
		return fmt.Errorf("eventlog: %d shards, must be 1 to %d", cfg.Shards, maxShards)
	}
	if cfg.Replicas == 0 {
		cfg.Replicas = 1
	}
	if cfg.Replicas != 1 && cfg.Replicas != 3 {
		return fmt.Errorf("eventlog: %d replicas, must be 1 or 3", cfg.Replicas)
	}
	if cfg.InProcess == nil && cfg.URL == "" {
		return errors.New("eventlog: neither URL nor InProcess")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return nil
}

// Log is a connection to the log. Safe for concurrent use.
//
// It holds three connections, so that what is large does not hold up what is
// urgent: a server handles one connection's requests one after the other.
//
//	write  appends, commands in and out; nothing is ever sent later than it was asked for
//	live   announcements, to and from other nodes only
//	bulk   everything that reads, snapshots, directory, contents
type Log struct {
	KeptBoards

	cfg         Config
	log         *slog.Logger
	base        int // S: the shards of generation 0
	shards      int // of all generations
	generations []generation
	moved       homes
	epoch       string
	whole       bool // all streams of records had been made before Open

	write, live, bulk *nats.Conn
	js                jetstream.JetStream // on bulk

	listeners listeners
	counts    *counters
	watches   watches
	boards    boardList // of the directory
	batches   batches   // asked for on bulk
	outboxes  []*outbox // by shard
	asks      asks
	elections elections
	full      fullness

	link   atomic.Pointer[link] // of write
	closed chan struct{}
	once   atomic.Bool

	patience time.Duration // how long reads wait for a leader or a replica
	stillFor time.Duration // how long nothing may come out of a queue of commands
}

// Close ends every subscription and the connections. Later calls do nothing.
func (l *Log) Close() {
	if l.once.Swap(true) {
		return
	}
	close(l.closed)
	for _, nc := range []*nats.Conn{l.write, l.live, l.bulk} {
		if nc != nil {
			nc.Close()
		}
	}
}

// Shards is how many there are, of all generations.
func (l *Log) Shards() int { return l.shards }

func shardOf(board string, shards int) int {
	h := fnv.New32a()
	h.Write([]byte(board))
	return int(h.Sum32() % uint32(shards))
}

// Epoch names the life of the log.
func (l *Log) Epoch() string { return l.epoch }

const (
	maxRecord   = 4 << 20
	headerSpace = 4 << 10 // left for headers and subject
)

// MaxRecord is how large a record's data may be, bytes: 4 MiB or what the server leaves.
func (l *Log) MaxRecord() int { return min(maxRecord, int(l.write.MaxPayload())-headerSpace) }
