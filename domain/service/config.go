package service

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Log is what the service needs of an [eventlog.Log]; the methods are
// documented there. eventlog/logtest has one that misbehaves.
type Log interface {
	eventlog.PastSource // Head, Read, GetSnapshot, Pasts, Past
	Append(ctx context.Context, board string, data []byte, hash domain.Hash, expected uint64) (uint64, error)
	Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error)
	ReadSince(ctx context.Context, board string, start time.Time, to uint64) iter.Seq2[eventlog.Record, error]
	Commands(ctx context.Context, shard int, fn func(eventlog.Delivery), standing func()) error
	Unpin(ctx context.Context, shard int) error
	Announce(board string, a eventlog.Announcement) error
	PutSnapshot(ctx context.Context, board string, s eventlog.Snapshot) error
	PutPast(ctx context.Context, board string, s eventlog.Snapshot) error
	PutListing(ctx context.Context, entry eventlog.Listing) error
	MaxRecord() int
	Shards() int
	Shard(board string) int
}

// Config of a Service. Zero values are the defaults named.
type Config struct {
	Log    Log          // required
	Logger *slog.Logger // default slog.Default()
	// Now is the clock decisions are stamped with. Default that of Members, or time.Now.
	Now func() time.Time
	// Tracer records the way of commands that are traced; nil: nobody does.
	Tracer trace.Tracer

	// Members are the nodes that the shards are divided among; its Run is
	// somebody else's. nil: this service has them all.
	Members *eventlog.Members
	// Shards are the shards whose commands are taken, each 0 to Log.Shards()-1. nil: all.
	Shards []int

	// SnapshotEvery is how many records of a board lie between two snapshots,
	// about, 1 to 1,000,000; of a board with few entities fewer, down to 32. A
	// large record counts for several. Default 1,000.
	SnapshotEvery int
	// CachedBoards is how many boards without undecided commands stay in
	// memory, 1 to 10,000,000. Default 250,000.
	CachedBoards int
	// CachedEntities is how many entities of them are ready for use, about 1 KB
	// each, 1 to 1,000,000,000. Default 400,000.
	CachedEntities int
	// CachedBytes is how large all further boards may be, packed, about 150
	// bytes an entity, 1 to 1 TiB. Default 256 MiB.
	CachedBytes int
	// Backlog is how many undecided commands one board may have in memory, 1
	// to 1,000,000. What comes beyond is dropped as if lost on the way: its
	// owner publishes it again. Default 20,000, less than a shard may have undecided.
	Backlog int
	// BacklogBytes is how large all undecided commands may be together, in
	// bytes, about; one board may have a quarter of it. Default 256 MiB, at least 1 MiB.
	BacklogBytes int
	// BatchSize is how many decisions one commit holds at most, 1 to 100,000. Default 2,000.
	BatchSize int

	// Loads is how many boards are loaded at a time, 1 to 1,000. Default 32.
	Loads int
	// Scans is how many searches of the log for old mutations run at a time, 1 to 1,000. Default 8.
	Scans int

	// AppendTimeout is after what time at the latest an append without an answer
	// counts as unknown, 10 ms to 1 min. Default 5 s. One that takes much longer
	// than usual does so sooner, first after a quarter of a second.
	AppendTimeout time.Duration
	// DrainTimeout is how long Run goes on after its context ended to finish
	// the commits that are under way, up to 1 min. Default 5 s. Then it stores
	// snapshots for a second at most.
	DrainTimeout time.Duration
}

func (c *Config) validate() error {
	if c.Log == nil {
		return errors.New("service: no log")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
		if c.Members != nil {
			c.Now = c.Members.Now
		}
	}
	if c.Shards == nil {
		for i := range c.Log.Shards() {
			c.Shards = append(c.Shards, i)
		}
	}
	for _, s := range c.Shards {
		if s < 0 || s >= c.Log.Shards() {
			return fmt.Errorf("service: shard %d of %d", s, c.Log.Shards())
		}
	}
	for _, f := range []struct {
		name           string
		field          *int
		unset, low, up int
	}{
		{"SnapshotEvery", &c.SnapshotEvery, 1000, 1, 1_000_000},
		{"CachedBoards", &c.CachedBoards, 250_000, 1, 10_000_000},
		{"CachedEntities", &c.CachedEntities, 400_000, 1, 1_000_000_000},
		{"CachedBytes", &c.CachedBytes, 256 << 20, 1, 1 << 40},
		{"Backlog", &c.Backlog, 20_000, 1, 1_000_000},
		{"BacklogBytes", &c.BacklogBytes, 256 << 20, 1 << 20, 1 << 40},
		{"BatchSize", &c.BatchSize, 2000, 1, 100_000},
		{"Loads", &c.Loads, 32, 1, 1000},
		{"Scans", &c.Scans, 8, 1, 1000},
	} {
		if *f.field == 0 {
			*f.field = f.unset
		}
		if *f.field < f.low || *f.field > f.up {
			return fmt.Errorf("service: %s is %d, not %d to %d", f.name, *f.field, f.low, f.up)
		}
	}
	for _, f := range []struct {
		name           string
		field          *time.Duration
		unset, low, up time.Duration
	}{
		{"AppendTimeout", &c.AppendTimeout, 5 * time.Second, 10 * time.Millisecond, time.Minute},
		{"DrainTimeout", &c.DrainTimeout, 5 * time.Second, 1, time.Minute},
	} {
		if *f.field == 0 {
			*f.field = f.unset
		}
		if *f.field < f.low || *f.field > f.up {
			return fmt.Errorf("service: %s is %v, not %v to %v", f.name, *f.field, f.low, f.up)
		}
	}
	return nil
}
