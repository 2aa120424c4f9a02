package domain

import (
	"encoding/json"
)

func forbidden(needs Role) *Rejection {
	return reject(Forbidden, "needs the role "+string(needs), "needs", string(needs))
}

// mayPatch says whether the user's role allows what the patch names, changed or not.
func (d *draft) mayPatch(kind Kind, old *Entity, patch Patch, upload bool) *Rejection {
	spec := schema[kind]
	needs := Viewer
	if old == nil || upload {
		needs = spec.create
	}
	for name := range patch {
		if serverOwned(name) {
			continue
		}
		edit := spec.create
		if f, ok := spec.fields[name]; ok && f.edit != "" && old != nil {
			edit = f.edit
		} else if name == "liked" && kind == KindCard && old != nil {
			edit = Commenter
		}
		if !needs.Includes(edit) {
			needs = edit
		}
	}
	if !d.role.Includes(needs) {
		return forbidden(needs)
	}
	if kind == KindComment && old != nil && old.CreatedBy != d.cmd.User && needs != Viewer {
		return reject(Forbidden, "a comment is edited by its author", "needs", "author")
	}
	return nil
}

func (d *draft) mayDelete(e *Entity) *Rejection {
	needs := schema[e.Kind].destroy
	switch {
	case e.Kind == KindMember && e.ID == MemberPrefix+d.cmd.User:
		needs = Viewer
	case e.Kind == KindComment && e.CreatedBy != d.cmd.User:
		needs = Admin
	}
	if !d.role.Includes(needs) {
		return forbidden(needs)
	}
	return nil
}

// holds judges a change's preconditions by the board as it is before the
// command.
func (d *draft) holds(c *Change) *Rejection {
	base := d.b.entities[c.EntityID]
	var differ []string
	var room [maxSorted]string
	for _, name := range sortedKeys(room[:0], c.If) {
		want := c.If[name]
		if list, ok := want.([]string); ok && IsSetField(name) {
			want = sortedSet(list)
		}
		if !sameValue(base.shown(name, d.cmd.User), want) {
			differ = append(differ, name)
		}
	}
	if c.IfRev != nil {
		rev := uint64(0)
		if base != nil {
			rev = base.Rev
		}
		if rev != *c.IfRev {
			differ = append(differ, "rev")
		}
	}
	if len(differ) == 0 {
		return nil
	}
	var current any
	if base != nil {
		raw, err := base.JSONFor(base.LikedBy(d.cmd.User))
		if err == nil {
			current = json.RawMessage(raw)
		}
	}
	return reject(Conflict, "a precondition does not hold", "entity", current, "fields", differ)
}

// shown is a field as the user is shown it, nil if absent. e may be nil.
func (e *Entity) shown(name, user string) any {
	if e == nil {
		return nil
	}
	switch name {
	case "id":
		return e.ID
	case "kind":
		return string(e.Kind)
	case "rev":
		return int64(e.Rev)
	case "createdRev":
		return int64(e.CreatedRev)
	case "createdBy":
		return e.CreatedBy
	case "updatedBy":
		return e.UpdatedBy
	case "object":
		return nil
	}
	if e.Kind == KindCard {
		switch name {
		case "liked":
			return e.LikedBy(user)
		case "likes":
			return int64(len(e.Fields.Set("likedBy")))
		}
	}
	return e.Fields[name]
}
