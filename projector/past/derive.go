package past

import (
	"context"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// Archive is a Keeper for all that is made from a board's log.
type Archive interface {
	Keeper
	PutSnapshot(ctx context.Context, board string, s eventlog.Snapshot) error
	PutListing(ctx context.Context, entry eventlog.Listing) error
}

// Derive stores what is made from a board's log at once, as of its head: the
// snapshot, the directory's entry, past snapshots. b is the board as it was just
// loaded.
func Derive(ctx context.Context, log Archive, b *domain.Board) error {
	still, err := b.Still()
	if err != nil {
		return err
	}
	data, err := still.Append(nil)
	if err != nil {
		return err
	}
	seq, hash := still.Head()
	if err := log.PutSnapshot(ctx, b.ID(), eventlog.Snapshot{Seq: seq, Hash: hash, Data: data}); err != nil {
		return err
	}
	if b.Exists() {
		if err := log.PutListing(ctx, eventlog.ListingOf(b)); err != nil {
			return err
		}
	}
	_, err = Fill(ctx, log, b.ID())
	return err
}
