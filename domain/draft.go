package domain

import (
	"slices"
	"time"
)

// draft is a board with the changes of one command on top. The board beneath
// is only read.
type draft struct {
	b      *Board
	cmd    *Command
	at     time.Time
	role   Role
	change int // index of the change at work

	touched few[string, *touch]   // in the order of the first touch
	lists   map[listKey][]*Entity // see [draft.listed]; nil until somebody asks
	names   map[nameKey][]string
	refs    []setRef
	number  int64
	events  []Event
}

// touch is what the command has done to one entity.
type touch struct {
	id        string
	base, now *Entity // nil: not there
	changed   []string
	// Indices of the changes that last did this.
	last, entered, named int
}

// setRef is an element added to a set, to be there at the end.
type setRef struct {
	change    int
	id, field string
	element   string
}

func newDraft(b *Board, cmd *Command, at time.Time) *draft {
	return &draft{b: b, cmd: cmd, at: at, role: b.RoleOf(cmd.User, cmd.Grant), number: b.number}
}

func (d *draft) get(id string) *Entity {
	if t := d.touched.get(id); t != nil {
		return t.now
	}
	return d.b.entities[id]
}

// emit numbers an event and keeps it.
func (d *draft) emit(ev Event) uint64 {
	ev.V, ev.Rev = 1, d.b.rev+uint64(len(d.events))+1
	d.events = append(d.events, ev)
	return ev.Rev
}

// put makes now (nil: gone) the state of id; fields are those the command set.
func (d *draft) put(id string, now *Entity, fields ...string) {
	t := d.touched.get(id)
	if t == nil {
		t = &touch{id: id, base: d.b.entities[id]}
		t.now = t.base
		*d.touched.at(id) = t
	}
	old := t.now
	if d.lists != nil {
		d.list(old, now)
	}
	if was, is := nameKeyOf(old), nameKeyOf(now); was != is {
		d.rename(id, was, is)
		t.named = d.change
	}
	if old == nil || now == nil || old.Parent() != now.Parent() || old.Fields.Bool("archived") != now.Fields.Bool("archived") {
		t.entered = d.change
	}
	if len(fields) > 0 || now == nil {
		t.last = d.change
	}
	if t.changed == nil {
		t.changed = fields
	} else {
		for _, name := range fields {
			if !slices.Contains(t.changed, name) {
				t.changed = append(t.changed, name)
			}
		}
	}
	t.now = now
}

// listed are the touched entities under key that are there and not archived,
// in order.
func (d *draft) listed(key listKey) []*Entity {
	if d.lists == nil && len(d.touched.values) > 0 {
		d.lists = map[listKey][]*Entity{}
		for _, t := range d.touched.values {
			d.list(nil, t.now)
		}
	}
	return d.lists[key]
}

// list keeps d.lists when old becomes now.
func (d *draft) list(old, now *Entity) {
	if old != nil && !old.Fields.Bool("archived") {
		l := d.lists[keyOf(old)]
		if i, ok := findSibling(l, old); ok {
			d.lists[keyOf(old)] = slices.Delete(l, i, i+1)
		}
	}
	if now != nil && !now.Fields.Bool("archived") {
		l := d.lists[keyOf(now)]
		i, _ := findSibling(l, now)
		d.lists[keyOf(now)] = slices.Insert(l, i, now)
	}
}

func (d *draft) rename(id string, was, is nameKey) {
	if d.names == nil {
		d.names = map[nameKey][]string{}
	}
	if was != (nameKey{}) {
		d.names[was] = slices.DeleteFunc(d.names[was], func(s string) bool { return s == id })
	}
	if is != (nameKey{}) {
		d.names[is] = append(d.names[is], id)
	}
}

// holder is the file that has the name, other than id; "" if there is none.
func (d *draft) holder(key nameKey, id string) string {
	for _, ids := range [][]string{d.b.names[key], d.names[key]} {
		for _, other := range ids {
			if other != id && nameKeyOf(d.get(other)) == key {
				return other
			}
		}
	}
	return ""
}

// below gives everything that goes with the entity when it is deleted, children
// before parents. A column goes alone: the rules have it empty at the end.
func (d *draft) below(e *Entity) []*Entity {
	if e.Kind == KindColumn {
		return nil
	}
	var out []*Entity
	for _, kind := range childKinds(e.Kind) {
		for _, child := range d.children(listKey{e.ID, kind}) {
			out = append(out, d.below(child)...)
			out = append(out, child)
		}
	}
	return out
}

// children are the siblings under key, archived or not, in no useful order.
func (d *draft) children(key listKey) []*Entity {
	var out []*Entity
	if l := d.b.lists[key]; l != nil {
		for _, half := range [][]*Entity{l.open, l.shut} {
			for _, e := range half {
				if d.touched.get(e.ID) == nil {
					out = append(out, e)
				}
			}
		}
	}
	for _, t := range d.touched.values {
		if t.now != nil && t.now.Kind != KindBoard && keyOf(t.now) == key {
			out = append(out, t.now)
		}
	}
	return out
}

// neighbours are the unarchived siblings on both sides of (position, id),
// leaving out the entity self.
func (d *draft) neighbours(key listKey, position, id, self string) (prev, next *Entity) {
	at := place{position, id}
	untouched := func(e *Entity) bool { return e.ID != self && e.ID != id && d.touched.get(e.ID) == nil }
	other := func(e *Entity) bool { return e.ID != self && e.ID != id }
	prev, next = around(d.b.open(key), at, untouched)
	p, n := around(d.listed(key), at, other)
	if prev == nil || p != nil && before(prev, p) {
		prev = p
	}
	if next == nil || n != nil && before(n, next) {
		next = n
	}
	return prev, next
}

// around finds in a sorted list what is nearest to a place on both sides among
// what ok takes.
func around(list []*Entity, at place, ok func(*Entity) bool) (prev, next *Entity) {
	i, _ := slices.BinarySearchFunc(list, at, compareToPlace)
	for k := i - 1; k >= 0 && prev == nil; k-- {
		if ok(list[k]) {
			prev = list[k]
		}
	}
	for k := i; k < len(list) && next == nil; k++ {
		if ok(list[k]) {
			next = list[k]
		}
	}
	return prev, next
}

// sorted are the unarchived siblings in order, leaving out self.
func (d *draft) sorted(key listKey, self string) []*Entity {
	var out []*Entity
	for _, e := range d.b.open(key) {
		if e.ID != self && d.touched.get(e.ID) == nil {
			out = append(out, e)
		}
	}
	for _, e := range d.listed(key) {
		if e.ID != self {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, compareSiblings)
	return out
}
