package domain

import "iter"

// The open part of a board is what somebody needs who works on it: without
// archived columns and cards, what hangs on them, and comments.

// Open gives the open part, in the order of All.
func (b *Board) Open() iter.Seq[*Entity] {
	return func(yield func(*Entity) bool) {
		if e := b.entities[b.id]; e != nil && !yield(e) {
			return
		}
		for _, kind := range []Kind{KindMember, KindLabel, KindFile, KindColumn} {
			if !b.walkOpen("", kind, yield) {
				return
			}
		}
	}
}

// Under gives what hangs on e and is in the open part when e is, parents
// before children.
func (b *Board) Under(e *Entity) iter.Seq[*Entity] {
	return func(yield func(*Entity) bool) { b.walkUnder(e, yield) }
}

func (b *Board) walkUnder(e *Entity, yield func(*Entity) bool) bool {
	for _, kind := range childKinds(e.Kind) {
		if kind != KindComment && !b.walkOpen(e.ID, kind, yield) {
			return false
		}
	}
	return true
}

func (b *Board) walkOpen(parent string, kind Kind, yield func(*Entity) bool) bool {
	for _, e := range b.index.open(listKey{parent, kind}) {
		if !yield(e) || !b.walkUnder(e, yield) {
			return false
		}
	}
	return true
}

// InSight says whether neither e nor what it hangs on is archived, as far as
// that is on the board. The board itself hides nothing.
func (b *Board) InSight(e *Entity) bool {
	for ; e != nil; e = b.entities[e.Parent()] {
		if isArchived(e) && e.Kind != KindBoard {
			return false
		}
	}
	return true
}

// ShutColumns gives the archived columns; the caller must not keep it.
func (b *Board) ShutColumns() []*Entity {
	if l := b.lists[listKey{"", KindColumn}]; l != nil {
		return l.shut
	}
	return nil
}

// ShutCards gives the cards that the open part leaves out, in no useful order,
// at no more than the cost of looking at each.
func (b *Board) ShutCards() iter.Seq[*Entity] {
	return func(yield func(*Entity) bool) {
		columns := b.lists[listKey{"", KindColumn}]
		if columns == nil {
			return
		}
		all := func(list []*Entity) bool {
			for i := len(list) - 1; i >= 0; i-- { // most come last, so the newest of each column are met first
				if !yield(list[i]) {
					return false
				}
			}
			return true
		}
		for _, column := range columns.open {
			if cards := b.lists[listKey{column.ID, KindCard}]; cards != nil && !all(cards.shut) {
				return
			}
		}
		for _, column := range columns.shut {
			if cards := b.lists[listKey{column.ID, KindCard}]; cards != nil && !(all(cards.open) && all(cards.shut)) {
				return
			}
		}
	}
}

// Comments gives a card's comments, oldest first; the caller must not keep it.
func (b *Board) Comments(card string) []*Entity { return b.index.open(listKey{card, KindComment}) }

// Counted is e, if it is a card with the count of its comments, which JSONFor
// then writes, for who holds not all of them.
func (b *Board) Counted(e *Entity) *Entity {
	if e.Kind != KindCard || e.Deleted {
		return e
	}
	counted := *e
	counted.counted, counted.comments = true, int32(len(b.Comments(e.ID)))
	return &counted
}

// CommentCount gives the count that Board.Counted has taken; ok is false of an
// entity that has none.
func (e *Entity) CommentCount() (n int, ok bool) { return int(e.comments), e.counted }
