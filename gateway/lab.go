package gateway

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// The rollback lab (Config.Lab): a session may ask its gateway to delay its
// mutations, to refuse some and to lose some, before anything is published.
// What may have been published is never refused nor lost: that is for the log
// to say (law 4).

// lab is what a gateway with Config.Lab knows beside its sessions; nil without.
// Safe for concurrent use.
type lab struct {
	random func() float64 // 0 to 1, without 1

	some atomic.Bool // something was refused
	mu   sync.Mutex  // taken last
	// refused is law 3 for what was refused: in this process's memory only,
	// and only the newest.
	refused newest[domain.Verdict]
	// left are mutations that were published perhaps, and that nobody here
	// waits for any more: the log may still decide them.
	left newest[struct{}]
}

// keepIDs is how many refused mutations a lab remembers, and how many left ones.
const keepIDs = 10_000

func newLab() *lab {
	return &lab{random: rand.Float64, refused: newest[domain.Verdict]{most: keepIDs}, left: newest[struct{}]{most: keepIDs}}
}

// labKey names a mutation among all boards.
type labKey struct {
	board string
	mutationKey
}

// newest remembers so many values: those put in last.
type newest[V any] struct {
	most int
	by   map[labKey]V
	ring []labKey
	next int // the oldest in a full ring
}

func (n *newest[V]) put(key labKey, v V) {
	if n.by == nil {
		n.by = map[labKey]V{}
	}
	if _, known := n.by[key]; !known {
		if len(n.ring) < n.most {
			n.ring = append(n.ring, key)
		} else {
			delete(n.by, n.ring[n.next])
			n.ring[n.next] = key
			n.next = (n.next + 1) % n.most
		}
	}
	n.by[key] = v
}

// refuse keeps the verdict on a mutation that was never published.
func (l *lab) refuse(board string, s *sending) {
	v := domain.Verdict{User: s.key.user, ID: s.key.id, Content: s.cmd.ContentHash(),
		Rejection: &domain.Rejection{Code: wire.Lab, Reason: "refused by the rollback lab, as this session asked"}}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused.put(labKey{board, s.key}, v)
	l.some.Store(true)
}

// refusal gives the verdict on a mutation that was refused.
func (l *lab) refusal(board string, key mutationKey) (v domain.Verdict, ok bool) {
	if l == nil || !l.some.Load() {
		return v, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok = l.refused.by[labKey{board, key}]
	return v, ok
}

// leave says that somebody has stopped waiting for a mutation that has no
// verdict.
func (l *lab) leave(board string, key mutationKey) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left.put(labKey{board, key}, struct{}{})
}

// hasLeft says whether leave did, of late.
func (l *lab) hasLeft(board string, key mutationKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.left.by[labKey{board, key}]
	return ok
}

// refusedInLab answers s, as every sending, if the lab has refused its
// mutation. Call it with h.mu held.
func (h *hub) refusedInLab(s *sending) bool {
	v, ok := h.hs.lab.refusal(h.board, s.key)
	if ok {
		h.register(s)
		h.answer(v)
	}
	return ok
}

// fate is what becomes of a mutation in the lab.
type fate string

const (
	fatePass    fate = "pass"
	fateRefuse  fate = "refuse"
	fateSwallow fate = "swallow"
)

// labSetting is what a session has asked for.
type labSetting struct {
	DelayMs  int     `json:"delayMs"`  // before each mutate, 0 to maxLabDelay
	JitterMs int     `json:"jitterMs"` // at most so much more, at random
	Refuse   float64 `json:"refuse"`   // share of the mutates, 0 to 1
	Swallow  float64 `json:"swallow"`  // the same; together at most 1
	Plan     []fate  `json:"plan"`     // of the next mutates, before the shares apply
}

const (
	maxLabDelay = 30_000 // ms
	maxLabPlan  = 100
)

func (set *labSetting) zero() bool {
	return set.DelayMs == 0 && set.JitterMs == 0 && set.Refuse == 0 && set.Swallow == 0 && len(set.Plan) == 0
}

// next takes what is planned for the next mutate, or draws it.
func (set *labSetting) next(random func() float64) fate {
	if len(set.Plan) > 0 {
		f := set.Plan[0]
		set.Plan = set.Plan[1:]
		return f
	}
	switch at := random(); {
	case at < set.Refuse:
		return fateRefuse
	case at < set.Refuse+set.Swallow:
		return fateSwallow
	}
	return fatePass
}
