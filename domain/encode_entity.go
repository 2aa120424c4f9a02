package domain

import (
	"slices"
	"time"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// reader is what an entity's encoding knows of who reads it; nil when it is for
// nobody in particular.
type reader struct {
	kind     Kind
	liked    bool
	likes    int
	counted  bool
	comments int // if counted
}

// takes says whether the reader is shown the field as it is.
func (r *reader) takes(name string) bool {
	switch {
	case r == nil:
		return true
	case r.kind == KindCard:
		return name != "liked" && name != "likes" && name != "comments"
	}
	return name != "object"
}

// Guesses at the bytes an entity takes beside its names and texts, and one of
// its fields: a few escapes, numbers, a small set.
const (
	entityRoom = 256
	fieldRoom  = 12
)

// appendJSON writes e with fields in place of its own.
func (e *Entity) appendJSON(dst []byte, fields Fields, r *reader) ([]byte, error) {
	w := encoder{buf: append(slices.Grow(dst, entityRoom), `{"id":`...), esc: plainjson.HTML}
	w.string(e.ID)
	w.name("kind")
	w.string(string(e.Kind))
	w.rev("rev", e.Rev)
	w.rev("createdRev", e.CreatedRev)
	w.made("createdAt", e.CreatedAt, "createdBy", e.CreatedBy)
	w.made("updatedAt", e.UpdatedAt, "updatedBy", e.UpdatedBy)
	if e.Deleted {
		w.raw(`,"deleted":true`)
	}
	var room [maxSorted]string
	names := room[:0]
	if r != nil && r.kind == KindCard {
		names = append(names, "liked", "likes")
		if r.counted {
			names = append(names, "comments")
		}
	}
	size := 0
	for name, v := range fields {
		if r.takes(name) {
			names = append(names, name)
			text, _ := v.(string)
			size += len(name) + len(text) + len(`,"":"",`) + fieldRoom
		}
	}
	w.buf = slices.Grow(w.buf, size)
	slices.Sort(names)
	for _, name := range names {
		w.key(name)
		switch {
		case r.takes(name):
			w.shown(fields[name])
		case name == "liked":
			w.value(r.liked)
		case name == "likes":
			w.int(int64(r.likes))
		case name == "comments":
			w.int(int64(r.comments))
		}
	}
	w.byte('}')
	if w.err != nil {
		return nil, w.err
	}
	return w.buf, nil
}

// shown writes a field of an entity, where a list is never null.
func (w *encoder) shown(v any) {
	if list, ok := v.([]string); ok && list == nil {
		w.raw("[]")
		return
	}
	w.value(v)
}

func (w *encoder) rev(name string, rev uint64) {
	if rev != 0 {
		w.name(name)
		w.uint(rev)
	}
}

// made writes a time and a user, each unless it is zero.
func (w *encoder) made(at string, t time.Time, by, user string) {
	if !t.IsZero() {
		w.name(at)
		w.byte('"')
		w.buf = append(t.AppendFormat(w.buf, time.RFC3339Nano), '"')
	}
	w.optional(by, user)
}
