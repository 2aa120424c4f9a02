package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
)

// A gateway owns a mutation from its first sending until its verdict: it
// registers, publishes, and as long as somebody waits looks at the log and
// publishes again. Only the log ends it.

const (
	firstLook  = 500 * time.Millisecond // without a verdict, until the log is looked at
	laterLook  = time.Second
	chaseTick  = 100 * time.Millisecond
	chaseLimit = 5 * time.Second // for one look
	// firstTry is for how long after its id was made a request over HTTP counts
	// as the first with it. Of an opaque id nobody can tell.
	firstTry = time.Second
)

// mutationKey names a mutation of a board: an id belongs to its user.
type mutationKey struct{ user, id string }

// sending is one mutate or cancel that waits for the verdict, from a session
// or an HTTP request. Under hub.mu.
type sending struct {
	key      mutationKey
	cmd      *domain.Command
	deadline time.Time           // of the time to live, by this node's monotonic clock
	session  *session            // nil over HTTP
	got      chan domain.Verdict // HTTP: has room for the verdict
	prev     *sending            // the mutate of its session before it
	repeat   bool                // it may have been sent before, to anybody
	mixed    bool                // one of those before it may have been
	decided  bool
	at       int // where it is in session.waiting
}

// owned is a mutation without a verdict and everybody who waits for it, in
// order of arrival: at least one.
type owned struct {
	sendings []*sending
	next     time.Time // when to look again
	room     [1]*sending
}

// decide ends s's wait, and lets go of what was decided before it: else a
// session that is never without a mutation in flight would keep them all.
func (s *sending) decide() {
	s.decided = true
	before := s.undecidedBefore()
	if s.session == nil {
		return
	}
	if s.session.last == s {
		s.session.last = before
	}
	waiting := s.session.waiting
	last := waiting[len(waiting)-1]
	waiting[s.at], last.at = last, s.at
	waiting[len(waiting)-1] = nil
	if s.session.waiting = waiting[:len(waiting)-1]; len(waiting) == 1 && cap(waiting) > maxWaiting {
		s.session.waiting = nil
	}
}

// maxWaiting is how many sendings a session without any keeps room for.
const maxWaiting = 8

// undecidedBefore is the nearest mutate of the same session before s that has
// no verdict yet, nil if there is none.
func (s *sending) undecidedBefore() *sending {
	p := s.prev
	for p != nil && p.decided {
		p = p.prev
	}
	s.prev = p
	return p
}

// name puts into cmd, which is s's or a copy of it, what it has to follow.
func (s *sending) name(cmd *domain.Command) {
	cmd.After, cmd.Also = "", nil
	if p := s.undecidedBefore(); p != nil && p.key.id != s.key.id {
		cmd.After = p.key.id
		if s.mixed {
			cmd.Also = p.behindRepeats()
		}
	}
}

// behindRepeats are the undecided mutates before s, as far back as one of them
// follows a repeat: that may be decided already, and then what stands before
// it here has to be waited for all the same (law 6).
func (s *sending) behindRepeats() []string {
	var ids []string
	n := 0
	for p := s; p.undecidedBefore() != nil; p = p.prev {
		ids = append(ids, p.prev.key.id)
		if p.repeat {
			n = len(ids)
		}
	}
	return ids[:n]
}

// register makes s wait. first says that nobody waited for the mutation here,
// or that s is its first cancel: then it is to be published, and its command
// names what it follows. Call it with h.mu held.
func (h *hub) register(s *sending) (first bool) {
	o := h.owned[s.key]
	if o == nil {
		o = &owned{next: time.Now().Add(firstLook)}
		o.sendings = o.room[:0]
		h.owned[s.key] = o
		h.startLooking()
	}
	first = true
	for _, other := range o.sendings {
		if other.cmd.Op == domain.OpCancel || s.cmd.Op != domain.OpCancel {
			first = false
		}
	}
	o.sendings = append(o.sendings, s)
	if s.session != nil {
		s.at = len(s.session.waiting)
		s.session.waiting = append(s.session.waiting, s)
	}
	if first {
		s.name(s.cmd)
	}
	return first
}

// startLooking has h.look run. Call it with h.mu held.
func (h *hub) startLooking() {
	switch {
	case h.looking || h.ctx.Err() != nil:
		return
	case h.chase == nil:
		h.chase = time.AfterFunc(chaseTick, h.look)
	default:
		h.chase.Reset(chaseTick)
	}
	h.looking = true
}

// forget ends s's wait. It says no when s has its verdict already. Call it
// with h.mu held.
func (h *hub) forget(s *sending) bool {
	o := h.owned[s.key]
	if o == nil || s.decided {
		return false
	}
	for i, other := range o.sendings {
		if other == s {
			o.sendings = append(o.sendings[:i:i], o.sendings[i+1:]...)
			break
		}
	}
	if len(o.sendings) == 0 {
		delete(h.owned, s.key)
	}
	s.decide()
	if s.cmd.Trace != "" {
		h.hs.tracing.drop(s.cmd.Trace)
	}
	return true
}

// answer is a verdict on its way to a session's queue.
type answer struct {
	session  *session
	item     item
	decision int  // place of the decision in its record
	serves   bool // cancels of the same session too
	next     int  // 1 + the session's next one in hub.answers; 0: none
}

// settle ends the wait of everybody for this mutation: each sending of a
// mutate gets one verdict; a cancel has one with the mutate it stands beside,
// else one of its own. HTTP requests are answered at once, the sessions'
// answers are left in h.answers for the caller. decided is the command as its
// record has it, nil if that is not at hand. Call it with h.mu held.
func (h *hub) settle(v *domain.Verdict, decided *domain.Command, decision int) {
	key := mutationKey{v.User, v.ID}
	o := h.owned[key]
	if o == nil {
		return
	}
	delete(h.owned, key)
	first := len(h.answers)
	for _, s := range o.sendings {
		if s.cmd.Op != domain.OpCancel {
			h.settleOne(s, v, decided, decision)
		}
	}
	for _, s := range o.sendings {
		if s.cmd.Op != domain.OpCancel {
			continue
		}
		at := slices.IndexFunc(h.answers[first:], func(a answer) bool { return a.session == s.session && a.serves })
		if at < 0 {
			h.settleOne(s, v, decided, decision)
			continue
		}
		h.answers[first+at].item.ends.cancels++
		s.decide()
	}
}

func (h *hub) settleOne(s *sending, v *domain.Verdict, decided *domain.Command, decision int) {
	s.decide()
	fits := v.Content == "" || decided != nil && sameContent(s.cmd, decided) || v.Fits(s.cmd.ContentHash())
	if !fits {
		v = idReused(v)
	}
	if s.cmd.Trace != "" {
		h.hs.tracing.outcome(s.cmd.Trace, outcomeOf(v))
	}
	if s.session == nil {
		s.got <- *v
		return
	}
	h.hs.counts.verdict(v, s, h.hs.now())
	a := answer{session: s.session, item: verdictItem(v), decision: decision}
	a.item.of = s.cmd.Trace
	if s.cmd.Op == domain.OpCancel {
		a.item.ends.cancels = 1
	} else {
		a.item.ends.mutates, a.serves = 1, fits
	}
	h.answers = append(h.answers, a)
}

// chain links each session's answers, in the order decided. Call it with h.mu
// held.
func (h *hub) chain() {
	for i := len(h.answers) - 1; i >= 0; i-- {
		a := &h.answers[i]
		a.next, a.session.answers = a.session.answers, i+1
	}
}

// maxAnswers is how many answers a hub keeps room for.
const maxAnswers = 1024

func cleared(answers []answer) []answer {
	if clear(answers); cap(answers) > maxAnswers {
		return nil
	}
	return answers[:0]
}

// look comes around every chaseTick while somebody waits, and looks after
// mutations that wait too long.
func (h *hub) look() {
	if h.ctx.Err() == nil && len(h.overdue()) > 0 {
		h.pursue()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.looking = len(h.owned) > 0 && h.ctx.Err() == nil; h.looking {
		h.chase.Reset(chaseTick)
	}
}

func (h *hub) overdue() []mutationKey {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	var due []mutationKey
	for key, o := range h.owned {
		if !o.next.After(now) {
			due = append(due, key)
		}
	}
	return due
}

// pursue looks at the board's tail, once for all that wait, and publishes
// again what is not decided there. A tail that cannot be seen changes nothing:
// a command too many is harmless.
func (h *hub) pursue() {
	ctx, cancel := context.WithTimeout(h.ctx, chaseLimit)
	defer cancel()
	if err := h.feed.Current(ctx); err != nil {
		h.hs.logger.Debug("tail not seen", "board", h.board, "error", err)
	}
	for _, key := range h.overdue() {
		if v, ok, _ := h.decidedLately(ctx, key.user, key.id); ok {
			h.mu.Lock()
			h.answer(v)
			h.mu.Unlock()
			continue
		}
		cmd, ttl, ok := h.again(key)
		if !ok {
			continue
		}
		h.hs.counts.republished.Add(1)
		if err := h.hs.log.PublishCommand(cmd, ttl); err != nil {
			h.hs.logger.Debug("not published again", "board", h.board, "error", err)
		}
	}
}

// again gives what to publish for a mutation that still waits: a cancel if one
// waits, it settles the mutate too.
func (h *hub) again(key mutationKey) (*domain.Command, time.Duration, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.owned[key]
	if o == nil {
		return nil, 0, false
	}
	now := time.Now()
	o.next = now.Add(laterLook)
	chosen := o.sendings[0]
	for _, s := range o.sendings {
		if s.cmd.Op == domain.OpCancel {
			chosen = s
			break
		}
	}
	cmd := *chosen.cmd // the first is perhaps being published still
	chosen.name(&cmd)
	return &cmd, chosen.deadline.Sub(now), true
}

// own registers s and publishes it if that is due. maybeOut says that the
// mutation may have been published before: then a failure is no answer, and
// the chase goes on; what is too large for the log never was. Errors: *retryError, nothing was published and s does not wait.
func (h *hub) own(s *sending, maybeOut bool) error {
	h.mu.Lock()
	first := h.await(s)
	h.mu.Unlock()
	if !first {
		return nil
	}
	return h.publish(s, maybeOut)
}

// await registers s, unless the lab answers it. Call it with h.mu held.
func (h *hub) await(s *sending) (first bool) {
	return !(h.hs.lab != nil && h.refusedInLab(s)) && h.register(s)
}

// publish sends what own, or its caller, has registered first.
func (h *hub) publish(s *sending, maybeOut bool) error {
	err := h.hs.log.PublishCommand(s.cmd, time.Until(s.deadline))
	tooLarge := errors.Is(err, eventlog.ErrTooLarge) // for every node alike
	if err == nil || maybeOut && !tooLarge {
		return nil
	}
	h.hs.logger.Warn("command not published", "board", h.board, "id", s.key.id, "error", err)
	h.mu.Lock()
	defer h.mu.Unlock()
	if tooLarge {
		h.answer(domain.Verdict{User: s.key.user, ID: s.key.id, Rejection: &domain.Rejection{
			Code: domain.TooLarge, Reason: "command too large for the log", Details: domain.Details{"limit": wire.FrameBytes}}})
		return nil
	}
	if !h.forget(s) {
		return nil // the log knew it already
	}
	return &retryError{wire.Unavailable, retryAfter1}
}
