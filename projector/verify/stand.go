package verify

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector/bundle"
)

// Stand is how far a board was in a bundle that somebody has kept: a later one
// must have the same records, stored at the same times, up to there.
type Stand struct {
	Board, Epoch string
	Records      uint64
	Seq          uint64      // of the last
	Hash         domain.Hash // of the last
	Digest       domain.Hash // Summary.Digest
	Generation   int         // of the shard that the bundle is of
	// The signed ones of the bundle, not checked; nil: none.
	Head, Checkpoint []byte
}

// Stood reads a stream to its end. It verifies nothing: that is done by Stream.
func Stood(ctx context.Context, r *bundle.Reader) (s Stand, err error) {
	s.Board, s.Epoch, s.Generation = r.Header().Board, r.Header().Epoch, r.Header().Generation
	for {
		item, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return s, nil
		case err == nil:
			err = ctx.Err()
		}
		switch {
		case err != nil:
			return s, err
		case item.Record != nil:
			rec := item.Record
			l := proof.Leaf{Board: s.Board, Seq: rec.Seq, Time: rec.Time}
			if l.Hash, err = rec.HashOf(); err != nil {
				return s, err
			}
			s.Records, s.Seq, s.Hash, s.Digest = s.Records+1, rec.Seq, l.Hash, digest(s.Digest, l.TreeHash())
		case item.Head != nil:
			s.Head = item.Head
		case item.Checkpoint != nil:
			s.Checkpoint = item.Checkpoint
		}
	}
}

// stand sees that the board is what it was when it was here.
func (v *Verifier) stand(seq uint64) {
	rest := v.stands[:0]
	for _, s := range v.stands {
		switch {
		case s.Seq > seq:
			rest = append(rest, s)
		case s.Seq < seq:
			v.report(KindCount, s.Seq, "it is the last of an earlier bundle, but there is no such record")
		case s.Records != v.sum.Records || s.Digest != v.sum.Digest:
			v.report(KindCount, seq, "up to it an earlier bundle has other records, or has them stored at other times: %d, here are %d", s.Records, v.sum.Records)
		}
	}
	v.stands = rest
}

// meetBefore holds what was signed and kept before the board moved against the
// last record: heads by its hash, earlier bundles by how many came before it,
// too. That of a record covers those before it.
func (v *Verifier) meetBefore() {
	v.headsBefore = slices.DeleteFunc(v.headsBefore, func(h proof.Head) bool {
		if h.Hash != v.last.hash {
			return false
		}
		v.hold(h)
		return true
	})
	v.standsBefore = slices.DeleteFunc(v.standsBefore, func(s Stand) bool {
		if s.Records == v.sum.Records && s.Hash != v.last.hash {
			v.report(KindCount, v.last.seq, "an earlier bundle, from before the board moved, has another record in this place")
		}
		return s.Records == v.sum.Records
	})
}

// missedBefore tells of what was signed or kept before the board moved and has
// no record here.
func (v *Verifier) missedBefore() {
	for _, h := range v.headsBefore {
		v.report(KindHead, v.last.seq, "it has a signed head of %s, from before it moved, and no record with its hash", h.Time.Format(time.RFC3339))
	}
	for _, s := range v.standsBefore {
		v.report(KindHead, v.last.seq, "the log ends here, with %d records, an earlier bundle, from before the board moved, has %d: it is cut off", v.sum.Records, s.Records)
	}
	v.headsBefore, v.standsBefore = nil, nil
}

// cutOff tells of earlier bundles that go on behind the last record.
func (v *Verifier) cutOff() {
	for _, s := range v.stands {
		v.report(KindHead, v.last.seq, "the log ends here, an earlier bundle goes on to record %d: it is cut off", s.Seq)
	}
	v.stands = nil
}
