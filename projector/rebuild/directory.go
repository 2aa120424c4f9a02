package rebuild

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/snapback-io/snapback/eventlog"
)

// directory finds what the directory has beyond the boards of the log.
func (r *run) directory(ctx context.Context, all []eventlog.BoardRecords) error {
	listed, index, err := r.log.Listed(ctx)
	if err != nil {
		return err
	}
	known := func(board string) bool {
		_, is := slices.BinarySearchFunc(all, board, func(b eventlog.BoardRecords, id string) int { return strings.Compare(b.Board, id) })
		return is
	}
	for _, board := range listed {
		if known(board) {
			continue
		}
		if err := r.tooMany(ctx, board); err != nil {
			return err
		}
	}
	var entry eventlog.Listing
	due := false // the index is to have what the entry says, or is to say
	for i, item := range index {
		if i == 0 || item.Board != index[i-1].Board {
			entry, _, err = r.log.StoredListing(ctx, item.Board)
			if due = err != nil && known(item.Board); ignoreMissing(err) != nil {
				return err
			}
		}
		if !due && entry.Members[item.User] == "" {
			if err := r.unlisted(ctx, item); err != nil {
				return err
			}
		}
	}
	return nil
}

// tooMany removes the entry of a board that the log has no records of, unless it
// has by now.
func (r *run) tooMany(ctx context.Context, board string) error {
	_, revision, err := r.log.StoredListing(ctx, board)
	if ignoreMissing(err) != nil || errors.Is(err, eventlog.ErrNotFound) {
		return ignoreMissing(err)
	}
	head, err := r.log.Head(ctx, board) // after the entry: who writes one has stored a record
	if err != nil || head > 0 {
		return err
	}
	if !r.opt.Check {
		if err := r.log.DropListing(ctx, board, revision); err != nil {
			return err
		}
	}
	r.found(Difference{Board: board, In: "directory", What: "there is an entry of a board that the log has no record of", Fixed: !r.opt.Check})
	return nil
}

// unlisted removes an entry of the index that names no member. It does no harm,
// and a fresh one may be that of a listing about to be written.
func (r *run) unlisted(ctx context.Context, item eventlog.Indexed) error {
	revision, stale, err := r.log.StaleIndexed(ctx, item, time.Now().Add(-r.opt.settle))
	if err != nil || !stale {
		return err
	}
	if !r.opt.Check {
		if err := r.log.DropIndexed(ctx, item, revision); err != nil {
			return err
		}
	}
	entry, _, err := r.log.StoredListing(ctx, item.Board)
	if err == nil && entry.Members[item.User] != "" { // he has become one meanwhile
		return r.log.IndexMembers(ctx, entry)
	}
	r.found(Difference{Board: item.Board, In: "index", What: item.User + " is in it and no member", Fixed: !r.opt.Check})
	return ignoreMissing(err)
}

func ignoreMissing(err error) error {
	if errors.Is(err, eventlog.ErrNotFound) || errors.Is(err, eventlog.ErrDamaged) {
		return nil // the next round, or the next run, sees what there is
	}
	return err
}
