package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// DecidedFor is how long a decided id is remembered in memory, at least, on a
// board that is not very busy.
const DecidedFor = 10 * time.Minute

// A very busy board forgets earlier: beyond manyDecided ids, 24 bytes each, what
// is older than busyFor, in which a ULID minted a minute ahead is still covered;
// beyond maxDecided whatever is oldest.
const (
	manyDecided = 1 << 20
	maxDecided  = 1 << 23
	busyFor     = MaxIDLead + 30*time.Second
)

// Ids are forgotten a span at a time.
const (
	spanFor = DecidedFor / 10
	spanFew = 16 // ids that are found without an index
)

// decidedIDs are the ids decided lately, by a hash of user and id.
type decidedIDs struct {
	many, max int
	size      int            // ids in spans
	spans     []*decidedSpan // in the order decided; all but the last never change any more
	since     time.Time      // every id decided at or after this is here; zero: all there ever were
}

// decidedSpan has the ids decided in spanFor or less. What it has once stays
// as it is: who keeps hashes[:n] and seqs[:n] keeps the first n ids.
type decidedSpan struct {
	first, last int64 // Unix milliseconds
	hashes      []uint64
	seqs        []uint64
	index       []uint32 // 1 + where in hashes an id is: at the id's own place or behind it; 0: free
}

func newDecidedIDs() decidedIDs { return decidedIDs{many: manyDecided, max: maxDecided} }

func hashID(user, id string) uint64 {
	buf := make([]byte, 0, 128)
	buf = append(buf, user...)
	buf = append(buf, 0)
	buf = append(buf, id...)
	sum := sha256.Sum256(buf)
	return binary.BigEndian.Uint64(sum[:])
}

func (d *decidedIDs) add(user, id string, seq uint64, at time.Time) {
	d.span(at.UnixMilli()).add(hashID(user, id), seq)
	d.size++
}

// span is where an id decided at that time belongs.
func (d *decidedIDs) span(at int64) *decidedSpan {
	most, full := d.many/4, false
	if n := len(d.spans); n > 0 {
		last := d.spans[n-1]
		full = len(last.hashes) >= most
		if !full && at-last.first < spanFor.Milliseconds() {
			last.last = at
			return last
		}
	}
	s := &decidedSpan{first: at, last: at}
	if full { // this one will be, soon
		s.grow(most)
	}
	d.spans = append(d.spans, s)
	return s
}

// forget drops what is to be forgotten at that time.
func (d *decidedIDs) forget(now time.Time) {
	limit, busy := now.Add(-DecidedFor).UnixMilli(), now.Add(-busyFor).UnixMilli()
	gone := 0
	for ; gone < len(d.spans); gone++ {
		old := d.spans[gone]
		rest := d.size - len(old.hashes)
		if old.last >= limit && (rest < d.many || old.last >= busy) && rest < d.max {
			break
		}
		d.size = rest
		d.since = time.UnixMilli(old.last + 1).UTC()
	}
	if gone > 0 {
		d.spans = append(d.spans[:0:0], d.spans[gone:]...)
	}
}

func (d *decidedIDs) find(hash uint64) (seq uint64, ok bool) {
	for i := len(d.spans) - 1; i >= 0; i-- {
		s := d.spans[i]
		if at, ok := s.find(hash); ok {
			return s.seqs[at], true
		}
	}
	return 0, false
}

func (s *decidedSpan) add(hash, seq uint64) {
	s.hashes, s.seqs = append(s.hashes, hash), append(s.seqs, seq)
	switch n := len(s.hashes); {
	case n <= spanFew && s.index == nil:
	case n > len(s.index)/4*3:
		s.grow(n * 5 / 4)
	default:
		s.enter(n - 1)
	}
}

// grow makes an index with room for so many ids.
func (s *decidedSpan) grow(ids int) {
	size := 2 * spanFew
	for size/4*3 < ids {
		size *= 2
	}
	s.index = make([]uint32, size)
	for i := range s.hashes {
		s.enter(i)
	}
}

func (s *decidedSpan) enter(i int) {
	mask := uint64(len(s.index) - 1)
	for at := s.hashes[i]; ; at++ {
		switch was := s.index[at&mask]; {
		case was == 0, s.hashes[was-1] == s.hashes[i]: // two of one hash: the later counts
			s.index[at&mask] = uint32(i + 1)
			return
		}
	}
}

func (s *decidedSpan) find(hash uint64) (i int, ok bool) {
	if s.index == nil {
		for i := len(s.hashes) - 1; i >= 0; i-- {
			if s.hashes[i] == hash {
				return i, true
			}
		}
		return 0, false
	}
	mask := uint64(len(s.index) - 1)
	for at := hash; ; at++ {
		was := s.index[at&mask]
		if was == 0 {
			return 0, false
		}
		if s.hashes[was-1] == hash {
			return int(was - 1), true
		}
	}
}

// Decided gives the stream sequence of the commit that decided (user, id), if
// it was within DecidedFor before the head's time. It goes by a 64-bit hash:
// the caller confirms a hit in the record.
func (b *Board) Decided(user, id string) (seq uint64, ok bool) {
	return b.decided.find(hashID(user, id))
}

// Remembered is how many ids Decided knows.
func (b *Board) Remembered() int { return b.decided.size }

// DecidedSince is the time since which Decided knows every id; the zero time
// when it knows all there ever were. A ULID may lead its receipt by
// [MaxIDLead], so one that Decided does not know is new for certain only when
// its time is at least MaxIDLead after DecidedSince.
func (b *Board) DecidedSince() time.Time { return b.decided.since }
