package past

import (
	"maps"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// story is what events in a row tell of one entity: of each field and element
// the last that was said of it.
type story struct {
	created bool // its beginning is among them
	deleted *Set
	kind    domain.Kind
	last    Set // of all
	fields  map[string]*told
}

// told is what is known of a field.
type told struct {
	set      Set
	value    any                 // when it was set as a whole; nil: absent
	whole    bool                // it was set as a whole: nothing older matters
	elements map[string]membered // of a set field
}

// membered says who put an element in or took it out.
type membered struct {
	Set
	in bool
}

func setBy(d *domain.Decision, ev *domain.Event) Set {
	return Set{Rev: ev.Rev, At: d.At, User: d.User, Mutation: d.ID, Event: ev.Type, Origin: ev.Origin}
}

// event takes in the event that follows.
func (st *story) event(entity string, d *domain.Decision, ev *domain.Event) {
	keys, respaced := ev.Positions[entity]
	named := ev.EntityID == entity && ev.Type != "list.respaced" // which names the parent
	if !named && !respaced {
		return
	}
	set := setBy(d, ev)
	kind, verb, _ := strings.Cut(ev.Type, ".")
	switch {
	case respaced:
		st.whole("position", keys[1], set)
	case verb == "created" || verb == "added":
		*st = story{created: true, kind: domain.Kind(kind)}
	case verb == "deleted" || verb == "removed":
		st.deleted = &set
	}
	st.last = set
	if respaced {
		return
	}
	for name, v := range ev.After {
		st.whole(name, v, set)
	}
	for name, list := range ev.Added {
		st.some(name, list, set, true)
	}
	for name, list := range ev.Removed {
		st.some(name, list, set, false)
	}
}

func (st *story) field(name string) *told {
	if st.fields == nil {
		st.fields = map[string]*told{}
	}
	if st.fields[name] == nil {
		st.fields[name] = &told{}
	}
	return st.fields[name]
}

func (st *story) whole(name string, v any, set Set) {
	f := st.field(name)
	*f = told{set: set, value: v, whole: true}
	if list, is := v.([]string); is && domain.IsSetField(name) {
		f.elements = map[string]membered{}
		for _, element := range list {
			f.elements[element] = membered{set, true}
		}
	}
}

func (st *story) some(name string, list []string, set Set, in bool) {
	f := st.field(name)
	f.set = set
	if f.elements == nil {
		f.elements = map[string]membered{}
	}
	for _, element := range list {
		f.elements[element] = membered{set, in}
	}
}

// before puts what was told earlier in front.
func (st *story) before(older *story) {
	if st.created {
		return
	}
	st.created = older.created
	if st.last.Rev == 0 {
		st.last, st.deleted = older.last, older.deleted
	}
	if st.kind == "" {
		st.kind = older.kind
	}
	for name, was := range older.fields {
		f := st.fields[name]
		switch {
		case f == nil:
			*st.field(name) = *was
		case !f.whole:
			f.whole, f.value = was.whole, was.value
			for element, by := range was.elements {
				if _, known := f.elements[element]; !known {
					f.elements[element] = by
				}
			}
		}
	}
}

// explains says whether it is known who made the field v.
func (st *story) explains(name string, v any) bool {
	f := st.fields[name]
	if f == nil || f.whole {
		return f != nil
	}
	list, _ := v.([]string)
	return !slices.ContainsFunc(list, func(element string) bool { return f.elements[element].Rev == 0 })
}

// present are the elements of a set field, nil if it is absent.
func (f *told) present() any {
	list := []string{}
	for element, by := range maps.All(f.elements) {
		if by.in {
			list = append(list, element)
		}
	}
	slices.Sort(list)
	return list
}
