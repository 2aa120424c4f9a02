package domain

import (
	"cmp"
	"slices"
	"sort"
)

// TombstoneRevs is for how many revs back deleted entities are remembered.
const TombstoneRevs = 10_000

// recency remembers which entity each of the last TombstoneRevs revs changed,
// and the tombstones among them.
type recency struct {
	revs  []revision // ascending by rev; revs[:gone] are behind the floor
	gone  int
	tombs map[string]*Entity
	floor uint64 // changes up to this rev are not remembered
}

// revision says that rev changed id. It is stale when id has changed since.
type revision struct {
	rev uint64
	id  string
}

func (r *recency) add(rev uint64, id string) { r.revs = append(r.revs, revision{rev, id}) }

// forget moves the floor to keep TombstoneRevs revs below head, and drops what
// is stale when that is most of what there is.
func (r *recency) forget(head uint64, live map[string]*Entity) {
	if n := len(r.revs) - r.gone; n > 1024 && n > 4*(len(live)+len(r.tombs)) {
		r.drop(live)
	}
	if head <= TombstoneRevs {
		return
	}
	r.floor = head - TombstoneRevs
	for r.gone < len(r.revs) && r.revs[r.gone].rev <= r.floor {
		old := r.revs[r.gone]
		if t := r.tombs[old.id]; t != nil && t.Rev <= r.floor {
			delete(r.tombs, old.id)
		}
		r.gone++
	}
	if r.gone > 1024 && r.gone > len(r.revs)/2 {
		r.revs = append(r.revs[:0], r.revs[r.gone:]...)
		r.gone = 0
	}
}

// drop leaves out the stale revisions.
func (r *recency) drop(live map[string]*Entity) {
	var kept []revision
	for _, entry := range r.revs[r.gone:] {
		if r.at(entry, live) != nil {
			kept = append(kept, entry)
		}
	}
	r.revs, r.gone = kept, 0
}

// at is the entity that rev changed, nil if it has changed since.
func (r *recency) at(entry revision, live map[string]*Entity) *Entity {
	e := live[entry.id]
	if e == nil {
		e = r.tombs[entry.id]
	}
	if e == nil || e.Rev != entry.rev {
		return nil
	}
	return e
}

// kindRank orders kinds so that a parent comes before its children.
func kindRank(k Kind) int {
	return slices.Index([]Kind{KindBoard, KindMember, KindLabel, KindColumn, KindCard, KindChecklist, KindItem, KindComment, KindFile}, k)
}

// ChangedSince gives every entity whose rev is above rev, tombstones included,
// parents before children and tombstones last (so that what moved away from a
// deleted parent has moved before the reader drops what hangs on it), at a
// cost of the events since. ok is false when rev is beyond the head or below
// the floor under which tombstones are forgotten: the reader must start afresh.
func (b *Board) ChangedSince(rev uint64) (changed []*Entity, ok bool) {
	r := &b.recent
	if rev > b.rev || rev < r.floor {
		return nil, false
	}
	from := sort.Search(len(r.revs), func(i int) bool { return r.revs[i].rev > rev })
	for _, entry := range r.revs[from:] {
		if e := r.at(entry, b.entities); e != nil && !e.isQuiet() {
			changed = append(changed, e)
		}
	}
	ParentsFirst(changed)
	return changed, true
}

// ParentsFirst puts parents before children and tombstones last.
func ParentsFirst(list []*Entity) {
	slices.SortStableFunc(list, func(x, y *Entity) int {
		if x.Deleted != y.Deleted {
			if x.Deleted {
				return 1
			}
			return -1
		}
		return cmp.Compare(kindRank(x.Kind), kindRank(y.Kind))
	})
}

func compareRevisions(a, b revision) int {
	if c := cmp.Compare(a.rev, b.rev); c != 0 {
		return c
	}
	return cmp.Compare(a.id, b.id)
}
