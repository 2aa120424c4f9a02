package service

import (
	"context"
	"iter"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// The mutations of one connection take effect in the order sent: each names as
// its `after` the one that was undecided before it, and waits for that. One
// that was expired or withdrawn may have been decided before its own `after`
// was, so whoever came after it now waits for that in its place. One that had
// been sent on an earlier connection may be decided already, without regard to
// this connection's order: what comes after it names those before it as well.

// past is what is known of a mutation that is not undecided here.
type past struct {
	decided bool // false: the log was searched in vain
	// before is what to wait for in its place. Its own id: not known, as only
	// its cancel was seen; the waiting one's next sending names another.
	before string
	also   []string
	at     time.Time // when this was learned
}

// pastFor is how long it matters: longer than a command may live.
const pastFor = 2 * time.Minute

// pastOf tells what a stored decision means for those who come after it;
// false: nothing, they need not wait.
func pastOf(d *domain.Decision) (past, bool) {
	switch {
	case d.Rejection == nil:
		return past{}, false
	case d.Rejection.Code == domain.Withdrawn:
		return past{decided: true, before: d.ID, at: d.At}, true
	case d.Rejection.Code == domain.Expired && d.After != "":
		return past{decided: true, before: d.After, at: d.At}, true
	}
	return past{}, false
}

// predecessor is what e must wait for, as far as is known; it has the log asked
// about what was decided before this board was loaded.
func (w *worker) predecessor(e *entry) (key, bool) {
	if e.cmd.Op == domain.OpCancel || lapsed(&e.cmd, w.now()) {
		return key{}, false
	}
	return w.behindAll(e, e.before, e.also)
}

func (w *worker) behindAll(e *entry, before string, also []string) (key, bool) {
	if k, wait := w.behind(e, before); wait {
		return k, true
	}
	for _, id := range also {
		if k, wait := w.behind(e, id); wait {
			return k, true
		}
	}
	return key{}, false
}

// behind tells what e must wait for because id was sent before it.
func (w *worker) behind(e *entry, id string) (key, bool) {
	k := key{e.user, id}
	for range len(w.past) + 1 {
		if k.id == "" || k == e.key {
			return key{}, false
		}
		o := w.undecided[k]
		if w.open(o) {
			return k, w.mayHold(o, e)
		}
		p, known := w.past[k]
		if seq, hit := w.state.Decided(k.user, k.id); !hit && o == nil && !p.decided {
			if from, since := domain.DecidedWindow(k.id, w.now()); !known && since.Before(w.state.DecidedSince()) {
				w.questions.ask(question{key: k, from: from})
			}
			return k, true
		} else if hit && !known && seq < w.since {
			w.questions.ask(question{key: k, seq: seq})
			return k, true
		}
		if !p.decided {
			return key{}, false
		}
		if p.before == k.id {
			return k, true
		}
		for _, id := range p.also {
			k := key{e.user, id}
			if o := w.undecided[k]; o != e && w.open(o) && w.mayHold(o, e) {
				return k, true
			}
		}
		k.id = p.before
	}
	return key{}, false
}

// open says whether somebody who comes after o must wait: not if it is decided
// in the flight that is being built.
func (w *worker) open(o *entry) bool {
	return o != nil && !(w.building && o.place == flying)
}

// mayHold says whether e may be held for o: not if o waits for e.
func (w *worker) mayHold(o, e *entry) bool {
	crossed := o.n > e.n || len(w.held[e.key]) > 0
	return !crossed || !w.waitsFor(o, e)
}

// waitsFor says whether o is held, maybe by way of others, until e is decided:
// sendings of one mutation with different `after` may close such a circle.
func (w *worker) waitsFor(o, e *entry) bool {
	for range len(w.undecided) {
		if o == nil || o.place != held {
			return false
		}
		if o.waits == e.key {
			return true
		}
		o = w.undecided[o.waits]
	}
	return false // a circle that e is no part of
}

// decidedNow remembers what e's decision means for those who come after it.
func (w *worker) decidedNow(e *entry, d *domain.Decision) {
	delete(w.past, e.key)
	if p, matters := pastOf(d); matters {
		p.before, p.also = e.before, e.also
		w.past[e.key] = p
	}
	if len(w.past) >= w.pruneAt {
		w.prune()
		w.pruneAt = 2*len(w.past) + 1000
	}
}

// learnBefore tells what a mutation came after whose cancel came before it.
func (w *worker) learnBefore(k key, e *entry) {
	if p, known := w.past[k]; !known || !p.decided || p.before != k.id {
		return
	}
	w.past[k] = past{true, e.before, e.also, w.s.Now()}
	w.releaseHeld(k)
}

// releaseHeld looks again at what waits for k as soon as that is possible.
func (w *worker) releaseHeld(k key) {
	for _, o := range w.held[k] {
		w.reconsider(o)
	}
	delete(w.held, k)
}

// prune forgets what nobody can come after any more.
func (w *worker) prune() {
	limit := w.s.Now().Add(-pastFor)
	for k, p := range w.past {
		if p.at.Before(limit) {
			delete(w.past, k)
		}
	}
}

// observedSource watches what LoadBoard reads.
type observedSource struct {
	eventlog.Source
	records int    // a large one counts for several
	first   uint64 // lowest sequence read, 0: the board has no records
	past    map[key]past
}

func (o *observedSource) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for rec, err := range o.Source.Read(ctx, board, from, to) {
			if err == nil {
				o.saw(&rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

func (o *observedSource) saw(rec *eventlog.Record) {
	o.records += 1 + len(rec.Data)/heavyRecord
	if o.first == 0 || rec.Seq < o.first {
		o.first = rec.Seq
	}
	if rec.Void() {
		return
	}
	for i := range rec.Commit.Decisions {
		d := &rec.Commit.Decisions[i]
		if p, matters := pastOf(d); matters {
			o.past[key{d.User, d.ID}] = p
		}
	}
}
