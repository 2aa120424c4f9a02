package domain

// reject makes a Rejection; details are names and values in turn.
func reject(code Code, reason string, details ...any) *Rejection {
	r := &Rejection{Code: code, Reason: reason}
	for i := 0; i+1 < len(details); i += 2 {
		if r.Details == nil {
			r.Details = Details{}
		}
		r.Details[details[i].(string)] = details[i+1]
	}
	return r
}

func invalid(field string, bad *flaw) *Rejection {
	r := reject(Invalid, field+": "+bad.reason, "field", field)
	if bad.limit > 0 {
		r.Details["limit"] = bad.limit
	}
	return r
}

func notFound(id string) *Rejection {
	return reject(NotFound, "no such entity", "entityId", id)
}

// apply does one change on the draft, or says which rule of its own it breaks.
// The rules of the whole board wait for [draft.rules].
func (d *draft) apply(c *Change) *Rejection {
	id := c.EntityID
	if user, ok := IsMemberID(id); !ok && !validID(id) || ok && !validUser(user) {
		return invalid("entityId", &flaw{reason: "not an id"})
	}
	cur := d.get(id)
	if c.Patch == nil && !c.Toggle && c.Content == nil {
		return d.delete(c, cur)
	}
	kind, bad := patchKind(c.Patch)
	if bad != nil {
		return invalid("kind", bad)
	}
	if c.Content != nil && kind == "" && cur == nil {
		kind = KindFile
	}
	switch {
	case cur == nil && (kind == "" || d.gone(id)):
		return notFound(id)
	case cur != nil && kind != "" && kind != cur.Kind:
		return invalid("kind", &flaw{reason: "the entity is a " + string(cur.Kind)})
	case cur != nil:
		kind = cur.Kind
	}
	patch := c.Patch
	if c.Toggle {
		if kind != KindCard || cur == nil {
			return invalid("liked", &flaw{reason: "only a card is liked"})
		}
		patch = Patch{"liked": !cur.LikedBy(d.cmd.User)}
	}
	if r := d.mayPatch(kind, cur, patch, c.Content != nil); r != nil {
		return r
	}
	if r := d.holds(c); r != nil {
		return r
	}
	return d.write(edit{id: id, kind: kind, old: cur, patch: patch, content: c.Content})
}

func patchKind(p Patch) (Kind, *flaw) {
	switch v := p["kind"].(type) {
	case nil:
		return "", nil
	case string:
		if schema[Kind(v)] != nil {
			return Kind(v), nil
		}
	}
	return "", &flaw{reason: "no such kind"}
}

// gone says whether id was an entity's before and cannot be used again. A
// member who was removed may come back.
func (d *draft) gone(id string) bool {
	if _, ok := IsMemberID(id); ok {
		return false
	}
	if d.b.recent.tombs[id] != nil {
		return true
	}
	return d.touched.get(id) != nil
}

// delete removes an entity and what hangs on it.
func (d *draft) delete(c *Change, cur *Entity) *Rejection {
	if cur == nil {
		return notFound(c.EntityID)
	}
	if cur.Kind == KindBoard {
		return invalid("patch", &flaw{reason: "a board is archived, not deleted"})
	}
	if r := d.mayDelete(cur); r != nil {
		return r
	}
	if r := d.holds(c); r != nil {
		return r
	}
	gone := map[Kind]int{}
	for _, e := range d.below(cur) {
		gone[e.Kind]++
		d.put(e.ID, nil)
	}
	ev := Event{Type: eventType(cur.Kind, schema[cur.Kind].gone), EntityID: cur.ID}
	if len(gone) > 0 {
		ev.Gone = gone
	}
	d.put(cur.ID, nil)
	d.emit(ev)
	return nil
}
