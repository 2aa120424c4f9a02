package naive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Board is a folded board: entities by id, each a JSON object as a client would
// be sent it, but without `liked` and `likes`.
type Board struct {
	Rev      uint64
	Entities map[string]Object
	// Changed is the rev of the last change of every id ever seen, and Gone
	// says which of them are deleted.
	Changed map[string]uint64
	Gone    map[string]bool
	touched []string // ids that the last event changed or took along
}

// Fold folds the records that are not void, up to rev upTo (0: all).
func Fold(records []Record, upTo uint64) *Board {
	var at *Board
	last := walk(records, func(b *Board, _ *Decision, e *Event) bool {
		at = b
		return upTo == 0 || e.Rev < upTo
	})
	if at == nil {
		return last
	}
	return at
}

// walk folds event by event and calls fn after each, until it says false.
func walk(records []Record, fn func(b *Board, d *Decision, e *Event) bool) *Board {
	b := &Board{Entities: map[string]Object{}, Changed: map[string]uint64{}, Gone: map[string]bool{}}
	for i := range records {
		r := &records[i]
		if r.Void() {
			continue
		}
		for n := range r.Decisions {
			d := &r.Decisions[n]
			for k := range d.Events {
				b.apply(d, &d.Events[k])
				if !fn(b, d, &d.Events[k]) {
					return b
				}
			}
		}
	}
	return b
}

func (b *Board) apply(d *Decision, e *Event) {
	b.Rev, b.touched = e.Rev, b.touched[:0]
	kind, verb, _ := strings.Cut(e.Type, ".")
	switch {
	case kind == "list":
		for id, keys := range e.Positions {
			b.touch(id, d, e, func(o Object) { o["position"] = keys[1] })
		}
	case verb == "deleted" || verb == "removed":
		b.drop(e.EntityID, e.Rev)
	default:
		if b.Entities[e.EntityID] == nil {
			b.create(kind, d, e)
		}
		b.touch(e.EntityID, d, e, func(o Object) { change(o, e) })
	}
}

func (b *Board) create(kind string, d *Decision, e *Event) {
	o := Object{"id": e.EntityID, "kind": kind, "createdRev": number(e.Rev), "createdAt": d.AtText}
	if d.User != "" {
		o["createdBy"] = d.User
	}
	b.Entities[e.EntityID] = o
	delete(b.Gone, e.EntityID)
}

func (b *Board) touch(id string, d *Decision, e *Event, fn func(Object)) {
	o := maps.Clone(b.Entities[id])
	if o == nil {
		o = Object{"id": id, "unknown": true} // a log that names what is not there: shows up in the comparison
	}
	o["rev"], o["updatedAt"] = number(e.Rev), d.AtText
	if d.User != "" {
		o["updatedBy"] = d.User
	}
	fn(o)
	if e.Origin != nil {
		for name, v := range map[string]string{"createdAt": e.Origin.CreatedAt, "createdBy": e.Origin.CreatedBy, "updatedAt": e.Origin.UpdatedAt, "updatedBy": e.Origin.UpdatedBy} {
			if o[name] = v; v == "" || strings.HasPrefix(v, "0001-01-01") {
				delete(o, name)
			}
		}
	}
	b.Entities[id], b.Changed[id] = o, e.Rev
	b.touched = append(b.touched, id)
}

func change(o Object, e *Event) {
	for name, v := range e.After {
		if o[name] = v; v == nil {
			delete(o, name)
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(e.Added)), slices.Collect(maps.Keys(e.Removed))) {
		set := map[string]bool{}
		old, _ := o[name].([]any)
		for _, x := range old {
			set[fmt.Sprint(x)] = true
		}
		for _, x := range e.Added[name] {
			set[x] = true
		}
		for _, x := range e.Removed[name] {
			delete(set, x)
		}
		list := []any{}
		for _, x := range slices.Sorted(maps.Keys(set)) {
			list = append(list, x)
		}
		o[name] = list
	}
}

// drop deletes id and everything whose cardId or checklistId it is.
func (b *Board) drop(id string, rev uint64) {
	delete(b.Entities, id)
	b.Changed[id], b.Gone[id] = rev, true
	b.touched = append(b.touched, id)
	for child, o := range b.Entities {
		if o["cardId"] == id || o["checklistId"] == id {
			b.drop(child, rev)
		}
	}
}

// View is what user is shown of the board: each card with `liked` and `likes`.
func (b *Board) View(user string) map[string]Object {
	view := make(map[string]Object, len(b.Entities))
	for id, o := range b.Entities {
		view[id] = For(o, user)
	}
	return view
}

func number(n uint64) json.Number { return json.Number(fmt.Sprint(n)) }

// Differences says where two views differ, one line per entity. An empty set
// and an absent one are the same, and so is what only the server keeps of a file.
func Differences(got, want map[string]Object) []string {
	var list []string
	ids := map[string]bool{}
	for id := range got {
		ids[id] = true
	}
	for id := range want {
		ids[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if g, w := canonical(got[id]), canonical(want[id]); g != w {
			list = append(list, fmt.Sprintf("%s\n   is     %s\n   should %s", id, g, w))
		}
	}
	return list
}

func canonical(o Object) string {
	if o == nil {
		return "(absent)"
	}
	o = maps.Clone(o)
	delete(o, "object")
	for _, name := range []string{"labels", "assignees", "likedBy"} {
		if list, ok := o[name].([]any); ok && len(list) == 0 {
			delete(o, name)
		}
	}
	raw, err := json.Marshal(o) // keys sorted
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// ToObject turns an entity's JSON into an Object.
func ToObject(raw []byte) (Object, error) {
	var o Object
	err := Decoder(raw).Decode(&o)
	return o, err
}

// Decoder decodes JSON, numbers as json.Number.
func Decoder(raw []byte) *json.Decoder {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	return dec
}
