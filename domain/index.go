package domain

import (
	"cmp"
	"slices"
	"strings"
)

// index holds the live entities and what a rule must find without a walk over
// the board: siblings in order, file names, counts. Its parts agree with
// entities between two events.
type index struct {
	entities  map[string]*Entity
	lists     map[listKey]*siblings
	names     map[nameKey][]string // ids of the files; several only inside a decision's events
	admins    int                  // members with that role
	openCards int
	shutCards int
}

// listKey names siblings: one kind under one parent ("" is the board).
type listKey struct {
	parent string
	kind   Kind
}

// siblings are sorted by [before].
type siblings struct {
	open []*Entity
	shut []*Entity // archived themselves
}

func newIndex() index {
	return index{entities: map[string]*Entity{}, lists: map[listKey]*siblings{}, names: map[nameKey][]string{}}
}

func keyOf(e *Entity) listKey { return listKey{e.Parent(), e.Kind} }

func positionOf(e *Entity) string { return e.Fields.String("position") }

// before orders siblings: by position and id, or by createdRev where there is
// no position.
func before(a, b *Entity) bool { return compareSiblings(a, b) < 0 }

func compareSiblings(a, b *Entity) int {
	if c := strings.Compare(positionOf(a), positionOf(b)); c != 0 {
		return c
	}
	if !positioned(a.Kind) {
		if c := cmp.Compare(a.CreatedRev, b.CreatedRev); c != 0 {
			return c
		}
	}
	return strings.Compare(a.ID, b.ID)
}

// place is where an entity stands among siblings that have a position.
type place struct{ position, id string }

func compareToPlace(e *Entity, at place) int {
	if c := strings.Compare(positionOf(e), at.position); c != 0 {
		return c
	}
	return strings.Compare(e.ID, at.id)
}

// findSibling is where e stands in a sorted list, or would.
func findSibling(list []*Entity, e *Entity) (int, bool) {
	if positioned(e.Kind) {
		return slices.BinarySearchFunc(list, place{positionOf(e), e.ID}, compareToPlace)
	}
	return slices.BinarySearchFunc(list, e, compareSiblings)
}

// positioned says whether entities of the kind have a position.
func positioned(k Kind) bool {
	switch k {
	case KindColumn, KindCard, KindChecklist, KindItem, KindLabel:
		return true
	}
	return false
}

// childKinds are the kinds that hang on an entity of kind k.
func childKinds(k Kind) []Kind {
	switch k {
	case KindColumn:
		return []Kind{KindCard}
	case KindCard:
		return []Kind{KindChecklist, KindComment, KindFile}
	case KindChecklist:
		return []Kind{KindItem}
	}
	return nil
}

// put makes now (nil: gone) the state of the entity that was old (nil: new).
func (x *index) put(old, now *Entity) {
	if old != nil {
		x.tally(old, -1)
	}
	if now != nil {
		x.tally(now, +1)
		x.entities[now.ID] = now
	} else if old != nil {
		delete(x.entities, old.ID)
	}
	x.list(old, now)
	x.name(old, now)
}

func (x *index) tally(e *Entity, by int) {
	switch {
	case e.Kind == KindMember && Role(e.Fields.String("role")) == Admin:
		x.admins += by
	case e.Kind == KindCard && e.Fields.Bool("archived"):
		x.shutCards += by
	case e.Kind == KindCard:
		x.openCards += by
	}
}

func (x *index) list(old, now *Entity) {
	if old != nil && now != nil && keyOf(old) == keyOf(now) && old.Fields.Bool("archived") == now.Fields.Bool("archived") {
		half := x.lists[keyOf(old)].half(old)
		if positionOf(old) == positionOf(now) && old.CreatedRev == now.CreatedRev {
			if i, ok := findSibling(*half, old); ok {
				(*half)[i] = now
			}
			return
		}
	}
	if old != nil && old.Kind != KindBoard {
		l := x.lists[keyOf(old)]
		half := l.half(old)
		if i, ok := findSibling(*half, old); ok {
			*half = slices.Delete(*half, i, i+1)
		}
		if len(l.open)+len(l.shut) == 0 {
			delete(x.lists, keyOf(old))
		}
	}
	if now != nil && now.Kind != KindBoard {
		l := x.lists[keyOf(now)]
		if l == nil {
			l = &siblings{}
			x.lists[keyOf(now)] = l
		}
		half := l.half(now)
		i, _ := findSibling(*half, now)
		*half = slices.Insert(*half, i, now)
	}
}

func (l *siblings) half(e *Entity) *[]*Entity {
	if l == nil {
		return &[]*Entity{}
	}
	if e.Fields.Bool("archived") {
		return &l.shut
	}
	return &l.open
}

func (x *index) name(old, now *Entity) {
	was, is := nameKeyOf(old), nameKeyOf(now)
	if was == is {
		return
	}
	if was != (nameKey{}) {
		ids := slices.DeleteFunc(x.names[was], func(id string) bool { return id == old.ID })
		if len(ids) == 0 {
			delete(x.names, was)
		} else {
			x.names[was] = ids
		}
	}
	if is != (nameKey{}) {
		x.names[is] = append(x.names[is], now.ID)
	}
}

// count is the number of siblings, archived or not.
func (x *index) count(key listKey) int {
	l := x.lists[key]
	if l == nil {
		return 0
	}
	return len(l.open) + len(l.shut)
}

// open gives the unarchived siblings in order; the caller must not keep it.
func (x *index) open(key listKey) []*Entity {
	if l := x.lists[key]; l != nil {
		return l.open
	}
	return nil
}

// below gives everything that goes with the entity when it is deleted, children
// before parents. Cards do not go with their column.
func (x *index) below(e *Entity) []*Entity {
	if e.Kind == KindColumn {
		return nil
	}
	var out []*Entity
	for _, kind := range childKinds(e.Kind) {
		l := x.lists[listKey{e.ID, kind}]
		if l == nil {
			continue
		}
		for _, half := range [][]*Entity{l.open, l.shut} {
			for _, child := range half {
				out = append(out, x.below(child)...)
				out = append(out, child)
			}
		}
	}
	return out
}
