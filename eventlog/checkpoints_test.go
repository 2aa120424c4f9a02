package eventlog

import (
	"bytes"
	"errors"
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
