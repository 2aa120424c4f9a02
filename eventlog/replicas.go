package eventlog

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// streams are the names of all streams of the log.
func (l *Log) streams() []string {
	names := []string{snapshotStream, pastStream, l.contents().stream(), directoryStream, checkpointStream, tileStream}
	for shard := range l.shards {
		names = append(names, eventStream(shard), commandStream(shard))
	}
	return names
}

// raiseReplicas has streams that have fewer copies than the Config asks for get
// them, beside what goes on. That there are too few servers just now, or that
// this user may not, keeps nobody from the log: it is logged, and tried again
// at the next Open.
func (l *Log) raiseReplicas(ctx context.Context) error {
	if l.cfg.Replicas == 1 {
		return nil
	}
	group := new(errgroup.Group)
	group.SetLimit(16)
	for _, name := range l.streams() {
		group.Go(func() error {
			raised, err := l.raise(ctx, name)
			switch {
			case err != nil && ctx.Err() == nil:
				l.log.Warn("a stream keeps fewer copies than were asked for", "stream", name, "asked for", l.cfg.Replicas, "error", err)
			case raised:
				l.log.Info("a stream gets more copies", "stream", name, "copies", l.cfg.Replicas)
			}
			return nil
		})
	}
	_ = group.Wait() // gives none
	return ctx.Err()
}

// raise gives a stream as many copies as were asked for. Several nodes may do so at once.
func (l *Log) raise(ctx context.Context, name string) (raised bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	stream, err := l.js.Stream(ctx, name)
	if err != nil {
		return false, fmt.Errorf("eventlog: stream %s: %w", name, err)
	}
	cfg := stream.CachedInfo().Config
	if cfg.Replicas >= l.cfg.Replicas {
		return false, nil
	}
	cfg.Replicas = l.cfg.Replicas
	if cfg.PersistMode == jetstream.AsyncPersistMode {
		// Never of what is true: nats-server has neither copies of such a stream nor
		// a way to change it. What was in it is made again from the log.
		if info := stream.CachedInfo(); info.Cluster == nil {
			return false, fmt.Errorf("eventlog: stream %s: the server is alone", name)
		}
		was := cfg
		was.Replicas = stream.CachedInfo().Config.Replicas
		cfg.PersistMode = jetstream.DefaultPersistMode
		if err = l.js.DeleteStream(ctx, name); err == nil {
			if _, err = l.js.CreateStream(ctx, cfg); err != nil { // there are too few servers just now
				_, again := l.js.CreateStream(context.WithoutCancel(ctx), was)
				err = errors.Join(err, again)
			}
		}
	} else {
		_, err = l.js.UpdateStream(ctx, cfg)
	}
	if err != nil {
		return false, fmt.Errorf("eventlog: stream %s: %w", name, err)
	}
	return true, nil
}
