package service

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// question is what the log is asked about a mutation: whether the record at
// seq decides it, or, seq 0, whether any record stored since from does.
type question struct {
	key
	seq   uint64
	from  time.Time // not used with a seq
	since time.Time // likewise: what the board's memory had forgotten when it was put was decided before
}

// answer is what the log says.
type answer struct {
	question
	found  *found // nil: not decided, by the record at seq or by any up to until
	until  uint64
	before time.Time // what comes behind until was decided then or later, as far as is known
	last   bool      // of a round: the next may start
}

// found is a decision in the log.
type found struct {
	verdict domain.Verdict
	past    past
}

// questions are asked beside the worker, which goes on with other commands;
// one round of each sort at a time, so that whoever asks much waits himself.
type questions struct {
	open                  map[key]bool
	confirms, searches    []question // for the next round
	confirming, searching bool
}

func (q *questions) ask(x question) {
	if q.open[x.key] {
		return // its answer serves both
	}
	if q.open == nil {
		q.open = make(map[key]bool)
	}
	q.open[x.key] = true
	if x.seq != 0 {
		q.confirms = append(q.confirms, x)
	} else {
		q.searches = append(q.searches, x)
	}
}

// start begins the rounds that are due.
func (q *questions) start(w *worker) {
	if w.draining {
		return
	}
	if list := q.confirms; len(list) > 0 && !q.confirming {
		q.confirms, q.confirming = nil, true
		w.s.workers.Go(func() { w.s.confirmAll(w.s.soft, w, list) })
	}
	if list := q.searches; len(list) > 0 && !q.searching {
		q.searches, q.searching = nil, true
		w.s.workers.Go(func() { w.s.searchAll(w.s.soft, w, list) })
	}
}

// confirmAll reads the records that should decide what is asked for.
func (s *Service) confirmAll(ctx context.Context, w *worker, list []question) {
	slices.SortFunc(list, func(a, b question) int { return cmp.Compare(a.seq, b.seq) })
	var rec eventlog.Record
	var retry backoff
	for i, q := range list {
		for rec.Seq != q.seq {
			var err error
			if rec, err = s.Log.Get(ctx, w.board, q.seq); err == nil {
				break
			}
			if errors.Is(err, eventlog.ErrNotFound) { // the log has lost it: it confirms nothing
				rec = eventlog.Record{Seq: q.seq, Commit: new(domain.Commit)}
				break
			}
			if rec = (eventlog.Record{}); ctx.Err() != nil {
				return
			}
			s.warn("reading a record failed, trying again", "board", w.board, "error", err)
			pause(ctx, retry.next())
		}
		a := answer{question: q, found: decisionIn(&rec, q.key), last: i == len(list)-1}
		w.post(func(m *mail) { m.answers = append(m.answers, a) })
	}
}

// searchAll reads the board's records since the earliest time asked for.
func (s *Service) searchAll(ctx context.Context, w *worker, list []question) {
	select {
	case s.scans <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-s.scans }()
	var retry backoff
	for {
		hits, until, before, err := s.search(ctx, w.board, list)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			w.post(func(m *mail) {
				for i, q := range list {
					m.answers = append(m.answers, answer{q, hits[q.key], until, before, i == len(list)-1})
				}
			})
			return
		}
		s.warn("searching the log failed, trying again", "board", w.board, "error", err)
		pause(ctx, retry.next())
	}
}

func (s *Service) search(ctx context.Context, board string, list []question) (hits map[key]*found, until uint64, before time.Time, err error) {
	if until, err = s.Log.Head(ctx, board); err != nil || until == 0 {
		return nil, until, before, err
	}
	from := slices.MinFunc(list, func(a, b question) int { return a.from.Compare(b.from) }).from
	hits = make(map[key]*found, len(list))
	for _, q := range list {
		hits[q.key] = nil
	}
	for rec, err := range s.Log.ReadSince(ctx, board, from, until) {
		if err != nil {
			return nil, 0, before, err
		}
		if rec.Void() {
			continue
		}
		if n := len(rec.Commit.Decisions); n > 0 {
			before = rec.Commit.Decisions[n-1].At
		}
		for i := range rec.Commit.Decisions {
			d := &rec.Commit.Decisions[i]
			k := key{d.User, d.ID}
			if _, asked := hits[k]; asked {
				hits[k] = foundIn(d, rec.Seq)
			}
		}
	}
	return hits, until, before, nil
}

// decisionIn is the decision on k in a record read from the stream, nil if it
// holds none.
func decisionIn(rec *eventlog.Record, k key) *found {
	if d := rec.Decision(k.user, k.id); d != nil {
		return foundIn(d, rec.Seq)
	}
	return nil
}

func foundIn(d *domain.Decision, seq uint64) *found {
	f := &found{verdict: d.Verdict()}
	f.verdict.Seq = seq
	f.past, _ = pastOf(d)
	return f
}

// answered goes on with whatever waited for an answer.
func (w *worker) answered(a *answer) {
	q := &w.questions
	delete(q.open, a.key)
	if a.last && a.seq != 0 {
		q.confirming = false
	} else if a.last {
		q.searching = false
	}
	e := w.undecided[a.key]
	if e != nil && e.place != asking {
		e = nil
	}
	switch {
	case a.found != nil:
		p := past{decided: true, before: a.found.past.before, at: w.s.Now()}
		if e != nil {
			if p.before == e.id {
				p.before, p.also = e.before, e.also
			}
			w.answer(e, &a.found.verdict)
		}
		w.past[a.key] = p
		w.releaseHeld(a.key)
	case a.seq != 0: // another mutation with the same 64-bit hash
		a.from, _ = domain.DecidedWindow(a.id, w.s.Now())
		a.seq = 0
		q.ask(a.question)
	default:
		if e != nil {
			if e.absent, e.searched = a.until, a.before; e.searched.Before(a.since) {
				e.searched = a.since
			}
			w.reconsider(e)
		}
		if !w.past[a.key].decided { // else it was decided meanwhile
			w.past[a.key] = past{at: w.s.Now()}
		}
	}
}

// answer ends an entry that was decided long ago, or by another worker, with
// the stored verdict.
func (w *worker) answer(e *entry, v *domain.Verdict) {
	w.s.metrics.repeats.Inc()
	if w.s.traces(&e.cmd) {
		w.traceRepeat(e, v)
	}
	if err := w.s.Log.Announce(w.board, eventlog.Announcement{Verdict: v}); err != nil {
		w.s.warn("announcing a verdict failed", "board", w.board, "error", err)
	}
	w.finish(e)
	w.s.release(w, 1, e.size)
}
