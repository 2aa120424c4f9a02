package eventlog

import (
	"cmp"
	"context"
	"iter"
	"time"
)

// ReadSince is Read from the first record on that has a decision taken at or
// after start, by the time that is in the record ([domain.Decision.At]); void
// records may make it begin earlier.
//
// Of a board's decisions that took effect none is of an earlier time than the
// one before it, whatever clocks did: a decision is given the last one's time if
// the worker's is earlier, it is stored only behind the record it was taken
// upon, and no board with others can be loaded. The times at which servers
// stamped the records are no such order.
func (l *Log) ReadSince(ctx context.Context, board string, start time.Time, to uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		to, err := l.upTo(ctx, board, to)
		if err != nil {
			yield(Record{}, err)
			return
		}
		if to == 0 {
			return
		}
		at, last := l.homeAt(board, to), StreamSeq(to)
		if from := l.firstSince(ctx, board, at, start, last); from <= last {
			l.scan(ctx, board, at, messageGet{Seq: from}, last, yield)
		}
	}
}

// firstSince gives a sequence before which the board has no decision taken at or
// after start, as near to the first one as can be told. It asks for the last
// record, which mostly is older; then for what the stream's stamps say and the
// record before that; and only if these were wrong, or the board was copied here,
// in the middle of what is left. Each answer is judged by what is in the record.
func (l *Log) firstSince(ctx context.Context, board string, at home, start time.Time, last uint64) (from uint64) {
	direct := l.newGetter(at.stream)
	// All before from is older. What is at end is not, as far as is known, and the
	// record before that is at before: if that is older, too, it is the first.
	from, before, end := uint64(1), last, last+1
	req := messageGet{Seq: last}
	for n := 1; from < end && from <= before; n++ {
		req.NextFor = at.subject
		msg, err := direct.one(ctx, req)
		var r Record
		if err == nil && msg != nil {
			r, err = directRecord(board, 0, msg)
		}
		switch {
		case err != nil:
			return from // whoever reads meets it, too
		case msg == nil && req.Seq > 0: // at least in the replica that answered
			end = min(end, req.Seq)
		case msg == nil:
		case r.DecidedBefore(start):
			from = max(from, r.Seq+1)
		default:
			before, end = min(before, r.Prev), min(end, cmp.Or(req.Seq, r.Seq))
		}
		switch n {
		case 1:
			req = messageGet{Start: &start}
		case 2:
			req = messageGet{Seq: before}
		default:
			req = messageGet{Seq: from + (end-from)/2}
		}
	}
	return from
}

// DecidedBefore says that the record has decisions and that all were taken before
// t, by the time in them; then so were those of every record before it that took
// effect.
func (r *Record) DecidedBefore(t time.Time) bool {
	list := r.Commit.Decisions
	return len(list) > 0 && list[len(list)-1].At.Before(t)
}
