package projector

import (
	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// View is the confirmed state of one board and turns records into what its
// viewers are told. Pure, not safe for concurrent use.
type View struct {
	board     *domain.Board
	watchOpen bool
	sightings map[string]uint64 // which rev brought an entity and what hangs on it into sight last
	forgotten uint64            // up to this rev they are not remembered
	told      told
}

// NewView takes over b.
func NewView(b *domain.Board) *View { return &View{board: b, forgotten: b.Rev()} }

// Board is the folded state. The caller must not Apply to it.
func (v *View) Board() *domain.Board { return v.board }

// Rev is the board's rev.
func (v *View) Rev() uint64 { return v.board.Rev() }

// Seq is the sequence of the last record folded.
func (v *View) Seq() uint64 { seq, _, _ := v.board.Head(); return seq }

// Outcome is what one decision tells: its syncs in rev order, then its verdict.
type Outcome struct {
	Syncs []Sync
	// Open are the syncs for who watches the open part; nil: Syncs, or nobody
	// is said to ([View.WatchOpen]).
	Open []Sync
	// Swamped: those of the record would be more than maxOpen. Who watches the
	// open part is given [View.OpenSince] instead.
	Swamped bool
	Verdict domain.Verdict
}

// Sync is one entity as of one event. Several with the same Rev come of one
// list.respaced; of Outcome.Open those without Event tell what else who watches
// the open part must be told.
type Sync struct {
	Rev    uint64
	Entity *domain.Entity // a tombstone when it is gone
	By     string
	Event  string
	More   bool // further syncs of the same mutation follow
}

// Apply folds the next record. A void one only moves Seq and gives nothing. On
// an error the view is unusable: load the board again.
func (v *View) Apply(r eventlog.Record) ([]Outcome, error) {
	c := r.Commit
	v.told = told{}
	outs := make([]Outcome, 0, len(c.Decisions))
	events := 0
	for i := range c.Decisions {
		events += len(c.Decisions[i].Events)
	}
	syncs := make([]Sync, 0, events) // list.respaced has more than one
	var open []Sync
	other := false // open is other than syncs
	swamped := false
	err := v.board.Apply(c, r.Hash, r.Seq, r.Time, func(s domain.Step) {
		for i, e := range s.Entities {
			syncs = append(syncs, Sync{s.Event.Rev, e, s.Decision.User, s.Event.Type, s.More || i < len(s.Entities)-1})
		}
		shown := v.sight(s)
		if v.watchOpen && !swamped {
			var o bool
			open, o = v.opened(open, s, shown)
			other = other || o
			swamped = len(open) > maxOpen
		}
	})
	if err != nil {
		return nil, err
	}
	if r.Void() {
		return nil, nil
	}
	for i := range c.Decisions {
		d := &c.Decisions[i]
		out := Outcome{Verdict: d.Verdict(), Swamped: swamped}
		out.Syncs, syncs = upTo(d, syncs)
		if other && !swamped {
			out.Open, open = upTo(d, open)
		}
		out.Verdict.Seq = r.Seq
		outs = append(outs, out)
	}
	return outs, nil
}

// upTo splits the syncs of a decision off.
func upTo(d *domain.Decision, syncs []Sync) (of, left []Sync) {
	n := 0
	if len(d.Events) > 0 {
		for n < len(syncs) && syncs[n].Rev <= d.Rev {
			n++
		}
	}
	return syncs[:n:n], syncs[n:]
}
