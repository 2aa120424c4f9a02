package domain

// place gives the key for self where the patch wants it among the unarchived
// siblings under key. want is a key, a [Place], or nil for last. When keys
// grow too long it respaces the list first.
func (d *draft) place(key listKey, self string, old *Entity, want any) (string, *Rejection) {
	inList := old != nil && keyOf(old) == key && !old.Fields.Bool("archived")
	switch x := want.(type) {
	case string:
		return d.placeKey(key, self, x), nil
	case Place:
		anchor := x.After
		if x.HasBefore {
			anchor = x.Before
		}
		if anchor != "" {
			return d.placeAt(key, self, old, inList, anchor, x.HasBefore)
		}
		if x.HasAfter {
			return d.placeFirst(key, self, old, inList), nil
		}
	}
	return d.placeLast(key, self, old, inList), nil
}

// placeKey takes the key asked for, or one right behind an equal one.
func (d *draft) placeKey(key listKey, self, position string) string {
	_, next := d.neighbours(key, position, "", self)
	if next == nil || positionOf(next) != position {
		return position
	}
	return d.behind(key, self, next)
}

func (d *draft) placeFirst(key listKey, self string, old *Entity, inList bool) string {
	_, first := d.neighbours(key, "", "", self)
	if inList && (first == nil || before(old, first)) {
		return positionOf(old)
	}
	return d.between(key, self, nil, first)
}

func (d *draft) placeLast(key listKey, self string, old *Entity, inList bool) string {
	last, _ := d.neighbours(key, "~", "", self) // "~" sorts behind every key
	if inList && (last == nil || before(last, old)) {
		return positionOf(old)
	}
	return d.between(key, self, last, nil)
}

// placeAt places self next to a sibling. One that is in another list by now
// leaves the end of this one; one that is archived still marks its place.
func (d *draft) placeAt(key listKey, self string, old *Entity, inList bool, anchorID string, ahead bool) (string, *Rejection) {
	anchor := d.get(anchorID)
	switch {
	case anchor == nil || anchor.Kind != key.kind:
		return "", reject(NotFound, "the sibling to go next to does not exist", "entityId", anchorID)
	case anchorID == self && inList:
		return positionOf(old), nil
	case anchorID == self || keyOf(anchor) != key:
		return d.placeLast(key, self, old, inList), nil
	}
	prev, next := d.neighbours(key, positionOf(anchor), anchorID, self)
	if !anchor.Fields.Bool("archived") {
		if ahead {
			next = anchor
		} else {
			prev = anchor
		}
	}
	if inList && (prev == nil || before(prev, old)) && (next == nil || before(old, next)) {
		return positionOf(old), nil
	}
	return d.between(key, self, prev, next), nil
}

// behind gives a key right behind the sibling prev.
func (d *draft) behind(key listKey, self string, prev *Entity) string {
	_, next := d.neighbours(key, positionOf(prev), prev.ID, self)
	return d.between(key, self, prev, next)
}

func (d *draft) between(key listKey, self string, prev, next *Entity) string {
	low, high := "", ""
	if prev != nil {
		low = positionOf(prev)
	}
	if next != nil {
		high = positionOf(next)
	}
	position, err := KeyBetween(low, high)
	if err == nil && len(position) <= MaxPosition {
		return position
	}
	return d.respace(key, self, prev)
}

// respace gives every unarchived sibling a short key, leaving room for self
// behind prev (nil: first), and says which room that is.
func (d *draft) respace(key listKey, self string, prev *Entity) string {
	list := d.sorted(key, self)
	keys := KeysEvenly(len(list) + 1)
	room, moved := "", map[string][2]string{}
	if prev == nil {
		room, keys = keys[0], keys[1:]
	}
	var changed []*Entity
	for i, e := range list {
		position := keys[0]
		keys = keys[1:]
		if prev != nil && e.ID == prev.ID {
			room, keys = keys[0], keys[1:]
		}
		if old := positionOf(list[i]); old != position {
			moved[e.ID] = [2]string{old, position}
			changed = append(changed, withField(e, "position", position))
		}
	}
	if len(moved) > 0 {
		rev := d.emit(Event{Type: "list.respaced", EntityID: key.parent, Kind: key.kind, Positions: moved})
		for _, e := range changed {
			e.Rev = rev
			d.put(e.ID, e)
		}
	}
	return room
}
