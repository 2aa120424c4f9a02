package domain

import (
	"maps"
	"slices"
)

// Shape is what a kind's entities are made of and which events tell of them.
type Shape struct {
	Kind          Kind
	Created, Gone string // types of its events; Gone is "" for the board, which stays
	Fields        []FieldShape
	Extra         bool // takes x- fields, which its .changed tells
}

// FieldShape is one field of a kind.
type FieldShape struct {
	Name     string
	Event    string // type of the event that tells of its change, "" if it never changes
	Required bool   // an entity has it from the start on
}

// Shapes are those of all kinds, kinds and fields in order of their names.
func Shapes() []Shape {
	var list []Shape
	for _, kind := range slices.Sorted(maps.Keys(schema)) {
		spec := schema[kind]
		s := Shape{Kind: kind, Created: eventType(kind, spec.created), Extra: spec.extra}
		if spec.gone != "" {
			s.Gone = eventType(kind, spec.gone)
		}
		for _, name := range slices.Sorted(maps.Keys(spec.fields)) {
			f := spec.fields[name]
			field := FieldShape{Name: name, Required: f.required}
			if !f.fixed {
				field.Event = eventType(kind, f.verb)
			}
			s.Fields = append(s.Fields, field)
		}
		switch kind {
		case KindCard:
			s.Fields = append(s.Fields, FieldShape{Name: "number", Required: true})
		case KindFile:
			for _, name := range contentFields {
				s.Fields = append(s.Fields, FieldShape{Name: name, Event: "file.replaced"})
			}
		}
		list = append(list, s)
	}
	return list
}

// EventTypes are the types that an event may have, sorted.
func EventTypes() []string {
	list := []string{"board.imported", "card.unliked", "item.unchecked", "list.respaced"}
	for kind, spec := range schema {
		for _, verb := range append([]string{spec.created, spec.gone}, spec.verbs...) {
			if verb != "" {
				list = append(list, eventType(kind, verb))
			}
		}
	}
	slices.Sort(list)
	return list
}

// Codes are those that a decision may be refused with.
func Codes() []Code {
	return []Code{Invalid, NotFound, Conflict, Forbidden, NameTaken, WIPLimit, Limit, NotEmpty, Archived, Expired, Withdrawn, TooLarge}
}
