package domain

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"slices"
	"time"
)

// snapshotVersion is that of the layout below: a magic, the version, the
// fields of a Board in the order written, a CRC-32 of all before it. Numbers
// are varints, strings and lists carry their length.
const snapshotVersion = 1

const snapshotMagic = "snapback board\n"

var errSnapshot = errors.New("domain: not a snapshot, or a damaged one")

// Snapshot encodes the board at its head, ids decided lately included; a
// disposable cache, versioned on its own. It fails on a board that is folded
// ahead of its head.
func (b *Board) Snapshot() ([]byte, error) {
	if b.ahead > 0 {
		return nil, fmt.Errorf("domain: board %s is %d decisions ahead of its head", b.id, b.ahead)
	}
	w := &packer{buf: make([]byte, 0, 256*b.Len()+24*len(b.decided.seqs)+1024)}
	w.buf = append(w.buf, snapshotMagic...)
	w.uint(snapshotVersion)
	w.string(b.id)
	w.uint(b.rev)
	w.uint(b.seq)
	w.buf = append(w.buf, b.hash[:]...)
	w.time(b.at)
	w.int(b.number)
	w.string(b.imports.source)
	w.string(b.imports.user)
	w.int(int64(b.imports.next))
	w.bool(b.imports.done)
	w.uint(b.recent.floor)
	w.uint(uint64(b.Len()))
	for e := range b.All() {
		w.entity(e)
	}
	w.uint(uint64(len(b.recent.tombs)))
	for _, id := range slices.Sorted(maps.Keys(b.recent.tombs)) {
		w.entity(b.recent.tombs[id])
	}
	w.decided(&b.decided)
	w.buf = binary.BigEndian.AppendUint32(w.buf, crc32.ChecksumIEEE(w.buf))
	return w.buf, w.err
}

// LoadSnapshot reads what Snapshot wrote. It fails on another version: the
// caller folds the log instead.
func LoadSnapshot(data []byte) (*Board, error) {
	body := len(data) - crc32.Size
	if body < len(snapshotMagic) || string(data[:len(snapshotMagic)]) != snapshotMagic ||
		binary.BigEndian.Uint32(data[body:]) != crc32.ChecksumIEEE(data[:body]) {
		return nil, errSnapshot
	}
	r := &unpacker{buf: data[len(snapshotMagic):body]}
	if v := r.uint(); v != snapshotVersion {
		return nil, fmt.Errorf("domain: snapshot version %d, this code reads %d", v, snapshotVersion)
	}
	b := NewBoard(r.string())
	b.rev, b.seq = r.uint(), r.uint()
	copy(b.hash[:], r.take(len(b.hash)))
	b.at = r.time()
	b.number = r.int()
	b.imports = importState{r.string(), r.string(), int(r.int()), r.bool()}
	b.recent.floor = r.uint()
	for n := r.length(); n > 0 && r.err == nil; n-- {
		e := r.entity()
		b.put(nil, e)
		b.remember(e)
	}
	for n := r.length(); n > 0 && r.err == nil; n-- {
		e := r.entity()
		b.recent.tombs[e.ID] = e
		b.remember(e)
	}
	slices.SortFunc(b.recent.revs, compareRevisions)
	r.decided(&b.decided)
	if r.err == nil && len(r.buf) > 0 {
		r.err = errSnapshot
	}
	if r.err != nil {
		return nil, r.err
	}
	return b, nil
}

func (b *Board) remember(e *Entity) {
	if e.Rev > b.recent.floor {
		b.recent.add(e.Rev, e.ID)
	}
}

// packer appends values; the first error stays.
type packer struct {
	buf []byte
	err error
}

func (w *packer) uint(n uint64)   { w.buf = binary.AppendUvarint(w.buf, n) }
func (w *packer) int(n int64)     { w.buf = binary.AppendVarint(w.buf, n) }
func (w *packer) string(s string) { w.uint(uint64(len(s))); w.buf = append(w.buf, s...) }

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
	w.string(string(e.Kind))
	w.uint(e.Rev)
	w.uint(e.CreatedRev)
	w.time(e.CreatedAt)
	w.string(e.CreatedBy)
	w.time(e.UpdatedAt)
	w.string(e.UpdatedBy)
	w.bool(e.Deleted)
	w.uint(uint64(len(e.Fields)))
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		w.string(name)
		w.value(e.Fields[name])
	}
}

func (w *packer) value(v any) {
	switch x := v.(type) {
	case string:
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
			w.string(s)
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
	live := d.queue[d.gone:]
	w.uint(uint64(len(live)))
	var last decidedID
	for _, id := range live {
		w.buf = binary.BigEndian.AppendUint64(w.buf, id.hash)
		w.int(int64(id.seq - last.seq))
		w.int(id.at - last.at)
		last = id
	}
}

// unpacker reads what packer wrote; after the first error it gives zeros.
type unpacker struct {
	buf []byte
	err error
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

func (r *unpacker) string() string { return string(r.take(r.length())) }

func (r *unpacker) time() time.Time {
	ms := r.int()
	if ms == math.MinInt64 || r.err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (r *unpacker) entity() *Entity {
	e := &Entity{ID: r.string(), Kind: Kind(r.string()), Rev: r.uint(), CreatedRev: r.uint(),
		CreatedAt: r.time(), CreatedBy: r.string(), UpdatedAt: r.time(), UpdatedBy: r.string(), Deleted: r.bool()}
	n := r.length()
	e.Fields = make(Fields, n)
	for ; n > 0 && r.err == nil; n-- {
		name := r.string()
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
	case 's':
		return r.string()
	case 'b':
		return r.bool()
	case 'i':
		return r.int()
	case 'l':
		list := make([]string, r.length())
		for i := range list {
			list[i] = r.string()
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
	var last decidedID
	for n := r.length(); n > 0 && r.err == nil; n-- {
		raw := r.take(8)
		if r.err != nil {
			return
		}
		last = decidedID{binary.BigEndian.Uint64(raw), last.seq + uint64(r.int()), last.at + r.int()}
		d.seqs[last.hash] = last.seq
		d.queue = append(d.queue, last)
	}
}
