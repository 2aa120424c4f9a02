package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// judge sees what a record that can be read decides. whole: its bytes have the
// hash it is stored under; placed: it stands where it should.
func (v *Verifier) judge(r *Record, c *domain.Commit, hash domain.Hash, whole, placed bool) {
	v.times(r, c)
	v.count(c)
	j := &judgement{v: v, r: r, c: c, whole: whole, excused: v.excused}
	if c.VoidAt(r.Time) {
		v.sum.Void++
		v.voided(j, hash)
		return
	}
	v.double(j)
	before := v.rev
	v.continues(j)
	j.excused = j.excused || v.rev != before // said already
	v.excused, v.void = !placed, nil
	v.took = taken{r.Seq, v.rev, !c.NotAfter.IsZero()}
	j.limits()
	if !j.revs() {
		v.lose()
	}
	if v.board == nil {
		v.sum.Unjudged += uint64(len(c.Decisions))
	} else if !j.decide(v.board) || v.settle(c, hash, r.Seq) != nil {
		v.lose()
	}
	last := &c.Decisions[len(c.Decisions)-1]
	v.rev, v.at = last.Rev, last.At
}

// settle moves the board's head to a record whose decisions were folded,
// whatever that says of the one before it.
func (v *Verifier) settle(c *domain.Commit, hash domain.Hash, seq uint64) error {
	own := *c
	_, own.Prev, _ = v.board.Head()
	return v.board.Settle(&own, hash, seq)
}

func (v *Verifier) count(c *domain.Commit) {
	v.sum.Decisions += uint64(len(c.Decisions))
	for i := range c.Decisions {
		d := &c.Decisions[i]
		v.sum.Events += uint64(len(d.Events))
		if d.Rejection == nil {
			v.sum.Accepted++
		} else {
			v.sum.Refused++
		}
	}
}

// voided decides a void record again on a copy of the board, which it leaves as
// it is.
func (v *Verifier) voided(j *judgement, hash domain.Hash) {
	j.limits()
	v.void = &waiting{j.c, j.r.Seq}
	if v.board == nil || base(j.c) != v.rev {
		v.sum.Unjudged += uint64(len(j.c.Decisions))
		if v.board != nil && !v.excused {
			j.report(KindRev, 0, "it is decided at rev %d, the one before it leaves rev %d", base(j.c), v.rev)
		}
		return
	}
	still, err := v.board.Still()
	if err == nil {
		j.decide(still.Board())
		own := *j.c
		_, own.Prev, _ = v.board.Head()
		err = v.board.Apply(&own, hash, j.r.Seq, j.r.Time, nil)
	}
	if err != nil {
		v.lose()
	}
}

// base is the rev a commit was decided at.
func base(c *domain.Commit) uint64 {
	first := &c.Decisions[0]
	return first.Rev - uint64(len(first.Events))
}

// continues sees that the record was decided on what the one before it left.
// Where it was not, the board is lost, unless it was decided on a record that
// its time makes void.
func (v *Verifier) continues(j *judgement) {
	at := base(j.c)
	switch {
	case at == v.rev:
		return
	case v.excused:
	case v.void != nil && base(v.void.commit) == v.rev && v.void.commit.Decisions[len(v.void.commit.Decisions)-1].Rev == at:
		v.report(KindRev, v.void.seq, "by its time it is void, but record %d is decided on what it left, rev %d: its time or its notAfter was changed", j.r.Seq, at)
		if v.revive(v.void.commit) {
			v.rev = at
			return
		}
	case v.took.voidable && at == v.took.before:
		v.report(KindRev, v.took.seq, "it took effect, by its time, but record %d is decided at the rev before it, %d: its time or its notAfter was changed, or one of the two was put in", j.r.Seq, at)
	default:
		j.report(KindRev, 0, "it is decided at rev %d, the one before it leaves rev %d", at, v.rev)
	}
	v.lose()
	v.rev = at
}

// revive folds a record that was taken as void.
func (v *Verifier) revive(c *domain.Commit) bool {
	if v.board == nil {
		return false
	}
	for i := range c.Decisions {
		if v.board.Fold(&c.Decisions[i]) != nil {
			return false
		}
	}
	_, hash, _ := v.board.Head()
	seq, _, _ := v.board.Head()
	return v.settle(c, hash, seq+1) == nil
}

// double looks for mutations that are decided already, as long as a board
// remembers them.
func (v *Verifier) double(j *judgement) {
	seen := map[[2]string]bool{}
	for i := range j.c.Decisions {
		d := &j.c.Decisions[i]
		if len(j.c.Decisions) > 1 {
			key := [2]string{d.User, d.ID}
			if seen[key] {
				j.report(KindDouble, i, "mutation %s of %s is decided twice in it", d.ID, d.User)
			}
			seen[key] = true
		}
		if v.board == nil {
			continue
		}
		if seq, hit := v.board.Decided(d.User, d.ID); hit {
			j.report(KindDouble, i, "mutation %s of %s is decided in record %d already", d.ID, d.User, seq)
		}
	}
}

// judgement is that of one record.
type judgement struct {
	v     *Verifier
	r     *Record
	c     *domain.Commit
	whole bool
	// excused: what it was decided on need not be what stands before it here.
	excused bool

	shape bool     // its bytes are what a service writes around the decisions
	at    int      // up to where they are those of what was decided again; -1: see raws
	raws  [][]byte // the bytes of each decision
}

func (j *judgement) report(kind Kind, i int, format string, args ...any) {
	d := &j.c.Decisions[i]
	f := Finding{Kind: kind, Seq: j.r.Seq, Rev: d.Rev, User: d.User, Mutation: d.ID}
	f.Words = fmt.Sprintf(format, args...)
	j.v.tell(f)
}

// limits sees that what the record says of itself is what its decisions say.
func (j *judgement) limits() {
	c := j.c
	want := time.Time{}
	for i := range c.Decisions {
		d := &c.Decisions[i]
		if d.Rejection == nil && !d.Deadline.IsZero() && (want.IsZero() || d.Deadline.Before(want)) {
			want = d.Deadline
		}
	}
	if !c.NotAfter.Equal(want) {
		j.report(KindDecision, 0, "it is void after %s, by the deadlines of what it accepts after %s", stamp(c.NotAfter), stamp(want))
	}
	if end := c.Decisions[len(c.Decisions)-1].At; !c.At.Equal(end) {
		j.report(KindDecision, len(c.Decisions)-1, "it is of %s, its last decision of %s", stamp(c.At), stamp(end))
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "no time"
	}
	return t.Format(time.RFC3339Nano)
}

// revs sees that revs and times go on without a gap.
func (j *judgement) revs() bool {
	rev, at, ok := j.v.rev, j.v.at, true
	for i := range j.c.Decisions {
		d := &j.c.Decisions[i]
		if d.At.Before(at) && !(i == 0 && j.excused) {
			j.report(KindOrder, i, "it is decided at %s, the one before it at %s", stamp(d.At), stamp(at))
			ok = false
		}
		for k := range d.Events {
			if d.Events[k].Rev != rev+uint64(k)+1 {
				j.report(KindRev, i, "event %d of it has rev %d, not %d", k+1, d.Events[k].Rev, rev+uint64(k)+1)
				ok = false
				break
			}
		}
		if want := rev + uint64(len(d.Events)); d.Rev != want {
			j.report(KindRev, i, "it leaves rev %d, with %d events from %d on", d.Rev, len(d.Events), rev)
			ok = false
		}
		rev, at = d.Rev, d.At
	}
	return ok
}

// decide takes the record's decisions again, one after the other, each on the
// board that the ones before it leave. It gives up the board where an event
// does not fit.
func (j *judgement) decide(b *domain.Board) bool {
	j.open()
	for i := range j.c.Decisions {
		d := &j.c.Decisions[i]
		again := j.v.cfg.Redecide(b, d)
		enc, err := again.AppendStored(j.v.buf[:0])
		if j.v.buf = enc; err != nil || !j.same(i, enc) {
			d = j.differs(i, &again, enc)
		} else if limit, ok := d.Oversize(); ok {
			j.oversize(b, i, limit)
		}
		if err := b.Fold(d); err != nil {
			j.report(KindFold, i, "it does not fit the board: %v", err)
			return false
		}
	}
	j.close()
	return true
}

// open looks at the bytes before the decisions.
func (j *judgement) open() {
	envelope := *j.c
	envelope.Decisions = []domain.Decision{}
	data, _, err := envelope.Encode()
	if err == nil {
		data = data[:len(data)-len("]}")]
	}
	if j.shape = err == nil && bytes.HasPrefix(j.r.Data, data); j.shape {
		j.at = len(data)
	} else {
		j.split(0)
	}
}

// split takes the decisions' bytes apart, the first i of which are as decided again.
func (j *judgement) split(i int) {
	if j.raws != nil {
		return
	}
	var read struct {
		Decisions []json.RawMessage `json:"decisions"`
	}
	_ = json.Unmarshal(j.r.Data, &read) // cannot fail: it was decoded
	for _, raw := range read.Decisions {
		j.raws = append(j.raws, raw)
	}
	if !j.shape {
		return
	}
	end := j.at
	for _, raw := range j.raws[min(i, len(j.raws)):] {
		end += len(raw) + 1
	}
	j.shape = end == len(j.r.Data)-1
}

// same says whether the record's decision i has these bytes.
func (j *judgement) same(i int, enc []byte) bool {
	if j.raws == nil {
		end := j.at + len(enc)
		if end < len(j.r.Data) && bytes.Equal(j.r.Data[j.at:end], enc) && bytes.IndexByte([]byte(",]"), j.r.Data[end]) >= 0 {
			j.at = end + 1
			return true
		}
		j.split(i)
	}
	return i < len(j.raws) && bytes.Equal(j.raws[i], enc)
}

// close looks at the bytes behind the decisions.
func (j *judgement) close() {
	if j.raws == nil {
		j.shape = j.at == len(j.r.Data)-1
	}
	if !j.shape {
		j.report(KindDecode, 0, "its bytes are not those that a service writes for what they say: something is in it that is not known here")
	}
}

// differs tells how decision i differs from what the rules say and gives the
// one to go on with: the recorded one, which everybody folds, unless the
// record's hash says that it was the other.
func (j *judgement) differs(i int, again *domain.Decision, enc []byte) *domain.Decision {
	d := &j.c.Decisions[i]
	if !j.whole && i < len(j.raws) && bytes.Count(j.r.Data, j.raws[i]) == 1 {
		was := sha256.Sum256(bytes.Replace(j.r.Data, j.raws[i], enc, 1))
		if domain.Hash(was).String() == j.r.Hash {
			j.report(KindDecision, i, "it was altered after it was stored: by its hash it was %s", outcome(again))
			return again
		}
	}
	if i < len(j.raws) && canonical(j.raws[i]) == canonical(enc) {
		j.shape = false // said once, of the record
		return d
	}
	j.v.other = true
	j.report(KindDecision, i, "%s", contrast(d, again, j.raw(i), enc))
	return d
}

func (j *judgement) raw(i int) []byte {
	if i < len(j.raws) {
		return j.raws[i]
	}
	return nil
}

// slack is how much a record may be smaller when it is decided again: its times
// have other digits, and the clock that was behind stands in one of both.
const slack = 256

// oversize sees that a command which was refused as too large is that, if its
// content is there. What the limit was the log does not say; the refusal itself
// was within it, and other records should have been.
func (j *judgement) oversize(b *domain.Board, i, limit int) {
	d := &j.c.Decisions[i]
	if size := len(j.r.Data); size > limit {
		j.report(KindDecision, i, "it is refused as larger than %d bytes, and its own record has %d", limit, size)
		return
	}
	gone := len(d.Changes) == 0 && d.Import == nil
	if gone || j.v.largest > limit {
		j.v.sum.Trusted++
	}
	if gone {
		return
	}
	alone := *j.c
	alone.Decisions = []domain.Decision{domain.Decide(b, &d.Command, d.Now())}
	alone.At, alone.NotAfter = d.At, d.Deadline
	data, _, err := alone.Encode()
	if err == nil && len(data)+slack <= limit {
		j.report(KindDecision, i, "it is refused as larger than %d bytes, its record would have %d", limit, len(data))
	}
}
