package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"
)

// Stream metadata of every EVT stream, written when the log is made.
const (
	metaShards = "snapback-shards"
	metaEpoch  = "snapback-epoch"
)

func eventStream(shard int) string    { return "EVT_" + strconv.Itoa(shard) }
func commandStream(shard int) string  { return "CMD_" + strconv.Itoa(shard) }
func commandSubject(shard int) string { return "cmd." + strconv.Itoa(shard) + ".commands" }
func liveSubject(b string) string     { return "live." + b }

// Open connects, makes what is missing of streams and buckets, and checks that
// the log was made with cfg.Shards. It keeps trying until ctx ends: a cluster
// needs a while to have leaders. Errors: ErrShards, ErrNotFound (of a log that
// was to exist), or why it could not.
func Open(ctx context.Context, cfg Config) (*Log, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := &Log{cfg: cfg, log: cfg.Logger, closed: make(chan struct{}), patience: defaultPatience, stillFor: stillFor, counts: newCounters()}
	err := l.connect(ctx)
	if err == nil {
		err = l.watchElections()
	}
	if err == nil {
		err = l.findOrMake(ctx)
	}
	if err == nil {
		err = l.watchFull()
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// findOrMake settles shards and epoch by the stream EVT_0: whoever makes it
// first has written them, on however many nodes this runs at once. Everything
// else follows what it says.
func (l *Log) findOrMake(ctx context.Context) error {
	want := l.cfg.Shards
	if want == 0 {
		want = defaultShards
	}
	var err error
	if l.whole, err = l.wasWhole(ctx); err != nil {
		return err
	}
	anchor, err := l.ensureStream(ctx, l.eventConfig(0, want, ulid.Make().String()))
	if err != nil {
		return err
	}
	if l.base, l.epoch, err = lifeOf(anchor); err != nil {
		return err
	}
	if l.cfg.Shards != 0 && l.cfg.Shards != l.base {
		return fmt.Errorf("%w: made with %d, asked for %d", ErrShards, l.base, l.cfg.Shards)
	}
	if l.generations, err = generationsOf(l.base, anchor.Config.Metadata[metaAdded]); err != nil {
		return err
	}
	for _, g := range l.generations {
		l.shards += g.count
	}
	shards, inShards := errgroup.WithContext(ctx)
	shards.SetLimit(16)
	for shard := range l.shards {
		l.outboxes = append(l.outboxes, &outbox{log: l, subject: commandSubject(shard)})
		shards.Go(func() error { return l.ensureShard(inShards, shard) })
	}
	if err := shards.Wait(); err != nil {
		return err
	}
	// After the shards: that these are there says that all shards were (wasWhole).
	others, inOthers := errgroup.WithContext(ctx)
	others.Go(func() error { return l.ensureStores(inOthers) })
	others.Go(func() error { return l.ensureProofs(inOthers) })
	if err := others.Wait(); err != nil || l.cfg.Existing {
		return err
	}
	return l.raiseReplicas(ctx)
}

// wasWhole says whether all streams of records have been made: whoever made the
// log, on this or another node, has made the one of checkpoints after them. One
// that is missing from then on is lost, and an empty one in its place would hide it.
func (l *Log) wasWhole(ctx context.Context) (whole bool, err error) {
	err = retry(ctx, 0, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
		defer cancel()
		_, err := l.js.Stream(ctx, checkpointStream)
		if whole = err == nil; errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("eventlog: stream %s: %w", checkpointStream, err)
		}
		return nil
	})
	return whole, err
}

func (l *Log) ensureShard(ctx context.Context, shard int) error {
	info, err := l.ensureStream(ctx, l.eventConfig(shard, l.base, l.epoch))
	if err != nil {
		return err
	}
	shards, epoch, err := lifeOf(info)
	if err != nil {
		return err
	}
	if shards != l.base || epoch != l.epoch {
		return fmt.Errorf("%w: stream %s says %d of epoch %s, the log %d of epoch %s", ErrShards, info.Config.Name, shards, epoch, l.base, l.epoch)
	}
	_, err = l.ensureStream(ctx, l.commandConfig(shard))
	return err
}

func lifeOf(info *jetstream.StreamInfo) (shards int, epoch string, err error) {
	shards, err = strconv.Atoi(info.Config.Metadata[metaShards])
	epoch = info.Config.Metadata[metaEpoch]
	if err != nil || shards < 1 || epoch == "" {
		return 0, "", fmt.Errorf("eventlog: stream %s is not one of a log (metadata %s, %s)", info.Config.Name, metaShards, metaEpoch)
	}
	return shards, epoch, nil
}

// ensureStream gives the stream that is there, or makes it: of a log that is to
// exist only what is no part of it.
func (l *Log) ensureStream(ctx context.Context, cfg jetstream.StreamConfig) (info *jetstream.StreamInfo, err error) {
	err = retry(ctx, 0, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
		defer cancel()
		stream, err := repeated(ctx, l, cfg.Name, func(ctx context.Context) (jetstream.Stream, error) {
			return l.js.Stream(ctx, cfg.Name)
		})
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			switch records := cfg.Metadata[metaEpoch] != ""; {
			case l.cfg.Existing && l.epoch == "" && !l.whole:
				return fmt.Errorf("%w: there is no log", ErrNotFound)
			case (l.cfg.Existing || l.whole) && records: // an empty one would hide that they are gone
				return fmt.Errorf("%w: stream %s of the log is missing, and with it all records of the shard", ErrNotFound, cfg.Name)
			}
			stream, err = l.js.CreateStream(ctx, cfg)
			if errorCode(err) == codeNoPeers && cfg.Storage == jetstream.MemoryStorage {
				// Servers are away. What is in it is published again by who owns it: one
				// copy is better than none, and gets company when a node starts again.
				alone := cfg
				alone.Replicas = 1
				l.log.Warn("a queue gets one copy: servers are away", "stream", cfg.Name, "asked for", cfg.Replicas)
				stream, err = l.js.CreateStream(ctx, alone)
			}
		}
		if err != nil {
			return fmt.Errorf("eventlog: stream %s: %w", cfg.Name, err)
		}
		info = stream.CachedInfo()
		return nil
	})
	return info, err
}

func (l *Log) eventConfig(shard, shards int, epoch string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        eventStream(shard),
		Description: "Commits of boards, one subject per board",
		Subjects:    []string{"evt." + strconv.Itoa(shard) + ".*"},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Discard:     jetstream.DiscardNew,
		Replicas:    l.cfg.Replicas,
		Duplicates:  duplicateWindow,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
		Metadata:    map[string]string{metaShards: strconv.Itoa(shards), metaEpoch: epoch},
	}
}

const (
	duplicateWindow = 2 * time.Minute
	// commandAge is beyond the longest time to live: past it nobody waits.
	commandAge = 2 * time.Minute
	// commandBytes of memory are shared by all CMD streams: some seconds of what
	// a node can decide, nearly all of it decided already.
	commandBytes    = 64 << 20
	maxCommandBytes = 32 << 20      // per stream
	minCommandBytes = 2 * maxRecord // the largest command has room
)

// commandConfig describes a queue of commands. When it is full the oldest go:
// most are decided already (they stay until their age is up), and any that is
// not is published again by the gateway that owns it. Refusing new ones
// instead would let the dead keep out the living.
func (l *Log) commandConfig(shard int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        commandStream(shard),
		Description: "Commands on their way to a decision",
		Subjects:    []string{"cmd." + strconv.Itoa(shard) + ".*"},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.MemoryStorage,
		Discard:     jetstream.DiscardOld,
		MaxAge:      commandAge,
		MaxBytes:    max(minCommandBytes, min(maxCommandBytes, commandBytes/int64(l.shards))),
		Replicas:    l.cfg.Replicas,
	}
}
