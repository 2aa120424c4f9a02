package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// lookup gives the stored verdict of a mutation of user, for as long as law 3
// says; ok is false when the log has none now.
func (h *hub) lookup(ctx context.Context, user, id string) (v domain.Verdict, ok bool, err error) {
	if v, ok := h.hs.lab.refusal(h.board, mutationKey{user, id}); ok {
		return v, true, nil
	}
	if err := h.feed.Current(ctx); err != nil {
		return v, false, err
	}
	if v, ok, err := h.decidedLately(ctx, user, id); ok || err != nil {
		return v, ok, err
	}
	h.mu.Lock()
	known := h.view.Board().DecidedSince()
	h.mu.Unlock()
	from, since := domain.DecidedWindow(id, h.hs.now())
	if !since.Before(known) {
		return v, false, nil
	}
	for r, err := range h.hs.log.ReadSince(ctx, h.board, from, 0) {
		if err != nil {
			return v, false, err
		}
		if v, ok := verdictIn(r, user, id); ok {
			return v, true, nil
		}
	}
	return v, false, nil
}

// decidedLately looks in what the view remembers, and confirms it in the record.
func (h *hub) decidedLately(ctx context.Context, user, id string) (v domain.Verdict, ok bool, err error) {
	h.mu.Lock()
	seq, ok := h.view.Board().Decided(user, id)
	h.mu.Unlock()
	if !ok {
		return v, false, nil
	}
	r, err := h.hs.log.Get(ctx, h.board, seq)
	if errors.Is(err, eventlog.ErrNotFound) {
		return v, false, nil
	}
	if err != nil {
		return v, false, err
	}
	v, ok = verdictIn(r, user, id)
	return v, ok, nil
}

func verdictIn(r eventlog.Record, user, id string) (v domain.Verdict, ok bool) {
	d := r.Decision(user, id)
	if d == nil {
		return v, false
	}
	v = d.Verdict()
	v.Seq = r.Seq
	return v, true
}

// maybeOut says whether a mutation may have been published before: it waits
// here, or is decided, or its id tells that it was made before since (made is
// zero for one that tells nothing). Such a one is never refused (law 7). Call
// it with h.mu held.
func (h *hub) maybeOut(key mutationKey, made, since time.Time) bool {
	if !made.IsZero() && made.Before(since.Truncate(time.Millisecond)) || h.owned[key] != nil {
		return true
	}
	_, decided := h.view.Board().Decided(key.user, key.id)
	return decided
}
