package domain

import "time"

// takeOver does one part of an import. The board must be new, or made so far
// by the parts before. Roles, WIP limits, archives and what sets name are not
// judged: the board comes as it is. Limits and what a field may hold are.
func (d *draft) takeOver() ([]Event, *Rejection) {
	im, state := d.cmd.Import, d.b.imports
	if im == nil || im.Source == "" || len(im.Source) > maxURL {
		return nil, invalid("source", &flaw{"missing or too long", maxURL})
	}
	switch {
	case state.done && state.source == im.Source:
		return nil, nil
	case state.source == "" && d.b.rev > 0:
		board := d.b.entities[d.b.id]
		return nil, reject(Conflict, "the board was not made by this import", "entity", board, "fields", []string{"source"})
	case state.source != "" && state.source != im.Source:
		return nil, reject(Conflict, "the board comes from another source", "source", state.source, "fields", []string{"source"})
	case state.source != "" && state.user != d.cmd.User:
		return nil, reject(Forbidden, "somebody else is importing this board", "needs", "importer")
	case im.Part != state.next:
		return nil, reject(Conflict, "another part is due", "source", im.Source, "next", state.next, "fields", []string{"part"})
	case len(im.Entities) == 0 && !im.Done:
		return nil, invalid("entities", &flaw{reason: "a part holds entities"})
	}
	for i, e := range im.Entities {
		d.change = i
		if r := d.takeOverEntity(e); r != nil {
			return nil, ofEntity(r, im, i)
		}
	}
	if d.get(d.b.id) == nil {
		return nil, invalid("entities", &flaw{reason: "the first part holds the board itself"})
	}
	if first, broken := d.rules(); broken {
		return nil, ofEntity(first.Rejection, im, first.change)
	}
	if !im.Done {
		return d.events, nil
	}
	if d.cmd.Grant != GrantOpen {
		if r := d.addAdmin(); r != nil {
			return nil, r
		}
	}
	d.emit(Event{Type: "board.imported", EntityID: d.b.id})
	return d.events, nil
}

// ofEntity adds which of the import's entities broke a rule.
func ofEntity(r *Rejection, im *Import, i int) *Rejection {
	if i < len(im.Entities) && im.Entities[i] != nil {
		if r.Details == nil {
			r.Details = Details{}
		}
		r.Details["change"], r.Details["imported"] = i, im.Entities[i].ID
	}
	return r
}

func (d *draft) takeOverEntity(e *Entity) *Rejection {
	switch {
	case e == nil || schema[e.Kind] == nil:
		return invalid("kind", &flaw{reason: "no such kind"})
	case d.get(e.ID) != nil:
		return reject(Conflict, "the entity is there already", "entity", nil, "fields", []string{"id"})
	}
	if user, ok := IsMemberID(e.ID); !ok && !validID(e.ID) || ok && !validUser(user) {
		return invalid("id", &flaw{reason: "not an id"})
	}
	for i, at := range []time.Time{e.CreatedAt, e.UpdatedAt} {
		if year := at.UTC().Year(); year < 1 || year > 9999 {
			return invalid([]string{"createdAt", "updatedAt"}[i], &flaw{reason: "not a time that a record can hold"})
		}
	}
	patch := make(Patch, len(e.Fields))
	for name, v := range e.Fields {
		if name != "liked" && !(e.Kind == KindCard && name == "comments") {
			patch[name] = v
		}
	}
	return d.write(edit{id: e.ID, kind: e.Kind, patch: patch, origin: d.origin(e), imported: true})
}

// origin is the authorship of an imported entity, complete.
func (d *draft) origin(e *Entity) *Origin {
	o := &Origin{e.CreatedAt, e.CreatedBy, e.UpdatedAt, e.UpdatedBy}
	if !validUser(o.CreatedBy) {
		o.CreatedBy = d.cmd.User
	}
	if !validUser(o.UpdatedBy) {
		o.UpdatedBy = o.CreatedBy
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = d.at
	}
	if o.UpdatedAt.IsZero() {
		o.UpdatedAt = o.CreatedAt
	}
	o.CreatedAt, o.UpdatedAt = o.CreatedAt.UTC().Truncate(time.Millisecond), o.UpdatedAt.UTC().Truncate(time.Millisecond)
	return o
}
