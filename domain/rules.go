package domain

import "slices"

// breach is a rule broken at the end, and the change to blame.
type breach struct {
	change int
	*Rejection
}

// rules judges what must hold at the end of a command, not in between. It
// gives the breach of the earliest change to blame, by the order of rules if
// several break with one change.
func (d *draft) rules() (breach, bool) {
	var found []breach
	blame := func(change int, r *Rejection) {
		if r != nil {
			found = append(found, breach{change, r})
		}
	}
	imported := d.cmd.Op == OpImport
	for _, t := range d.touched.values {
		blame(t.entered, d.parentExists(t))
		if !imported {
			blame(t.last, d.archivedRefuses(t))
		}
	}
	for _, ref := range d.refs {
		blame(ref.change, d.refExists(ref))
	}
	for _, t := range d.touched.values {
		blame(t.named, d.nameIsFree(t))
	}
	found = append(found, d.crowded()...)
	for _, t := range d.touched.values {
		blame(t.last, d.adminStays(t))
		blame(t.last, d.columnIsEmpty(t))
	}
	if len(found) == 0 {
		return breach{}, false
	}
	first := found[0]
	for _, b := range found[1:] {
		if b.change < first.change {
			first = b
		}
	}
	return first, true
}

// parentExists: what was made or moved hangs on something that is there.
func (d *draft) parentExists(t *touch) *Rejection {
	if t.now == nil || t.now.Kind == KindCard && t.base != nil && t.base.Parent() == t.now.Parent() {
		return nil // that a column with cards stays is a rule of its own
	}
	parent := t.now.Parent()
	if parent == "" {
		return nil
	}
	if p := d.get(parent); p == nil || !slices.Contains(childKinds(p.Kind), t.now.Kind) {
		return notFound(parent)
	}
	return nil
}

func isArchived(e *Entity) bool { return e != nil && e.Fields.Bool("archived") }

// archivedAbove lists e and what it hangs on, the board last, as far as get
// finds them archived.
func archivedAbove(get func(string) *Entity, e *Entity, board string) []string {
	var ids []string
	for depth := 0; e != nil && depth < 8; depth++ {
		if isArchived(e) {
			ids = append(ids, e.ID)
		}
		switch {
		case e.ID == board:
			return ids
		case e.Parent() == "":
			e = get(board)
		default:
			e = get(e.Parent())
		}
	}
	return ids
}

// archivedRefuses: what is archived, itself or by what it hangs on, changes
// only by restoring it, by moving out of what is archived, or by its deletion.
// A card enters only a column that is not archived at the end.
func (d *draft) archivedRefuses(t *touch) *Rejection {
	if t.now == nil || len(t.changed) == 0 {
		return nil
	}
	refuse := func(id string) *Rejection { return reject(Archived, "it is archived", "entityId", id) }
	entered := t.base == nil || t.base.Parent() != t.now.Parent() || isArchived(t.base) && !isArchived(t.now)
	if column := d.get(t.now.Parent()); entered && t.now.Kind == KindCard && isArchived(column) {
		return refuse(column.ID)
	}
	baseGet := func(id string) *Entity { return d.b.entities[id] }
	end := archivedAbove(d.get, t.now, d.b.id)
	for _, id := range end {
		base := baseGet(id)
		switch {
		case id == t.id && t.base == nil: // made archived
		case id == t.id && isArchived(t.base):
			if !d.onlyMovesOut(t) {
				return refuse(id)
			}
		case id == t.id:
		case base == nil || isArchived(base):
			return refuse(id)
		}
	}
	return nil
}

// onlyMovesOut says whether an archived entity changed nothing but its parent
// (and with it its place).
func (d *draft) onlyMovesOut(t *touch) bool {
	parent := ParentField(t.now.Kind)
	if parent == "" || t.base.Parent() == t.now.Parent() {
		return false
	}
	return !slices.ContainsFunc(t.changed, func(name string) bool { return name != parent && name != "position" })
}

// refExists: a set names only labels, and members, that are there.
func (d *draft) refExists(ref setRef) *Rejection {
	e := d.get(ref.id)
	if e == nil {
		return nil
	}
	if _, still := slices.BinarySearch(e.Fields.Set(ref.field), ref.element); !still {
		return nil
	}
	id, kind := ref.element, KindLabel
	if ref.field == "assignees" {
		if d.cmd.Grant == GrantOpen {
			return nil
		}
		id, kind = MemberPrefix+ref.element, KindMember
	}
	if named := d.get(id); named == nil || named.Kind != kind {
		return notFound(id)
	}
	return nil
}

func (d *draft) nameIsFree(t *touch) *Rejection {
	key := nameKeyOf(t.now)
	if key == (nameKey{}) || key == nameKeyOf(t.base) {
		return nil
	}
	other := d.holder(key, t.id)
	if other == "" {
		return nil
	}
	if o := d.touched.get(other); o != nil && o.named > t.named && nameKeyOf(o.base) != key {
		return nil // the later of two is to blame
	}
	return reject(NameTaken, "a file of that name is there already", "entityId", other)
}

func (d *draft) adminStays(t *touch) *Rejection {
	was := t.base != nil && t.base.Kind == KindMember && Role(t.base.Fields.String("role")) == Admin
	if !was || t.now != nil && Role(t.now.Fields.String("role")) == Admin {
		return nil
	}
	admins := d.b.admins
	for _, o := range d.touched.values {
		for by, e := range map[int]*Entity{-1: o.base, +1: o.now} {
			if e != nil && e.Kind == KindMember && Role(e.Fields.String("role")) == Admin {
				admins += by
			}
		}
	}
	if admins > 0 {
		return nil
	}
	return reject(Forbidden, "a board keeps its last admin", "needs", string(Admin))
}

func (d *draft) columnIsEmpty(t *touch) *Rejection {
	if t.now != nil || t.base == nil || t.base.Kind != KindColumn {
		return nil
	}
	open, shut := 0, 0
	for _, card := range d.children(listKey{t.id, KindCard}) {
		if isArchived(card) {
			shut++
		} else {
			open++
		}
	}
	if open+shut == 0 {
		return nil
	}
	return reject(NotEmpty, "the column has cards", "cards", open, "archived", shut)
}
