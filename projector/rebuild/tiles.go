package rebuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// tiles compares the stored hashes of a shard's tree, up to its newest
// checkpoint, with those that the entries of the log give.
func (r *run) tiles(ctx context.Context, shard int) error {
	for {
		note, seq, err := r.log.LastCheckpoint(ctx, shard)
		if errors.Is(err, eventlog.ErrNotFound) || errors.Is(err, eventlog.ErrUnreadable) {
			return nil // nothing was ever signed, or what is for a verifier to say
		}
		if err != nil {
			return err
		}
		c, err := proof.PeekCheckpoint(note)
		if err != nil || c.Epoch != r.log.Epoch() || c.Shard != shard {
			return nil // what to make of it is for a verifier to say
		}
		wrote, err := r.tilesOf(ctx, &c)
		if errors.Is(err, eventlog.ErrUnreadable) {
			r.found(Difference{In: fmt.Sprintf("tiles of shard %d", shard), What: err.Error()})
			return nil
		}
		if err != nil || !wrote {
			return err
		}
		// Whoever has signed another one meanwhile may have stored wider tiles.
		if _, now, err := r.log.LastCheckpoint(ctx, shard); err != nil || now == seq {
			return err
		}
	}
}

// tilesOf says whether it stored any.
func (r *run) tilesOf(ctx context.Context, c *proof.Checkpoint) (wrote bool, err error) {
	root, err := r.treeOf(ctx, c, nil)
	if err != nil {
		return false, err
	}
	where := fmt.Sprintf("tiles of shard %d", c.Shard)
	if root != c.Root {
		r.found(Difference{In: where, What: fmt.Sprintf("the log does not have the root of the checkpoint of %d records: nothing is stored over the tiles", c.Size)})
		return false, nil
	}
	wrong := 0
	_, err = r.treeOf(ctx, c, func(t proof.Tile) error {
		is, err := r.log.GetTile(ctx, c.Shard, t.L, t.N)
		if err != nil && !errors.Is(err, eventlog.ErrNotFound) || bytes.HasPrefix(is, t.Data) {
			return err
		}
		if wrong++; r.opt.Check {
			return nil
		}
		return r.log.PutTile(ctx, c.Shard, t)
	})
	if err != nil || wrong == 0 {
		return false, err
	}
	r.found(Difference{In: where, What: fmt.Sprintf("%d of the checkpoint of %d records are missing or wrong", wrong, c.Size), Fixed: !r.opt.Check})
	return !r.opt.Check, nil
}

// treeOf makes the tree of a checkpoint of the log's entries, gives each tile to
// visit, and its root.
func (r *run) treeOf(ctx context.Context, c *proof.Checkpoint, visit func(proof.Tile) error) (root [32]byte, err error) {
	tree := &proof.Tree{}
	var failed error
	full := func(t proof.Tile) {
		if visit != nil && failed == nil {
			failed = visit(t)
		}
	}
	for e, err := range r.log.Entries(ctx, c.Shard, 1, uint64(c.Size)) {
		if err != nil {
			return root, err
		}
		leaf := proof.Leaf{Board: e.Board, Seq: e.Seq, Time: e.Time, Hash: e.Hash}
		if tree.Append(leaf.TreeHash(), full); failed != nil {
			return root, failed
		}
	}
	for _, t := range tree.Edge() {
		full(t)
	}
	if failed != nil {
		return root, failed
	}
	return tree.Root(), nil
}
