package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
)

// leaf takes the record's place in the tree down, by the bytes that are there.
func (v *Verifier) leaf(r *Record) {
	named := v.last.hash
	_ = named.UnmarshalText([]byte(r.Hash)) // what is no hash has a finding already
	l := proof.Leaf{Board: v.cfg.Board, Seq: r.Seq, Time: r.Time, Hash: named}
	v.sum.Digest = digest(v.sum.Digest, l.TreeHash())
	if !v.cfg.Proofs {
		return
	}
	l.Hash = v.last.hash
	v.leaves = append(v.leaves, leaf{r.Seq, l.TreeHash()})
}

// digest goes on over one more leaf.
func digest(so domain.Hash, leaf tlog.Hash) domain.Hash {
	return sha256.Sum256(append(so[:], leaf[:]...))
}

// Head takes a signed head. One of a record that is still to come is held
// against it then; so are those of other times, if they come first.
func (v *Verifier) Head(signed []byte) {
	h, err := proof.OpenHead(signed, v.cfg.Keys...)
	switch {
	case err != nil:
		v.report(KindSignature, v.last.seq, "its head: %v", err)
	case h.Board != v.cfg.Board:
		v.report(KindSignature, h.Seq, "its head is one of board %q in epoch %s", h.Board, h.Epoch)
	default:
		v.signed = h.Time
		v.expect(h)
	}
}

// expect is Expect for a head of the board, maybe in another epoch.
func (v *Verifier) expect(h proof.Head) {
	if v.cfg.Epoch != "" && h.Epoch != v.cfg.Epoch {
		v.report(KindSignature, h.Seq, "a head of it is of epoch %s, this log is %s: another one", h.Epoch, v.cfg.Epoch)
		return
	}
	v.Expect(h)
}

// Expect is Head for one whose signature is checked.
func (v *Verifier) Expect(h proof.Head) {
	gen := eventlog.Generation(h.Seq)
	if h.Seq = eventlog.StreamSeq(h.Seq); gen < v.cfg.Generation {
		v.headsBefore = append(v.headsBefore, h)
		return
	}
	switch {
	case gen > v.cfg.Generation:
		v.report(KindHead, v.last.seq, "it has a signed head of %s from shards of generation %d, to which it has moved: here it is cut off", h.Time.Format(time.RFC3339), gen)
	case h.Seq > v.last.seq:
		v.heads = append(v.heads, h)
	case h.Seq == v.last.seq && h.Seq > 0:
		v.hold(h)
	default:
		v.report(KindHead, h.Seq, "its signed head comes too late to be held against the record: there are some up to %d", v.last.seq)
	}
}

// meet holds the heads of a record against it.
func (v *Verifier) meet(seq uint64) {
	rest := v.heads[:0]
	for _, h := range v.heads {
		switch {
		case h.Seq > seq:
			rest = append(rest, h)
		case h.Seq == seq:
			v.hold(h)
		default:
			v.report(KindHead, h.Seq, "it has a signed head of %s, but there is no such record", h.Time.Format(time.RFC3339))
		}
	}
	v.heads = rest
}

// hold holds a head against the last record.
func (v *Verifier) hold(h proof.Head) {
	h.Seq = v.last.seq
	if h.Hash != v.last.hash {
		v.report(KindHead, h.Seq, "by its signed head it has the hash %s, here it has %s", h.Hash, v.last.hash)
	}
	if h.Rev != v.rev {
		v.report(KindHead, h.Seq, "by its signed head it leaves rev %d, here %d", h.Rev, v.rev)
	}
	if v.board == nil {
		return
	}
	if state := v.board.StateHash(); h.State != state {
		v.report(KindState, h.Seq, "by its signed head it leaves a board with the hash %s, here the hash is %s", h.State, state)
	}
}

// Checkpoint takes the signed checkpoint that must cover all records.
func (v *Verifier) Checkpoint(signed []byte) {
	c, err := proof.OpenCheckpoint(signed, v.cfg.Keys...)
	switch {
	case err != nil:
		v.report(KindSignature, v.last.seq, "its checkpoint: %v", err)
	case v.cfg.Epoch != "" && (c.Epoch != v.cfg.Epoch || c.Shard != v.cfg.Shard):
		v.report(KindSignature, v.last.seq, "its checkpoint is that of %s, not of %s", proof.Origin(c.Epoch, c.Shard), proof.Origin(v.cfg.Epoch, v.cfg.Shard))
	default:
		v.check = &c
	}
}

// A proof has at most hashesEach hashes. Beside those of its records a bundle may
// have what proves some checkpoints that were kept.
const (
	hashesEach  = 64
	otherProofs = 2 * bundle.MaxSizes
)

// Hashes takes hashes of the shard's tree, some more at each call, behind the
// records that they are for. More than can prove anything are a finding, and are
// not kept.
func (v *Verifier) Hashes(some proof.Hashes) {
	if len(v.hashes)+len(some) > hashesEach*(len(v.leaves)+otherProofs) {
		if !v.much {
			v.report(KindInclusion, v.last.seq, "there are more hashes than %d records need for their proofs", len(v.leaves))
		}
		v.much = true
		return
	}
	for index, h := range some {
		v.hashes[index] = h
	}
}

// prove sees that each record is in the tree of the checkpoint, and that those
// kept elsewhere are of the same tree.
func (v *Verifier) prove() {
	if v.check != nil {
		if n := len(v.leaves); n > 0 && int64(v.leaves[n-1].seq) > v.check.Size {
			v.report(KindInclusion, v.leaves[n-1].seq, "the checkpoint of %d records does not cover it", v.check.Size)
		}
		v.sum.Proven = v.included(v.check)
	}
	for i := range v.cfg.Pinned {
		v.pinned(&v.cfg.Pinned[i])
	}
}

// included gives how many records are in the tree of a checkpoint. Of those one
// behind the other that are not, the first is named: what is inserted or taken
// out moves all that follow.
func (v *Verifier) included(c *proof.Checkpoint) (n uint64) {
	bad := 0
	covered := v.leaves
	for i, l := range v.leaves {
		if int64(l.seq) > c.Size {
			covered = v.leaves[:i]
			break
		}
	}
	for i, l := range covered {
		path, err := tlog.ProveRecord(c.Size, int64(l.seq)-1, v.hashes)
		if err != nil {
			v.report(KindInclusion, l.seq, "that it is in the tree of %d records cannot be shown: %v", c.Size, err)
			return n
		}
		if tlog.CheckRecord(path, c.Size, c.Root, int64(l.seq)-1, l.hash) != nil {
			bad++
		} else {
			n++
			v.excluded(c, covered[i-bad:i])
			bad = 0
		}
	}
	v.excluded(c, covered[len(covered)-bad:])
	return n
}

// excluded tells of records one behind the other that are not in a tree.
func (v *Verifier) excluded(c *proof.Checkpoint, run []leaf) {
	if len(run) == 0 {
		return
	}
	more := ""
	if len(run) > 1 {
		more = fmt.Sprintf(", nor are the %d behind it up to record %d", len(run)-1, run[len(run)-1].seq)
	}
	v.report(KindInclusion, run[0].seq, "it is not the one in the tree of the checkpoint of %s (%d records): its bytes or its time are other ones%s", c.Time.Format(time.RFC3339), c.Size, more)
}

// pinned holds a checkpoint that was kept elsewhere against the one that the
// records are proven by.
func (v *Verifier) pinned(c *proof.Checkpoint) {
	seq := uint64(c.Size)
	switch {
	case v.cfg.Epoch != "" && (c.Epoch != v.cfg.Epoch || c.Shard != v.cfg.Shard):
		v.report(KindSignature, seq, "the checkpoint kept elsewhere is that of %s, not of %s", proof.Origin(c.Epoch, c.Shard), proof.Origin(v.cfg.Epoch, v.cfg.Shard))
		return
	case v.check == nil:
		v.sum.Proven = max(v.sum.Proven, v.included(c))
		return
	}
	older, newer := c, v.check
	if older.Size > newer.Size {
		older, newer = newer, older
	}
	var path tlog.TreeProof
	var err error
	if older.Size > 0 {
		path, err = tlog.ProveTree(newer.Size, older.Size, v.hashes)
	}
	if err != nil {
		v.report(KindInclusion, seq, "that the checkpoint kept elsewhere is of the same tree cannot be shown: %v", err)
	} else if err := proof.CheckConsistent(older, newer, path); errors.Is(err, proof.ErrContradiction) {
		v.report(KindInclusion, seq, "%s", fmt.Sprint(err))
	}
}
