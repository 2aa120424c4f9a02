package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/snapback-io/snapback/domain"
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
		n.of[e.ID] = thing{e.Kind, short(nameIn(e.Kind, e.Fields)), e.Parent()}
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
		e := thing{kind: domain.Kind(kind), name: short(nameIn(domain.Kind(kind), ev.After))}
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
	name, parent := nameField(domain.Kind(kind)), domain.ParentField(domain.Kind(kind))
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
		e.name = short(text)
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

// nameField is the field that a kind's entities are called by, "" for one that
// has none.
func nameField(kind domain.Kind) string {
	switch kind {
	case domain.KindBoard, domain.KindColumn, domain.KindCard, domain.KindChecklist:
		return "title"
	case domain.KindItem:
		return "text"
	case domain.KindLabel, domain.KindFile:
		return "name"
	}
	return ""
}

func nameIn(kind domain.Kind, f domain.Fields) string {
	if field := nameField(kind); field != "" {
		return f.String(field)
	}
	return ""
}

// maxWord is how long a name or value is in words, code points.
const maxWord = 60

// short is s on one line, without what a terminal would obey, cut if it is
// long.
func short(s string) string {
	if len(s) <= maxWord && isPlain(s) {
		return s
	}
	if len(s) > 8*maxWord { // enough for what is shown; a cut rune is cleaned away
		s = s[:8*maxWord]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r) || unicode.Is(unicode.Bidi_Control, r):
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if s = strings.TrimSpace(s); utf8.RuneCountInString(s) <= maxWord {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:maxWord-1])) + "…"
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func quoted(s string) string { return "«" + s + "»" }

// what is an entity in a sentence: «Fix login», the column Doing, bob.
func (n *Names) what(id string) string {
	if user, ok := domain.IsMemberID(id); ok {
		return short(user)
	}
	e, there := n.get(id)
	if !there {
		return short(id)
	}
	return n.called(e.kind, e.name, e.parent)
}

func (n *Names) called(kind domain.Kind, name, parent string) string {
	switch kind {
	case domain.KindBoard:
		return "the board"
	case domain.KindCard:
		return quoted(name)
	case domain.KindChecklist:
		return "the checklist" + space(quoted(name), name) + " of " + n.what(parent)
	case domain.KindItem:
		return "the item " + quoted(name) + " of " + n.what(n.of[parent].parent)
	case domain.KindComment:
		return "a comment on " + n.what(parent)
	case domain.KindFile:
		return "the file " + quoted(name) + " of " + n.home(parent)
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
