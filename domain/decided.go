package domain

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// DecidedFor is how long a decided id is remembered in memory.
const DecidedFor = 10 * time.Minute

// maxDecided bounds the ids in memory, about 50 bytes each: more than a minute
// of a very busy board, so that a ULID minted a minute ahead is still covered.
const maxDecided = 1 << 20

// decidedIDs are the ids decided lately, by a hash of user and id.
type decidedIDs struct {
	max   int
	seqs  map[uint64]uint64
	queue []decidedID // in the order decided; queue[:gone] are forgotten
	gone  int
	since time.Time // every id decided at or after this is here; zero: all there ever were
}

type decidedID struct {
	hash, seq uint64
	at        int64 // Unix milliseconds
}

func newDecidedIDs(max int) decidedIDs { return decidedIDs{max: max, seqs: map[uint64]uint64{}} }

func hashID(user, id string) uint64 {
	buf := make([]byte, 0, 128)
	buf = append(buf, user...)
	buf = append(buf, 0)
	buf = append(buf, id...)
	sum := sha256.Sum256(buf)
	return binary.BigEndian.Uint64(sum[:])
}

func (d *decidedIDs) add(user, id string, seq uint64, at time.Time) {
	h := hashID(user, id)
	d.seqs[h] = seq
	d.queue = append(d.queue, decidedID{h, seq, at.UnixMilli()})
}

// forget drops what is older than DecidedFor before now or beyond max.
func (d *decidedIDs) forget(now time.Time) {
	limit := now.Add(-DecidedFor).UnixMilli()
	for d.gone < len(d.queue) && (d.queue[d.gone].at < limit || len(d.queue)-d.gone > d.max) {
		old := d.queue[d.gone]
		d.gone++
		d.since = time.UnixMilli(old.at + 1).UTC()
		if d.seqs[old.hash] == old.seq {
			delete(d.seqs, old.hash)
		}
	}
	if d.gone > 1024 && d.gone > len(d.queue)/2 {
		d.queue = append(d.queue[:0], d.queue[d.gone:]...)
		d.gone = 0
	}
}

// Decided gives the stream sequence of the commit that decided (user, id), if
// it was within DecidedFor before the head's time. It goes by a 64-bit hash:
// the caller confirms a hit in the record.
func (b *Board) Decided(user, id string) (seq uint64, ok bool) {
	seq, ok = b.decided.seqs[hashID(user, id)]
	return seq, ok
}

// DecidedSince is the time since which Decided knows every id; the zero time
// when it knows all there ever were. A ULID may lead its receipt by
// [MaxIDLead], so one that Decided does not know is new for certain only when
// its time is at least MaxIDLead after DecidedSince.
func (b *Board) DecidedSince() time.Time { return b.decided.since }
