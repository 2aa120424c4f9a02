package gateway

import (
	"context"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// submit owns cmd until its verdict, by the same rules as a socket's mutate:
// it publishes, looks, publishes again. ID, Op, User, Grant and what is asked
// are the caller's to set; Board, ReceivedAt and Deadline (receipt + ttl) are
// set here when zero. After an ack it gives the entities of cmd's changes as
// they are now, tombstones of deleted ones included. Another content under a
// known id is a verdict id_reused. Errors: *retryError, before anything was
// published; ctx's, when there is no verdict in time (undecided: ask again).
func (h *hub) submit(ctx context.Context, cmd domain.Command, ttl time.Duration) (domain.Verdict, []*domain.Entity, error) {
	if h.hs.draining.Load() {
		return domain.Verdict{}, nil, &retryError{wire.Unavailable, retryAfter1}
	}
	now := h.hs.now()
	cmd.Board = h.board
	if cmd.ReceivedAt.IsZero() {
		cmd.ReceivedAt = stamp(now)
	}
	if cmd.Deadline.IsZero() {
		cmd.Deadline = stamp(now.Add(ttl))
	}
	s := &sending{key: mutationKey{cmd.User, cmd.ID}, cmd: &cmd, deadline: time.Now().Add(ttl), got: make(chan domain.Verdict, 1)}
	parent := cmd.Trace
	cmd.Trace = ""
	if h.hs.tracing != nil {
		h.hs.tracing.begin(&cmd, parent, viaHTTP)
		defer h.hs.tracing.drop(cmd.Trace) // its verdict has come, if one ever does
	}
	made, isULID := domain.IDTime(cmd.ID)
	h.mu.Lock()
	out := !isULID || h.maybeOut(s.key, made, now.Add(-firstTry))
	h.mu.Unlock()
	if !out && (h.hs.astray() || h.hs.full(h.board)) {
		return domain.Verdict{}, nil, &retryError{wire.Unavailable, retryAfter1}
	}
	if err := h.own(s, out); err != nil {
		return domain.Verdict{}, nil, err
	}
	h.hs.counts.httpMutations.Add(1)
	select {
	case v := <-s.got:
		return v, h.changedBy(&cmd, v), nil
	case <-ctx.Done():
		h.mu.Lock()
		waited := h.forget(s)
		if waited {
			h.hs.lab.leave(h.board, s.key)
		}
		h.mu.Unlock()
		if !waited { // the verdict came at the same moment
			v := <-s.got
			return v, h.changedBy(&cmd, v), nil
		}
		return domain.Verdict{}, nil, ctx.Err()
	}
}

// changedBy gives the entities of an acked command's changes as they are now.
func (h *hub) changedBy(cmd *domain.Command, v domain.Verdict) []*domain.Entity {
	if v.Rejection != nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	board := h.view.Board()
	seen := map[string]bool{}
	var gone []string
	var out []*domain.Entity
	for _, c := range cmd.Changes {
		if seen[c.EntityID] {
			continue
		}
		seen[c.EntityID] = true
		if e := board.Get(c.EntityID); e != nil {
			out = append(out, e)
		} else {
			gone = append(gone, c.EntityID)
		}
	}
	if len(gone) == 0 || v.Rev < uint64(v.Events) {
		return out
	}
	changed, _ := board.ChangedSince(v.Rev - uint64(v.Events))
	for _, id := range gone {
		for _, e := range changed {
			if e.ID == id {
				out = append(out, e)
			}
		}
	}
	return out
}

// stamp is a time as commands carry it.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
