package trello

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// field is a field of an application's own that becomes a custom field.
type field struct {
	Field string `json:"field"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	// options are the values of a list, as cards have them.
	options []string
}

func (f *field) id() string { return hashed(idTime("00000000"), "field", f.Field) }

func (f *field) option(text string) string {
	return hashed(idTime("00000000"), "option", f.Field, text)
}

// customFieldsOf gives the fields of the cards that an import gives the same
// names: those the board says were custom fields, and those all of whose values
// are of one type that Trello has.
func customFieldsOf(board *domain.Entity, entities []*domain.Entity) []field {
	types, options := map[string]string{}, map[string][]string{}
	for _, e := range entities {
		if e.Kind != domain.KindCard {
			continue
		}
		for name, v := range e.Fields {
			if !strings.HasPrefix(name, "x-") {
				continue
			}
			kind := typeOf(v)
			if was, seen := types[name]; seen && was != kind {
				kind = ""
			}
			types[name] = kind
			if s, is := v.(string); is {
				options[name] = append(options[name], s)
			}
		}
	}
	var fields []field
	if raw, err := json.Marshal(board.Fields[customFieldNames]); err != nil || json.Unmarshal(raw, &fields) != nil {
		fields = nil
	}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		known := slices.ContainsFunc(fields, func(f field) bool { return f.Field == name })
		if types[name] != "" && !known {
			fields = append(fields, field{Field: name, Name: strings.TrimPrefix(name, "x-"), Type: types[name]})
		}
	}
	for i := range fields {
		if fields[i].Type == "list" {
			fields[i].options = sorted(options[fields[i].Field])
		}
	}
	return sameNamed(fields)
}

// sameNamed leaves out the fields that would be given another name when read.
func sameNamed(fields []field) []field {
	for {
		m := mapping{x: &Export{}}
		for i := range fields {
			m.x.CustomFields = append(m.x.CustomFields, CustomField{ID: fields[i].id(), Name: fields[i].Name, Pos: float64(i)})
		}
		names := m.fieldNames()
		same := slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return names[f.id()] != f.Field })
		if len(same) == len(fields) {
			return fields
		}
		fields = same
	}
}

// typeOf is the type of a custom field for a value, "" for none.
func typeOf(v any) string {
	switch x := v.(type) {
	case string:
		return "text"
	case bool:
		return "checkbox"
	case int64:
		return "number"
	case json.RawMessage:
		if json.Unmarshal(x, new(float64)) == nil {
			return "number"
		}
	}
	return ""
}

func (w *writing) fieldObjects() []object {
	out := []object{}
	for i := range w.fields {
		f := &w.fields[i]
		o := object{"id": f.id(), "idModel": w.ids[w.board.ID], "modelType": "board", "name": f.Name, "type": f.Type, "pos": (i + 1) * posStep}
		options := []object{}
		for _, text := range f.options {
			options = append(options, object{"id": f.option(text), "color": "none", "value": object{"text": text}})
		}
		if f.Type == "list" {
			o["options"] = options
		}
		out = append(out, o)
	}
	return out
}

// fieldItems are the card's values of custom fields.
func (w *writing) fieldItems(e *domain.Entity) []object {
	out := []object{}
	for i := range w.fields {
		f := &w.fields[i]
		v := e.Fields[f.Field]
		item := object{"idCustomField": f.id(), "idModel": w.ids[e.ID], "modelType": "card", "id": hashed(e.CreatedAt, "value", f.Field, e.ID)}
		text, is := v.(string)
		switch {
		case v == nil:
			continue
		case f.Type == "list" && is:
			item["idValue"], item["value"] = f.option(text), nil
		case f.Type == "checkbox":
			item["value"] = object{"checked": string(compact(v))}
		case f.Type == "number" && !is:
			item["value"] = object{"number": string(compact(v))}
		case is:
			item["value"] = object{f.Type: text}
		default:
			continue
		}
		out = append(out, item)
	}
	return out
}

func compact(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return raw
}
