package eventlog

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog/proof"
)

// Of two who append after the same checkpoint one comes second and is told.
func TestCheckpoints_DoNotPart(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		const shard = 1
		_, last, err := l.LastCheckpoint(t.Context(), shard)
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
		first, err := l.AppendCheckpoint(t.Context(), shard, []byte("one"), last)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.AppendCheckpoint(t.Context(), shard, []byte("another one"), last); !errors.Is(err, ErrConflict) {
			t.Errorf("the second after the same: %v", err)
		}
		second, err := l.AppendCheckpoint(t.Context(), shard, []byte("two"), first)
		if err != nil {
			t.Fatal(err)
		}
		if note, seq, err := l.LastCheckpoint(t.Context(), shard); string(note) != "two" || seq != second || err != nil {
			t.Errorf("%q at %d, %v", note, seq, err)
		}
		if err := l.api(t.Context(), "STREAM.PURGE."+checkpointStream, struct{}{}, new(answer)); err == nil {
			t.Error("checkpoints can be purged")
		}
	})
}

// More checkpoints than are read at once, of two shards in turn, come in order,
// from anywhere to anywhere, and no further than somebody reads.
func TestCheckpoints_AreReadInOrder(t *testing.T) {
	t.Parallel()
	l := unsynced(t, 2)
	for range l.Checkpoints(t.Context(), 0, 1, 0) {
		t.Error("there is one")
	}
	const each = readBatch + 10
	last := [2]uint64{}
	for i := range 2 * each {
		var err error
		shard := i % 2
		if last[shard], err = l.AppendCheckpoint(t.Context(), shard, strconv.AppendInt(nil, int64(i/2), 10), last[shard]); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ from, to, first, count uint64 }{
		{0, 0, 0, each}, {1, last[1], 0, each}, {2, 2, 0, 1}, {3, 6, 1, 2}, {4, 7, 1, 2}, {2 * readBatch, 0, readBatch - 1, 11}, {3, 3, 1, 0},
	} {
		next := tt.first
		for note, err := range l.Checkpoints(t.Context(), 1, tt.from, tt.to) {
			if err != nil || string(note) != strconv.FormatUint(next, 10) {
				t.Fatalf("%+v: %q, %v, want %d", tt, note, err, next)
			}
			next++
		}
		if got := next - tt.first; got != tt.count {
			t.Errorf("%+v: %d checkpoints", tt, got)
		}
	}
	for range l.Checkpoints(t.Context(), 1, 1, 0) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range l.Checkpoints(ctx, 1, 1, last[1]) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestTiles_LastOneOfAPlace(t *testing.T) {
	onBoth(t, func(t *testing.T, l *Log) {
		const shard, level, n = 1, 2, 1234567
		if _, err := l.GetTile(t.Context(), 0, level, n); !errors.Is(err, ErrNotFound) {
			t.Fatalf("none yet: %v", err)
		}
		for _, w := range []int{1, 256} {
			tile := proof.Tile{Tile: tlog.Tile{H: proof.TileHeight, L: level, N: n, W: w}, Data: randomBytes(w * tlog.HashSize)}
			if err := l.PutTile(t.Context(), shard, tile); err != nil {
				t.Fatal(err)
			}
			if data, err := l.GetTile(t.Context(), shard, level, n); !bytes.Equal(data, tile.Data) || err != nil {
				t.Errorf("%d bytes, %v", len(data), err)
			}
		}
	})
}
