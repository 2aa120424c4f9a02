package client

import (
	"sort"

	"github.com/snapback-io/snapback/domain"
)

// replay applies one mutation to what it finds and notes in p.keys what it
// read and wrote.
func (s *Store) replay(p *Pending) {
	p.keys = map[key]struct{}{}
	for i, c := range p.Changes {
		s.bound = changeAt(p, i)
		s.replayChange(p, c)
	}
	s.bound = now
}

// replayChange follows the table "Applying a patch" of PROTOCOL.md.
// Preconditions are the server's to judge.
func (s *Store) replayChange(p *Pending, c domain.Change) {
	p.keys[entityKey(c.EntityID)] = struct{}{}
	last, touched := s.overlay.before(c.EntityID, s.bound)
	if touched && last.entity == nil {
		return // deleted by an earlier pending mutation
	}
	old := s.current(c.EntityID)
	if c.Patch == nil {
		if old != nil {
			s.replayDelete(p, old)
		}
		return
	}
	kind, hasKind := c.Patch["kind"].(string)
	switch {
	case old == nil && (!hasKind || kind == ""):
		return
	case old != nil && hasKind && domain.Kind(kind) != old.Kind:
		return
	case old == nil:
		next := &domain.Entity{ID: c.EntityID, Kind: domain.Kind(kind), CreatedBy: s.user}
		s.overlay.put(c.EntityID, version{s.bound, s.merge(p, next, c.Patch, true), s.bound})
	default:
		next := s.merge(p, old, c.Patch, false)
		s.overlay.put(c.EntityID, version{s.bound, next, last.made})
	}
}

// merge gives a new entity: old with patch applied and a place among its siblings.
func (s *Store) merge(p *Pending, old *domain.Entity, patch domain.Patch, created bool) *domain.Entity {
	next := *old
	next.Fields = domain.Merge(old.Fields, patch, s.user)
	before, after := listOf(old), listOf(&next)
	if positioned(next.Kind) {
		place, isPlace := patch["position"].(domain.Place)
		_, given := next.Fields["position"]
		switch {
		case isPlace:
			s.settle(p, old, &next, place, created || before != after)
		case created && !given, before != after && patch["position"] == nil:
			s.settle(p, old, &next, domain.Place{HasBefore: true}, true)
		}
	}
	if next.Kind == domain.KindCard {
		next.Fields["liked"] = next.LikedBy(s.user)
		next.Fields["likes"] = int64(len(next.Fields.Set("likedBy")))
	}
	return &next
}

// sameSeat says whether a and b, two states of one entity, look alike to
// whoever chooses a position among their siblings.
func sameSeat(a, b *domain.Entity) bool {
	return listOf(a) == listOf(b) && position(a) == position(b) && a.Fields.Bool("archived") == b.Fields.Bool("archived")
}

func (s *Store) replayDelete(p *Pending, e *domain.Entity) {
	if v, touched := s.overlay.before(e.ID, s.bound+1); touched && v.at == s.bound && v.entity == nil {
		return // a checklist under itself
	}
	p.keys[entityKey(e.ID)] = struct{}{}
	s.overlay.put(e.ID, version{at: s.bound})
	for _, l := range hanging(e.ID) {
		p.keys[key(l)] = struct{}{}
		for _, child := range s.members(l) {
			s.replayDelete(p, child)
		}
	}
}

// settle gives next the position key that place asks for, from what the view
// shows, as the server does: next to a sibling, or last where that sibling has
// gone elsewhere; who stands there already keeps its key. due says that it
// comes new to the list and must get one.
func (s *Store) settle(p *Pending, old, next *domain.Entity, place domain.Place, due bool) {
	l := listOf(next)
	p.keys[key(l)] = struct{}{}
	anchor := place.After + place.Before
	var sibling *domain.Entity
	if anchor != "" {
		p.keys[refKey(anchor)] = struct{}{}
		sibling = s.current(anchor)
		known := sibling != nil && sibling.Kind == next.Kind
		if !due && (!known || anchor == next.ID) {
			return
		}
		if !known || anchor == next.ID || listOf(sibling) != l || position(sibling) == "" {
			place, sibling = domain.Place{HasBefore: true}, nil
		}
	}
	low, high := s.room(l, next.ID, place, sibling)
	if own := position(old); !due && !old.Fields.Bool("archived") && low < own && (high == "" || own < high) {
		return
	}
	k, err := domain.KeyBetween(low, high)
	if err != nil { // a sibling's key is none: stand beside it until the server answers
		k = low
	}
	next.Fields["position"] = k
}

// room gives the keys between which place is; "" is the open end.
func (s *Store) room(l list, self string, place domain.Place, sibling *domain.Entity) (low, high string) {
	if sibling == nil {
		if place.HasAfter {
			return "", s.lowest(l, self)
		}
		low, _ = s.neighbours(l, self, "")
		return low, ""
	}
	at := position(sibling)
	low, high = s.neighbours(l, self, at)
	switch {
	case sibling.Fields.Bool("archived"): // marks a place and takes none
	case place.HasAfter:
		low = at
	default:
		high = at
	}
	return low, high
}

// neighbours gives the nearest keys strictly below and above at among the
// unarchived siblings in the list, self left out; at "" stands for the end.
func (s *Store) neighbours(l list, self, at string) (below, above string) {
	take := func(k string) {
		if k == "" || k == at {
			return
		}
		if (at == "" || k < at) && k > below {
			below = k
		}
		if at != "" && k > at && (above == "" || k < above) {
			above = k
		}
	}
	sorted := s.siblings[l]
	start := len(sorted)
	if at != "" {
		start = sort.Search(len(sorted), func(i int) bool { return position(sorted[i]) >= at })
	}
	for i := start - 1; i >= 0 && below == ""; i-- {
		if s.counts(sorted[i], self) {
			take(position(sorted[i]))
		}
	}
	for i := start; i < len(sorted) && above == ""; i++ {
		if s.counts(sorted[i], self) {
			take(position(sorted[i]))
		}
	}
	s.touchedIn(l, func(e *domain.Entity) {
		if e.ID != self && !e.Fields.Bool("archived") {
			take(position(e))
		}
	})
	return below, above
}

// lowest gives the lowest key among the unarchived siblings, self left out.
func (s *Store) lowest(l list, self string) (k string) {
	for _, e := range s.siblings[l] {
		if s.counts(e, self) && position(e) != "" {
			k = position(e)
			break
		}
	}
	s.touchedIn(l, func(e *domain.Entity) {
		if at := position(e); e.ID != self && !e.Fields.Bool("archived") && at != "" && (k == "" || at < k) {
			k = at
		}
	})
	return k
}

// counts says whether the confirmed sibling is seen as it is and takes a place.
func (s *Store) counts(e *domain.Entity, self string) bool {
	_, touched := s.overlay.before(e.ID, s.bound)
	return !touched && e.ID != self && !e.Fields.Bool("archived")
}
