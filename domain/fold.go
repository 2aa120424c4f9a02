package domain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Step is one event of a commit as it is folded.
type Step struct {
	Decision *Decision
	Event    *Event
	// Entities are the changed entities as of this event: one, a tombstone if
	// it was deleted, or for list.respaced each sibling that got another key.
	Entities []*Entity
	More     bool // the same decision has further events
}

// Apply folds one stored commit and calls visit, which may be nil, after each
// event. stored is the stream's timestamp. A void commit only moves the head.
// It fails, and leaves the board unusable, if c does not follow the head (other
// board, other Prev, a gap in rev): the caller reloads.
func (b *Board) Apply(c *Commit, hash Hash, seq uint64, stored time.Time, visit func(Step)) error {
	if err := b.follows(c, seq); err != nil {
		return err
	}
	if b.ahead > 0 {
		return fmt.Errorf("domain: board %s has %d decisions folded ahead of the log", b.id, b.ahead)
	}
	if c.VoidAt(stored) {
		b.moveHead(hash, seq)
		return nil
	}
	for i := range c.Decisions {
		if err := b.fold(&c.Decisions[i], visit); err != nil {
			return fmt.Errorf("%w (record %d)", err, seq)
		}
	}
	b.recent.forget(b.rev, b.entities)
	b.settle(c, hash, seq)
	return nil
}

func (b *Board) follows(c *Commit, seq uint64) error {
	switch {
	case c.Board != b.id:
		return fmt.Errorf("domain: a commit of board %q on board %q", c.Board, b.id)
	case c.Prev != b.hash:
		return fmt.Errorf("domain: board %s: the commit at %d follows %v, the head is %v at %d", b.id, seq, c.Prev, b.hash, b.seq)
	case seq <= b.seq:
		return fmt.Errorf("domain: board %s: a commit at %d, the head is at %d", b.id, seq, b.seq)
	}
	return nil
}

func (b *Board) fold(d *Decision, visit func(Step)) error {
	if d.At.Before(b.at) {
		return fmt.Errorf("domain: board %s: a decision of %v after one of %v", b.id, d.At, b.at)
	}
	if want := b.rev + uint64(len(d.Events)); d.Rev != want || d.Rejection != nil && len(d.Events) > 0 {
		return fmt.Errorf("domain: board %s: a decision at rev %d with %d events on rev %d", b.id, d.Rev, len(d.Events), b.rev)
	}
	for i := range d.Events {
		ev := &d.Events[i]
		if ev.Rev != b.rev+1 {
			return fmt.Errorf("domain: board %s: event %s at rev %d follows rev %d", b.id, ev.Type, ev.Rev, b.rev)
		}
		changed, err := b.foldEvent(d, ev)
		if err != nil {
			return fmt.Errorf("domain: board %s: event %s of %q at rev %d: %w", b.id, ev.Type, ev.EntityID, ev.Rev, err)
		}
		b.rev = ev.Rev
		if visit != nil {
			visit(Step{d, ev, changed, i < len(d.Events)-1})
		}
	}
	b.at = d.At
	b.foldImport(d)
	return nil
}

func (b *Board) foldImport(d *Decision) {
	if d.Op != OpImport || d.Import == nil || len(d.Events) == 0 {
		return
	}
	last := d.Events[len(d.Events)-1].Type == "board.imported"
	b.imports = importState{d.Import.Source, d.User, d.Import.Part + 1, last}
}

// foldEvent makes one event's change and gives the entities as they are then.
func (b *Board) foldEvent(d *Decision, ev *Event) ([]*Entity, error) {
	kind, verb, _ := strings.Cut(ev.Type, ".")
	old := b.entities[ev.EntityID]
	switch verb {
	case "respaced":
		return b.foldRespaced(d, ev)
	case "created", "added":
		if old != nil {
			return nil, fmt.Errorf("the entity is there already")
		}
		now := born(d, ev, Kind(kind))
		b.number = max(b.number, now.Fields.Int("number"))
		return b.replace(nil, now), nil
	case "deleted", "removed":
		if old == nil {
			return nil, fmt.Errorf("no such entity")
		}
		for _, e := range b.below(old) {
			b.put(e, nil)
			b.bury(e, ev.Rev).quiet(e)
		}
		b.put(old, nil)
		return []*Entity{b.bury(old, ev.Rev)}, nil
	}
	if old == nil || old.Kind != Kind(kind) {
		return nil, fmt.Errorf("no such %s", kind)
	}
	return b.replace(old, changedBy(old, d, ev, ev.fields(old.Fields))), nil
}

func (b *Board) foldRespaced(d *Decision, ev *Event) ([]*Entity, error) {
	var changed []*Entity
	for _, id := range slices.Sorted(maps.Keys(ev.Positions)) {
		old := b.entities[id]
		if old == nil || old.Kind != ev.Kind {
			return nil, fmt.Errorf("no such %s: %q", ev.Kind, id)
		}
		fields := maps.Clone(old.Fields)
		fields.put("position", ev.Positions[id][1])
		changed = append(changed, b.replace(old, changedBy(old, d, ev, fields))...)
	}
	return changed, nil
}

func (b *Board) bury(e *Entity, rev uint64) *Entity {
	gone := e.tombstone(rev)
	b.recent.tombs[gone.ID] = gone
	b.recent.add(rev, gone.ID)
	return gone
}

func (b *Board) replace(old, now *Entity) []*Entity {
	b.put(old, now)
	delete(b.recent.tombs, now.ID)
	b.recent.add(now.Rev, now.ID)
	return []*Entity{now}
}

// born is the entity an event creates.
func born(d *Decision, ev *Event, kind Kind) *Entity {
	e := &Entity{ID: ev.EntityID, Kind: kind, Rev: ev.Rev, CreatedRev: ev.Rev,
		CreatedAt: d.At, CreatedBy: d.User, UpdatedAt: d.At, UpdatedBy: d.User, Fields: ev.After}
	if o := ev.Origin; o != nil {
		e.CreatedAt, e.CreatedBy, e.UpdatedAt, e.UpdatedBy = o.CreatedAt, o.CreatedBy, o.UpdatedAt, o.UpdatedBy
	}
	if e.Fields == nil {
		e.Fields = Fields{}
	}
	return e
}

// changedBy is old with other fields as of an event.
func changedBy(old *Entity, d *Decision, ev *Event, fields Fields) *Entity {
	now := *old
	now.Rev, now.UpdatedAt, now.UpdatedBy, now.Fields = ev.Rev, d.At, d.User, fields
	return &now
}

// fields is what the event makes of an entity's fields.
func (ev *Event) fields(old Fields) Fields {
	out := maps.Clone(old)
	for name, v := range ev.After {
		if v == nil {
			delete(out, name)
		} else {
			out.put(name, v)
		}
	}
	for name, list := range ev.Added {
		out.put(name, SetChange{Add: list}.apply(out.Set(name)))
	}
	for name, list := range ev.Removed {
		out.put(name, SetChange{Remove: list}.apply(out.Set(name)))
	}
	return out
}
