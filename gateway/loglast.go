package gateway

import (
	"context"

	"github.com/snapback-io/snapback/eventlog"
)

// keptLine is how long a line may be to be kept while newer ones are looked
// for, bytes; a longer one is read again.
const keptLine = 4 << 10

// newest sends the last decisions that are asked for of those up to head. It
// looks among the last records first and farther back until there are enough.
func (l *logReader) newest(ctx context.Context, head uint64) error {
	kept, err := l.lookBack(ctx, head)
	if err != nil {
		return err
	}
	for line := range kept.all {
		if line.text != nil {
			if err := l.fill(line.text); err != nil {
				return err
			}
			continue
		}
		r, err := l.s.store.Get(ctx, l.board, line.seq)
		if err != nil {
			return err
		}
		if err := l.tell(&r, line.decision); err != nil {
			return err
		}
		if err := l.fill(nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *logReader) lookBack(ctx context.Context, head uint64) (*lastLines, error) {
	kept := &lastLines{ring: make([]lastLine, l.last)}
	first := l.next
	for span := uint64(l.last); ; span *= 8 {
		l.next = first
		if l.trail == nil && head > first+span {
			l.next = head - span
		}
		whole := l.next == first
		kept.count = 0
		if err := l.read(ctx, head, kept.keep); err != nil || whole || kept.count >= l.last {
			return kept, err
		}
	}
}

// lastLine is a decision that is told, by where it stands in the log.
type lastLine struct {
	seq      uint64
	decision int
	text     []byte // nil: longer than keptLine
}

// lastLines are the newest of those that were kept.
type lastLines struct {
	ring  []lastLine
	count int // of all that were kept, those that have made room included
}

func (k *lastLines) keep(r *eventlog.Record, i int) error {
	slot := &k.ring[k.count%len(k.ring)]
	text, err := appendLine(slot.text[:0], r, i)
	if len(text) > keptLine {
		text = nil
	}
	*slot = lastLine{r.Seq, i, text}
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
