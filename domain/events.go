package domain

import "slices"

// create puts a new entity and its event.
func (d *draft) create(e *edit) {
	if e.kind == KindCard {
		d.number++
		e.next["number"] = d.number
	}
	now := &Entity{ID: e.id, Kind: e.kind, CreatedBy: d.cmd.User, CreatedAt: d.at, UpdatedBy: d.cmd.User, UpdatedAt: d.at, Fields: e.next}
	now.Rev = d.emit(Event{Type: eventType(e.kind, schema[e.kind].created), EntityID: e.id, After: e.next, Origin: e.origin})
	now.CreatedRev = now.Rev
	if o := e.origin; o != nil {
		now.CreatedBy, now.CreatedAt, now.UpdatedBy, now.UpdatedAt = o.CreatedBy, o.CreatedAt, o.UpdatedBy, o.UpdatedAt
	}
	d.put(e.id, now, "id")
}

// update puts a changed entity and one event per verb.
func (d *draft) update(e *edit) {
	spec := schema[e.kind]
	now := *e.old
	now.Fields, now.UpdatedAt, now.UpdatedBy = e.next, d.at, d.cmd.User
	var room [8]string
	verbs := room[:0] // by which each of e.changed is told
	for _, name := range e.changed {
		verbs = append(verbs, e.verb(spec, name))
	}
	for _, verb := range spec.verbs {
		if !slices.Contains(verbs, verb) {
			continue
		}
		ev := Event{Type: eventType(e.kind, verb), EntityID: e.id}
		for i, name := range e.changed {
			if verbs[i] == verb {
				ev.record(name, e.old.Fields[name], e.next[name])
			}
		}
		switch {
		case verb == "checked" && !e.next.Bool("done") && e.next.String("done") == "":
			ev.Type = "item.unchecked"
		case verb == "liked" && !slices.Contains(e.next.Set("likedBy"), d.cmd.User):
			ev.Type = "card.unliked"
		}
		now.Rev = d.emit(ev)
	}
	d.put(e.id, &now, e.changed...)
}

// eventType is the kind, a dot and the verb.
func eventType(kind Kind, verb string) string {
	var room [32]byte
	return words.Of(append(append(append(room[:0], kind...), '.'), verb...))
}

// verb is that of the event which tells the field's change.
func (e *edit) verb(spec *kindSpec, name string) string {
	f, ok := spec.field(name)
	restored := slices.Contains(e.changed, "archived") && !e.next.Bool("archived")
	switch {
	case !ok: // what only an upload sets
		return "replaced"
	case name == "archived" && restored:
		return "restored"
	case name == "position" && restored && !slices.Contains(e.changed, ParentField(e.kind)) && e.patch["position"] == nil:
		return "restored" // it made room for another card
	}
	return f.verb
}

// record notes a field's change: of a set what was added and removed, of
// anything else, and of a set that is absent afterwards, before and after.
func (ev *Event) record(name string, old, now any) {
	if set, ok := now.([]string); ok && IsSetField(name) {
		was, _ := old.([]string)
		put := func(m *map[string][]string, list []string) {
			if len(list) > 0 {
				if *m == nil {
					*m = map[string][]string{}
				}
				(*m)[name] = list
			}
		}
		put(&ev.Added, minus(set, was))
		put(&ev.Removed, minus(was, set))
		return
	}
	if ev.Before == nil {
		ev.Before, ev.After = Fields{}, Fields{}
	}
	ev.Before[name], ev.After[name] = old, now
}

// withField is e with one field set, for the draft only.
func withField(e *Entity, name string, v any) *Entity {
	now := *e
	now.Fields = make(Fields, len(e.Fields))
	for k, old := range e.Fields {
		now.Fields[k] = old
	}
	now.Fields[name] = v
	return &now
}
