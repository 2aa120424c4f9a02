package domain

import (
	"maps"
	"slices"
)

// edit is one entity's change on its way.
type edit struct {
	id       string
	kind     Kind
	old      *Entity // nil: to be created
	patch    Patch
	content  *Content
	origin   *Origin // set when imported
	imported bool

	next    Fields
	changed []string
}

// write normalises the patch and puts the entity, with its events.
func (d *draft) write(e edit) *Rejection {
	if e.old != nil {
		e.next = maps.Clone(e.old.Fields)
	} else {
		e.next = Fields{}
	}
	if r := d.setFields(&e); r != nil {
		return r
	}
	if r := d.setLiked(&e); r != nil {
		return r
	}
	if r := d.setContent(&e); r != nil {
		return r
	}
	if r := d.complete(&e); r != nil {
		return r
	}
	d.setName(&e)
	if r := d.setPosition(&e); r != nil {
		return r
	}
	if e.old == nil {
		d.create(&e)
	} else if len(e.changed) > 0 {
		d.update(&e)
	}
	return nil
}

// set makes v the field's value and notes it if that is a change.
func (e *edit) set(name string, v any) {
	if sameValue(e.next[name], v) {
		return
	}
	if v == nil {
		delete(e.next, name)
	} else {
		e.next.put(name, v)
	}
	if !slices.Contains(e.changed, name) {
		e.changed = append(e.changed, name)
	}
}

// sameValue is EqualValues, with false and an empty set the same as absent.
func sameValue(a, b any) bool { return EqualValues(orAbsent(a), orAbsent(b)) }

func orAbsent(v any) any {
	switch x := v.(type) {
	case bool:
		if !x {
			return nil
		}
	case []string:
		if len(x) == 0 {
			return nil
		}
	}
	return v
}

func (d *draft) setFields(e *edit) *Rejection {
	spec := schema[e.kind]
	var room [maxSorted]string
	for _, name := range sortedKeys(room[:0], e.patch) {
		if serverOwned(name) || name == "liked" && e.kind == KindCard {
			continue
		}
		f, ok := spec.field(name)
		if !ok {
			return invalid(name, &flaw{reason: "no such field of a " + string(e.kind)})
		}
		v := e.patch[name]
		if v == nil {
			if f.required || name == "position" {
				return invalid(name, &flaw{reason: "required"})
			}
			e.set(name, nil)
			continue
		}
		v, bad := f.check(v)
		if bad != nil {
			return invalid(name, bad)
		}
		switch {
		case f.fixed && e.old != nil && !EqualValues(e.next[name], v):
			return invalid(name, &flaw{reason: "never changes"})
		case name == "position": // later, when the list is known
		case IsSetField(name):
			if r := d.setSet(e, name, v); r != nil {
				return r
			}
		default:
			e.set(name, v)
		}
	}
	return nil
}

func (d *draft) setSet(e *edit, name string, v any) *Rejection {
	old := e.next.Set(name)
	list, plain := v.([]string)
	if !plain {
		list = v.(SetChange).apply(old)
	}
	if limit := map[string]int{"labels": maxLabels, "assignees": maxMembers}[name]; limit > 0 && len(list) > limit && len(list) > len(old) {
		return invalid(name, &flaw{"too many elements", limit})
	}
	if !e.imported && name != "likedBy" {
		for _, element := range minus(list, old) {
			d.refs = append(d.refs, setRef{d.change, e.id, name, element})
		}
	}
	e.set(name, list)
	return nil
}

// minus gives the elements of sorted set a that are not in sorted set b.
func minus(a, b []string) []string {
	var out []string
	for _, s := range a {
		for len(b) > 0 && b[0] < s {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == s {
			b = b[1:]
		} else {
			out = append(out, s)
		}
	}
	return out
}

// setLiked does `liked`, and sees that nobody likes for somebody else.
func (d *draft) setLiked(e *edit) *Rejection {
	if e.kind != KindCard || e.imported {
		return nil
	}
	if v, ok := e.patch["liked"]; ok {
		liked, isBool := v.(bool)
		if !isBool {
			return invalid("liked", &flaw{reason: "not true or false"})
		}
		c := SetChange{Remove: []string{d.cmd.User}}
		if liked {
			c = SetChange{Add: []string{d.cmd.User}}
		}
		e.set("likedBy", c.apply(e.next.Set("likedBy")))
	}
	if slices.Contains(e.changed, "likedBy") {
		var was []string
		if e.old != nil {
			was = e.old.Fields.Set("likedBy")
		}
		is := e.next.Set("likedBy")
		for _, user := range slices.Concat(minus(is, was), minus(was, is)) {
			if user != d.cmd.User {
				return reject(Forbidden, "a like is one's own", "needs", "self")
			}
		}
	}
	return nil
}

// setContent does an upload, and sees that a file has content or a URL.
func (d *draft) setContent(e *edit) *Rejection {
	if e.kind != KindFile {
		if e.content != nil {
			return invalid("kind", &flaw{reason: "only a file has content"})
		}
		return nil
	}
	if c := e.content; c != nil {
		if bad := c.flaw(); bad != nil {
			return invalid("content", bad)
		}
		if e.next.String("sha256") != c.SHA256 {
			e.set("size", c.Size)
			e.set("contentType", c.ContentType)
			e.set("sha256", c.SHA256)
			e.set("object", c.Object)
		}
		e.set("url", nil)
	} else if e.next["url"] != nil {
		for _, name := range contentFields {
			e.set(name, nil)
		}
	}
	if e.next["url"] == nil && e.next["object"] == nil {
		return invalid("url", &flaw{reason: "a file has a URL or an uploaded content"})
	}
	return nil
}

func (c *Content) flaw() *flaw {
	contentType, bad := line(0, maxName)(c.ContentType)
	switch {
	case bad != nil || contentType != c.ContentType:
		return &flaw{reason: "not a content type"}
	case c.Object == "" || c.Size < 0 || len(c.SHA256) != 64:
		return &flaw{reason: "incomplete"}
	}
	return nil
}

// complete sees that what is required is there.
func (d *draft) complete(e *edit) *Rejection {
	spec := schema[e.kind]
	if e.kind == KindMember {
		user, ok := IsMemberID(e.id)
		if e.old == nil && e.next["user"] == nil {
			e.next["user"] = user
		}
		if !ok || e.next.String("user") != user {
			return invalid("user", &flaw{reason: "a member's id is member: and the user"})
		}
	} else if _, ok := IsMemberID(e.id); ok {
		return invalid("entityId", &flaw{reason: "the id of a member"})
	}
	if e.kind == KindBoard && e.id != d.b.id {
		return invalid("kind", &flaw{reason: "there is one board, with the board's id"})
	}
	if e.old == nil {
		for _, name := range spec.required {
			if e.next[name] == nil {
				return invalid(name, &flaw{reason: "required"})
			}
		}
	}
	if !slices.ContainsFunc(e.changed, isExtra) {
		return nil
	}
	n := 0
	for name := range e.next {
		if isExtra(name) {
			n++
		}
	}
	if n > maxExtra {
		extra := slices.DeleteFunc(slices.Clone(e.changed), func(s string) bool { return !isExtra(s) })
		return invalid(extra[len(extra)-1], &flaw{"too many fields of this sort", maxExtra})
	}
	return nil
}

// setName gives a new file a name that is free.
func (d *draft) setName(e *edit) {
	if e.kind != KindFile || e.old != nil {
		return
	}
	asked := e.next.String("name")
	parent := e.next.String("cardId")
	for n := 2; d.holder(nameKey{parent, foldName(e.next.String("name"))}, e.id) != ""; n++ {
		e.next["name"] = numbered(asked, n)
	}
}

func (d *draft) setPosition(e *edit) *Rejection {
	if !positioned(e.kind) {
		return nil
	}
	key := listKey{kind: e.kind}
	if name := ParentField(e.kind); name != "" {
		key.parent = e.next.String(name)
	}
	want, asked := e.patch["position"]
	restored := e.old != nil && e.old.Fields.Bool("archived") && !e.next.Bool("archived")
	switch {
	case asked || e.old == nil || keyOf(e.old) != key:
	case restored:
		want = positionOf(e.old)
	default:
		return nil
	}
	position, r := d.place(key, e.id, e.old, want)
	if r != nil {
		return r
	}
	e.set("position", position)
	return nil
}
