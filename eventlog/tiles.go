package eventlog

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/snapback-io/snapback/eventlog/proof"
)

// The hashes of each shard's tree lie in tiles, the last one of each place, so
// that a proof needs a few of them and not the log. They are made from the log
// and may be thrown away; whoever reads one checks it against a checkpoint.

const tileStream = "TILES"

func tileSubject(shard, level int, n int64) string {
	return "tile." + strconv.Itoa(shard) + "." + strconv.Itoa(level) + "." + strconv.FormatInt(n, 10)
}

func (l *Log) tileConfig() jetstream.StreamConfig {
	return l.disposable(tileStream, "tile.*.*.*", "Hashes of each shard's tree")
}

// ensureProofs makes the streams of checkpoints and tiles if they are missing.
func (l *Log) ensureProofs(ctx context.Context) error {
	if _, err := l.ensureStream(ctx, l.checkpointConfig()); err != nil {
		return err
	}
	_, err := l.ensureStream(ctx, l.tileConfig())
	return err
}

// GetTile gives the hashes that are stored for a place in the tree of a shard,
// however many, by the leader. ErrNotFound if there are none.
func (l *Log) GetTile(ctx context.Context, shard, level int, n int64) ([]byte, error) {
	msg, err := l.leaderGet(ctx, tileStream, messageGet{LastFor: tileSubject(shard, level, n)})
	if err != nil {
		return nil, fmt.Errorf("eventlog: tile %d/%d of shard %d: %w", level, n, shard, err)
	}
	return msg.Data, nil
}

// PutTile stores a tile instead of what is there. It does not keep t.Data.
func (l *Log) PutTile(ctx context.Context, shard int, t proof.Tile) error {
	err := l.publishDisposable(ctx, &nats.Msg{Subject: tileSubject(shard, t.L, t.N), Data: t.Data})
	if err != nil {
		return fmt.Errorf("eventlog: tile %d/%d of shard %d: %w", t.L, t.N, shard, err)
	}
	return nil
}
