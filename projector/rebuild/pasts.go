package rebuild

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// firstPast is the weight of a board when its first past snapshot is due.
var firstPast = new(eventlog.Snapshot).NextPast()

// pasts compares a board's past snapshots as the fold passes them, and makes
// those that are due.
type pasts struct {
	log   Log
	check bool
	there []uint64 // sequences
	next  uint64   // weight of the board when the next one is due
	seen  uint64   // sequence up to which they were looked at
	found []Difference
}

func (p *pasts) look(ctx context.Context, board string) (err error) {
	p.there, err = p.log.Pasts(ctx, board)
	return err
}

// passed is called with the board at each record.
func (p *pasts) passed(ctx context.Context, b *domain.Board) error {
	seq, _, _ := b.Head()
	_, there := slices.BinarySearch(p.there, seq)
	if due := max(p.next, firstPast); !there && b.Weight() < due {
		return nil
	}
	still, err := b.Still()
	if err != nil {
		return err
	}
	want, err := eventlog.PastOf(still, nil)
	if err != nil {
		return err
	}
	p.next = want.NextPast()
	if seq <= p.seen || !there && p.check {
		return nil // a fold that began anew, or that is to change nothing
	}
	p.seen = seq
	if there {
		got, err := p.log.Past(ctx, b.ID(), seq)
		what := "it is not what the log gives"
		switch {
		case err == nil && got.Hash == want.Hash && got.Weight == want.Weight && bytes.Equal(got.Data, want.Data):
			return nil
		case err != nil && !errors.Is(err, eventlog.ErrNotFound):
			return err
		case err != nil:
			what = "it cannot be read, or is of another life of the log"
		}
		p.found = append(p.found, Difference{In: "past snapshot", Seq: seq, What: what, Fixed: !p.check})
		if p.check {
			return nil
		}
	}
	return p.log.PutPast(ctx, b.ID(), want)
}
