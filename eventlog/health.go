package eventlog

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// harmed says whether the disk of an embedded log has failed: then a record that
// the server gives, or that it says is stored already, may not be on it.
func (l *Log) harmed() error {
	server, tells := l.cfg.InProcess.(interface{ Harmed() error })
	if !tells {
		return nil
	}
	return server.Harmed()
}

// Healthy fails when the log cannot be reached or a stream has no leader.
func (l *Log) Healthy(ctx context.Context) error {
	if !l.write.IsConnected() || !l.live.IsConnected() || !l.bulk.IsConnected() {
		return fmt.Errorf("eventlog: not connected: %w", l.closedOr(ErrUnknown))
	}
	if err := l.harmed(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for shard := range l.shards {
		group.Go(func() error {
			// Only a leader answers; that it has no such message is an answer.
			err := l.api(ctx, "STREAM.MSG.GET."+eventStream(shard), messageGet{Seq: 1}, new(answer))
			if err != nil && errorCode(err) != codeNoMessage {
				return fmt.Errorf("eventlog: stream %s: %w", eventStream(shard), err)
			}
			return nil
		})
	}
	return group.Wait()
}

// Info describes the log for start-up words and /readyz.
type Info struct {
	Shards   int    `json:"shards"`
	Epoch    string `json:"epoch"`
	Replicas int    `json:"replicas"` // asked for; streams that exist keep theirs
	Server   string `json:"server"`   // version of the nats-server
	Embedded bool   `json:"embedded"`
	// Sync says when appends are on disk: "always", or every so often ("2m0s").
	// "unverified": an external server's setting cannot be read.
	Sync      string `json:"sync"`
	MaxRecord int    `json:"maxRecord"` // bytes
}

// Info describes the log as it is now.
func (l *Log) Info() Info {
	info := Info{
		Shards: l.shards, Epoch: l.epoch, Replicas: l.cfg.Replicas, Server: l.write.ConnectedServerVersion(),
		Embedded: l.cfg.InProcess != nil, Sync: "unverified", MaxRecord: l.MaxRecord(),
	}
	if s, ok := l.cfg.InProcess.(interface{ Sync() string }); ok {
		info.Sync = s.Sync()
	}
	return info
}
