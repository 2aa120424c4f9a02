package client

import (
	"github.com/snapback-io/snapback/domain"
)

// rebase is one recomputation of the view after its ground has shifted. It
// replays the mutations that can see a difference, in the order made, and
// follows only what came out different: the cost is that of what changed.
type rebase struct {
	s       *Store
	dirty   map[*Pending]struct{}
	touched map[string]struct{} // entities whose state may have changed
}

func (s *Store) newRebase() *rebase {
	return &rebase{s: s, dirty: map[*Pending]struct{}{}, touched: map[string]struct{}{}}
}

// state is what a mutation finds of an entity. Deleted by a pending mutation
// is not the same as unknown: a create has no effect on it.
type state struct {
	entity *domain.Entity
	dead   bool
}

func (s *Store) stateBefore(id string, at uint64) state {
	if v, touched := s.overlay.before(id, at); touched {
		return state{v.entity, v.entity == nil}
	}
	return state{entity: s.confirmed[id]}
}

// shifted says that an entity's state from the mutation with number seq on (0:
// the confirmed one) is another. Who sees it, up to and with whoever next
// changes it, is replayed: those that write it, and where it has another seat
// those that look at its siblings.
func (r *rebase) shifted(id string, seq uint64, old, is state) {
	r.touched[id] = struct{}{}
	if old == is {
		return
	}
	until := uint64(now)
	for _, v := range r.s.overlay.versions[id] {
		if by := v.at >> 16; by > seq {
			until = by
			break
		}
	}
	see := func(k key) {
		for p := range r.s.users[k] {
			if p.seq > seq && p.seq <= until {
				r.dirty[p] = struct{}{}
			}
		}
	}
	see(entityKey(id))
	if old.entity != nil && is.entity != nil && sameSeat(old.entity, is.entity) {
		return
	}
	see(refKey(id))
	for _, e := range []*domain.Entity{old.entity, is.entity} {
		if e != nil {
			see(key(listOf(e)))
		}
	}
}

// remove takes a mutation's part out and tells who sees that.
func (r *rebase) remove(p *Pending) {
	delete(r.dirty, p)
	r.redo(p, false)
}

// redo replays a mutation, or with again false only takes its part out.
func (r *rebase) redo(p *Pending, again bool) {
	s, after := r.s, changeAt(p, len(p.Changes))
	old := map[string]state{}
	for k := range p.keys {
		if k.kind == "" {
			old[k.parent] = s.stateBefore(k.parent, after)
		}
	}
	for id := range old {
		for i := range p.Changes {
			s.overlay.drop(id, changeAt(p, i))
		}
	}
	s.unnote(p)
	if again {
		s.replay(p)
		s.note(p)
		for k := range p.keys {
			if _, known := old[k.parent]; k.kind == "" && !known {
				old[k.parent] = r.withoutOwn(p, k.parent)
			}
		}
	}
	for id, was := range old {
		r.shifted(id, p.seq, was, s.stateBefore(id, after))
	}
}

// withoutOwn is the state that stood after p before p came to touch the entity.
func (r *rebase) withoutOwn(p *Pending, id string) state { return r.s.stateBefore(id, changeAt(p, 0)) }

// finish replays what is dirty until nothing is.
func (r *rebase) finish() []Change {
	for len(r.dirty) > 0 {
		var next *Pending
		for p := range r.dirty {
			if next == nil || p.seq < next.seq {
				next = p
			}
		}
		delete(r.dirty, next)
		r.redo(next, true)
	}
	return r.s.show(r.touched)
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
