package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strconv"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

const (
	maxLast   = 1000     // of the newest decisions that may be asked for
	logBuffer = 64 << 10 // bytes of lines that are sent at once

	maxEntityID = 64 // but for members

	// maxReaders is how many requests of one user may read or follow logs at a
	// time: one that waits for a slow client holds some 10 MiB.
	maxReaders = 16
	// ticketRecords is how many records one reads until it is another's turn.
	ticketRecords = 1000
)

// maxTickets is how many requests read logs at the same moment: half of the
// cores are for those who change boards.
func maxTickets() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// logQuery is what a request wants of a board's decisions.
type logQuery struct {
	since  uint64 // those with a higher rev
	entity string // those that concern it; "": all
	last   int    // the newest so many of these; 0: all
	follow bool   // and those to come
}

func newLogQuery(query url.Values) (q logQuery, err error) {
	if text := query.Get("since"); text != "" {
		if q.since, err = strconv.ParseUint(text, 10, 64); err != nil {
			return q, invalid("since", "not a rev")
		}
	}
	if text := query.Get("last"); text != "" {
		if q.last, err = strconv.Atoi(text); err != nil || q.last < 1 || q.last > maxLast {
			return q, limited(invalid("last", "1 to 1000"), maxLast)
		}
	}
	switch query.Get("follow") {
	case "", "0":
	case "1":
		q.follow = true
	default:
		return q, limited(invalid("follow", "0 or 1"), 1)
	}
	q.entity = query.Get("entity")
	if _, member := domain.IsMemberID(q.entity); q.entity != "" && !member && !domain.ValidID(q.entity) {
		return q, limited(invalid("entity", "not the id of an entity"), maxEntityID)
	}
	return q, nil
}

// limited adds the limit that the value is beyond.
func limited(p problem, limit int) problem {
	p.details["limit"] = limit
	return p
}

// getLog is GET /v1/boards/{board}/log: the decisions of a board, a line each,
// in the order of its log.
func (s *Server) getLog(w http.ResponseWriter, r *http.Request, id identity) error {
	q, err := newLogQuery(r.URL.Query())
	if err != nil {
		return err
	}
	if !s.readers.enter(id.user) {
		return pushedBack(&retryError{wire.RateLimited, retryAfter1})
	}
	defer s.readers.leave(id.user)
	st, err := s.sit(r.Context(), id, r.PathValue("board"))
	if err != nil {
		return err
	}
	defer st.release()
	ctx, cancel := s.readingTime(r.Context(), id)
	defer cancel()
	if err := st.current(ctx); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if r.Method == http.MethodHead {
		return nil
	}
	steady := newSteadyWriter(w)
	l := &logReader{logQuery: q, s: s, seat: st, out: steady, ticket: ticket{of: s.tickets}}
	if q.entity != "" {
		l.trail = domain.NewTrail(q.entity)
	}
	err = l.run(ctx)
	left := errors.Is(err, errLeft)
	switch {
	case err == nil || left && q.follow && steady.sent:
		steady.done()
		return nil
	case left && !steady.sent:
		return notFound()
	case !steady.sent:
		return err
	case ctx.Err() == nil && !left && !errors.Is(err, errBrokenOff):
		s.log.Warn("a log cannot be read", "board", st.board, "err", err)
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

// logReader reads one board's log for one request, a batch of records at a time.
type logReader struct {
	logQuery
	*seat
	s      *Server
	trail  *domain.Trail // nil: every decision
	next   uint64        // sequence to read from
	ticket ticket
	out    *steadyWriter
	buf    []byte // lines to be sent
}

// ticket is leave to read, one of as many as of has room for.
type ticket struct {
	of   chan struct{}
	held bool
}

func (t *ticket) take(ctx context.Context) error {
	select {
	case t.of <- struct{}{}:
		t.held = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *ticket) give() {
	if t.held {
		<-t.of
		t.held = false
	}
}

// run sends what is asked for. It ends when all of it is sent; of what is
// followed, when ctx ends or, with errLeft, when the user may see the board no
// more.
func (l *logReader) run(ctx context.Context) error {
	head, moved := l.look()
	if err := l.begin(ctx, head); err != nil {
		return err
	}
	var err error
	if l.last > 0 {
		err = l.newest(ctx, head)
	} else {
		err = l.read(ctx, head, l.tell)
	}
	for err == nil {
		if err = l.flush(); err != nil || !l.follow {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil
		}
		head, moved = l.look()
		err = l.read(ctx, head, l.tell)
	}
	return err
}

// look gives the sequence of the last record that the view has; moved is closed
// when it has another one.
func (l *logReader) look() (head uint64, moved <-chan struct{}) {
	moved = l.watch(func(v *projector.View) { head = v.Seq() })
	return head, moved
}

// begin finds where to read from: of all decisions after a rev not far before
// the first, of those of one entity at the beginning, which tells what hangs
// where. Revs never fall along the log, so it looks at one record in the
// middle of what is left at a time.
func (l *logReader) begin(ctx context.Context, head uint64) error {
	l.next = 1
	if l.since == 0 || l.trail != nil {
		return nil
	}
	for end := head; l.next < end; {
		middle := l.next + (end-l.next+1)/2
		before := false // the board was at since or before it
		for r, err := range l.s.store.Read(ctx, l.board, middle, head) {
			if err != nil {
				return err
			}
			d := &r.Commit.Decisions[0]
			before = d.Rev-uint64(len(d.Events)) <= l.since
			break
		}
		if before {
			l.next = middle
		} else {
			end = middle - 1
		}
	}
	return nil
}

// read calls fn for each decision that is asked for, from l.next on to the
// record at head: that is decision i of r. It sends what comes together while
// others read.
func (l *logReader) read(ctx context.Context, head uint64, fn func(r *eventlog.Record, i int) error) error {
	if head < l.next {
		return nil // a head of 0 is another one to Read
	}
	if err := l.ticket.take(ctx); err != nil {
		return err
	}
	defer l.ticket.give()
	records := 0
	for r, err := range l.s.store.Read(ctx, l.board, l.next, head) {
		if err != nil {
			return err
		}
		l.next = r.Seq + 1
		if err := l.pick(&r, fn); err != nil {
			return err
		}
		if records++; records%ticketRecords != 0 && len(l.buf) < logBuffer {
			continue
		}
		l.ticket.give()
		if err := l.fill(nil); err != nil {
			return err
		}
		if err := l.ticket.take(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pick calls fn for each decision of r that is asked for.
func (l *logReader) pick(r *eventlog.Record, fn func(r *eventlog.Record, i int) error) error {
	if r.Void() {
		return nil
	}
	for i := range r.Commit.Decisions {
		d := &r.Commit.Decisions[i]
		concerns := l.trail == nil || l.trail.Touches(d)
		if !concerns || d.Rev <= l.since {
			continue
		}
		if err := fn(r, i); err != nil {
			return err
		}
	}
	return nil
}

// tell adds the line of a decision to what is sent.
func (l *logReader) tell(r *eventlog.Record, i int) (err error) {
	l.buf, err = appendLine(l.buf, r, i)
	return err
}

// fill adds a line and sends what has come together, if that is much.
func (l *logReader) fill(line []byte) error {
	if l.buf = append(l.buf, line...); len(l.buf) < logBuffer {
		return nil
	}
	return l.flush()
}

// flush sends what has come together, the header before there is a line, if the
// user may see the board now.
func (l *logReader) flush() error {
	if l.role() == domain.NoRole {
		return errLeft
	}
	_, err := l.out.Write(l.buf)
	if err == nil {
		err = l.out.conn.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errBrokenOff, err)
	}
	if l.buf = l.buf[:0]; cap(l.buf) > 2*logBuffer {
		l.buf = nil // a line was very long
	}
	return nil
}

func appendLine(dst []byte, r *eventlog.Record, i int) ([]byte, error) {
	line := wire.NewLogged(&r.Commit.Decisions[i])
	return wire.AppendLogged(dst, &line)
}

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
