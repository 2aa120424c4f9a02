package logtest

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// PutSnapshot keeps s as the board's only snapshot.
func (l *Log) PutSnapshot(ctx context.Context, board string, s eventlog.Snapshot) error {
	if err := l.answer(ctx, "putsnapshot", board); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refused["PutSnapshot"]; err != nil {
		return err
	}
	s.Data = bytes.Clone(s.Data)
	l.snapshots[board] = s
	return nil
}

// GetSnapshot gives the board's snapshot.
func (l *Log) GetSnapshot(ctx context.Context, board string) (eventlog.Snapshot, error) {
	if err := l.answer(ctx, "getsnapshot", board); err != nil {
		return eventlog.Snapshot{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.snapshots[board]
	if !ok {
		return s, eventlog.ErrNotFound
	}
	return s, nil
}

// PutPast keeps s beside the board's other past snapshots.
func (l *Log) PutPast(ctx context.Context, board string, s eventlog.Snapshot) error {
	if err := l.answer(ctx, "putpast", board); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refused["PutPast"]; err != nil {
		return err
	}
	s.Data = bytes.Clone(s.Data)
	if l.pasts[board] == nil {
		l.pasts[board] = make(map[uint64]eventlog.Snapshot)
	}
	l.pasts[board][s.Seq] = s
	return nil
}

// Pasts gives the sequences of a board's past snapshots.
func (l *Log) Pasts(ctx context.Context, board string) ([]uint64, error) {
	if err := l.answer(ctx, "pasts", board); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.pasts[board])), nil
}

// Past gives a board's past snapshot at seq.
func (l *Log) Past(ctx context.Context, board string, seq uint64) (eventlog.Snapshot, error) {
	if err := l.answer(ctx, "past", board); err != nil {
		return eventlog.Snapshot{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.pasts[board][seq]
	if !ok {
		return s, eventlog.ErrNotFound
	}
	return s, nil
}

// Keep does nothing.
func (l *Log) Keep(*domain.Still) {}

// Kept gives nothing: every load reads.
func (l *Log) Kept(string) *domain.Still { return nil }

// PutListing writes the board's listing unless there is a newer one.
func (l *Log) PutListing(ctx context.Context, entry eventlog.Listing) error {
	if err := l.answer(ctx, "putlisting", entry.Board); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refused["PutListing"]; err != nil {
		return err
	}
	if old, ok := l.listings[entry.Board]; !ok || old.Seq < entry.Seq {
		l.listings[entry.Board] = entry
	}
	return nil
}

// Listings gives at most limit boards above after that user may see.
func (l *Log) Listings(ctx context.Context, user string, match func(board string) bool, after string, limit int) ([]eventlog.Listing, error) {
	if err := l.answer(ctx, "listings", ""); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []eventlog.Listing
	for _, board := range slices.Sorted(maps.Keys(l.listings)) {
		entry := l.listings[board]
		if _, member := entry.Members[user]; board > after && len(out) < limit && (member || match != nil && match(board)) {
			out = append(out, entry)
		}
	}
	return out, nil
}
