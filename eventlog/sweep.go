package eventlog

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// namedWithin is how long after its content was stored an upload may still be
// named by an event: far longer than a mutation lives.
const namedWithin = time.Hour

// ObjectName gives a new name for the content of a file of board. It says whose
// log may name it, and since when.
func ObjectName(board string) string { return board + "." + ulid.Make().String() }

// SweepUploads deletes the contents stored from after on and before before that
// no event names, and says how many there were (DESIGN.md: objects no event
// names go after a day). before must lie more than an hour back. What an event
// named once stays, for history and for who reads it now. It reads the log of
// each board concerned, from its oldest such upload to its newest.
func (l *Log) SweepUploads(ctx context.Context, after, before time.Time) (removed int, err error) {
	uploads := map[string][]object{}
	for o, err := range l.contents().all(ctx) {
		if err != nil {
			return 0, fmt.Errorf("eventlog: sweep of uploads: %w", err)
		}
		if board, _, ours := strings.Cut(o.Name, "."); ours && o.Stored.Before(before) && !o.Stored.Before(after) {
			uploads[board] = append(uploads[board], o)
		}
	}
	for board, list := range uploads {
		named, err := l.namedObjects(ctx, board, list)
		if err != nil {
			return removed, fmt.Errorf("eventlog: sweep of the uploads to board %s: %w", board, err)
		}
		for _, o := range list {
			if named[o.Name] {
				continue
			}
			if err := l.DeleteContent(ctx, o.Name); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}

// namedObjects gives the objects that events of board named while any of list
// could have been, or that were named by records restored since.
func (l *Log) namedObjects(ctx context.Context, board string, list []object) (map[string]bool, error) {
	byTime := func(a, b object) int { return a.Stored.Compare(b.Stored) }
	from := slices.MinFunc(list, byTime).Stored.Add(-time.Minute)
	to := slices.MaxFunc(list, byTime).Stored.Add(namedWithin)
	named := map[string]bool{}
	for r, err := range l.readStreamSince(ctx, board, from, 0) {
		if err != nil {
			return nil, err
		}
		if r.Time.After(to) {
			break
		}
		if r.Void() {
			continue
		}
		for _, d := range r.Commit.Decisions {
			for _, e := range d.Events {
				if name := e.After.String("object"); name != "" {
					named[name] = true
				}
			}
		}
	}
	return named, nil
}

// SweepChunks removes what uploads and snapshots that ended in a crash have
// left behind before t, and says how many there were. No upload or snapshot
// may be under way since before t: a day is a good measure.
func (l *Log) SweepChunks(ctx context.Context, before time.Time) (removed int, err error) {
	removed, err = l.contents().sweep(ctx, before)
	if err != nil {
		return removed, fmt.Errorf("eventlog: sweep of contents: %w", err)
	}
	n, err := l.sweepSnapshots(ctx, before)
	if err != nil {
		err = fmt.Errorf("eventlog: sweep of snapshots: %w", err)
	}
	return removed + n, err
}

// all gives every object of the bucket.
func (b bucket) all(ctx context.Context) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		subjects, err := b.log.subjects(ctx, b.stream(), "$O."+b.name+".M.>")
		if err != nil {
			yield(object{}, err)
			return
		}
		for _, subject := range subjects {
			name, err := base64.URLEncoding.DecodeString(lastToken(subject))
			if err != nil {
				continue // not one of ours
			}
			o, err := b.info(ctx, string(name))
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

func (b bucket) sweep(ctx context.Context, before time.Time) (removed int, err error) {
	prefix := b.chunks("")
	// Chunks first: an upload that ends in between has its description then.
	subjects, err := b.log.subjects(ctx, b.stream(), prefix+"*")
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	for o, err := range b.all(ctx) {
		if err != nil {
			return 0, err
		}
		known[o.NUID] = true
	}
	for _, subject := range subjects {
		if known[strings.TrimPrefix(subject, prefix)] {
			continue
		}
		last, err := b.log.leaderGet(ctx, b.stream(), messageGet{LastFor: subject})
		if errors.Is(err, ErrNotFound) || err == nil && !last.Time.Before(before) {
			continue
		}
		if err == nil {
			err = b.purgeSubject(ctx, subject)
		}
		if err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
