package notary

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// tiles is a tlog.TileReader of what is stored for a shard.
type tiles struct {
	ctx   context.Context
	log   Log
	shard int
}

func (t tiles) Height() int { return proof.TileHeight }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(list))
	for i, tile := range list {
		data, err := t.read(tile)
		if err != nil {
			return nil, err
		}
		out[i] = data
	}
	return out, nil
}

// read gives a tile of which there may be more by now.
func (t tiles) read(tile tlog.Tile) ([]byte, error) {
	data, err := t.log.GetTile(t.ctx, t.shard, tile.L, tile.N)
	if err != nil {
		return nil, err
	}
	if len(data) < tile.W*tlog.HashSize {
		return nil, fmt.Errorf("notary: tile %s of shard %d is stored with %d hashes: %w", tile.Path(), t.shard, len(data)/tlog.HashSize, eventlog.ErrNotFound)
	}
	return data[:tile.W*tlog.HashSize], nil
}

// checked reads hashes that are shown to belong to the checkpoint.
func (t tiles) checked(c *proof.Checkpoint) tlog.HashReader {
	return tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, t)
}

// storedTree is the tree of the newest checkpoint and its last leaf, by the tiles.
func (n *Notary) storedTree(ctx context.Context, s *shard) (*proof.Tree, tlog.Hash, error) {
	stored := tiles{ctx, n.cfg.Log, s.index}
	tree, err := proof.LoadTree(s.last.Size, stored.read)
	if err != nil {
		return nil, tlog.Hash{}, err
	}
	if tree.Root() != s.last.Root {
		return nil, tlog.Hash{}, errors.New("notary: the stored tiles are not those of the checkpoint")
	}
	leaf, err := stored.checked(&s.last.Checkpoint).ReadHashes([]int64{tlog.StoredHashIndex(0, s.last.Size-1)})
	if err != nil {
		return nil, tlog.Hash{}, err
	}
	return tree, leaf[0], nil
}

// refold has s.tree be that of a checkpoint by the log alone.
func (n *Notary) refold(ctx context.Context, s *shard, c *proof.Checkpoint, store bool) error {
	s.tree, s.leaf = &proof.Tree{}, tlog.Hash{}
	if err := n.read(ctx, s, uint64(c.Size), store); err != nil {
		return err
	}
	return s.check(c)
}

// rebuild is refold that stores all tiles, after it is known that the log is
// the one of the checkpoint: else the old ones tell what was changed.
func (n *Notary) rebuild(ctx context.Context, s *shard, c *proof.Checkpoint) error {
	if err := n.refold(ctx, s, c, looking); err != nil {
		return err
	}
	if err := n.refold(ctx, s, c, storing); err != nil {
		return err
	}
	return n.putEdge(ctx, s)
}

// with calls read with the hashes of the tree of a checkpoint. When tiles are
// missing or wrong it has all of them made from the log, and calls it again.
func (n *Notary) with(ctx context.Context, c *proof.Checkpoint, read func(tlog.HashReader) error) error {
	stored := tiles{ctx, n.cfg.Log, c.Shard}
	err := read(stored.checked(c))
	if err == nil || ctx.Err() != nil {
		return err
	}
	s := n.shards[c.Shard]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return s.fault
	}
	if err = read(stored.checked(c)); err == nil || ctx.Err() != nil {
		return err // somebody else has made them meanwhile
	}
	if err := n.adopt(ctx, s); err != nil {
		return s.note(err)
	}
	if s.last.Size < c.Size {
		return fmt.Errorf("notary: shard %d has no checkpoint of %d records: %w", c.Shard, c.Size, err)
	}
	n.log.Info("tiles are made from the log", "shard", s.index, "records", s.last.Size, "because", err)
	if err := n.rebuild(ctx, s, &s.last.Checkpoint); err != nil {
		s.tree = nil
		return s.note(err)
	}
	return read(stored.checked(c))
}

// Hashes gives what proves each of the leaves to be in the tree of a checkpoint
// (see [proof.ProofIndexes]): tlog.ProveRecord finds there all it asks for. The
// leaves are in rising order; that of the record at sequence n is n-1. The
// hashes are checked against the checkpoint's root, its signature is not.
func (n *Notary) Hashes(ctx context.Context, c *proof.Checkpoint, leaves []int64) (proof.Hashes, error) {
	return n.hashes(ctx, c, proof.ProofIndexes(c.Size, leaves))
}

// Consistency gives what proves the tree of an older size to be the beginning
// of that of a checkpoint: tlog.ProveTree finds there all it asks for. The
// hashes are checked as those of Hashes are.
func (n *Notary) Consistency(ctx context.Context, c *proof.Checkpoint, older int64) (proof.Hashes, error) {
	return n.hashes(ctx, c, proof.ConsistencyIndexes(c.Size, older))
}

func (n *Notary) hashes(ctx context.Context, c *proof.Checkpoint, indexes []int64) (proof.Hashes, error) {
	out := make(proof.Hashes, len(indexes))
	err := n.with(ctx, c, func(r tlog.HashReader) error {
		hashes, err := r.ReadHashes(indexes)
		for i, h := range hashes {
			out[indexes[i]] = h
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Tile gives a tile of a shard's tree as of its newest checkpoint.
// [eventlog.ErrNotFound] if that has no such tile, or not as wide.
func (n *Notary) Tile(ctx context.Context, shard int, t tlog.Tile) (data []byte, err error) {
	last, err := n.Latest(ctx, shard)
	if err != nil {
		return nil, err
	}
	if t.H != proof.TileHeight || t.L < 0 || t.L > 7 || t.N > last.Size || t.N<<proof.TileHeight+int64(t.W) > last.Size>>(proof.TileHeight*t.L) {
		return nil, fmt.Errorf("notary: %s of shard %d, which has %d records: %w", t.Path(), shard, last.Size, eventlog.ErrNotFound)
	}
	err = n.with(ctx, &last.Checkpoint, func(r tlog.HashReader) (err error) {
		data, err = tlog.ReadTileData(t, r)
		return err
	})
	return data, err
}
