package domain

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Patch is what a mutation changes of one entity, by field name. nil (JSON
// null) deletes the entity. A value is a field value (see [Fields]), nil to
// make the field absent, a [SetChange] in a set field, or a [Place] in
// position. A value of the wrong shape is kept as json.RawMessage and refused
// by Decide, so that what was asked can be logged as it was.
type Patch map[string]any

// SetChange adds to and removes from a set field: union, then difference.
type SetChange struct {
	Add    []string `json:"add,omitempty"`
	Remove []string `json:"remove,omitempty"`
}

// Place is a position relative to a sibling. The server chooses the key in log
// order, a view from what it shows. Exactly one of HasAfter and HasBefore is
// set; an empty id with HasAfter is "first", with HasBefore "last".
type Place struct {
	HasAfter, HasBefore bool
	After, Before       string
}

// MarshalJSON writes {"after":id}, {"before":id}, or null for the id.
func (p Place) MarshalJSON() ([]byte, error) {
	name, id := "after", p.After
	if p.HasBefore {
		name, id = "before", p.Before
	}
	var v *string
	if id != "" {
		v = &id
	}
	return json.Marshal(map[string]*string{name: v})
}

// setFields are the fields whose value is a set of strings, whatever the kind.
var setFields = []string{"assignees", "labels", "likedBy"}

// IsSetField says whether a field's value is a set: sorted by bytes, no doubles.
func IsSetField(name string) bool { return slices.Contains(setFields, name) }

// UnmarshalJSON reads a patch object; null makes the Patch nil.
func (p *Patch) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if raw == nil {
		*p = nil
		return nil
	}
	out := make(Patch, len(raw))
	for name, v := range raw {
		out[name] = decodePatchValue(name, v)
	}
	*p = out
	return nil
}

func decodePatchValue(name string, raw json.RawMessage) any {
	v := DecodeValue(raw)
	object, isRaw := v.(json.RawMessage)
	if !isRaw || len(object) == 0 || object[0] != '{' {
		return v
	}
	switch {
	case IsSetField(name):
		if c, ok := decodeSetChange(object); ok {
			return c
		}
	case name == "position":
		if place, ok := decodePlace(object); ok {
			return place
		}
	}
	return v
}

func decodeSetChange(raw []byte) (SetChange, bool) {
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return SetChange{}, false
	}
	var c SetChange
	for name, part := range parts {
		var list []string
		switch v := DecodeValue(part).(type) {
		case string:
			list = []string{v}
		case []string:
			list = v
		default:
			return SetChange{}, false
		}
		switch name {
		case "add":
			c.Add = list
		case "remove":
			c.Remove = list
		default:
			return SetChange{}, false
		}
	}
	return c, true
}

func decodePlace(raw []byte) (Place, bool) {
	var parts map[string]*string
	if json.Unmarshal(raw, &parts) != nil || len(parts) != 1 {
		return Place{}, false
	}
	for name, id := range parts {
		s := ""
		if id != nil {
			if s = *id; s == "" {
				return Place{}, false
			}
		}
		switch name {
		case "after":
			return Place{HasAfter: true, After: s}, true
		case "before":
			return Place{HasBefore: true, Before: s}, true
		}
	}
	return Place{}, false
}

// serverOwned says whether a patch cannot set the field: PROTOCOL.md has such
// fields of a patch ignored.
func serverOwned(name string) bool {
	switch name {
	case "id", "rev", "number", "likes", "kind":
		return true
	}
	return strings.HasPrefix(name, "created") || strings.HasPrefix(name, "updated")
}

// Merge gives fields with patch applied, by the table "Applying a patch" of
// PROTOCOL.md; user is who `liked` stands for. It is one function for the
// server and for a client's view, and it judges nothing: an unknown field or a
// value of the wrong type is taken as it is. A [Place] is left out: whoever
// knows the siblings puts a key in the patch first. Neither argument is changed.
func Merge(fields Fields, patch Patch, user string) Fields {
	out := maps.Clone(fields)
	if out == nil {
		out = make(Fields, len(patch))
	}
	for name, v := range patch {
		if serverOwned(name) {
			continue
		}
		switch x := v.(type) {
		case nil:
			delete(out, name)
		case Place:
		case SetChange:
			out.put(name, x.apply(out.Set(name)))
		case bool:
			if name == "liked" {
				continue // after the loop: likedBy may be in the same patch
			}
			out.put(name, v)
		case []string:
			if IsSetField(name) {
				v = sortedSet(x)
			}
			out.put(name, v)
		default:
			out.put(name, v)
		}
	}
	if liked, ok := patch["liked"].(bool); ok {
		c := SetChange{Remove: []string{user}}
		if liked {
			c = SetChange{Add: []string{user}}
		}
		out.put("likedBy", c.apply(out.Set("likedBy")))
	}
	return out
}

// apply gives what the change makes of a set, sorted by bytes without doubles,
// never nil.
func (c SetChange) apply(set []string) []string {
	out := append(make([]string, 0, len(set)+len(c.Add)), set...)
	if len(c.Add) <= 8 && isSet(set) {
		for _, s := range c.Add {
			if i, found := slices.BinarySearch(out, s); !found {
				out = slices.Insert(out, i, s)
			}
		}
	} else {
		out = append(out, c.Add...)
		slices.Sort(out)
		out = slices.Compact(out)
	}
	for _, s := range c.Remove {
		if i, found := slices.BinarySearch(out, s); found {
			out = slices.Delete(out, i, i+1)
		}
	}
	return out
}

// isSet says whether list is sorted by bytes without doubles.
func isSet(list []string) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1] >= list[i] {
			return false
		}
	}
	return true
}

// sortedSet is list sorted by bytes without doubles, never nil; list is kept.
func sortedSet(list []string) []string {
	out := append(make([]string, 0, len(list)), list...)
	slices.Sort(out)
	return slices.Compact(out)
}
