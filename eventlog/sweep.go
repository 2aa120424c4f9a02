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

// ObjectName gives a new name for the content of a file of board. It says whose
// log may name it, and since when.
func ObjectName(board string) string { return board + "." + ulid.Make().String() }

// SweepUploads deletes the contents stored from after on and before before that
// no event names, and says how many there were (DESIGN.md: objects no event
// names go after a day). before must lie more than an hour back, by when whatever
// was to name an upload has long been decided. What an event
// named once stays, for history and for who reads it now. It reads the log of
// each board concerned from its oldest such upload on until each is found, and
// the whole of one that has an upload to delete.
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
		list, err := l.unnamed(ctx, board, list)
		if err != nil {
			return removed, fmt.Errorf("eventlog: sweep of the uploads to board %s: %w", board, err)
		}
		for _, o := range list {
			if err := l.DeleteContent(ctx, o.Name); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}

// unnamed leaves those of list that no event of board has ever named. Mostly all
// were soon after they were stored. The rest is looked for in the whole log: the
// clocks of servers may have been wrong, and a restored board names what was
// stored after its events.
func (l *Log) unnamed(ctx context.Context, board string, list []object) ([]object, error) {
	from := slices.MinFunc(list, func(a, b object) int { return a.Stored.Compare(b.Stored) }).Stored.Add(-time.Minute)
	for _, records := range []iter.Seq2[Record, error]{l.ReadSince(ctx, board, from, 0), l.Read(ctx, board, 0, 0)} {
		for r, err := range records {
			if err != nil {
				return nil, err
			}
			named := namedIn(&r)
			list = slices.DeleteFunc(list, func(o object) bool { return slices.Contains(named, o.Name) })
			if len(list) == 0 {
				return nil, nil
			}
		}
	}
	return list, nil
}

// namedIn gives the objects that the events of a record name.
func namedIn(r *Record) (names []string) {
	if r.Void() {
		return nil
	}
	for i := range r.Commit.Decisions {
		for j := range r.Commit.Decisions[i].Events {
			if name := r.Commit.Decisions[i].Events[j].After.String("object"); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
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
