package domain

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// encoder appends what encoding/json writes, byte for byte, without reflection
// for all that is common. The first error stays; whoever needs to tell it asks
// encoding/json, so that it is the same.
type encoder struct {
	buf []byte
	esc plainjson.Escape
	err error
}

// name begins a member of an object. It must need no escape.
func (w *encoder) name(name string) {
	w.comma('{')
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, '"', ':')
}

// key is name for one that comes from outside.
func (w *encoder) key(name string) {
	w.comma('{')
	w.string(name)
	w.buf = append(w.buf, ':')
}

// comma separates what follows from what came before, unless that opened the
// object or list.
func (w *encoder) comma(open byte) {
	if w.buf[len(w.buf)-1] != open {
		w.buf = append(w.buf, ',')
	}
}

func (w *encoder) byte(c byte)        { w.buf = append(w.buf, c) }
func (w *encoder) raw(s string)       { w.buf = append(w.buf, s...) }
func (w *encoder) string(s string)    { w.buf = plainjson.AppendString(w.buf, s, w.esc) }
func (w *encoder) strings(l []string) { w.buf = plainjson.AppendStrings(w.buf, l, w.esc) }
func (w *encoder) uint(n uint64)      { w.buf = strconv.AppendUint(w.buf, n, 10) }
func (w *encoder) int(n int64)        { w.buf = strconv.AppendInt(w.buf, n, 10) }

func (w *encoder) time(t time.Time) {
	buf, err := plainjson.AppendTime(w.buf, t)
	if w.buf = buf; err != nil {
		w.fail(err)
	}
}

func (w *encoder) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// optional is a member that is left out when it is "".
func (w *encoder) optional(name, s string) {
	if s != "" {
		w.name(name)
		w.string(s)
	}
}

// value writes a field's value, or anything else.
func (w *encoder) value(v any) {
	switch x := v.(type) {
	case nil:
		w.raw("null")
	case string:
		w.string(x)
	case bool:
		w.buf = strconv.AppendBool(w.buf, x)
	case int64:
		w.int(x)
	case int:
		w.int(int64(x))
	case []string:
		w.strings(x)
	case SetChange:
		w.setChange(x)
	case Place:
		w.place(x)
	default:
		w.library(v)
	}
}

// library has encoding/json write v.
func (w *encoder) library(v any) {
	var raw []byte
	var err error
	if w.esc == plainjson.HTML {
		raw, err = json.Marshal(v)
	} else {
		raw, err = marshalPlain(v)
	}
	if err != nil {
		w.fail(err)
	}
	w.buf = append(w.buf, raw...)
}

// marshalPlain is json.Marshal without escaping <, > and &.
func marshalPlain(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func (w *encoder) setChange(c SetChange) {
	w.byte('{')
	if len(c.Add) > 0 {
		w.name("add")
		w.strings(c.Add)
	}
	if len(c.Remove) > 0 {
		w.name("remove")
		w.strings(c.Remove)
	}
	w.byte('}')
}

// place writes as Place.MarshalJSON does, which escapes for HTML everywhere.
func (w *encoder) place(p Place) {
	name, id := "after", p.After
	if p.HasBefore {
		name, id = "before", p.Before
	}
	w.byte('{')
	w.name(name)
	if id == "" {
		w.raw("null")
	} else {
		w.buf = plainjson.AppendString(w.buf, id, plainjson.HTML)
	}
	w.byte('}')
}

// maxSorted is how many names are sorted without an allocation: more than the
// fields of an entity without x- fields.
const maxSorted = 24

// fields writes the members of an object in order of their names.
func (w *encoder) fields(f map[string]any) {
	if f == nil {
		w.raw("null")
		return
	}
	var room [maxSorted]string
	w.byte('{')
	for _, name := range sortedKeys(room[:0], f) {
		w.key(name)
		w.value(f[name])
	}
	w.byte('}')
}
