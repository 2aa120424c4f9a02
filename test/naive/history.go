package naive

import (
	"maps"
	"slices"
	"sort"
)

// Fact is one event of a history.
type Fact struct {
	Type, By string
	Touched  []string // ids whose entity it changed, those it took along not included
}

// state is an entity from a rev on; entity nil: gone.
type state struct {
	rev    uint64
	entity Object
}

// History knows every state every entity ever had.
type History struct {
	Rev    uint64
	Facts  map[uint64]Fact
	states map[string][]state
}

// NewHistory folds the records and keeps what was on the way.
func NewHistory(records []Record) *History {
	h := &History{Facts: map[uint64]Fact{}, states: map[string][]state{}}
	walk(records, func(b *Board, d *Decision, e *Event) bool {
		h.Rev = e.Rev
		f := Fact{Type: e.Type, By: d.User, Touched: []string{e.EntityID}}
		if len(e.Positions) > 0 {
			f.Touched = slices.Sorted(maps.Keys(e.Positions))
		}
		h.Facts[e.Rev] = f
		for _, id := range b.touched {
			h.states[id] = append(h.states[id], state{e.Rev, b.Entities[id]})
		}
		return true
	})
	return h
}

// At gives the entity as it was at rev, and the rev of its last change up to
// then: 0 if it had not been there yet, nil if it was gone.
func (h *History) At(id string, rev uint64) (entity Object, changed uint64) {
	list := h.states[id]
	n := sort.Search(len(list), func(i int) bool { return list[i].rev > rev })
	if n == 0 {
		return nil, 0
	}
	return list[n-1].entity, list[n-1].rev
}

// View is what user is shown of the board at rev.
func (h *History) View(rev uint64, user string) map[string]Object {
	view := map[string]Object{}
	for id := range h.states {
		if o, _ := h.At(id, rev); o != nil {
			view[id] = For(o, user)
		}
	}
	return view
}

// IDs gives every id there ever was.
func (h *History) IDs() []string { return slices.Sorted(maps.Keys(h.states)) }

// For gives the entity as user is shown it.
func For(o Object, user string) Object {
	if o == nil || o["kind"] != "card" {
		return o
	}
	o = maps.Clone(o)
	likers, _ := o["likedBy"].([]any)
	o["liked"], o["likes"] = slices.Contains(likers, any(user)), number(uint64(len(likers)))
	return o
}
