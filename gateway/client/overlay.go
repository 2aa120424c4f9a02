package client

import (
	"cmp"
	"slices"
	"sort"

	"github.com/snapback-io/snapback/domain"
)

// key is something a pending mutation reads or writes: an entity (kind "") or
// a list of siblings. Mutations without a common key cannot influence each other.
type key list

func entityKey(id string) key { return key{parent: id} }

// overlay is what the pending mutations make of the confirmed entities: only
// the entities they touch.
type overlay struct {
	over  map[string]overlaid
	lists map[list]map[string]struct{} // members of over by the list they are in
}

type overlaid struct {
	entity *domain.Entity // nil: deleted by a pending mutation
	made   uint64         // order among entities not confirmed yet
}

func newOverlay() overlay {
	return overlay{over: map[string]overlaid{}, lists: map[list]map[string]struct{}{}}
}

func (o *overlay) put(id string, e overlaid) {
	o.drop(id)
	o.over[id] = e
	if e.entity == nil {
		return
	}
	l := listOf(e.entity)
	if o.lists[l] == nil {
		o.lists[l] = map[string]struct{}{}
	}
	o.lists[l][id] = struct{}{}
}

func (o *overlay) drop(id string) {
	old, ok := o.over[id]
	if !ok {
		return
	}
	delete(o.over, id)
	if old.entity == nil {
		return
	}
	l := listOf(old.entity)
	if delete(o.lists[l], id); len(o.lists[l]) == 0 {
		delete(o.lists, l)
	}
}

// replay applies one mutation to the overlay and notes in p.keys what it read
// and wrote.
func (s *Store) replay(p *Pending) {
	p.keys = map[key]struct{}{}
	for i, c := range p.Changes {
		s.replayChange(p, c, p.seq<<16|uint64(i))
	}
}

// replayChange follows the table "Applying a patch" of PROTOCOL.md.
// Preconditions are the server's to judge.
func (s *Store) replayChange(p *Pending, c domain.Change, made uint64) {
	p.keys[entityKey(c.EntityID)] = struct{}{}
	over, touched := s.overlay.over[c.EntityID]
	if touched && over.entity == nil {
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
		s.overlay.put(c.EntityID, overlaid{s.merge(p, next, c.Patch, true), made})
	default:
		next := s.merge(p, old, c.Patch, false)
		s.overlay.put(c.EntityID, overlaid{next, over.made})
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
	if created || !sameSeat(old, &next) {
		p.keys[key(before)] = struct{}{}
		p.keys[key(after)] = struct{}{}
	}
	return &next
}

// sameSeat says whether a and b, two states of one entity, look alike to
// whoever chooses a position among their siblings.
func sameSeat(a, b *domain.Entity) bool {
	return listOf(a) == listOf(b) && position(a) == position(b) && a.Fields.Bool("archived") == b.Fields.Bool("archived")
}

func (s *Store) replayDelete(p *Pending, e *domain.Entity) {
	p.keys[entityKey(e.ID)] = struct{}{}
	p.keys[key(listOf(e))] = struct{}{}
	s.overlay.put(e.ID, overlaid{})
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
		p.keys[entityKey(anchor)] = struct{}{}
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
	for id := range s.overlay.lists[l] {
		if e := s.overlay.over[id].entity; id != self && !e.Fields.Bool("archived") {
			take(position(e))
		}
	}
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
	for id := range s.overlay.lists[l] {
		e := s.overlay.over[id].entity
		if at := position(e); id != self && !e.Fields.Bool("archived") && at != "" && (k == "" || at < k) {
			k = at
		}
	}
	return k
}

// counts says whether the confirmed sibling is seen as it is and takes a place.
func (s *Store) counts(e *domain.Entity, self string) bool {
	_, touched := s.overlay.over[e.ID]
	return !touched && e.ID != self && !e.Fields.Bool("archived")
}

// members gives the entities of a list as confirmed and pending make them, in
// no particular order.
func (s *Store) members(l list) []*domain.Entity {
	var out []*domain.Entity
	for _, e := range s.siblings[l] {
		if _, touched := s.overlay.over[e.ID]; !touched {
			out = append(out, e)
		}
	}
	for id := range s.overlay.lists[l] {
		out = append(out, s.overlay.over[id].entity)
	}
	return out
}

// current is the entity as confirmed and the pending mutations replayed so far
// make it, nil if there is none.
func (s *Store) current(id string) *domain.Entity {
	if o, touched := s.overlay.over[id]; touched {
		return o.entity
	}
	return s.confirmed[id]
}

// rebase replays the pending mutations that the changed keys can influence,
// and those they influence in turn, in the order made. The others stay as they are.
func (s *Store) rebase(changed map[key]struct{}) (touched map[string]struct{}) {
	touched = map[string]struct{}{}
	again := map[*Pending]struct{}{}
	for first := true; s.spread(changed, again) || first; first = false {
		for k := range changed {
			if k.kind == "" {
				touched[k.parent] = struct{}{}
				s.overlay.drop(k.parent)
			}
		}
		batch := make([]*Pending, 0, len(again))
		for p := range again {
			batch = append(batch, p)
		}
		slices.SortFunc(batch, func(a, b *Pending) int { return cmp.Compare(a.seq, b.seq) })
		for _, p := range batch {
			s.unnote(p)
			s.replay(p)
			s.note(p)
			for k := range p.keys {
				changed[k] = struct{}{}
			}
		}
	}
	for k := range changed {
		if k.kind == "" {
			touched[k.parent] = struct{}{}
		}
	}
	return touched
}

// spread adds to again every shown mutation that has one of the keys, and its
// keys to changed, until nothing is left to add. It says whether it added any.
func (s *Store) spread(changed map[key]struct{}, again map[*Pending]struct{}) (grew bool) {
	queue := make([]key, 0, len(changed))
	for k := range changed {
		queue = append(queue, k)
	}
	for len(queue) > 0 {
		k := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for p := range s.users[k] {
			if _, ok := again[p]; ok {
				continue
			}
			again[p], grew = struct{}{}, true
			for k := range p.keys {
				if _, ok := changed[k]; !ok {
					changed[k] = struct{}{}
					queue = append(queue, k)
				}
			}
		}
	}
	return grew
}

func (s *Store) note(p *Pending) {
	for k := range p.keys {
		if s.users[k] == nil {
			s.users[k] = map[*Pending]struct{}{}
		}
		s.users[k][p] = struct{}{}
	}
}

func (s *Store) unnote(p *Pending) {
	for k := range p.keys {
		if delete(s.users[k], p); len(s.users[k]) == 0 {
			delete(s.users, k)
		}
	}
}
