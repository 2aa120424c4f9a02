package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// flight is the commit under way and how far it is.
type flight struct {
	commit   *domain.Commit
	data     []byte
	hash     domain.Hash
	expected uint64 // the board's sequence before it
	entries  []*entry
	phase    phase
	begun    time.Time // of the first append; zero: there was none
	silences int       // appends that were waited for in vain
	built    time.Time // by Config.Now
	seq      uint64    // where the log says it is stored, in phase confirming
	conflict bool      // the last try was answered so
	traced   []int     // the decisions that are traced
}

type phase int

const (
	appending  phase = iota // to be appended, maybe again
	confirming              // stored so late that it may be void: to be read back
	resolving               // conflict or no answer: the tail tells
)

// voidMargin is how long before a commit's NotAfter its PubAck must come, by
// this node's clock, to be trusted without reading the stream's timestamp: the
// second by which the clocks of two nodes may differ, and half a second more.
const voidMargin = 1500 * time.Millisecond

// build decides what is ready, one after the other, each on the state the ones
// before it leave, into one commit.
func (w *worker) build() {
	seq, prev, _ := w.state.Head()
	room := min(len(w.ready), w.batchSize)
	c := &domain.Commit{V: domain.CommitVersion, Board: w.board, Prev: prev, Decisions: make([]domain.Decision, 0, room)}
	f := &flight{commit: c, expected: seq, entries: make([]*entry, 0, room)}
	w.building = true
	defer func() { w.building = false }()
	size := 0
	for len(w.ready) > 0 && len(f.entries) < w.batchSize && size < w.s.Log.MaxRecord()/2 {
		e := w.ready[0]
		w.ready = w.ready[1:]
		d := w.decide(e)
		if err := w.state.Fold(&d); err != nil {
			w.s.Logger.Error("a decision does not follow the board it was taken on", "board", w.board, "mutation", e.id, "error", err)
			w.failed("deciding", err)
			w.reload()
			return
		}
		e.place = flying
		f.entries = append(f.entries, e)
		c.Decisions = append(c.Decisions, d)
		c.At = d.At
		if d.Rejection == nil && !d.Deadline.IsZero() && (c.NotAfter.IsZero() || d.Deadline.Before(c.NotAfter)) {
			c.NotAfter = d.Deadline
		}
		if w.s.traces(&d.Command) {
			f.traced = append(f.traced, len(f.entries)-1)
		}
		size += decisionSize(&d, e.size)
		w.decidedNow(e, &d)
		w.releaseAfter(e.key)
	}
	var err error
	if f.data, f.hash, err = c.Encode(); err != nil {
		w.failed("encoding a commit", err)
		w.reload()
		return
	}
	f.built = w.s.Now()
	w.traceDecided(f)
	w.flight = f
	if len(f.data) > w.s.Log.MaxRecord() {
		w.split()
	}
}

// decide is domain.Decide, but for what no record can hold: it is refused, and
// if the refusal with the command in it is still too large, without its content.
// Whoever decides again can see from the command that it was too large.
func (w *worker) decide(e *entry) domain.Decision {
	now, limit := w.now(), w.s.Log.MaxRecord()
	if e.oversize < 2 {
		d := domain.Decide(w.state, &e.cmd, now)
		if e.oversize == 0 || w.alone(&d) <= limit { // others were decided since it was too large
			return d
		}
	}
	d := domain.Refuse(w.state, &e.cmd, now, &domain.Rejection{
		Code:    domain.TooLarge,
		Reason:  fmt.Sprintf("its record would be larger than %d bytes", limit),
		Details: domain.Details{"limit": limit},
	})
	if e.oversize > 1 {
		d.Changes, d.Import = nil, nil
	}
	return d
}

// alone is how large a record is that has this decision only, 0 if there is none.
func (w *worker) alone(d *domain.Decision) int {
	_, prev, _ := w.state.Head()
	c := &domain.Commit{V: domain.CommitVersion, Board: w.board, Prev: prev, At: d.At, Decisions: []domain.Decision{*d}}
	if d.Rejection == nil {
		c.NotAfter = d.Deadline
	}
	data, _, err := c.Encode()
	if err != nil {
		return 0
	}
	return len(data)
}

// split has a commit that is too large decided again in halves; a decision
// that is too large alone is refused.
func (w *worker) split() {
	f := w.flight
	w.batchSize = max(1, len(f.entries)/2)
	if len(f.entries) == 1 {
		f.entries[0].oversize++
	}
	w.reload()
}

// advance brings the commit under way one step further. Nothing of it is
// announced before it is stored and known not to be void.
func (w *worker) advance(ctx context.Context) {
	switch w.flight.phase {
	case appending:
		w.append(ctx)
	case confirming:
		w.confirm(ctx)
	case resolving:
		w.resolve(ctx)
	}
}

func (w *worker) append(ctx context.Context) {
	f := w.flight
	if now := w.s.Now(); f.commit.VoidAt(now) {
		// Decisions are of whole milliseconds: what is late by less is seen to
		// be late in the next.
		w.reload()
		w.retryAt = time.Now().Add(time.Millisecond)
		return
	}
	if f.begun.IsZero() {
		f.begun = time.Now()
	}
	answered, cancel := context.WithTimeout(ctx, w.s.pace.patience(f.silences, w.s.AppendTimeout))
	seq, err := w.s.Log.Append(answered, w.board, f.data, f.hash, f.expected)
	if answered.Err() != nil {
		f.silences++
	}
	cancel()
	switch {
	case err == nil:
		w.succeeded()
		if w.s.late(f) {
			f.phase, f.seq = confirming, seq
			return
		}
		w.stored(seq)
	case errors.Is(err, eventlog.ErrTooLarge):
		w.split()
	case errors.Is(err, eventlog.ErrFull):
		w.s.metrics.full.Inc()
		w.failed("appending", err)
	default:
		f.phase, f.conflict = resolving, errors.Is(err, eventlog.ErrConflict)
		w.s.metrics.unsettled(f.conflict)
	}
}

// confirm reads the record back whose PubAck came late.
func (w *worker) confirm(ctx context.Context) {
	rec, err := w.s.Log.Get(ctx, w.board, w.flight.seq)
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, eventlog.ErrNotFound), err == nil && rec.Hash != w.flight.hash:
		w.flight.phase = resolving
	case err != nil:
		w.failed("reading a record back", err)
	default:
		w.outcome(rec)
	}
}

// resolve finds out what became of an append: the board's next record is this
// commit, or another and then this one can never be stored, or there is none
// yet and the same bytes may be appended again.
func (w *worker) resolve(ctx context.Context) {
	var next *eventlog.Record
	var err error
	for rec, e := range w.s.Log.Read(ctx, w.board, w.flight.expected+1, 0) {
		if err = e; e == nil {
			next = &rec
		}
		break
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		w.failed("reading the tail", err)
	case next == nil && w.flight.conflict: // the log is not the one this state was read from
		w.failed("appending", eventlog.ErrConflict)
		w.reload()
	case next == nil:
		w.flight.phase = appending
		w.failed("appending", eventlog.ErrUnknown)
	case next.Hash == w.flight.hash:
		w.succeeded()
		w.outcome(*next)
	default:
		w.succeeded()
		w.reload()
	}
}

// outcome goes by the stream's timestamp: stored, or void and to be decided again.
func (w *worker) outcome(rec eventlog.Record) {
	if w.flight.commit.VoidAt(rec.Time) {
		w.voided()
		return
	}
	w.stored(rec.Seq)
}

// stored announces the commit and ends its commands.
func (w *worker) stored(seq uint64) {
	f := w.flight
	w.flight, w.batchSize, w.voids = nil, w.s.BatchSize, 0
	w.s.pace.took(time.Since(f.begun))
	w.s.metrics.stored(f, w.s.Now())
	w.traceStored(f, seq)
	err := w.s.Log.Announce(w.board, eventlog.Announcement{Record: &eventlog.Record{
		Board: w.board, Seq: seq, Prev: f.expected, Time: f.commit.At, Data: f.data, Hash: f.hash, Commit: f.commit, Stored: w.s.Now(),
	}})
	if err != nil {
		w.s.warn("announcing a record failed", "board", w.board, "error", err)
	}
	w.s.heads.committed(w.board, seq)
	size := 0
	for _, e := range f.entries {
		size += e.size
		w.finish(e)
	}
	w.s.release(w, len(f.entries), size)
	w.tail += w.s.weight(f.commit, len(f.data))
	if err := w.state.Settle(f.commit, f.hash, seq); err != nil {
		w.s.Logger.Error("a stored commit does not follow the board it was decided on", "board", w.board, "seq", seq, "error", err)
		w.reload()
		return
	}
	for _, e := range f.entries {
		w.releaseAfter(e.key)
	}
	w.s.snapshots.consider(w)
	if changesListing(f.commit) {
		w.s.directory.changed(w.state)
	}
}

// heavyRecord is how many bytes of a record count as one more record of the
// tail that a load has to read.
const heavyRecord = 4 << 10

// weight is how many records a commit of that many bytes counts for towards
// the next snapshot. The end of an import is due for one at once.
func (s *Service) weight(c *domain.Commit, bytes int) int {
	for i := range c.Decisions {
		if c.Decisions[i].Import != nil && c.Decisions[i].Import.Done && c.Decisions[i].Rejection == nil {
			return s.SnapshotEvery
		}
	}
	return 1 + bytes/heavyRecord
}

func changesListing(c *domain.Commit) bool {
	for i := range c.Decisions {
		for j := range c.Decisions[i].Events {
			if t := c.Decisions[i].Events[j].Type; strings.HasPrefix(t, "board.") || strings.HasPrefix(t, "member.") {
				return true
			}
		}
	}
	return false
}

// decisionSize is about how many bytes d takes in a commit, its command having that many.
func decisionSize(d *domain.Decision, command int) int {
	n := 200 + command
	for i := range d.Events {
		e := &d.Events[i]
		n += 150 + fieldsSize(e.Before) + fieldsSize(e.After) + 40*len(e.Gone)
		for _, sets := range []map[string][]string{e.Added, e.Removed} {
			for _, s := range sets {
				n += valueSize(s)
			}
		}
		for _, p := range e.Positions {
			n += 60 + len(p[0]) + len(p[1])
		}
	}
	return n
}
