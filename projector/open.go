package projector

import (
	"maps"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// Who watches the open part of a board (domain.Board.Open) is told every change
// like everybody, and what else that makes him lack: under the rev of an event
// that brings something into sight what hangs on it, and under that of a
// comment's coming or going its card, which carries their count. What he holds
// beyond the open part stays as it is on the board.

// told is what OpenSince gave last: many ask the same, as when something is too
// much to be told live or a server has started again.
type told struct {
	since   uint64
	changed []*domain.Entity // nil: nothing yet
}

// maxSightings is how many are remembered before the older half is forgotten.
const maxSightings = 1024

// maxOpen is how many syncs of one record are told live: a mutation may shut
// and restore a large column many times over.
const maxOpen = 1 << 16

// WatchOpen says whether Apply gives Outcome.Open from now on.
func (v *View) WatchOpen(on bool) { v.watchOpen = on }

// opened adds to syncs what an event tells who watches the open part; other
// says whether that is other than what it tells everybody.
func (v *View) opened(syncs []Sync, s domain.Step, shown bool) (_ []Sync, other bool) {
	start := len(syncs)
	if len(s.Entities) == 0 {
		return syncs, false
	}
	for _, e := range s.Entities {
		counted := v.board.Counted(e)
		other = other || counted != e
		syncs = append(syncs, Sync{Rev: s.Event.Rev, Entity: counted, By: s.Decision.User, Event: s.Event.Type})
	}
	first := s.Entities[0]
	if shown {
		for e := range v.board.Under(first) {
			syncs = append(syncs, Sync{Rev: s.Event.Rev, Entity: v.board.Counted(e)})
		}
	}
	if first.Kind == domain.KindComment && (first.Deleted || first.CreatedRev == first.Rev) {
		if card := v.board.Get(first.Parent()); card != nil {
			syncs = append(syncs, Sync{Rev: s.Event.Rev, Entity: v.board.Counted(card)})
		}
	}
	for i := start; i < len(syncs)-1; i++ {
		syncs[i].More = true
	}
	syncs[len(syncs)-1].More = s.More
	return syncs, other || len(syncs)-start > len(s.Entities)
}

// sight notes and says whether the event brought its entity into sight, with
// what hangs on it. What was brought by what it hung on and has moved away is
// noted by itself: who asks later does not find it there.
func (v *View) sight(s domain.Step) bool {
	_, verb, _ := strings.Cut(s.Event.Type, ".")
	if verb != "restored" && verb != "moved" || len(s.Entities) == 0 {
		return false
	}
	before, now := s.Event.Before, s.Entities[0]
	switch now.Kind {
	case domain.KindColumn, domain.KindCard, domain.KindChecklist:
	default:
		return false
	}
	hidden, with := before.Bool("archived"), uint64(0)
	if from := before.String(domain.ParentField(now.Kind)); from != "" && !hidden {
		up := v.board.Get(from)
		hidden = up != nil && !v.board.InSight(up)
		for ; up != nil && len(v.sightings) > 0; up = v.board.Get(up.Parent()) {
			with = max(with, v.sightings[up.ID])
		}
	}
	if !hidden && with == 0 || !v.board.InSight(now) {
		return false
	}
	if hidden {
		with = s.Event.Rev
	}
	v.note(now.ID, with)
	return hidden
}

// note remembers that rev brought id into sight.
func (v *View) note(id string, rev uint64) {
	if v.sightings == nil {
		v.sightings = map[string]uint64{}
	}
	if v.sightings[id] = max(v.sightings[id], rev); len(v.sightings) <= maxSightings {
		return
	}
	v.forgotten = slices.Sorted(maps.Values(v.sightings))[maxSightings/2]
	maps.DeleteFunc(v.sightings, func(_ string, rev uint64) bool { return rev <= v.forgotten })
}

// OpenSince gives what who watches the open part, and has watched it as of rev,
// must be told to have it as of now: everything that has changed, what came
// into sight, and the cards that have another count of comments. Order and ok
// are those of [domain.Board.ChangedSince]. Of what happened before this view
// was loaded it is not known whether it brought something into sight: then what
// hangs on a changed column or card is given, too. Who asks the same has the
// same list; nobody may change it.
func (v *View) OpenSince(rev uint64) (changed []*domain.Entity, ok bool) {
	if v.told.changed != nil && v.told.since == rev {
		return v.told.changed, true
	}
	all, ok := v.board.ChangedSince(rev)
	if !ok || len(all) == 0 {
		return nil, ok
	}
	b := v.board
	given := make(map[string]bool, len(all))
	give := func(e *domain.Entity) {
		if e != nil && !given[e.ID] {
			given[e.ID] = true
			changed = append(changed, b.Counted(e))
		}
	}
	for _, e := range all {
		give(e)
	}
	for _, e := range all {
		switch {
		case e.Kind == domain.KindComment:
			give(b.Get(e.Parent()))
		case !e.Deleted && !b.InSight(e): // held only with what it hangs on
			for up := b.Get(e.Parent()); up != nil && up.Kind != domain.KindColumn; up = b.Get(up.Parent()) {
				give(up)
			}
		case !e.Deleted && rev < v.forgotten:
			for under := range b.Under(e) {
				give(under)
			}
		}
	}
	for _, e := range v.shownSince(rev) {
		for under := range b.Under(e) {
			give(under)
		}
	}
	domain.ParentsFirst(changed)
	v.told = told{rev, changed}
	return changed, true
}

// shownSince gives what has come into sight since rev and still is, in an order
// that depends on nothing else.
func (v *View) shownSince(rev uint64) (shown []*domain.Entity) {
	for id, at := range v.sightings {
		if at <= rev {
			continue
		}
		if e := v.board.Get(id); e != nil && v.board.InSight(e) {
			shown = append(shown, e)
		}
	}
	slices.SortFunc(shown, func(a, b *domain.Entity) int { return strings.Compare(a.ID, b.ID) })
	return shown
}
