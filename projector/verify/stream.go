package verify

import (
	"errors"
	"io"

	"github.com/snapback-io/snapback/projector/bundle"
)

// Verified is what a stream came to.
type Verified struct {
	Summary
	// Head and Checkpoint say whether there were ones that a key had signed or
	// should have; without keys they are not looked at.
	Head, Checkpoint bool
}

// Stream verifies a bundle's stream of one board to its end. cfg needs Keys, Pinned, Report and
// Redecide only; the rest is the header's. With Keys it is a finding that there
// is no signed head or no checkpoint. each is called with every item before it
// is looked at; nil: with none. It fails when the stream cannot be read to its
// end; what was found so far has been reported then.
func Stream(r *bundle.Reader, cfg Config, each func(bundle.Item) error) (done Verified, err error) {
	h, report, count := r.Header(), cfg.Report, uint64(0)
	cfg.Board, cfg.Epoch, cfg.Shard = h.Board, h.Epoch, h.Shard
	cfg.Proofs = len(cfg.Keys) > 0 || len(cfg.Pinned) > 0
	cfg.Report = func(f Finding) {
		count++
		if report != nil {
			report(f)
		}
	}
	v := New(cfg)
	for {
		item, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && each != nil {
			err = each(item)
		}
		if err != nil {
			return done, err
		}
		switch {
		case item.Record != nil:
			v.Record(Record(*item.Record))
		case item.Head != nil && len(cfg.Keys) > 0:
			done.Head = true
			v.Head(item.Head)
		case item.Checkpoint != nil && len(cfg.Keys) > 0:
			done.Checkpoint = true
			v.Checkpoint(item.Checkpoint)
		case item.Hashes != nil:
			v.Hashes(item.Hashes)
		}
	}
	done.Summary = v.Finish()
	if len(cfg.Keys) > 0 && !done.Head {
		cfg.Report(Finding{Kind: KindHead, Board: h.Board, Seq: done.Summary.Head, Words: "there is no signed head: what stood behind it may be cut off"})
	}
	if len(cfg.Keys) > 0 && !done.Checkpoint {
		cfg.Report(Finding{Kind: KindInclusion, Board: h.Board, Seq: done.Summary.Head, Words: "there is no checkpoint to prove the records by"})
	}
	done.Findings = count
	return done, nil
}
