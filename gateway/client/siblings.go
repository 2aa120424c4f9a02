package client

import (
	"cmp"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// list names siblings: the entities of one kind under one parent.
type list struct {
	kind   domain.Kind
	parent string // "" is the board
}

func listOf(e *domain.Entity) list { return list{e.Kind, e.Parent()} }

// positioned says whether entities of the kind are ordered by position.
func positioned(k domain.Kind) bool {
	switch k {
	case domain.KindColumn, domain.KindCard, domain.KindChecklist, domain.KindItem, domain.KindLabel:
		return true
	}
	return false
}

// compareSiblings orders what the server has confirmed: by position, then id;
// without positions by createdRev.
func compareSiblings(a, b *domain.Entity) int {
	if positioned(a.Kind) {
		if c := strings.Compare(position(a), position(b)); c != 0 {
			return c
		}
	} else if c := cmp.Compare(a.CreatedRev-1, b.CreatedRev-1); c != 0 { // 0, pending, is last
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

func position(e *domain.Entity) string { return e.Fields.String("position") }

// siblings are the confirmed entities by list, each list in order.
type siblings map[list][]*domain.Entity

func (s siblings) add(e *domain.Entity) {
	l := listOf(e)
	i, _ := slices.BinarySearchFunc(s[l], e, compareSiblings)
	s[l] = slices.Insert(s[l], i, e)
}

// replace puts e where old stands; they compare equal.
func (s siblings) replace(old, e *domain.Entity) {
	l := listOf(old)
	if i, found := slices.BinarySearchFunc(s[l], old, compareSiblings); found {
		s[l][i] = e
	}
}

func (s siblings) remove(e *domain.Entity) {
	l := listOf(e)
	i, found := slices.BinarySearchFunc(s[l], e, compareSiblings)
	if !found {
		return
	}
	if s[l] = slices.Delete(s[l], i, i+1); len(s[l]) == 0 {
		delete(s, l)
	}
}

// hanging are the lists whose members go with the entity when it is deleted.
func hanging(id string) [4]list {
	return [4]list{
		{domain.KindChecklist, id}, {domain.KindComment, id}, {domain.KindFile, id}, {domain.KindItem, id},
	}
}
