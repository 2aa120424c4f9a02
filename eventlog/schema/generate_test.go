package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/snapback-io/snapback/domain"
)

type object = map[string]any

// generate makes the schema: the types of package domain by reflection, the
// events by its table of kinds.
func generate(t *testing.T) []byte {
	t.Helper()
	reflector := &jsonschema.Reflector{Mapper: mapped, Anonymous: true}
	raw, err := json.Marshal(reflector.Reflect(&domain.Commit{}))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	defs := doc.Defs
	base := defs["Event"]
	var types []any
	for _, name := range domain.EventTypes() {
		defs[name] = event(t, base, name)
		types = append(types, object{"$ref": "#/$defs/" + name})
	}
	defs["Event"] = object{"oneOf": types, "description": "An accepted fact; it raises the board's rev by one."}
	refine(defs)
	out, err := json.MarshalIndent(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID(),
		"title": "A record of a Snapback log", "$ref": "#/$defs/Commit", "$defs": defs,
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

var (
	anyObject = object{"type": "object"}
	hexSum    = object{"type": "string", "pattern": "^[0-9a-f]{64}$"}
	id        = object{"type": "string", "pattern": "^(member:[\\s\\S]{1,255}|[0-9A-Za-z_:-]{1,64})$"}
	dateTime  = object{"type": "string", "format": "date-time"}
	position  = object{"type": "string", "pattern": "^[0-9A-Za-z]{1,200}$"}
	users     = object{"type": "array", "items": object{"type": "string", "minLength": 1}, "uniqueItems": true}
	text      = object{"type": "string"}
	count     = object{"type": "integer", "minimum": 0}
	day       = object{"anyOf": []any{dateTime, object{"type": "string", "format": "date"}}}
	ref       = object{"type": "string", "pattern": "^[0-9A-Za-z_:-]{1,64}$"}
)

// mapped are the types that write their own JSON.
func mapped(t reflect.Type) *jsonschema.Schema {
	var as object
	switch t {
	case reflect.TypeFor[domain.Hash]():
		as = hexSum
	case reflect.TypeFor[time.Time]():
		as = dateTime
	case reflect.TypeFor[domain.Fields](), reflect.TypeFor[domain.Details]():
		as = anyObject
	case reflect.TypeFor[domain.Patch](), reflect.TypeFor[*domain.Entity](), reflect.TypeFor[domain.Entity]():
		as = object{"anyOf": []any{anyObject, object{"type": "null"}}}
	case reflect.TypeFor[json.RawMessage]():
		return jsonschema.TrueSchema
	default:
		return nil
	}
	return &jsonschema.Schema{Extras: as}
}

// refine adds what types do not say.
func refine(defs map[string]object) {
	property := func(def, name string, more object) {
		p := defs[def]["properties"].(object)
		has, _ := p[name].(object)
		for k, v := range more {
			has[k] = v
		}
	}
	var codes []any
	for _, code := range domain.Codes() {
		codes = append(codes, string(code))
	}
	property("Commit", "v", object{"enum": []any{domain.CommitVersion, domain.MovedVersion}})
	property("Commit", "prev", object{"description": "Hash of the stored bytes of the board's record before; zeros: none."})
	property("Commit", "notAfter", object{"description": "Stored later than that, by the stream's timestamp, the record is void: nothing of it took effect."})
	defs["Commit"]["oneOf"] = []any{
		object{"properties": object{"v": object{"const": domain.CommitVersion}, "decisions": object{"minItems": 1}}, "not": object{"required": []any{"moved"}}},
		object{"properties": object{"v": object{"const": domain.MovedVersion}, "decisions": object{"maxItems": 0}}, "required": []any{"moved"}},
	}
	property("Commit", "moved", object{"description": "The last record of a board in this shard: all its records stand once more in that one, this one as the last of them, and the board goes on there."})
	property("Moved", "generation", object{"minimum": 1})
	property("Moved", "shard", object{"minimum": 1})
	property("Decision", "op", object{"enum": []any{string(domain.OpMutate), string(domain.OpCancel), string(domain.OpImport)}})
	property("Decision", "rev", object{"minimum": 0, "description": "The board's rev after the decision."})
	property("Rejection", "code", object{"enum": codes})
	property("Change", "patch", object{"description": "null: delete the entity."})
	delete(defs["Decision"]["properties"].(object), "board") // the commit has it
	delete(defs["Decision"]["properties"].(object), "also")  // not stored
	defs["Decision"]["not"] = object{"required": []any{"events", "rejection"}}
	defs["Decision"]["description"] = "The outcome of one mutation: events (none: accepted, but it changed nothing), or a rejection."
}

// event is the schema of one type of event.
func event(t *testing.T, base object, name string) object {
	t.Helper()
	kind, verb, _ := strings.Cut(name, ".")
	members := object{}
	take := func(names ...string) {
		for _, name := range names {
			members[name] = base["properties"].(object)[name]
		}
	}
	take("rev", "entityId")
	members["type"], members["v"] = object{"const": name}, object{"const": 1}
	members["rev"] = object{"type": "integer", "minimum": 1}
	members["entityId"] = id
	required := []any{"type", "v", "rev", "entityId"}
	switch {
	case name == "list.respaced":
		members["entityId"] = object{"type": "string"}
		members["kind"] = object{"enum": []any{"column", "card", "checklist", "item", "label"}}
		members["positions"] = object{"type": "object", "minProperties": 1, "additionalProperties": object{
			"type": "array", "prefixItems": []any{object{"type": "string"}, position}, "minItems": 2, "maxItems": 2}}
		required = append(required, "kind", "positions")
	case name == "board.imported":
	case verb == "deleted" || verb == "removed":
		take("gone")
	default:
		required = append(required, changing(t, members, take, domain.Kind(kind), name)...)
	}
	return object{"type": "object", "properties": members, "required": required, "additionalProperties": false}
}

// changing gives an event the fields that it may tell of.
func changing(t *testing.T, members object, take func(...string), kind domain.Kind, name string) (required []any) {
	shape := shapeOf(kind)
	if name == shape.Created {
		members["after"] = entity(t, shape)
		take("origin")
		return []any{"after"}
	}
	was, is, added := object{}, object{}, object{}
	for _, f := range shape.Fields {
		if !tells(name, kind, f) {
			continue
		}
		v := value(t, kind, f.Name)
		was[f.Name] = object{"anyOf": []any{v, object{"type": "null"}}}
		is[f.Name] = was[f.Name]
		if domain.IsSetField(f.Name) {
			added[f.Name] = v
		}
	}
	if len(is) == 0 {
		t.Fatalf("%s tells of no field", name)
	}
	members["before"], members["after"] = fields(was, nil), fields(is, nil)
	if shape.Extra && strings.HasSuffix(name, ".changed") {
		for _, at := range []string{"before", "after"} {
			members[at].(object)["patternProperties"] = object{"^x-": true}
		}
	}
	if len(added) > 0 {
		members["added"], members["removed"] = fields(added, nil), fields(added, nil)
		return nil
	}
	return []any{"before", "after"}
}

// tells says whether an event of this type tells of the field's change.
func tells(name string, kind domain.Kind, f domain.FieldShape) bool {
	switch name {
	case "card.unliked":
		name = "card.liked"
	case "item.unchecked":
		name = "item.checked"
	}
	if strings.HasSuffix(name, ".restored") {
		return f.Name == "archived" || f.Name == "position"
	}
	return f.Event == name
}

// entity is what a new one has.
func entity(t *testing.T, shape domain.Shape) object {
	all := object{}
	var required []any
	for _, f := range shape.Fields {
		all[f.Name] = value(t, shape.Kind, f.Name)
		if f.Required {
			required = append(required, f.Name)
		}
	}
	s := fields(all, required)
	if shape.Extra {
		s["patternProperties"] = object{"^x-": true}
	}
	return s
}

func fields(of object, required []any) object {
	s := object{"type": "object", "properties": of, "additionalProperties": false, "minProperties": 1}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func shapeOf(kind domain.Kind) domain.Shape {
	for _, s := range domain.Shapes() {
		if s.Kind == kind {
			return s
		}
	}
	panic(fmt.Sprintf("no kind %q", kind))
}

// value is what a field holds.
func value(t *testing.T, kind domain.Kind, name string) object {
	t.Helper()
	switch name {
	case "title", "text", "name", "description", "color", "contentType", "url", "avatar":
		return text
	case "user", "assignee", "object":
		return object{"type": "string", "minLength": 1}
	case "position":
		return position
	case "archived":
		return object{"type": "boolean"}
	case "size", "number", "wipLimit":
		return count
	case "wipMode":
		return object{"enum": []any{"hard", "soft"}}
	case "role":
		return object{"enum": []any{string(domain.Viewer), string(domain.Commenter), string(domain.Editor), string(domain.Admin)}}
	case "labels", "assignees", "likedBy":
		return users
	case "due", "start":
		return day
	case "done":
		if kind == domain.KindItem {
			return object{"anyOf": []any{dateTime, object{"type": "boolean"}}}
		}
		return dateTime
	case "cardId", "columnId", "checklistId":
		return ref
	case "sha256":
		return hexSum
	}
	t.Fatalf("the field %s of a %s has no schema", name, kind)
	return nil
}
