package client

import (
	"math"
	"slices"
	"sort"

	"github.com/snapback-io/snapback/domain"
)

// key is something a pending mutation reads or writes: an entity it writes
// (kind ""), a list of siblings, or the seat of one sibling (kind refKind).
type key list

const refKind = "\x00ref"

func entityKey(id string) key { return key{parent: id} }
func refKey(id string) key    { return key{kind: refKind, parent: id} }

// overlay is what the pending mutations make of the confirmed entities: for
// each entity they touch its states, one after each change that touched it.
// So the state that an earlier mutation saw can be told from a later one's.
type overlay struct {
	versions map[string][]version    // ascending by at
	lists    map[list]map[string]int // how many versions of an entity are in the list
}

// version is the state of an entity after the change at.
type version struct {
	at     uint64         // mutation's seq and the number of its change, see changeAt
	entity *domain.Entity // nil: deleted by a pending mutation
	made   uint64         // order among entities not confirmed yet
}

const now = math.MaxUint64 // after every pending mutation

func changeAt(p *Pending, i int) uint64 { return p.seq<<16 | uint64(i) }

func newOverlay() overlay {
	return overlay{versions: map[string][]version{}, lists: map[list]map[string]int{}}
}

// before gives the last version of the entity before a change, ok false if no
// pending mutation has touched it until then.
func (o *overlay) before(id string, at uint64) (v version, ok bool) {
	vs := o.versions[id]
	i := sort.Search(len(vs), func(i int) bool { return vs[i].at >= at })
	if i == 0 {
		return version{}, false
	}
	return vs[i-1], true
}

// put adds a version, or replaces that of the same change.
func (o *overlay) put(id string, v version) {
	o.drop(id, v.at)
	vs := o.versions[id]
	i := sort.Search(len(vs), func(i int) bool { return vs[i].at >= v.at })
	o.versions[id] = slices.Insert(vs, i, v)
	if v.entity == nil {
		return
	}
	l := listOf(v.entity)
	if o.lists[l] == nil {
		o.lists[l] = map[string]int{}
	}
	o.lists[l][id]++
}

func (o *overlay) drop(id string, at uint64) {
	vs := o.versions[id]
	i := slices.IndexFunc(vs, func(v version) bool { return v.at == at })
	if i < 0 {
		return
	}
	old := vs[i].entity
	if o.versions[id] = slices.Delete(vs, i, i+1); len(o.versions[id]) == 0 {
		delete(o.versions, id)
	}
	if old == nil {
		return
	}
	l := listOf(old)
	if o.lists[l][id]--; o.lists[l][id] > 0 {
		return
	}
	if delete(o.lists[l], id); len(o.lists[l]) == 0 {
		delete(o.lists, l)
	}
}

// current is the entity as confirmed and the pending mutations before s.bound
// make it, nil if there is none.
func (s *Store) current(id string) *domain.Entity {
	if v, touched := s.overlay.before(id, s.bound); touched {
		return v.entity
	}
	return s.confirmed[id]
}

// touchedIn calls f with the entities of a list that pending mutations before
// s.bound have touched.
func (s *Store) touchedIn(l list, f func(*domain.Entity)) {
	for id := range s.overlay.lists[l] {
		if v, touched := s.overlay.before(id, s.bound); touched && v.entity != nil && listOf(v.entity) == l {
			f(v.entity)
		}
	}
}

// members gives the entities of a list as confirmed and pending make them, in
// no particular order.
func (s *Store) members(l list) []*domain.Entity {
	var out []*domain.Entity
	for _, e := range s.siblings[l] {
		if _, touched := s.overlay.before(e.ID, s.bound); !touched {
			out = append(out, e)
		}
	}
	s.touchedIn(l, func(e *domain.Entity) { out = append(out, e) })
	return out
}
