package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/proof"
	"github.com/snapback-io/snapback/projector"
	"github.com/snapback-io/snapback/projector/bundle"
	"github.com/snapback-io/snapback/projector/restore"
)

// Archive is the log that bundles are made of and restored into, an
// [eventlog.Log]; the methods are documented there.
type Archive interface {
	bundle.Log
	restore.Target
}

// getBundle is GET /v1/boards/{board}/bundle: the board's records as they are
// stored, with their proofs.
func (s *Server) getBundle(w http.ResponseWriter, r *http.Request, id identity) error {
	contents := r.URL.Query().Get("contents")
	if contents != "" && contents != "0" && contents != "1" {
		return invalid("contents", "0 or 1")
	}
	sizes, err := sizesOf(r)
	if err != nil {
		return err
	}
	if s.cfg.Archive == nil {
		return problem{code: domain.NotFound, reason: "this server makes no bundles"}
	}
	st, leave, err := s.sitToRead(r, id)
	if err != nil {
		return err
	}
	defer leave()
	if err := st.mayTakeAway(); err != nil {
		return err
	}
	ctx, cancel := s.readingTime(r.Context(), id)
	defer cancel()
	if err := st.current(ctx); err != nil {
		return err
	}
	opt := bundle.Options{Notary: s.cfg.Notary, Contents: contents != "0", Sizes: sizes, Warn: func(what string, err error) {
		s.log.Warn("bundle: "+what, "board", st.board, "error", err)
	}}
	st.read(func(v *projector.View) { opt.Shown, err = v.Board().Still() })
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if r.Method == http.MethodHead {
		return nil
	}
	steady := newSteadyWriter(w)
	out := &turnWriter{ctx: ctx, seat: st, out: steady, turns: ticket(s.tickets)}
	if err = out.take(); err == nil {
		err = bundle.Make(ctx, out, s.cfg.Archive, st.board, opt)
		out.give()
	}
	switch {
	case err == nil:
		steady.done()
		return nil
	case !steady.sent && (errors.Is(err, errNotAdmin) || errors.Is(err, bundle.ErrNoBoard)):
		return notFound()
	case !steady.sent && errors.Is(err, bundle.ErrSizes):
		return invalid("size", err.Error())
	case !steady.sent:
		return err
	case ctx.Err() == nil && !errors.Is(err, errNotAdmin) && !errors.Is(err, errBrokenOff):
		s.log.Warn("a bundle cannot be made", "board", st.board, "error", err)
	}
	panic(http.ErrAbortHandler) // half an answer must not look whole
}

// sizesOf are those of the checkpoints that the asker keeps.
func sizesOf(r *http.Request) (sizes []int64, err error) {
	for _, text := range r.URL.Query()["size"] {
		size, err := strconv.ParseInt(text, 10, 64)
		if err != nil || size < 1 || size > proof.MaxSize {
			return nil, invalid("size", "records that a checkpoint counts, 1 or more")
		}
		sizes = append(sizes, size)
	}
	if len(sizes) > bundle.MaxSizes {
		return nil, invalid("size", fmt.Sprintf("given at most %d times", bundle.MaxSizes))
	}
	return sizes, nil
}

// errNotAdmin: the user may take the board's bundle no more.
var errNotAdmin = errors.New("gateway: no longer an admin")

// mayTakeAway says whether the user may have all that is stored of the board,
// sessions and grants included: its admins may, in open mode whoever may edit.
func (st *seat) mayTakeAway() error {
	needs := domain.Admin
	if st.id.open {
		needs = domain.Editor
	}
	switch role := st.role(); {
	case role == domain.NoRole:
		return notFound()
	case !role.Includes(needs):
		return problem{code: domain.Forbidden, reason: "a bundle needs the role " + string(needs), details: domain.Details{"needs": needs}}
	}
	return nil
}

// turnWriter gives its ticket back while it sends, and goes on only while the
// user may have what is sent.
type turnWriter struct {
	ctx context.Context
	*seat
	out   *steadyWriter
	turns ticket
	held  bool
}

func (t *turnWriter) take() error {
	err := t.turns.Take(t.ctx)
	t.held = err == nil
	return err
}

func (t *turnWriter) give() {
	if t.held {
		t.turns.Give()
		t.held = false
	}
}

func (t *turnWriter) Write(p []byte) (int, error) {
	if t.mayTakeAway() != nil {
		return 0, errNotAdmin
	}
	t.give()
	n, err := t.out.Write(p)
	if err != nil {
		return n, fmt.Errorf("%w: %w", errBrokenOff, err)
	}
	return n, t.take()
}

var (
	_ Archive   = (*eventlog.Log)(nil)
	_ io.Writer = (*turnWriter)(nil)
)
