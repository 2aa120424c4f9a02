package verify

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
)

// Verified is what a stream came to.
type Verified struct {
	Summary
	// Head and Checkpoint say whether there were any; without keys they are not
	// looked at.
	Head       bool `json:"signedHead"`
	Checkpoint bool `json:"signedCheckpoint"`
	// Notes says that there is a head or a checkpoint at all.
	Notes bool `json:"-"`
	// Covered is the checkpoint that the records were proven by; nil: none.
	Covered *proof.Checkpoint `json:"-"`
	// Signed is when the head of the last record was, by the signer's clock.
	Signed time.Time `json:"headSigned,omitzero"`
	// Held are how many of Config.Pinned the records' tree was held against.
	Held int `json:"held,omitempty"`
	// Unheld are those of Config.Pinned for which the stream has no proof, and
	// nobody was there to ask for one; of those larger than its checkpoint it
	// cannot have one.
	Unheld []proof.Checkpoint `json:"-"`
	// Unread is why the tiles for Unheld could not be read; nil: nobody asked for any.
	Unread error `json:"-"`
}

// StreamOptions of Stream.
type StreamOptions struct {
	// Each is called with every item before it is looked at; nil: with none.
	Each func(bundle.Item) error
	// Tiles reads the tiles of the shard's tree, for the proof that a checkpoint
	// kept elsewhere is of the same tree; nil: there is only what the stream has.
	Tiles tlog.TileReader
}

// Stream verifies a bundle's stream of one board to its end. cfg needs Keys,
// Pinned, Heads, Before, Report and Redecide only; the rest is the header's. Without Keys heads
// and checkpoints are passed over; with Keys it is a finding that there is none.
// It fails when the stream cannot be read to its end; what was found so far has
// been reported then.
func Stream(r *bundle.Reader, cfg Config, opt StreamOptions) (done Verified, err error) {
	h, signed := r.Header(), len(cfg.Keys) > 0
	cfg.Board, cfg.Epoch, cfg.Shard, cfg.Generation = h.Board, h.Epoch, h.Shard, h.Generation
	cfg.Proofs = signed
	v := New(cfg)
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && opt.Each != nil {
			err = opt.Each(item)
		}
		if err != nil {
			v.heads, v.stands, v.headsBefore, v.standsBefore = nil, nil, nil, nil
			v.check, v.cfg.Pinned = nil, nil // what did not come cannot be held against them
			return Verified{Summary: v.Finish(), Unheld: cfg.Pinned}, err
		}
		done.Notes = done.Notes || item.Head != nil || item.Checkpoint != nil
		switch {
		case item.Record != nil:
			v.Record(*item.Record)
		case item.Head != nil && signed:
			done.Head = true
			v.Head(item.Head)
		case item.Checkpoint != nil && signed:
			done.Checkpoint = true
			v.Checkpoint(item.Checkpoint)
		case item.Hashes != nil && signed:
			v.Hashes(item.Hashes)
		}
	}
	if v.sum.Records == 0 {
		v.report(KindCount, 0, "there is no record of it")
	}
	if signed && !done.Head {
		v.report(KindHead, v.last.seq, "there is no signed head: what stood behind it may be cut off")
	}
	if signed && !done.Checkpoint {
		v.report(KindInclusion, v.last.seq, "there is no checkpoint to prove the records by")
	}
	v.holdable(&done, opt.Tiles)
	done.Covered, done.Signed = v.check, v.signed
	done.Summary = v.Finish()
	return done, nil
}

// holdable gathers what it takes to hold the checkpoints kept elsewhere against
// that of the stream, and sets those aside for which there is nothing.
func (v *Verifier) holdable(done *Verified, tiles tlog.TileReader) {
	var pinned []proof.Checkpoint
	for _, c := range v.cfg.Pinned {
		switch {
		case c.Epoch != v.cfg.Epoch || c.Shard != v.cfg.Shard:
			pinned = append(pinned, c) // which is a finding
		case v.check == nil:
			done.Unheld = append(done.Unheld, c)
		case tiles != nil && c.Size > v.check.Size:
			v.report(KindHead, uint64(c.Size), "the checkpoint kept elsewhere, of %s, counts %d records of the shard, its newest checkpoint only %d: it is cut off", c.Time.Format(time.RFC3339), c.Size, v.check.Size)
			done.Held++
		default:
			asked := &askedTiles{TileReader: tiles}
			err := v.proveTree(&c, asked)
			if err != nil && (tiles == nil || asked.failed != nil) {
				done.Unheld, done.Unread = append(done.Unheld, c), asked.failed
				continue
			}
			done.Held++
			pinned = append(pinned, c)
		}
	}
	v.cfg.Pinned = pinned
}

// askedTiles tells tiles that were not given from wrong ones.
type askedTiles struct {
	tlog.TileReader // nil: there are none
	failed          error
}

func (a *askedTiles) ReadTiles(list []tlog.Tile) (data [][]byte, err error) {
	data, a.failed = a.TileReader.ReadTiles(list)
	return data, a.failed
}

// proveTree reads the hashes of the proof that the smaller of two trees is the
// beginning of the larger.
func (v *Verifier) proveTree(c *proof.Checkpoint, tiles *askedTiles) error {
	due := proof.ConsistencyIndexes(max(c.Size, v.check.Size), min(c.Size, v.check.Size))
	if len(due) == 0 {
		return nil
	}
	if tiles.TileReader == nil {
		_, err := v.hashes.ReadHashes(due)
		return err
	}
	hashes, err := tlog.TileHashReader(tlog.Tree{N: v.check.Size, Hash: v.check.Root}, tiles).ReadHashes(due)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	for i, h := range hashes {
		v.hashes[due[i]] = h
	}
	return nil
}
