package past

import (
	"maps"
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/wording"
)

// Diff is what makes one board of another: of the same one, later.
type Diff struct {
	From Point `json:"from"`
	To   Point `json:"to"`
	// Created are as of To, Deleted as of From, both parents first. Who was
	// removed and came back is in both.
	Created []*domain.Entity `json:"created"`
	Deleted []*domain.Entity `json:"deleted"`
	Changed []Change         `json:"changed"`
	// Names are what the entities that these name by id are called.
	Names map[string]string `json:"names,omitempty"`
}

// Change is what differs of one entity. Before and After, Added and Removed are
// those of [domain.Event]: nil stands for "absent".
type Change struct {
	ID        string              `json:"id"`
	Kind      domain.Kind         `json:"kind"`
	Name      string              `json:"name,omitempty"` // what it is called at From
	Rev       uint64              `json:"rev"`            // these three are as of To
	UpdatedAt time.Time           `json:"updatedAt"`
	UpdatedBy string              `json:"updatedBy"`
	Before    domain.Fields       `json:"before,omitempty"`
	After     domain.Fields       `json:"after,omitempty"`
	Added     map[string][]string `json:"added,omitempty"`
	Removed   map[string][]string `json:"removed,omitempty"`
	Moved     string              `json:"moved,omitempty"` // "from «Doing» to «Done»"; of one that only got another key ""
}

// Compare gives what differs between two looks at a board.
func Compare(from, to Look) *Diff {
	d := &Diff{From: from.Point, To: to.Point, Created: []*domain.Entity{}, Deleted: []*domain.Entity{}, Changed: []Change{}, Names: map[string]string{}}
	was, is := places(from.Board), places(to.Board)
	for now := range to.Board.All() {
		old := from.Board.Get(now.ID)
		switch {
		case old == nil || old.CreatedRev != now.CreatedRev:
			d.Created = append(d.Created, shown(now))
			d.refer(to.Board, now.Fields, now.Kind)
		case old.Rev != now.Rev:
			c := compare(old, now)
			c.Moved = moved(old, now, from.Board, to.Board, was[now.ID], is[now.ID])
			d.Changed = append(d.Changed, c)
			d.refer(from.Board, old.Fields, old.Kind)
			d.refer(to.Board, now.Fields, now.Kind)
		}
	}
	for old := range from.Board.All() {
		if now := to.Board.Get(old.ID); now == nil || old.CreatedRev != now.CreatedRev {
			d.Deleted = append(d.Deleted, shown(old))
			d.refer(from.Board, old.Fields, old.Kind)
		}
	}
	return d
}

func compare(old, now *domain.Entity) Change {
	c := Change{ID: now.ID, Kind: now.Kind, Name: wording.Name(old), Rev: now.Rev, UpdatedAt: now.UpdatedAt, UpdatedBy: now.UpdatedBy}
	for name, after := range now.Fields {
		if before := old.Fields[name]; name != objectField && !domain.EqualValues(before, after) {
			c.note(name, before, after)
		}
	}
	for name, before := range old.Fields {
		if _, has := now.Fields[name]; !has && name != objectField {
			c.note(name, before, nil)
		}
	}
	return c
}

// note takes a field's change in, as an event does.
func (c *Change) note(name string, before, after any) {
	was, _ := before.([]string)
	if is, set := after.([]string); set && domain.IsSetField(name) && len(was)+len(is) > 0 {
		put(&c.Added, name, minus(is, was))
		put(&c.Removed, name, minus(was, is))
		return
	}
	if c.Before == nil {
		c.Before, c.After = domain.Fields{}, domain.Fields{}
	}
	c.Before[name], c.After[name] = before, after
}

func put(m *map[string][]string, name string, list []string) {
	if len(list) == 0 {
		return
	}
	if *m == nil {
		*m = map[string][]string{}
	}
	(*m)[name] = list
}

// minus gives what is in a and not in b, both sorted.
func minus(a, b []string) (list []string) {
	for _, s := range a {
		if _, has := slices.BinarySearch(b, s); !has {
			list = append(list, s)
		}
	}
	return list
}

// objectField of a file says where its upload lies: nobody's business but the
// server's.
const objectField = "object"

// shown is e without what is not told.
func shown(e *domain.Entity) *domain.Entity {
	if e.Fields[objectField] == nil {
		return e
	}
	told := *e
	told.Fields = maps.Clone(e.Fields)
	delete(told.Fields, objectField)
	return &told
}

// refer notes the names of what fields name by id.
func (d *Diff) refer(b *domain.Board, fields domain.Fields, kind domain.Kind) {
	ids := fields.Set("labels")
	if parent := fields.String(domain.ParentField(kind)); parent != "" {
		ids = append(slices.Clone(ids), parent)
	}
	for _, id := range ids {
		if name := wording.Name(b.Get(id)); name != "" {
			d.Names[id] = name
		}
	}
}

// places gives, by entity, the unarchived sibling in front of it, nil for the first.
func places(b *domain.Board) map[string]*domain.Entity {
	type list struct {
		parent string
		kind   domain.Kind
	}
	last := map[list]*domain.Entity{}
	ahead := make(map[string]*domain.Entity, b.Len())
	for e := range b.All() {
		in := list{e.Parent(), e.Kind}
		ahead[e.ID] = last[in]
		if !e.Fields.Bool("archived") {
			last[in] = e
		}
	}
	return ahead
}

// moved says in words where an entity went, "" if it is where it was: what got
// another key and stands behind the same sibling has not moved.
func moved(old, now *domain.Entity, from, to *domain.Board, was, is *domain.Entity) string {
	if old.Parent() != now.Parent() {
		return "from " + wording.Quoted(parentName(from, old)) + " to " + wording.Quoted(parentName(to, now))
	}
	if old.Fields.String("position") == now.Fields.String("position") || id(was) == id(is) {
		return ""
	}
	words := "to the top"
	if is != nil {
		words = "behind " + wording.Quoted(wording.Name(is))
	}
	if now.Parent() == "" {
		return words
	}
	return words + " in " + wording.Quoted(parentName(to, now))
}

func id(e *domain.Entity) string {
	if e == nil {
		return ""
	}
	return e.ID
}

// parentName is what the entity's parent is called; of what hangs on the board,
// as a file without a card does, the board's title.
func parentName(b *domain.Board, e *domain.Entity) string {
	if parent := e.Parent(); parent != "" {
		return wording.Name(b.Get(parent))
	}
	return wording.Name(b.Get(b.ID()))
}
