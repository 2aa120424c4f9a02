package service

import (
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// now is the time to decide at: the clock's, in whole milliseconds, rounded up
// so that nothing is accepted whose deadline has passed.
func (w *worker) now() time.Time {
	return w.s.Now().UTC().Add(time.Millisecond - 1).Truncate(time.Millisecond)
}

func (w *worker) reconsider(e *entry) {
	e.place = fresh
	w.fresh = append(w.fresh, e)
}

func (w *worker) considerFresh() {
	for len(w.fresh) > 0 {
		list := w.fresh
		w.fresh = nil
		for _, e := range list {
			w.consider(e)
		}
	}
}

// consider finds a fresh entry its place. Decided already: the record is read
// to confirm it. So old that the board's memory may have forgotten it: the log
// is searched. After an undecided one: held. Else it is ready.
func (w *worker) consider(e *entry) {
	from, known := domain.DecidedWindow(e.id, w.now())
	if seq, hit := w.state.Decided(e.user, e.id); hit && seq > e.absent {
		e.place = asking
		w.questions.ask(question{key: e.key, seq: seq})
		return
	}
	// What the board's memory has forgotten since the log was searched may have
	// come after that: this worker, or its machine, may have stood still.
	if since := w.state.DecidedSince(); known.Before(since) && e.searched.Before(since) {
		e.place = asking
		w.questions.ask(question{key: e.key, from: from, since: since})
		return
	}
	if k, wait := w.predecessor(e); wait {
		w.hold(e, k)
		return
	}
	e.place = ready
	w.ready = append(w.ready, e)
}

// lapsed says whether a command decided at that time is expired.
func lapsed(cmd *domain.Command, at time.Time) bool {
	return !cmd.Deadline.IsZero() && at.After(cmd.Deadline)
}

func (w *worker) hold(e *entry, k key) {
	e.place, e.waits = held, k
	w.held[k] = append(w.held[k], e)
	if w.lapse.IsZero() || e.cmd.Deadline.Before(w.lapse) {
		w.lapse = e.cmd.Deadline
	}
}

// unhold takes e from those that wait.
func (w *worker) unhold(e *entry) {
	if list := slices.DeleteFunc(w.held[e.waits], func(o *entry) bool { return o == e }); len(list) > 0 {
		w.held[e.waits] = list
	} else {
		delete(w.held, e.waits)
	}
}

// releaseAfter looks again at what waited for k, which is decided.
func (w *worker) releaseAfter(k key) {
	list := w.held[k]
	delete(w.held, k)
	for _, e := range list {
		w.consider(e)
	}
}

// releaseLapsed looks again at held entries past their deadline: they are
// decided, as expired, whatever they wait for.
func (w *worker) releaseLapsed() {
	now := w.now()
	if w.lapse.IsZero() || !now.After(w.lapse) {
		return
	}
	w.lapse = time.Time{}
	var due []*entry
	for _, list := range w.held {
		for _, e := range list {
			if lapsed(&e.cmd, now) {
				due = append(due, e)
			} else if w.lapse.IsZero() || e.cmd.Deadline.Before(w.lapse) {
				w.lapse = e.cmd.Deadline
			}
		}
	}
	slices.SortFunc(due, func(a, b *entry) int { return int(a.n) - int(b.n) })
	for _, e := range due {
		w.unhold(e)
		w.consider(e)
	}
}

// finish ends an entry whose verdict is announced.
func (w *worker) finish(e *entry) {
	delete(w.undecided, e.key)
	for _, done := range e.done {
		done()
	}
}
