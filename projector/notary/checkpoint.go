package notary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
)

// maxTries is how often another notary may be quicker, with fewer records.
const maxTries = 10

func (n *Notary) checkpoint(ctx context.Context, s *shard) (Signed, error) {
	if s.fault != nil {
		return Signed{}, s.fault
	}
	want := int64(0) // records that are to be covered: those there are at first
	for range maxTries {
		if err := n.adopt(ctx, s); err != nil {
			return Signed{}, err
		}
		if err := n.loadTree(ctx, s); err != nil {
			return Signed{}, err
		}
		if want == 0 || s.last.Size < want {
			if err := n.read(ctx, s, 0, storing); err != nil {
				return Signed{}, err
			}
		}
		if want == 0 {
			want = s.tree.Size()
		}
		if want == 0 {
			return Signed{}, ErrNone
		}
		if s.last.Size < want {
			err := n.sign(ctx, s)
			if errors.Is(err, eventlog.ErrConflict) || errors.Is(err, eventlog.ErrUnknown) {
				continue // another one has signed, or this did after all: what is stored counts
			}
			if err != nil {
				return Signed{}, err
			}
		}
		n.file(s)
		return s.last, nil
	}
	return Signed{}, fmt.Errorf("notary: shard %d: no checkpoint of %d records in %d tries", s.index, want, maxTries)
}

// adopt takes the newest checkpoint there is. One of another epoch counts as
// none: the log has begun another life.
func (n *Notary) adopt(ctx context.Context, s *shard) error {
	note, seq, err := n.cfg.Log.LastCheckpoint(ctx, s.index)
	switch {
	case errors.Is(err, eventlog.ErrNotFound) && s.seq == 0:
		return nil
	case errors.Is(err, eventlog.ErrNotFound):
		return s.contradiction("its checkpoints are gone")
	case errors.Is(err, eventlog.ErrUnreadable):
		return s.contradiction("%v", err)
	case err != nil:
		return err
	case seq == s.seq && bytes.Equal(note, s.newest):
		return nil
	case seq < s.seq || seq == s.seq && s.newest != nil:
		return s.contradiction("its newest checkpoint is gone or another one")
	}
	newest := note
	c, known, err := n.open(note)
	if err != nil {
		if note, err = n.passOver(ctx, s, seq, err); err != nil {
			return err
		}
		if note == nil { // none since the last one
			s.seq, s.newest = seq, newest
			return nil
		}
		if c, known, err = n.open(note); err != nil {
			return fmt.Errorf("notary: shard %d: %w", s.index, err)
		}
	}
	if c.Epoch != n.cfg.Log.Epoch() {
		s.seq, s.newest, s.last, s.tree = seq, newest, Signed{}, nil
		return nil
	}
	if c.Shard != s.index {
		return s.contradiction("its checkpoint is that of shard %d", c.Shard)
	}
	if s.last.Note != nil && c.Size < s.last.Size {
		return s.contradiction("a checkpoint of %d records follows one of %d", c.Size, s.last.Size)
	}
	if !known && n.cfg.Signer != nil {
		n.log.Warn("the newest checkpoint has another key: the whole log is read before anything is signed", "shard", s.index)
		if err := n.rebuild(ctx, s, &c); err != nil {
			return err
		}
	}
	s.last, s.seq, s.newest = Signed{c, note}, seq, newest
	return nil
}

// lookBack is how many sequences of all shards' checkpoints are looked at at
// once for one that can be read.
const lookBack = 4096

// passOver finds the newest checkpoint behind those known already that is
// signed by our key, nil if there is none; without one, or without a key, the
// newest that can be read. What was written at seq is none: whoever may write
// there must not keep others from signing.
func (n *Notary) passOver(ctx context.Context, s *shard, seq uint64, why error) (note []byte, err error) {
	n.unreadable.Add(1)
	n.log.Error("TAMPERING? what stands as the newest checkpoint is none, the one before it counts", "shard", s.index, "sequence", seq, "error", why)
	for to := seq; to > s.seq && note == nil; {
		from := max(s.seq, to-min(to, lookBack)) + 1
		own := false
		for older, err := range n.cfg.Log.Checkpoints(ctx, s.index, from, to) {
			if err != nil {
				return nil, err
			}
			if _, known, err := n.open(older); err == nil && (known || !own) {
				note, own = older, known
			}
		}
		to = from - 1
	}
	return note, nil
}

// Unreadable is how often something that is no checkpoint stood as the newest
// one of a shard.
func (n *Notary) Unreadable() int64 { return n.unreadable.Load() }

// open reads a checkpoint; known says whether it has our signature.
func (n *Notary) open(note []byte) (c proof.Checkpoint, known bool, err error) {
	if n.cfg.Signer != nil {
		c, err = proof.OpenCheckpoint(note, n.cfg.Signer.Verifier())
		if !errors.Is(err, proof.ErrStranger) {
			return c, true, err
		}
	}
	c, err = proof.PeekCheckpoint(note)
	return c, false, err
}

// loadTree has s.tree be the tree of the newest checkpoint, from where it is:
// the records between are read.
func (n *Notary) loadTree(ctx context.Context, s *shard) error {
	switch {
	case s.last.Note == nil:
		if s.tree == nil {
			s.tree, s.leaf = &proof.Tree{}, tlog.Hash{}
		}
		return nil
	case s.tree == nil || s.tree.Size() > s.last.Size:
		tree, leaf, err := n.storedTree(ctx, s)
		if err != nil {
			n.log.Info("tiles are made from the log", "shard", s.index, "records", s.last.Size, "because", err)
			return n.rebuild(ctx, s, &s.last.Checkpoint)
		}
		s.tree, s.leaf = tree, leaf
		return nil
	case s.tree.Size() < s.last.Size: // another notary has signed
		if err := n.read(ctx, s, uint64(s.last.Size), storing); err != nil {
			return err
		}
	}
	return s.check(&s.last.Checkpoint)
}

// check compares the root of s.tree with what was signed at its size.
func (s *shard) check(c *proof.Checkpoint) error {
	if s.tree.Root() != c.Root {
		return s.contradiction("the first %d records do not have the root that was signed", c.Size)
	}
	return nil
}

// What read does with the tiles that become whole.
const (
	storing = true
	looking = !storing
)

// read extends s.tree to a size, 0: all there is. It begins at the last record
// that is in the tree already: another one there shows that the log was cut off
// and has grown again.
func (n *Notary) read(ctx context.Context, s *shard, to uint64, store bool) error {
	size := uint64(s.tree.Size())
	state, err := n.cfg.Log.ShardState(ctx, s.index)
	signed := max(size, uint64(s.last.Size), to)
	switch {
	case err != nil:
		return err
	case state.First > 1 || state.Records != state.Last:
		return s.contradiction("sequences are missing: there are %d records from %d to %d", state.Records, state.First, state.Last)
	case state.Last < signed:
		return s.contradiction("there are %d records, there were %d", state.Last, signed)
	}
	if to == 0 {
		to = state.Last
	}
	if to == size {
		return nil
	}
	next := max(size, 1)
	for e, err := range n.cfg.Log.Entries(ctx, s.index, next, to) {
		if errors.Is(err, eventlog.ErrUnreadable) && e.Seq == 0 {
			return s.contradiction("%v", err)
		}
		if err != nil {
			return err
		}
		if e.Seq != next {
			return s.contradiction("sequence %d is missing", next)
		}
		leaf := leafOf(&e)
		if e.Seq > size {
			err = n.grow(ctx, s, leaf, store)
		} else if leaf != s.leaf {
			err = s.contradiction("record %d is another one (now of board %s)", e.Seq, e.Board)
		}
		if err != nil {
			return err
		}
		next++
	}
	if next != to+1 {
		return fmt.Errorf("notary: shard %d read to %d of %d", s.index, next-1, to)
	}
	return nil
}

func leafOf(e *eventlog.Entry) tlog.Hash {
	leaf := proof.Leaf{Board: e.Board, Seq: e.Seq, Time: e.Time, Hash: e.Hash}
	return leaf.TreeHash()
}

func (n *Notary) grow(ctx context.Context, s *shard, leaf tlog.Hash, store bool) (err error) {
	s.leaf = leaf
	s.tree.Append(leaf, func(t proof.Tile) {
		if store {
			err = errors.Join(err, n.cfg.Log.PutTile(ctx, s.index, t))
		}
	})
	return err
}

// putEdge stores the tiles of s.tree that are not whole.
func (n *Notary) putEdge(ctx context.Context, s *shard) error {
	for _, tile := range s.tree.Edge() {
		if err := n.cfg.Log.PutTile(ctx, s.index, tile); err != nil {
			return err
		}
	}
	return nil
}

// sign signs s.tree and appends the checkpoint. The tiles of the tree's edge
// are stored before: whoever has the checkpoint finds them.
func (n *Notary) sign(ctx context.Context, s *shard) error {
	if err := n.putEdge(ctx, s); err != nil {
		return err
	}
	c := proof.Checkpoint{Epoch: n.cfg.Log.Epoch(), Shard: s.index, Size: s.tree.Size(), Root: s.tree.Root(), Time: time.Now()}
	note, err := n.cfg.Signer.Sign(c.Text())
	if err != nil {
		return err
	}
	seq, err := n.cfg.Log.AppendCheckpoint(ctx, s.index, note, s.seq)
	if err != nil {
		return err
	}
	c.Time = c.Time.UTC()
	s.last, s.seq, s.newest = Signed{c, note}, seq, note
	return nil
}
