package domain

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"time"
)

// snapshotVersion is that of the layout below: a magic, the version, the
// fields of a Board in the order written, the words in it, how many bytes these
// take (four bytes), a CRC-32 of all before it. Numbers are varints, strings
// and lists carry their length.
const snapshotVersion = 3

const snapshotMagic = "snapback board\n"

var errSnapshot = errors.New("domain: not a snapshot, or a damaged one")

// Still is a board as it was when Board.Still was called. It shares what never
// changes with the board, which goes on. Immutable.
type Still struct {
	id            string
	rev, seq      uint64
	hash          Hash
	at            time.Time
	number        int64
	imports       importState
	listed, floor uint64
	records       uint64

	board   *Entity // nil: there is none yet
	lists   []stillList
	members []*Entity // of the lists, one list after the other
	tombs   []*Entity
	decided decidedIDs // with spans of their own that have no index
}

// stillList are siblings in order.
type stillList struct {
	key        listKey
	from       int // in members
	open, shut int // how many
}

// Still takes the board as it is at its head, to be encoded beside whoever
// goes on with the board: it copies pointers only. It fails on a board that is
// folded ahead of its head.
func (b *Board) Still() (*Still, error) {
	if b.ahead > 0 {
		return nil, fmt.Errorf("domain: board %s is %d decisions ahead of its head", b.id, b.ahead)
	}
	s := &Still{id: b.id, rev: b.rev, seq: b.seq, hash: b.hash, at: b.at, number: b.number, imports: b.imports,
		records: b.records, listed: b.listed, floor: b.recent.floor, board: b.entities[b.id], decided: b.decided.still()}
	s.lists = make([]stillList, 0, len(b.lists))
	s.members = make([]*Entity, 0, len(b.entities))
	for key, l := range b.lists {
		s.lists = append(s.lists, stillList{key, len(s.members), len(l.open), len(l.shut)})
		s.members = append(append(s.members, l.open...), l.shut...)
	}
	s.tombs = slices.AppendSeq(make([]*Entity, 0, len(b.recent.tombs)), maps.Values(b.recent.tombs))
	return s, nil
}

// still gives the ids there are now; those that come later are not added to it.
func (d *decidedIDs) still() decidedIDs {
	out := decidedIDs{size: d.size, since: d.since, spans: slices.Clone(d.spans)}
	if n := len(out.spans); n > 0 {
		last := out.spans[n-1]
		size := len(last.hashes)
		out.spans[n-1] = &decidedSpan{first: last.first, last: last.last, hashes: last.hashes[:size:size], seqs: last.seqs[:size:size]}
	}
	return out
}

// Board makes a board that goes on from here, beside others that do.
func (s *Still) Board() *Board {
	b := NewBoard(s.id)
	b.rev, b.seq, b.hash, b.at = s.rev, s.seq, s.hash, s.at
	b.number, b.imports, b.records, b.listed = s.number, s.imports, s.records, s.listed
	b.decided.goOn(&s.decided)
	b.entities = make(map[string]*Entity, len(s.members)+1)
	b.recent.floor = s.floor
	b.recent.revs = make([]revision, 0, min(len(s.members)+len(s.tombs)+1, TombstoneRevs))
	if s.board != nil {
		b.adopt(s.board)
	}
	members := slices.Clone(s.members)
	for _, l := range s.lists {
		half, end := l.from+l.open, l.from+l.open+l.shut
		b.lists[l.key] = &siblings{open: members[l.from:half:half], shut: members[half:end:end]}
	}
	for _, e := range members {
		b.adopt(e)
	}
	for _, e := range s.tombs {
		b.recent.tombs[e.ID] = e
		b.remember(e)
	}
	slices.SortFunc(b.recent.revs, compareRevisions)
	return b
}

// adopt puts an entity in whose place among its siblings is known.
func (b *Board) adopt(e *Entity) {
	b.entities[e.ID] = e
	b.tally(e, +1)
	b.name(nil, e)
	b.remember(e)
}

func (b *Board) remember(e *Entity) {
	if e.Rev > b.recent.floor {
		b.recent.add(e.Rev, e.ID)
	}
}

// goOn takes the ids of a still, whose spans are shared but for the last, and
// for those that have no index.
func (d *decidedIDs) goOn(from *decidedIDs) {
	d.size, d.since, d.spans = from.size, from.since, slices.Clone(from.spans)
	for i, s := range d.spans {
		if i == len(d.spans)-1 || s.index == nil {
			own := *s
			if len(own.hashes) > spanFew {
				own.grow(len(own.hashes))
			}
			d.spans[i] = &own
		}
	}
}

// ID is the board's id.
func (s *Still) ID() string { return s.id }

// Len is the number of entities.
func (s *Still) Len() int { return len(s.members) + 1 }

// Head is the stream sequence and hash of the last commit in it.
func (s *Still) Head() (seq uint64, hash Hash) { return s.seq, s.hash }

// Snapshot encodes the board at its head, ids decided lately included; a
// disposable cache, versioned on its own. It fails on a board that is folded
// ahead of its head.
func (b *Board) Snapshot() ([]byte, error) {
	s, err := b.Still()
	if err != nil {
		return nil, err
	}
	return s.Append(nil)
}

// Append appends to dst what LoadSnapshot reads. The same state has the same
// bytes.
func (s *Still) Append(dst []byte) ([]byte, error) {
	lists := slices.SortedFunc(slices.Values(s.lists), func(a, b stillList) int {
		return cmp.Or(cmp.Compare(kindRank(a.key.kind), kindRank(b.key.kind)), strings.Compare(a.key.parent, b.key.parent))
	})
	tombs := slices.SortedFunc(slices.Values(s.tombs), func(a, b *Entity) int { return strings.Compare(a.ID, b.ID) })

	start := len(dst)
	w := &packer{buf: slices.Grow(dst, 512+11*s.decided.size+100*len(s.members)), words: map[string]uint64{}}
	w.buf = append(w.buf, snapshotMagic...)
	w.uint(snapshotVersion)
	w.string(s.id)
	w.uint(s.rev)
	w.uint(s.seq)
	w.buf = append(w.buf, s.hash[:]...)
	w.time(s.at)
	w.int(s.number)
	w.string(s.imports.source)
	w.string(s.imports.user)
	w.int(int64(s.imports.next))
	w.bool(s.imports.done)
	w.uint(s.records)
	w.uint(s.listed)
	w.uint(s.floor)
	w.decided(&s.decided)

	w.entities(s, lists, tombs)
	words := len(w.buf)
	w.uint(uint64(len(w.list)))
	for _, word := range w.list {
		w.string(word)
	}
	w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(len(w.buf)-words))
	w.buf = binary.BigEndian.AppendUint32(w.buf, crc32.ChecksumIEEE(w.buf[start:]))
	return w.buf, w.err
}

func (w *packer) entities(s *Still, lists []stillList, tombs []*Entity) {
	w.bool(s.board != nil)
	if s.board != nil {
		w.entity(s.board)
	}
	w.uint(uint64(len(s.members)))
	w.uint(uint64(len(lists)))
	for _, l := range lists {
		w.word(l.key.parent)
		w.word(string(l.key.kind))
		w.uint(uint64(l.open))
		w.uint(uint64(l.shut))
		for _, e := range s.members[l.from : l.from+l.open+l.shut] {
			w.entity(e)
		}
	}
	w.uint(uint64(len(tombs)))
	for _, e := range tombs {
		w.entity(e)
	}
}

// LoadSnapshot reads what Append wrote. It fails on another version: the
// caller folds the log instead. The board does not keep data.
func LoadSnapshot(data []byte) (*Board, error) {
	const trailer = 4
	body := len(data) - crc32.Size
	if body < len(snapshotMagic)+trailer || string(data[:len(snapshotMagic)]) != snapshotMagic ||
		binary.BigEndian.Uint32(data[body:]) != crc32.ChecksumIEEE(data[:body]) {
		return nil, errSnapshot
	}
	body -= trailer
	words := body - int(binary.BigEndian.Uint32(data[body:]))
	if words < len(snapshotMagic) {
		return nil, errSnapshot
	}
	r := &unpacker{buf: data[words:body]}
	r.words = make([]string, r.length())
	for i := range r.words {
		r.words[i] = r.string()
	}
	r.buf = data[len(snapshotMagic):words]
	if v := r.uint(); v != snapshotVersion {
		return nil, fmt.Errorf("domain: snapshot version %d, this code reads %d", v, snapshotVersion)
	}
	s := &Still{id: r.string(), rev: r.uint(), seq: r.uint()}
	copy(s.hash[:], r.take(len(s.hash)))
	s.at = r.time()
	s.number = r.int()
	s.imports = importState{r.string(), r.string(), int(r.int()), r.bool()}
	s.records, s.listed, s.floor = r.uint(), r.uint(), r.uint()
	r.decided(&s.decided)
	r.text = string(r.buf)
	r.entities(s)
	if r.err == nil && len(r.buf) > 0 {
		r.err = errSnapshot
	}
	if r.err != nil {
		return nil, r.err
	}
	return s.Board(), nil
}

// entities takes in what is on the board, siblings in order, and tombstones.
func (r *unpacker) entities(s *Still) {
	if r.bool() {
		s.board = r.entity()
	}
	n := r.length()
	s.members = make([]*Entity, 0, n)
	for lists := r.length(); lists > 0 && r.err == nil; lists-- {
		l := stillList{key: listKey{r.word(), Kind(r.word())}, from: len(s.members), open: r.length(), shut: r.length()}
		if l.open+l.shut > n-l.from {
			r.fail()
			return
		}
		for range l.open + l.shut {
			s.members = append(s.members, r.entity())
		}
		s.lists = append(s.lists, l)
	}
	for n := r.length(); n > 0 && r.err == nil; n-- {
		s.tombs = append(s.tombs, r.entity())
	}
}
