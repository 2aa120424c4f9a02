package audit

import (
	"strings"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector/wording"
)

// Names knows what the entities of a board are called, as of the decisions it
// has taken in: some 150 bytes of each that is there. Not safe for concurrent
// use.
type Names struct {
	board string
	of    map[string]thing
	gone  int // entities in of that went with their parents
}

// thing is what is known of an entity.
type thing struct {
	kind   domain.Kind
	name   string // "" if it has none
	parent string
}

// NewNames is that of a board without decisions.
func NewNames(board string) *Names { return &Names{board: board, of: map[string]thing{}} }

// NamesOf is that of a board as it is.
func NamesOf(b *domain.Board) *Names {
	n := NewNames(b.ID())
	for e := range b.All() {
		n.of[e.ID] = thing{e.Kind, nameIn(e.Kind, e.Fields), e.Parent()}
	}
	return n
}

// Take takes in the decision that follows the last one. Of one that is void,
// nothing happened: it must not be taken in.
func (n *Names) Take(d *domain.Decision) {
	for i := range d.Events {
		n.take(&d.Events[i])
	}
}

func (n *Names) take(ev *domain.Event) {
	kind, verb, _ := strings.Cut(ev.Type, ".")
	switch verb {
	case "created", "added":
		e := thing{kind: domain.Kind(kind), name: nameIn(domain.Kind(kind), ev.After)}
		if field := domain.ParentField(e.kind); field != "" {
			e.parent = ev.After.String(field)
		}
		n.of[ev.EntityID] = e
		return
	case "deleted", "removed":
		delete(n.of, ev.EntityID)
		for _, count := range ev.Gone {
			n.gone += count
		}
		if n.gone > len(n.of)/2+sweepFrom {
			n.sweep()
		}
		return
	}
	name, parent := wording.NameField(domain.Kind(kind)), domain.ParentField(domain.Kind(kind))
	title, renamed := ev.After[name]
	to, moved := ev.After[parent]
	if !renamed && !moved {
		return
	}
	e, known := n.of[ev.EntityID]
	if !known {
		return
	}
	if renamed && name != "" {
		text, _ := title.(string)
		e.name = wording.Short(text)
	}
	if moved && parent != "" {
		e.parent, _ = to.(string)
	}
	n.of[ev.EntityID] = e
}

// sweepFrom is how many entities that are gone may be kept beside half as many
// as are there.
const sweepFrom = 1000

// sweep forgets what hangs on something that is gone.
func (n *Names) sweep() {
	for again := true; again; {
		again = false
		for id, e := range n.of {
			if e.parent == "" {
				continue
			}
			if _, there := n.of[e.parent]; !there {
				delete(n.of, id)
				again = true
			}
		}
	}
	n.gone = 0
}

// maxDepth is how far down from the board an entity may hang, with one to spare.
const maxDepth = 5

// get is what is known of an entity that is there: what went with its parent may
// still be in of.
func (n *Names) get(id string) (e thing, there bool) {
	e, there = n.of[id]
	above := e
	for depth := 0; there && above.parent != ""; depth++ {
		above, there = n.of[above.parent]
		there = there && depth < maxDepth
	}
	if !there {
		return thing{}, false
	}
	return e, true
}

// kindOf is the kind of what the change is about, "" if that is not known.
func (n *Names) kindOf(c *domain.Change) domain.Kind {
	if e, there := n.get(c.EntityID); there {
		return e.kind
	}
	kind, _ := c.Patch["kind"].(string)
	return domain.Kind(kind)
}

// nameIn is what an entity with these fields is called, "" if it has no name.
func nameIn(kind domain.Kind, f domain.Fields) string {
	return wording.Short(f.String(wording.NameField(kind)))
}

// what is an entity in a sentence: «Fix login», the column Doing, bob.
func (n *Names) what(id string) string {
	if user, ok := domain.IsMemberID(id); ok {
		return wording.Short(user)
	}
	e, there := n.get(id)
	if !there {
		return wording.Short(id)
	}
	return n.called(e.kind, e.name, e.parent)
}

func (n *Names) called(kind domain.Kind, name, parent string) string {
	switch kind {
	case domain.KindBoard:
		return "the board"
	case domain.KindCard:
		return wording.Quoted(name)
	case domain.KindChecklist:
		return "the checklist" + space(wording.Quoted(name), name) + " of " + n.what(parent)
	case domain.KindItem:
		return "the item " + wording.Quoted(name) + " of " + n.what(n.of[parent].parent)
	case domain.KindComment:
		return "a comment on " + n.what(parent)
	case domain.KindFile:
		return "the file " + wording.Quoted(name) + " of " + n.home(parent)
	case domain.KindColumn, domain.KindLabel:
		return "the " + string(kind) + space(name, name)
	}
	return "the " + string(kind)
}

// space is shown behind a space, or nothing if name is "".
func space(shown, name string) string {
	if name == "" {
		return ""
	}
	return " " + shown
}

// home is what something hangs on, the board if on nothing else; a column is
// called by its name alone.
func (n *Names) home(id string) string {
	if id == "" {
		return "the board"
	}
	if e, _ := n.get(id); e.kind == domain.KindColumn && e.name != "" {
		return e.name
	}
	return n.what(id)
}
