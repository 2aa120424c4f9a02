package eventlog

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Uploads gives the objects whose content was stored before t, in no order:
// those among them that no event names may be deleted (DESIGN.md: after a
// day). It reads one description after the other.
func (l *Log) Uploads(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for o, err := range l.contents().all(ctx) {
			if err != nil {
				yield("", fmt.Errorf("eventlog: uploads: %w", err))
				return
			}
			if o.Stored.Before(before) && !yield(o.Name, nil) {
				return
			}
		}
	}
}

// SweepChunks removes what uploads and snapshots that ended in a crash have
// left behind before t, and says how many there were. No upload or snapshot
// may be under way since before t: a day is a good measure.
func (l *Log) SweepChunks(ctx context.Context, before time.Time) (removed int, err error) {
	for _, b := range []bucket{l.contents(), l.snapshots()} {
		n, err := b.sweep(ctx, before)
		removed += n
		if err != nil {
			return removed, fmt.Errorf("eventlog: sweep of %s: %w", b.name, err)
		}
	}
	return removed, nil
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
