package check

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// op is one mutation of one user as clients saw it: an operation on the board,
// which is a register that holds its rev.
type op struct {
	user, id string
	call     int64  // ns: of its first sending, or of a cancel that came before it
	back     int64  // of its first verdict; never when nobody was told
	rev      uint64 // after it
	events   int    // it raised rev by so many; 0: refused, or it changed nothing
	refused  string
	order    int // in the log
}

const never = math.MaxInt64

func (o op) String() string {
	what := o.refused
	if what == "" {
		what = fmt.Sprintf("%d events", o.events)
	}
	return fmt.Sprintf("%s of %s (%s, rev %d)", o.id, o.user, what, o.rev)
}

// register is the board: a mutation with k events that was told rev n takes it
// from n-k to n; one without events must have been decided at n.
var register = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, _, output any) (bool, any) {
		o := output.(op)
		return state.(uint64)+uint64(o.events) == o.rev, o.rev
	},
	DescribeOperation: func(_, output any) string { return output.(op).String() },
	DescribeState:     func(state any) string { return fmt.Sprint("rev ", state) },
}

// from is the register that begins at rev.
func from(rev uint64) porcupine.Model {
	m := register
	m.Init = func() any { return rev }
	return m
}

// ops are the board's mutations, in the order of their first sending. What was
// never answered and is in the log may have taken effect at any time after it
// was sent; where it was refused it says nothing and is left out.
func (j *Judge) ops() []op {
	var list []op
	for key, d := range j.Log.By {
		o := op{user: key[0], id: key[1], call: never, back: never, rev: d.Rev, events: len(d.Events), order: d.Order}
		if d.Rejection != nil {
			o.refused = d.Rejection.Code
		}
		for _, s := range j.ups[key] {
			o.call = min(o.call, s.frame.at.UnixNano())
		}
		if o.call == never {
			o.call = 0 // before anybody looked
		}
		if v, ok := j.verdictOf[key]; ok {
			o.back = v.at.UnixNano()
			if v.Type == "ack" {
				o.rev, o.events = v.Rev, v.Events
			}
		}
		switch {
		case o.back == never && o.events == 0:
			j.Counts["unknown, no effect"]++
			continue
		case o.back == never:
			j.Counts["unknown, took effect"]++
		default:
			j.Counts["operations"]++
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b op) int { return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.order, b.order)) })
	return list
}

// patience is how long porcupine may take over one board.
const patience = 20 * time.Second

// linear judges that the mutations are linearizable: by porcupine, of what the
// verdicts said, and by hand, of that and of the order in the log.
func (j *Judge) linear() {
	ops := j.ops()
	if broken := overtaken(ops, func(o op) int { return o.order }); broken != nil {
		j.Fault("linear", "%s comes after %s in the log, but was answered before that was sent", broken[0], broken[1])
	}
	hand := overtaken(ops, op.place)
	if hand != nil {
		ops = around(ops, hand) // of all of it a search could take for ever
		j.broken = ops
		j.Fault("linear", "%s was told, before %s was sent", hand[0], hand[1])
	}
	if j.Virtual && hand == nil {
		return
	}
	start := uint64(0)
	if len(ops) > 0 && hand != nil {
		start = lowest(ops)
	}
	switch porcupine.CheckOperationsTimeout(from(start), operations(ops), patience) {
	case porcupine.Illegal:
		if j.broken == nil {
			j.broken = ops[:min(len(ops), mostShown)]
		}
		j.Fault("linear", "the verdicts are not linearizable")
	case porcupine.Unknown: // what was found by hand stands
		j.Counts["porcupine gave up"]++
	}
}

// place sorts operations by what they were told: those without events come
// after the one that made their rev, and before the next.
func (o op) place() int {
	if o.events > 0 {
		return 2 * int(o.rev)
	}
	return 2*int(o.rev) + 1
}

func lowest(ops []op) uint64 {
	lo := uint64(math.MaxUint64)
	for _, o := range ops {
		lo = min(lo, o.rev-uint64(o.events))
	}
	return lo
}

// overtaken gives two operations of which the first ended before the second
// began and yet comes after it, nil if there are none. ops are sorted by call.
func overtaken(ops []op, place func(op) int) []op {
	ended := slices.Clone(ops)
	slices.SortFunc(ended, func(a, b op) int { return cmp.Compare(a.back, b.back) })
	var last *op
	for i, n := 0, 0; i < len(ops); i++ {
		for ; n < len(ended) && ended[n].back < ops[i].call; n++ {
			if last == nil || place(ended[n]) > place(*last) {
				last = &ended[n]
			}
		}
		if last != nil && place(*last) > place(ops[i]) {
			return []op{*last, ops[i]}
		}
	}
	return nil
}

// mostShown is how many operations a picture of a failure may have.
const mostShown = 400

// around are the operations under way while these were.
func around(ops, which []op) []op {
	lo, hi := int64(never), int64(0)
	for _, o := range which {
		if lo = min(lo, o.call); o.back != never {
			hi = max(hi, o.back)
		}
	}
	var list []op
	for _, o := range ops {
		if o.call <= hi && o.back >= lo && len(list) < mostShown {
			list = append(list, o)
		}
	}
	return list
}

// operations are ops as porcupine has them, each in a lane where it is alone.
// What was decided without events at rev n must come before the next event, so
// that one is said to have been called after them, which it may as well have
// been: a search that goes by the time of calls then does not have to guess.
func operations(ops []op) []porcupine.Operation {
	latest := map[uint64]int64{} // by rev, the last call of what was decided there without events
	for _, o := range ops {
		if o.events == 0 {
			latest[o.rev] = max(latest[o.rev], o.call)
		}
	}
	var free []int64 // by lane, when it is
	var list []porcupine.Operation
	for _, o := range ops {
		lane := slices.IndexFunc(free, func(at int64) bool { return at < o.call })
		if lane < 0 {
			lane = len(free)
			free = append(free, 0)
		}
		free[lane] = o.back
		call := o.call
		if o.events > 0 {
			call = max(call, min(latest[o.rev-uint64(o.events)]+1, o.back))
		}
		list = append(list, porcupine.Operation{ClientId: lane, Input: o.id, Call: call, Output: o, Return: o.back})
	}
	return list
}

// draw writes porcupine's picture of what is broken to a file (HTML).
func (j *Judge) draw(path string) error {
	model := from(lowest(j.broken))
	_, info := porcupine.CheckOperationsVerbose(model, operations(j.broken), patience)
	return porcupine.VisualizePath(model, info, path)
}
