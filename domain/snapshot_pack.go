package domain

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// packer appends values; the first error stays.
type packer struct {
	buf []byte
	err error
	// Words are strings that come often, written once in a list of their own.
	words map[string]uint64
	list  []string
	names []string // of an entity's fields
}

func (w *packer) uint(n uint64)   { w.buf = binary.AppendUvarint(w.buf, n) }
func (w *packer) int(n int64)     { w.buf = binary.AppendVarint(w.buf, n) }
func (w *packer) string(s string) { w.uint(uint64(len(s))); w.buf = append(w.buf, s...) }

func (w *packer) word(s string) {
	n, ok := w.words[s]
	if !ok {
		n = uint64(len(w.list))
		w.words[s], w.list = n, append(w.list, s)
	}
	w.uint(n)
}

func (w *packer) bool(v bool) {
	if v {
		w.uint(1)
	} else {
		w.uint(0)
	}
}

// time is in whole milliseconds; the zero time has its own mark.
func (w *packer) time(t time.Time) {
	if t.IsZero() {
		w.int(math.MinInt64)
	} else {
		w.int(t.UnixMilli())
	}
}

func (w *packer) entity(e *Entity) {
	w.string(e.ID)
	w.word(string(e.Kind))
	w.uint(e.Rev)
	w.uint(e.CreatedRev)
	w.time(e.CreatedAt)
	w.word(e.CreatedBy)
	w.time(e.UpdatedAt)
	w.word(e.UpdatedBy)
	w.bool(e.Deleted)
	w.uint(uint64(len(e.Fields)))
	parent := ParentField(e.Kind)
	w.names = slices.AppendSeq(w.names[:0], maps.Keys(e.Fields))
	slices.Sort(w.names)
	for _, name := range w.names {
		w.word(name)
		w.value(e.Fields[name], name == parent)
	}
}

func (w *packer) value(v any, often bool) {
	switch x := v.(type) {
	case string:
		if often {
			w.buf = append(w.buf, 'w')
			w.word(x)
			return
		}
		w.buf = append(w.buf, 's')
		w.string(x)
	case bool:
		w.buf = append(w.buf, 'b')
		w.bool(x)
	case int64:
		w.buf = append(w.buf, 'i')
		w.int(x)
	case []string:
		w.buf = append(w.buf, 'l')
		w.uint(uint64(len(x)))
		for _, s := range x {
			w.word(s)
		}
	case json.RawMessage:
		w.buf = append(w.buf, 'j')
		w.string(string(x))
	default:
		w.err = fmt.Errorf("domain: a field holds a %T", v)
	}
}

func (w *packer) decided(d *decidedIDs) {
	w.time(d.since)
	w.uint(uint64(len(d.spans)))
	for _, s := range d.spans {
		w.int(s.first)
		w.int(s.last)
		w.uint(uint64(len(s.hashes)))
		last := uint64(0)
		for i, hash := range s.hashes {
			w.buf = binary.LittleEndian.AppendUint64(w.buf, hash)
			w.int(int64(s.seqs[i] - last))
			last = s.seqs[i]
		}
	}
}

// unpacker reads what packer wrote; after the first error it gives zeros.
type unpacker struct {
	buf   []byte
	text  string // what strings are cut from, ends where buf ends; "": each is copied
	words []string
	slab  []Entity // of which the next entities are
	err   error
}

func (r *unpacker) fail() {
	r.buf, r.err = nil, errSnapshot
}

func (r *unpacker) uint() uint64 {
	n, size := binary.Uvarint(r.buf)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[size:]
	return n
}

func (r *unpacker) int() int64 {
	n, size := binary.Varint(r.buf)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[size:]
	return n
}

func (r *unpacker) bool() bool { return r.uint() == 1 }

// length reads a count of things of at least one byte each.
func (r *unpacker) length() int {
	n := r.uint()
	if n > uint64(len(r.buf)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *unpacker) take(n int) []byte {
	if n > len(r.buf) {
		r.fail()
		return nil
	}
	out := r.buf[:n]
	r.buf = r.buf[n:]
	return out
}

func (r *unpacker) string() string {
	n := r.length()
	if r.text == "" {
		return string(r.take(n))
	}
	from := len(r.text) - len(r.buf)
	return r.text[from : from+len(r.take(n))]
}

func (r *unpacker) word() string {
	n := r.uint()
	if n >= uint64(len(r.words)) {
		r.fail()
		return ""
	}
	return r.words[n]
}

func (r *unpacker) time() time.Time {
	ms := r.int()
	if ms == math.MinInt64 || r.err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (r *unpacker) entity() *Entity {
	if len(r.slab) == 0 {
		r.slab = make([]Entity, min(64, 1+len(r.buf)/64))
	}
	e := &r.slab[0]
	r.slab = r.slab[1:]
	e.ID, e.Kind, e.Rev, e.CreatedRev = r.string(), Kind(r.word()), r.uint(), r.uint()
	e.CreatedAt, e.CreatedBy, e.UpdatedAt, e.UpdatedBy, e.Deleted = r.time(), r.word(), r.time(), r.word(), r.bool()
	n := r.length()
	e.Fields = make(Fields, n)
	for ; n > 0 && r.err == nil; n-- {
		name := r.word()
		e.Fields[name] = r.value()
	}
	return e
}

func (r *unpacker) value() any {
	tag := r.take(1)
	if len(tag) == 0 {
		return nil
	}
	switch tag[0] {
	case 'w':
		return r.word()
	case 's':
		return r.string()
	case 'b':
		return r.bool()
	case 'i':
		return r.int()
	case 'l':
		list := make([]string, r.length())
		for i := range list {
			list[i] = r.word()
		}
		return list
	case 'j':
		return json.RawMessage(r.string())
	}
	r.fail()
	return nil
}

func (r *unpacker) decided(d *decidedIDs) {
	d.since = r.time()
	for n := r.length(); n > 0 && r.err == nil; n-- {
		s := &decidedSpan{first: r.int(), last: r.int()}
		size := r.length()
		s.hashes, s.seqs = make([]uint64, size), make([]uint64, size)
		last := uint64(0)
		for i := range size {
			raw := r.take(8)
			if r.err != nil {
				return
			}
			last += uint64(r.int())
			s.hashes[i], s.seqs[i] = binary.LittleEndian.Uint64(raw), last
		}
		d.spans = append(d.spans, s)
		d.size += size
	}
}
