package service

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// key names a mutation on a board: ids belong to their user.
type key struct{ user, id string }

// place is where an undecided mutation is.
type place int

const (
	fresh  place = iota // arrived, or to be looked at again
	asking              // its id is being looked up in the log
	held                // its `after` is undecided
	ready               // the next commit decides it
	flying              // decided in the commit under way
)

// entry is one mutation that the log does not answer yet, however often it
// was sent, and its cancel.
type entry struct {
	key
	n      uint64         // arrival
	cmd    domain.Command // what will be decided: the cancel once there is one
	size   int            // bytes, about
	done   []func()       // of its deliveries, at most maxDone
	place  place
	queued time.Time // its first sending, by the queue's clock; zero: not known

	arrived  int64     // here, nanoseconds since 1970; of a traced one only
	absent   uint64    // no record up to this sequence decides it
	searched time.Time // ... nor, in the log, one of before this time; zero: it was not searched
	waits    key       // what it is held for
	// before and also are from the mutate's newest sending; before is its own id
	// as long as only the cancel has come.
	before   string
	also     []string
	oversize int // how often its decision alone was too large for a record
}

// maxDone is how many deliveries of one mutation stay unacknowledged until it
// is decided; older ones are superseded and acknowledged.
const maxDone = 4

// delivery is one with its size in bytes, about.
type delivery struct {
	eventlog.Delivery
	size int
}

// mail is what others leave for a worker.
type mail struct {
	deliveries []delivery
	answers    []answer
	looks      []chan<- *domain.Still // who asks for the board as it is
	forget     bool                   // the board is to be loaded again
	drain      bool
	stale      bool // the shard was another's for a while
}

// worker decides the commands of one board, one commit after the other. It
// lives while the board has undecided commands. The fields below mail belong
// to the goroutine in run.
type worker struct {
	s            *Service
	board        string
	backlog      int // undecided commands, guarded by s.mu
	backlogBytes int // guarded by s.mu

	mu   sync.Mutex
	mail mail
	wake chan struct{} // holds a token when there is mail

	spare []delivery  // room for the next deliveries
	timer *time.Timer // of sleep

	folded // state is ahead of the log by flight's decisions; nil: to be loaded

	arrivals  uint64
	undecided map[key]*entry
	fresh     []*entry
	ready     []*entry
	held      map[key][]*entry // by what they wait for
	lapse     time.Time        // no held entry's deadline is before it; zero: none is held
	building  bool             // of the next flight: what is flying is decided for it
	pruneAt   int              // entries of past at which the old ones are dropped

	flight    *flight
	batchSize int // decisions in the next commit at most
	voids     int // commits in a row that were void

	looks     []chan<- *domain.Still
	forget    bool
	questions questions
	retry     backoff
	retryAt   time.Time // of load or flight, after a failure
	draining  bool
}

// folded is what is known of a board.
type folded struct {
	state *domain.Board
	tail  int          // records since the board's last snapshot; a large one counts for several
	since uint64       // past tells all about records from this sequence on
	past  map[key]past // of mutations that others may come after

	packed []byte // state as a snapshot, as long as that is nil; nil: there is none
}

func newWorker(s *Service, board string) *worker {
	return &worker{
		s: s, board: board,
		wake:      make(chan struct{}, 1),
		undecided: make(map[key]*entry),
		held:      make(map[key][]*entry),
		batchSize: s.BatchSize,
	}
}

// deliver leaves a command; it never blocks.
func (w *worker) deliver(d delivery) {
	w.mu.Lock()
	w.mail.deliveries = append(w.mail.deliveries, d)
	if w.mail.drain { // its shard has come back
		w.mail.drain, w.mail.stale = false, true
	}
	w.mu.Unlock()
	w.rouse()
}

// post leaves other mail; it never blocks.
func (w *worker) post(put func(*mail)) {
	w.mu.Lock()
	put(&w.mail)
	w.mu.Unlock()
	w.rouse()
}

func (w *worker) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) empty() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.mail.deliveries) == 0 && len(w.mail.looks) == 0
}

// restFor is how long a worker stays when it has nothing to do: on a board that
// people are at work on the next command comes soon.
const restFor = 200 * time.Millisecond

// run works until nothing has been undecided for a while, or ctx ends.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.absorb()
		w.answerLooks()
		wait, busy := w.step(ctx)
		switch {
		case busy:
		case !w.finished():
			w.sleep(ctx, wait)
		case (w.draining || !w.sleep(ctx, restFor)) && w.s.retire(w):
			return
		}
	}
}

// finished says whether the worker may end: nothing is undecided, or draining,
// nothing that it could still finish.
func (w *worker) finished() bool {
	if w.draining {
		return w.flight == nil && len(w.ready) == 0 && len(w.fresh) == 0
	}
	return len(w.undecided) == 0
}

// sleep waits for mail, or at most for wait if that is not 0. It says whether
// there is mail.
func (w *worker) sleep(ctx context.Context, wait time.Duration) bool {
	var timeout <-chan time.Time
	if wait > 0 {
		if w.timer == nil {
			w.timer = time.NewTimer(wait)
		} else {
			w.timer.Reset(wait)
		}
		defer w.timer.Stop()
		timeout = w.timer.C
	}
	select {
	case <-w.wake:
		return true
	case <-timeout:
	case <-ctx.Done():
	}
	return false
}

// step does the next thing that is due, which may block on the log, or says
// for how long there is none (0: until there is mail).
func (w *worker) step(ctx context.Context) (wait time.Duration, busy bool) {
	if w.state != nil {
		w.considerFresh()
		w.questions.start(w)
	}
	if wait = time.Until(w.retryAt); wait > 0 {
		return wait, false
	}
	switch {
	case w.state == nil:
		w.load(ctx)
		return 0, true
	case w.flight != nil:
		w.advance(ctx)
		return 0, true
	}
	if w.releaseLapsed(); len(w.ready) > 0 {
		w.build()
		return 0, true
	}
	if !w.lapse.IsZero() {
		return max(w.lapse.Sub(w.s.Now()), time.Millisecond), false
	}
	return 0, false
}

// failed puts the next try off.
func (w *worker) failed(what string, err error) {
	wait := w.retry.next()
	w.retryAt = time.Now().Add(wait)
	w.s.warn(what+" failed, trying again", "board", w.board, "error", err)
}

func (w *worker) succeeded() { w.retry, w.retryAt = backoff{}, time.Time{} }

// maxSpare is how much room for deliveries a worker keeps.
const maxSpare = 64

func (w *worker) absorb() {
	w.mu.Lock()
	m := w.mail
	w.mail = mail{deliveries: w.spare, drain: m.drain}
	w.mu.Unlock()
	if w.draining = m.drain; m.stale {
		w.reload()
	}
	w.looks, w.forget = append(w.looks, m.looks...), w.forget || m.forget
	for i := range m.deliveries {
		w.accept(&m.deliveries[i])
	}
	for i := range m.answers {
		w.answered(&m.answers[i])
	}
	clear(m.deliveries)
	if w.spare = m.deliveries[:0]; cap(w.spare) > maxSpare {
		w.spare = nil
	}
}

// accept takes a delivery in: as a new mutation, or as another sending of an
// undecided one.
func (w *worker) accept(d *delivery) {
	k := key{d.Command.User, d.Command.ID}
	if e := w.undecided[k]; e != nil {
		w.s.release(w, 1, d.size)
		w.join(e, d)
		return
	}
	w.arrivals++
	e := &entry{key: k, n: w.arrivals, cmd: d.Command, queued: d.Queued, size: d.size, done: []func(){d.Done}, before: d.Command.After, also: d.Command.Also}
	e.cmd.Also = nil
	if w.s.traces(&e.cmd) {
		e.arrived = w.s.Now().UnixNano()
	}
	if e.cmd.Op == domain.OpCancel {
		e.before = e.id
	}
	w.undecided[k] = e
	w.fresh = append(w.fresh, e)
}

// join adds another sending, or a cancel, to an undecided mutation. The
// deadline is the earliest of the sendings'; `after` is the newest sending's,
// for its gateway has seen more verdicts since. A cancel is decided in the
// mutation's stead. Another content waits for the verdict, which tells it.
func (w *worker) join(e *entry, d *delivery) {
	if len(e.done) == maxDone {
		e.done[0]()
		e.done = slices.Delete(e.done, 0, 1)
	}
	e.done = append(e.done, d.Done)
	cmd := &d.Command
	switch {
	case cmd.Op == domain.OpCancel:
		e.cmd = *cmd
		e.cmd.Also = nil
	case e.cmd.Op == domain.OpCancel:
		e.before, e.also = cmd.After, cmd.Also
		w.learnBefore(e.key, e)
	case cmd.ContentHash() == e.cmd.ContentHash():
		e.before, e.also, e.cmd.After = cmd.After, cmd.Also, cmd.After
		if cmd.Deadline.Before(e.cmd.Deadline) {
			e.cmd.Deadline = cmd.Deadline
		}
	default:
		return
	}
	if e.place == held {
		if w.undecided[e.waits] == nil { // another worker may have decided it meanwhile
			from, _ := domain.DecidedWindow(e.waits.id, w.now())
			w.questions.ask(question{key: e.waits, from: from})
		}
		w.unhold(e)
		w.reconsider(e)
	}
}

// load folds the board from the log and looks at everything undecided again.
func (w *worker) load(ctx context.Context) {
	if w.unpack() {
		return
	}
	select {
	case w.s.loads <- struct{}{}:
	case <-ctx.Done():
		return
	}
	start := w.s.Now()
	src := &observedSource{Source: w.s.Log, past: make(map[key]past)}
	state, err := eventlog.LoadBoard(ctx, src, w.board)
	<-w.s.loads
	if err != nil {
		if ctx.Err() == nil {
			w.failed("loading a board", err)
		}
		return
	}
	w.succeeded()
	eventlog.Observe(w.s.metrics.load, start, w.s.Now())
	w.folded = folded{state: state, tail: src.records, since: src.first, past: src.past}
	w.s.directory.loaded(state)
	w.s.heads.loaded(state)
	w.s.snapshots.consider(w)

	w.fresh, w.ready, w.lapse = nil, nil, time.Time{}
	clear(w.held)
	for _, e := range w.undecided {
		if e.place != asking {
			w.reconsider(e)
		}
	}
	slices.SortFunc(w.fresh, func(a, b *entry) int { return cmp.Compare(a.n, b.n) })
}

// reload throws the state away, and with it what was decided in vain.
func (w *worker) reload() { w.state, w.flight = nil, nil }
