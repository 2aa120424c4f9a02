package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
	"github.com/snapback-io/snapback/projector/audit"
)

// maxReaders is how many requests of one user may read or follow logs at a
// time: one that waits for a slow client holds some 10 MiB.
const maxReaders = 16

// maxTickets is how many requests read logs at the same moment: half of the
// cores are for those who change boards. GOMAXPROCS may be more than there are.
func maxTickets() int { return max(1, min(runtime.NumCPU(), runtime.GOMAXPROCS(0))/2) }

// logFormats are the media types of the formats of a log.
var logFormats = map[string]string{
	audit.NDJSON: "application/x-ndjson", audit.CSV: "text/csv; charset=utf-8; header=present",
	audit.CloudEvents: "application/x-ndjson", audit.Text: "text/plain; charset=utf-8",
}

// newLogQuery reads what a request wants of a board's decisions. The format is
// that of the parameter, else the first of the Accept header that there is.
func newLogQuery(query url.Values, accept string) (audit.Query, error) {
	q, err := audit.ParseQuery(query)
	var bad *audit.FieldError
	if errors.As(err, &bad) {
		p := invalid(bad.Field, bad.Reason)
		if bad.Limit > 0 {
			p.details["limit"] = bad.Limit
		}
		return q, p
	}
	if q.Format == "" {
		q.Format = acceptedFormat(accept)
		if q.Words || q.Asked || q.Record {
			q.Format = audit.NDJSON // which alone has them
		}
	}
	return q, err
}

func acceptedFormat(accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(media)) {
		case "text/csv":
			return audit.CSV
		case "application/cloudevents+json":
			return audit.CloudEvents
		case "text/plain":
			return audit.Text
		case "application/x-ndjson":
			return audit.NDJSON
		}
	}
	return audit.NDJSON
}

// sitToRead is sit of one who reads the board's history: a user may do so
// maxReaders times at once. Call leave when done.
func (s *Server) sitToRead(r *http.Request, id identity) (st *seat, leave func(), err error) {
	if !s.readers.enter(id.user) {
		return nil, nil, pushedBack(&retryError{wire.RateLimited, retryAfter1})
	}
	if st, err = s.sit(r.Context(), id, r.PathValue("board")); err != nil {
		s.readers.leave(id.user)
		return nil, nil, err
	}
	return st, func() { st.release(); s.readers.leave(id.user) }, nil
}

// getLog is GET /v1/boards/{board}/log: the decisions of a board,
// in the order of its log, in one of several formats.
func (s *Server) getLog(w http.ResponseWriter, r *http.Request, id identity) error {
	q, err := newLogQuery(r.URL.Query(), r.Header.Get("Accept"))
	if err != nil {
		return err
	}
	st, leave, err := s.sitToRead(r, id)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := s.readingTime(r.Context(), id)
	defer cancel()
	if err := st.current(ctx); err != nil {
		return err
	}
	w.Header().Set("Content-Type", logFormats[q.Format])
	if r.Method == http.MethodHead {
		return nil
	}
	steady := newSteadyWriter(w)
	err = s.tellLog(ctx, st, q, steady)
	left := errors.Is(err, errLeft)
	switch {
	case err == nil || left && q.Follow && steady.sent:
		steady.done()
		return nil
	case left && !steady.sent:
		return notFound()
	case !steady.sent:
		return err
	case ctx.Err() == nil && !left && !errors.Is(err, errBrokenOff):
		s.log.Warn("a log cannot be read", "board", st.board, "error", err)
	}
	panic(http.ErrAbortHandler) // half an answer must not look whole
}

// errLeft: the user may see the board no more.
var errLeft = errors.New("gateway: no longer a member")

// readingTime is for how long a request may go on: until it ends, its token
// does, or the server stops.
func (s *Server) readingTime(ctx context.Context, id identity) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.chores.life, cancel)
	end := func() { stop(); cancel() }
	if id.expires.IsZero() {
		return ctx, end
	}
	ctx, late := context.WithDeadline(ctx, id.expires)
	return ctx, func() { late(); end() }
}

// tellLog sends what is asked for. It ends when all of it is sent; of what is
// followed, when ctx ends or, with errLeft, when the user may see the board no
// more.
func (s *Server) tellLog(ctx context.Context, st *seat, q audit.Query, to *steadyWriter) error {
	reader := audit.NewReader(audit.Config{
		Query: q, Board: st.board, Source: s.store, Line: LogLine, Turns: ticket(s.tickets),
		Out: func(lines []byte) error { return sendLines(st, to, lines) },
		Past: func(ctx context.Context, board string, seq uint64) (*domain.Board, error) {
			return eventlog.LoadBoardAt(ctx, s.store, board, seq)
		},
	})
	for {
		head, moved := st.look()
		if err := reader.Read(ctx, head); err != nil || !q.Follow || reader.Ended() {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil
		}
	}
}

// look gives the sequence of the last record that the view has; moved is closed
// when it has another one.
func (st *seat) look() (head uint64, moved <-chan struct{}) {
	moved = st.watch(func(v *projector.View) { head = v.Seq() })
	return head, moved
}

// sendLines sends what has come together, the header before there is a line, if
// the user may see the board now.
func sendLines(st *seat, to *steadyWriter, lines []byte) error {
	if st.role() == domain.NoRole {
		return errLeft
	}
	_, err := to.Write(lines)
	if err == nil {
		err = to.conn.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errBrokenOff, err)
	}
	return nil
}

// LogLine appends the line that tells e in the format NDJSON, see LoggedEntry.
func LogLine(dst []byte, e *audit.Entry, q *audit.Query) ([]byte, error) {
	line := LoggedEntry(e, q)
	return wire.AppendLogged(dst, &line)
}

// LoggedEntry is the line that tells e, with what q wants beside the decision.
func LoggedEntry(e *audit.Entry, q *audit.Query) wire.Logged {
	line := wire.NewLogged(e.Decision)
	line.Asked = e.Asked
	if q.Words {
		line.Words = e.Words
	}
	if e.Void {
		line.Outcome = wire.Void
	}
	if q.Record {
		line.Record = &wire.LoggedRecord{Seq: eventlog.StreamSeq(e.Log.Seq), Hash: e.Log.Hash, Stored: e.Log.Time.UTC(), Index: e.Index}
	}
	return line
}

// ticket is leave to read, one of as many as it has room for.
type ticket chan struct{}

// Take is audit.Turns.
func (t ticket) Take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Give is audit.Turns.
func (t ticket) Give() { <-t }

// watch is read that gives, too, what is closed when the view has moved on.
func (h *hub) watch(fn func(*projector.View)) (moved <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.moved == nil {
		h.moved = make(chan struct{})
	}
	fn(h.view)
	return h.moved
}

// current returns when the view has all that the log had at the call.
func (h *hub) current(ctx context.Context) error { return h.feed.Current(ctx) }
