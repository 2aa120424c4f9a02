package domain

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
)

// Fields are the fields of an entity by name, without the ones every entity
// has (id, kind, rev, created*, updated*). A value is one of
//
//	string, bool, int64, []string, json.RawMessage (any other JSON, compact)
//
// and never nil: an absent field is not in the map. In a precondition
// ([Change.If]) and in [Event.Before] a nil value stands for "absent".
// Fields are never changed once an entity or event holds them.
type Fields map[string]any

// UnmarshalJSON reads a JSON object by the rules of [DecodeValue].
func (f *Fields) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if raw == nil {
		*f = nil
		return nil
	}
	out := make(Fields, len(raw))
	for name, v := range raw {
		out[name] = DecodeValue(v)
	}
	*f = out
	return nil
}

// String returns the named field if it is a string, else "".
func (f Fields) String(name string) string { s, _ := f[name].(string); return s }

// Bool returns the named field if it is a bool, else false.
func (f Fields) Bool(name string) bool { b, _ := f[name].(bool); return b }

// Int returns the named field if it is a whole number, else 0.
func (f Fields) Int(name string) int64 { n, _ := f[name].(int64); return n }

// Set returns the named field if it is a list of strings, else nil. The caller
// must not change it.
func (f Fields) Set(name string) []string { s, _ := f[name].([]string); return s }

// put sets a field. The runtime makes a map of eight larger even for a name
// that it has already, and cards have about eight fields: deleted first, the
// name takes its old place.
func (f Fields) put(name string, v any) {
	if len(f) == 8 {
		delete(f, name)
	}
	f[name] = v
}

// DecodeValue turns one JSON value into its Go form (see [Fields]); null is
// nil. raw must be valid JSON. The result does not alias raw.
func DecodeValue(raw []byte) any {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil
	}
	switch raw[0] {
	case 'n':
		return nil
	case 't':
		return true
	case 'f':
		return false
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return s
		}
	case '[':
		if list, ok := decodeStrings(raw); ok {
			return list
		}
	case '{':
	default:
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && string(raw) != "-0" {
			return n
		}
	}
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return json.RawMessage(bytes.Clone(raw))
	}
	return json.RawMessage(b.Bytes())
}

// decodeStrings reads a JSON array of strings. [null] is none.
func decodeStrings(raw []byte) ([]string, bool) {
	var ptrs []*string
	if json.Unmarshal(raw, &ptrs) != nil {
		return nil, false
	}
	list := make([]string, len(ptrs))
	for i, p := range ptrs {
		if p == nil {
			return nil, false
		}
		list[i] = *p
	}
	return list, true
}

// EqualValues says whether two field values are the same JSON value. nil
// (absent) equals nil only.
func EqualValues(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case int64:
		if y, ok := b.(int64); ok {
			return x == y
		}
	case []string:
		if y, ok := b.([]string); ok {
			return slices.Equal(x, y)
		}
	}
	if b == nil {
		return false
	}
	return reflect.DeepEqual(generic(a), generic(b))
}

// generic is v as encoding/json would decode it, for a comparison by value.
func generic(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		return string(raw)
	}
	return out
}
