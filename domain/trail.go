package domain

import "strings"

// Trail tells which decisions of a board concern one entity: those that change
// it or what hangs on it, and those that asked to, whatever came of that. What
// hangs on an entity now or then is found, deleted or not, so it must be shown
// every decision from the first on. It keeps where each entity of the board
// hangs, some 100 bytes of each. Not safe for concurrent use.
type Trail struct {
	id      string
	parents map[string]string // by entity; a deleted one stays where it was
	gone    bool              // the entity was deleted
}

// NewTrail is that of the entity with this id, which need not exist.
func NewTrail(id string) *Trail { return &Trail{id: id, parents: map[string]string{}} }

// Touches takes in the decision that follows the last one.
func (t *Trail) Touches(d *Decision) bool {
	touches := t.Asked(&d.Command)
	for i := range d.Events {
		if t.event(&d.Events[i]) {
			touches = true
		}
	}
	return touches
}

// Asked says whether the command names the entity or what hangs on it, or would
// have something hang there, by the decisions taken in so far.
func (t *Trail) Asked(c *Command) bool {
	for i := range c.Changes {
		change := &c.Changes[i]
		if t.within(change.EntityID) {
			return true
		}
		for _, name := range parentFields {
			if parent, ok := change.Patch[name].(string); ok && t.within(parent) {
				return true
			}
		}
	}
	if c.Import == nil {
		return false
	}
	for _, e := range c.Import.Entities {
		if e != nil && (t.within(e.ID) || t.within(e.Parent())) {
			return true
		}
	}
	return false
}

// event says whether the event changes the entity or what hangs on it before
// or after.
func (t *Trail) event(ev *Event) bool {
	touches := t.takenAlong(ev) || t.within(ev.EntityID)
	if _, is := ev.Positions[t.id]; is {
		return true
	}
	kind, _, _ := strings.Cut(ev.Type, ".")
	name := ParentField(Kind(kind))
	parent, set := ev.After[name]
	if name == "" || !set {
		return touches
	}
	if id, ok := parent.(string); ok {
		t.parents[ev.EntityID] = id
	} else {
		delete(t.parents, ev.EntityID)
	}
	return touches || t.within(ev.EntityID)
}

// takenAlong says whether the event deletes the entity, maybe by way of what it
// hangs on: what is deleted takes that along, without an event of its own.
func (t *Trail) takenAlong(ev *Event) bool {
	if t.gone || !strings.HasSuffix(ev.Type, ".deleted") {
		return false
	}
	at := t.id
	for range len(parentFields) + 1 {
		t.gone = t.gone || at == ev.EntityID
		at = t.parents[at]
	}
	return t.gone
}

// parentFields are those that ParentField gives.
var parentFields = []string{"columnId", "cardId", "checklistId"}

// within says whether id is the entity's or hangs on it.
func (t *Trail) within(id string) bool {
	for range len(parentFields) + 1 {
		if id == "" || id == t.id {
			return id != ""
		}
		id = t.parents[id]
	}
	return false
}
