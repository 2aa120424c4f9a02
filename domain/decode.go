package domain

import (
	"github.com/snapback-io/snapback/domain/plainjson"
)

// The functions that read do so only from what is plain (see plainjson) and as
// this package writes it: nothing unknown, a name of a struct once, null only
// where it means something. Else they give up, and encoding/json decides.

// words are the strings that stand in most records, so that reading one of
// them allocates nothing.
var words = plainjson.Words{}

func init() {
	for _, w := range []string{string(OpMutate), string(OpCancel), string(GrantOpen), string(Viewer), string(Commenter), string(Editor), string(Admin),
		"hard", "soft", "list.respaced", "item.unchecked", "card.unliked", "board.imported", "likes", "liked", "number", "entity", "fields", "needs", "limit", "count", "change"} {
		words[w] = w
	}
	for _, c := range []Code{Invalid, NotFound, Conflict, Forbidden, NameTaken, WIPLimit, Limit, NotEmpty, Archived, Expired, Withdrawn} {
		words[string(c)] = string(c)
	}
	for _, name := range contentFields {
		words[name] = name
	}
	for kind, spec := range schema {
		words[string(kind)] = string(kind)
		for name := range spec.fields {
			words[name] = name
		}
		for _, verb := range append([]string{spec.created, spec.gone}, spec.verbs...) {
			words[string(kind)+"."+verb] = string(kind) + "." + verb
		}
	}
}

// ReadFields reads an object as Fields.UnmarshalJSON does.
func ReadFields(c *plainjson.Cursor) Fields {
	out := Fields{}
	for c.Open('{'); c.Next('}'); {
		name := words.Of(c.Name())
		out[name] = readValue(c)
	}
	return out
}

// ReadPatch reads an object or null as Patch.UnmarshalJSON does.
func ReadPatch(c *plainjson.Cursor) Patch {
	if c.Null() {
		return nil
	}
	out := Patch{}
	for c.Open('{'); c.Next('}'); {
		name := words.Of(c.Name())
		out[name] = readPatchValue(c, name)
	}
	return out
}

// readValue reads as DecodeValue does.
func readValue(c *plainjson.Cursor) any {
	switch c.Peek() {
	case '"':
		return c.Word(words, "")
	case 'n':
		c.Null()
		return nil
	case 't', 'f':
		return c.Bool()
	case '[':
		before := *c
		if list, ok := readStrings(c); ok {
			return list
		}
		*c = before
	}
	return DecodeValue(c.Raw())
}

// readStrings reads a list as long as it is one of strings.
func readStrings(c *plainjson.Cursor) (list []string, ok bool) {
	list = []string{}
	for c.Open('['); c.Next(']'); {
		if c.Peek() != '"' {
			return nil, false
		}
		list = append(list, c.String())
	}
	return list, true
}

// readPatchValue reads as decodePatchValue does.
func readPatchValue(c *plainjson.Cursor, name string) any {
	if c.Peek() != '{' {
		return readValue(c)
	}
	before := *c
	if name == "position" {
		if place, ok := readPlace(c); ok {
			return place
		}
	} else if IsSetField(name) {
		if change, ok := readSetChange(c); ok {
			return change
		}
	}
	*c = before
	return decodePatchValue(name, c.Raw())
}

func readPlace(c *plainjson.Cursor) (p Place, ok bool) {
	if c.Open('{'); !c.Next('}') {
		return p, false
	}
	switch string(c.Name()) {
	case "after":
		p.HasAfter = true
	case "before":
		p.HasBefore = true
	default:
		return p, false
	}
	id := ""
	if !c.Null() {
		if c.Peek() != '"' {
			return p, false
		}
		if id = c.String(); id == "" {
			return p, false
		}
	}
	if p.HasAfter {
		p.After = id
	} else {
		p.Before = id
	}
	return p, !c.Next('}')
}

func readSetChange(c *plainjson.Cursor) (change SetChange, ok bool) {
	for c.Open('{'); c.Next('}'); {
		to := &change.Add
		if name := c.Name(); string(name) == "remove" {
			to = &change.Remove
		} else if string(name) != "add" {
			return change, false
		}
		switch c.Peek() {
		case '"':
			*to = []string{c.String()}
		case '[':
			if *to, ok = readStrings(c); !ok {
				return change, false
			}
		default:
			return change, false
		}
	}
	return change, true
}

// readEntity reads an entity that is plain.
func readEntity(data []byte) (e Entity, ok bool) {
	c := plainjson.New(data)
	e.Fields = Fields{}
	for c.Open('{'); c.Next('}'); {
		switch name := c.Name(); string(name) {
		case "id":
			e.ID = c.String()
		case "kind":
			e.Kind = Kind(c.Word(words, ""))
		case "rev":
			e.Rev = c.Uint()
		case "createdRev":
			e.CreatedRev = c.Uint()
		case "createdAt":
			e.CreatedAt = c.Time()
		case "createdBy":
			e.CreatedBy = c.String()
		case "updatedAt":
			e.UpdatedAt = c.Time()
		case "updatedBy":
			e.UpdatedBy = c.Word(nil, e.CreatedBy)
		case "deleted":
			e.Deleted = c.Bool()
		default:
			field := words.Of(name)
			if c.Peek() == 'n' { // left out
				c.GiveUp()
			}
			e.Fields[field] = readValue(&c)
		}
	}
	return e, c.Done()
}
