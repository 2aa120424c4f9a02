package audit

import (
	"context"

	"github.com/snapback-io/snapback/domain"
)

// keptLine is how long a line may be to be kept while newer ones are looked
// for, bytes; a longer one is read again.
const keptLine = 4 << 10

// newest tells the last decisions that are asked for of those up to head. It
// looks among the last records first and farther back until there are enough.
func (r *Reader) newest(ctx context.Context, head uint64) error {
	start, err := r.start(ctx, head)
	if err != nil {
		return err
	}
	end, err := r.end(ctx, head)
	if err != nil {
		return err
	}
	kept, err := r.lookBack(ctx, start, end)
	if err != nil {
		return err
	}
	defer func() { r.next, r.ended = max(r.next, head+1), r.ended || end < head }()
	if r.worded() {
		return r.again(ctx, kept, end)
	}
	for line := range kept.all {
		if line.text != nil {
			if err := r.fill(line.text); err != nil {
				return err
			}
			continue
		}
		rec, err := r.Source.Get(ctx, r.Board, line.at.seq)
		if err != nil {
			return err
		}
		e := &Entry{Decision: &rec.Commit.Decisions[line.at.index], Log: &rec, Index: line.at.index, Void: rec.Void()}
		if err := r.tell(e); err != nil {
			return err
		}
		if err := r.fill(nil); err != nil {
			return err
		}
	}
	return nil
}

// end is the sequence of the last record up to head that does not begin beyond
// what is asked for.
func (r *Reader) end(ctx context.Context, head uint64) (uint64, error) {
	if r.Until == 0 && r.To.IsZero() || r.Outcome == Void { // void ones may stand behind it
		return head, nil
	}
	return r.seek(ctx, head, func(d *domain.Decision) bool { return !r.beyond(d.Rev, d.At) })
}

// again tells what was kept, and all between, once more: with the names as they
// were. If that is nothing, it learns the names for what is to come.
func (r *Reader) again(ctx context.Context, kept *lastLines, end uint64) error {
	first := position{seq: end + 1}
	for line := range kept.all {
		first = line.at
		break
	}
	if first.seq > end && !r.Follow {
		return nil
	}
	if err := r.from(ctx, min(first.seq, end), end, true); err != nil {
		return err
	}
	r.skip, r.ended = first, false
	return r.read(ctx, end, r.tell)
}

func (r *Reader) lookBack(ctx context.Context, first, end uint64) (*lastLines, error) {
	kept := &lastLines{ring: make([]lastLine, r.Last), keepText: !r.worded(), append: r.format.entry}
	for span := uint64(r.Last); ; span *= 8 {
		start := first
		if r.trail == nil && (!r.kinds || r.Past != nil) && end > first+span {
			start = end - span
		}
		if err := r.from(ctx, start, end, r.kinds); err != nil {
			return kept, err
		}
		kept.count, r.ended = 0, false
		if err := r.read(ctx, end, kept.keep); err != nil || start == first || kept.count >= r.Last {
			return kept, err
		}
	}
}

// lastLine is a decision that is told, by where it stands in the log.
type lastLine struct {
	at   position
	text []byte // nil: longer than keptLine, or not kept
}

// lastLines are the newest of those that were kept.
type lastLines struct {
	ring     []lastLine
	count    int // of all that were kept, those that have made room included
	keepText bool
	append   func(dst []byte, e *Entry) ([]byte, error)
}

func (k *lastLines) keep(e *Entry) (err error) {
	slot := &k.ring[k.count%len(k.ring)]
	text := slot.text
	if k.keepText {
		if text, err = k.append(text[:0], e); len(text) > keptLine {
			text = nil
		}
	}
	*slot = lastLine{position{e.Log.Seq, e.Index}, text}
	k.count++
	return err
}

// all gives them in order.
func (k *lastLines) all(yield func(lastLine) bool) {
	for i := max(0, k.count-len(k.ring)); i < k.count; i++ {
		if !yield(k.ring[i%len(k.ring)]) {
			return
		}
	}
}
