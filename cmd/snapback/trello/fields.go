package trello

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/snapback-io/snapback/domain"
)

// customFieldNames is the board's field that says how the custom fields are called.
const customFieldNames = "x-custom-fields"

// orderedFields are the custom fields as the board shows them.
func (m *mapping) orderedFields() []CustomField {
	fields := slices.Clone(m.x.CustomFields)
	slices.SortStableFunc(fields, byPos(func(f CustomField) float64 { return f.Pos }))
	return fields
}

// fieldNames gives each custom field a name of its own: x-, and its name with
// everything but letters, digits, _ and - made one -.
func (m *mapping) fieldNames() map[string]string {
	names, taken := map[string]string{}, map[string]bool{}
	for _, f := range m.orderedFields() {
		slug := slugOf(f.Name)
		name := slug
		for n := 2; taken[name]; n++ {
			suffix := fmt.Sprintf("-%d", n)
			name = slug[:min(len(slug), 62-len(suffix))] + suffix
		}
		taken[name] = true
		names[f.ID] = "x-" + name
	}
	return names
}

func slugOf(name string) string {
	slug := strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_')
	}), "-")
	if len(slug) > 62 {
		slug = slug[:62]
	}
	if slug = strings.Trim(slug, "-"); slug == "" {
		return "field"
	}
	return slug
}

// mapFieldNames keeps the names and types of the custom fields on the board.
func (m *mapping) mapFieldNames(board domain.Fields) {
	if len(m.x.CustomFields) == 0 {
		return
	}
	type named struct {
		Field string `json:"field"`
		Name  string `json:"name"`
		Type  string `json:"type"`
	}
	names, list := m.fieldNames(), []named{}
	for _, f := range m.orderedFields() {
		list = append(list, named{names[f.ID], m.line("custom field names", f.Name, maxName), f.Type})
		for _, o := range f.Options {
			if o.Color != "" && o.Color != "none" {
				m.report.left("colours of custom field options", f.Name)
			}
		}
	}
	raw, err := json.Marshal(list)
	if err != nil || len(raw) > maxExtra {
		note(&m.report.Left, "names and types of custom fields (their values are carried over)", len(list), "")
		return
	}
	board[customFieldNames] = json.RawMessage(raw)
	note(&m.report.Carried, "custom fields", len(list), "")
}

// mapCustomFields puts a card's values of custom fields into fields.
func (m *mapping) mapCustomFields(c *Card, names map[string]string, fields domain.Fields) {
	n := 0
	for _, f := range m.orderedFields() {
		for _, item := range c.CustomFieldItems {
			if item.IDCustomField != f.ID {
				continue
			}
			v := m.value(f, item)
			switch {
			case v == nil:
				continue
			case n == maxExtras:
				m.report.left(fmt.Sprintf("custom field values beyond %d on a card", maxExtras), c.Name)
				continue
			case jsonBytes(v) > maxExtra:
				m.report.left("custom field values larger than 4 KiB", c.Name)
				continue
			}
			fields[names[f.ID]] = v
			n++
			note(&m.report.Carried, "custom field values", 1, "")
		}
	}
	for _, item := range c.CustomFieldItems {
		if names[item.IDCustomField] == "" {
			m.report.left("custom field values of unknown fields", c.Name)
		}
	}
}

// value is the value of a custom field, nil for none.
func (m *mapping) value(f CustomField, item CustomFieldItem) any {
	switch f.Type {
	case "checkbox":
		if item.Value.Checked == "true" {
			return true
		}
		return nil
	case "date":
		if s := m.when("dates in custom fields", string(item.Value.Date)); s != "" {
			return s
		}
		return nil
	case "list":
		for _, o := range f.Options {
			if o.ID == item.IDValue {
				return o.Value.Text
			}
		}
		if item.IDValue != "" {
			m.report.left("custom field values that name an unknown option", f.Name)
		}
		return nil
	case "number":
		s := string(item.Value.Number)
		if s == "" {
			return nil
		}
		if json.Valid([]byte(s)) {
			if v := domain.DecodeValue([]byte(s)); v != nil {
				return v
			}
		}
		return s
	case "text":
		if s := m.lines("custom field values", string(item.Value.Text), maxTitle); s != "" {
			return s
		}
		return nil
	}
	m.report.left("custom field values of an unknown type ("+shorten(f.Type)+")", f.Name)
	return nil
}
