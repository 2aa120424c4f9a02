package domain

import (
	"math"

	"github.com/snapback-io/snapback/domain/plainjson"
)

// Redecide takes a stored decision again, on the board as it was before it. The
// result is that decision, whole, if it is what the rules say: Decide is pure,
// and a decision holds all it was taken with. One refusal comes from outside
// the rules, and stands if it is given in the proper form: [Decision.Oversize].
func Redecide(b *Board, d *Decision) Decision {
	if _, ok := d.Oversize(); ok {
		return Refuse(b, &d.Command, d.Now(), d.Rejection)
	}
	return Decide(b, &d.Command, d.Now())
}

// Oversize gives the limit of a refusal that the worker gives by itself: the
// record would have been larger than so many bytes. Its command may have been
// stored without content, where that alone was too large.
func (d *Decision) Oversize() (limit int, ok bool) {
	if d.Rejection == nil || d.Rejection.Code != TooLarge || len(d.Rejection.Details) != 1 {
		return 0, false
	}
	switch n := d.Rejection.Details["limit"].(type) {
	case int:
		return n, n > 0
	case float64: // as it is decoded
		return int(n), n > 0 && n < math.MaxInt32 && n == math.Trunc(n)
	}
	return 0, false
}

// AppendStored appends the decision as a commit's bytes hold it.
func (d *Decision) AppendStored(dst []byte) ([]byte, error) {
	w := encoder{buf: dst, esc: plainjson.Plain}
	w.decision(d)
	if w.err == nil {
		return w.buf, nil
	}
	raw, err := marshalPlain(d)
	return append(dst, raw...), err
}
