package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector/past"
)

// getPast is GET /v1/boards/{board} with rev or at: the board as it was, as
// whoever may see it now would have seen it.
func (s *Server) getPast(w http.ResponseWriter, r *http.Request, id identity) error {
	query := r.URL.Query()
	open, bad := partOpen(query)
	if bad != nil {
		return *bad
	}
	m, err := momentOf(query)
	if err != nil {
		return err
	}
	return s.answerPast(w, r, id, func(ctx context.Context, src past.Source, st *seat) ([]byte, error) {
		look, err := m.look(ctx, src, st.board)
		if err != nil {
			return nil, err
		}
		return appendLook(nil, s.store.Epoch(), look, open, id.user)
	})
}

// getDiff is GET /v1/boards/{board}/diff?from=&to=, each a rev or a time: what
// was created, deleted and changed in between.
func (s *Server) getDiff(w http.ResponseWriter, r *http.Request, id identity) error {
	query := r.URL.Query()
	from, err := newMoment("from", query.Get("from"))
	if err != nil {
		return err
	}
	to := moment{field: "to"} // now
	if text := query.Get("to"); text != "" {
		if to, err = newMoment("to", text); err != nil {
			return err
		}
	}
	return s.answerPast(w, r, id, func(ctx context.Context, src past.Source, st *seat) ([]byte, error) {
		a, err := from.look(ctx, src, st.board)
		if err != nil {
			return nil, err
		}
		b, err := to.look(ctx, src, st.board)
		if err != nil {
			return nil, err
		}
		if b.Rev < a.Rev {
			return nil, invalid("to", "before from")
		}
		return json.Marshal(struct {
			Board string `json:"board"`
			Epoch string `json:"epoch"`
			*past.Diff
		}{st.board, s.store.Epoch(), past.Compare(a, b)})
	})
}

// getBlame is GET /v1/boards/{board}/blame?entity=&field=&rev=: who set what
// an entity holds.
func (s *Server) getBlame(w http.ResponseWriter, r *http.Request, id identity) error {
	query := r.URL.Query()
	q := past.Question{Entity: query.Get("entity"), Field: query.Get("field")}
	if _, member := domain.IsMemberID(q.Entity); !member && !domain.ValidID(q.Entity) {
		return invalid("entity", "missing, or not the id of an entity")
	}
	if text := query.Get("rev"); text != "" {
		m, err := newRev(text)
		if err != nil {
			return err
		}
		q.Rev = m.Rev
	}
	return s.answerPast(w, r, id, func(ctx context.Context, src past.Source, st *seat) ([]byte, error) {
		b, err := past.Whose(ctx, src, st.board, q)
		switch {
		case errors.Is(err, past.ErrNoEntity):
			return nil, problem{code: domain.NotFound, reason: "no such entity", details: domain.Details{"entityId": q.Entity}}
		case errors.Is(err, past.ErrNoField):
			return nil, invalid("field", "the entity has no such field")
		case err != nil:
			return nil, pastProblem("rev", err)
		}
		return json.Marshal(struct {
			Epoch string `json:"epoch"`
			*past.Blame
		}{s.store.Epoch(), b})
	})
}

// answerPast answers what fn makes of the board's past. As many as have tickets
// make something at a time, in turns; what is made is bytes, which a slow client
// may take its time for.
func (s *Server) answerPast(w http.ResponseWriter, r *http.Request, id identity, fn func(context.Context, past.Source, *seat) ([]byte, error)) error {
	st, leave, err := s.sitToRead(r, id)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := s.readingTime(r.Context(), id)
	defer cancel()
	src := turnSource{PastSource: s.store, tickets: s.tickets}
	if err := src.take(ctx); err != nil {
		return err
	}
	body, err := fn(ctx, &src, st)
	src.give()
	if err != nil {
		return err
	}
	size := int64(len(body))
	defer s.held.Add(-size)
	if held := s.held.Add(size); held > maxHeld && held > size {
		return pushedBack(&retryError{wire.RateLimited, retryAfter1})
	}
	if st.role() == domain.NoRole { // lost meanwhile
		return notFound()
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodHead {
		return nil
	}
	steady := newSteadyWriter(w)
	defer steady.done()
	for body = append(body, '\n'); len(body) > 0; {
		n, err := steady.Write(body[:min(len(body), pieceBytes)])
		if err != nil {
			return nil // nobody to tell
		}
		body = body[n:]
	}
	return nil
}

const (
	// maxHeld is how many bytes of answers may wait for clients that are slow,
	// but for a single one that is longer.
	maxHeld = 256 << 20
	// pieceBytes are written at a time, of which a client may take for long.
	pieceBytes = 64 << 10
	// turnRecords is how many records one reads until it is another's turn.
	turnRecords = 1000
)

// turnSource is a source that lets others read in between. For one goroutine.
type turnSource struct {
	eventlog.PastSource
	tickets chan struct{}
	held    bool
	records int
}

func (t *turnSource) take(ctx context.Context) error {
	select {
	case t.tickets <- struct{}{}:
		t.held = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turnSource) give() {
	if t.held {
		<-t.tickets
		t.held = false
	}
}

// Read is that of the source, with a pause for others now and then.
func (t *turnSource) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for r, err := range t.PastSource.Read(ctx, board, from, to) {
			if t.records++; t.records%turnRecords == 0 && err == nil {
				t.give()
				err = t.take(ctx)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// moment is one that a field of a request names.
type moment struct {
	past.Moment
	field string
}

func newMoment(field, text string) (moment, error) {
	m, err := past.ParseMoment(text)
	if err != nil {
		return moment{}, invalid(field, err.Error())
	}
	return moment{m, field}, nil
}

func newRev(text string) (moment, error) {
	m, err := past.ParseMoment(text)
	if err != nil || m.Rev == 0 {
		return moment{}, invalid("rev", "not a rev from 1")
	}
	return moment{m, "rev"}, nil
}

// momentOf reads rev or at.
func momentOf(query url.Values) (moment, error) {
	if query.Has("rev") {
		if query.Has("at") {
			return moment{}, invalid("at", "beside rev")
		}
		return newRev(query.Get("rev"))
	}
	m, err := past.ParseMoment(query.Get("at"))
	if err != nil || m.Rev > 0 {
		return moment{}, invalid("at", "not a time as 2026-03-01T10:04:12Z")
	}
	return moment{m, "at"}, nil
}

func (m moment) look(ctx context.Context, src past.Source, board string) (past.Look, error) {
	look, err := m.Look(ctx, src, board)
	return look, pastProblem(m.field, err)
}

// pastProblem is what is wrong with the field that names a moment; any other
// error is given back.
func pastProblem(field string, err error) error {
	var beyond *past.BeyondError
	switch {
	case errors.As(err, &beyond):
		p := invalid(field, "the board is at rev "+strconv.FormatUint(beyond.Rev, 10))
		p.details["limit"] = beyond.Rev
		return p
	case errors.Is(err, past.ErrNotYet):
		return invalid(field, "the board did not exist yet")
	}
	return err
}

// appendLook appends a board as it was, as the user sees it.
func appendLook(dst []byte, epoch string, look past.Look, open bool, user string) ([]byte, error) {
	head, err := json.Marshal(struct {
		Board string `json:"board"`
		Epoch string `json:"epoch"`
		past.Point
	}{look.Board.ID(), epoch, look.Point})
	if err != nil {
		return nil, err
	}
	dst = append(append(dst, bytes.TrimSuffix(head, []byte("}"))...), `,"entities":[`...)
	for i, e := range partOf(look.Board, open) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = e.AppendJSONFor(dst, e.LikedBy(user)); err != nil {
			return nil, err
		}
	}
	return append(dst, "]}"...), nil
}
