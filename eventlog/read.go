package eventlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	readBatch      = 1000    // records asked for at once
	readBatchBytes = 4 << 20 // a batch ends when it has this much
)

// leaderGet reads one message from the leader of a stream, which is asked
// again while it does not answer, each time with more patience: a large record
// takes its time on a busy machine.
func (l *Log) leaderGet(ctx context.Context, stream string, req messageGet) (*stored, error) {
	ask := func(ctx context.Context) (*stored, error) {
		var resp struct {
			answer
			Message *stored `json:"message"`
		}
		err := l.apiWithin(ctx, "STREAM.MSG.GET."+stream, req, &resp)
		if errorCode(err) == codeNoMessage {
			err = ErrNotFound
		}
		return resp.Message, err
	}
	var message *stored
	timeout := askTimeout
	err := retry(ctx, l.patience, func(ctx context.Context) (err error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		timeout = min(2*timeout, defaultPatience)
		message, err = repeated(ctx, l, stream, ask)
		return err
	})
	if err != nil {
		return nil, err
	}
	if message == nil {
		return nil, fmt.Errorf("eventlog: stream %s answers without a message", stream)
	}
	return message, nil
}

// Head is the board's last sequence by the stream's leader, 0 if it has none.
// Without a leader it waits, 15 s at most. ErrUnreadable if the leader cannot
// read the last record: to it that is as if there were none, and it would take
// another first one.
func (l *Log) Head(ctx context.Context, board string) (uint64, error) {
	at, last, err := l.head(ctx, board)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("eventlog: head of board %s: %w", board, err)
	}
	return position(at.gen, last.Seq), nil
}

// head is the board's last record and where it is: if it says that the board has
// moved, there.
func (l *Log) head(ctx context.Context, board string) (at home, last *stored, err error) {
	for {
		at = l.home(board)
		if last, err = l.last(ctx, at.stream, at.subject); err != nil {
			return at, nil, err
		}
		if err := l.harmed(); err != nil { // whoever asks how far a board is would take for stored what may be lost
			return at, nil, err
		}
		gen, err := movedTo(last)
		if err != nil || gen == 0 {
			return at, last, err
		}
		if err := l.follow(ctx, board, at, gen, last); err != nil {
			return at, nil, err
		}
	}
}

// last is the last message on a subject, by the leader. Only when there is none
// is it asked how many the stream counts, and then for the last one again: it
// may be the first.
func (l *Log) last(ctx context.Context, stream, subject string) (*stored, error) {
	last, err := l.leaderGet(ctx, stream, messageGet{LastFor: subject})
	if !errors.Is(err, ErrNotFound) {
		return last, err
	}
	records := uint64(0)
	counting := retry(ctx, l.patience, func(ctx context.Context) error {
		return l.subjectCounts(ctx, stream, subject, func(_ string, n uint64) { records = n })
	})
	if counting != nil || records == 0 {
		return nil, cmp.Or(counting, err)
	}
	last, err = l.leaderGet(ctx, stream, messageGet{LastFor: subject})
	if errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%w: stream %s counts %d records on %s and does not give the last", ErrUnreadable, stream, records, subject)
	}
	return last, err
}

// Get reads one record. A record never changes, so any replica that has it may
// answer; that there is none is for the leader to say: ErrNotFound if seq holds
// none of this board.
func (l *Log) Get(ctx context.Context, board string, seq uint64) (Record, error) {
	if seq == 0 {
		return Record{}, ErrNotFound
	}
	at := l.homeAt(board, seq)
	msg, err := l.newGetter(at.stream).one(ctx, messageGet{Seq: StreamSeq(seq)})
	if err == nil && msg != nil && msg.Header.Get("Nats-Subject") == at.subject {
		return directRecord(board, at.gen, msg)
	}
	led, err := l.leaderGet(ctx, at.stream, messageGet{Seq: StreamSeq(seq)})
	if err != nil {
		return Record{}, fmt.Errorf("eventlog: record %d of board %s: %w", seq, board, err)
	}
	if led.Subject != at.subject {
		return Record{}, fmt.Errorf("%w: record %d is not of board %s", ErrNotFound, seq, board)
	}
	header, err := led.header()
	if err != nil {
		return Record{}, err
	}
	return newRecord(board, at.gen, led.Seq, led.Time, header, led.Data)
}

// Read gives the board's records from position from on, in order, up to and
// including position to (0: the head the leader names at the call). Of a board
// that has moved since from, it gives all it has where to is. It ends
// with an error when it could not get that far; it never ends silently early.
// A replica that lags is waited for, 15 s at most without progress.
func (l *Log) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		to, err := l.upTo(ctx, board, to)
		if err != nil {
			yield(Record{}, err)
			return
		}
		if to > 0 && from <= to {
			at := l.homeAt(board, to)
			l.scan(ctx, board, at, messageGet{Seq: firstIn(at, from)}, StreamSeq(to), yield)
		}
	}
}

// upTo is to, or the board's head for 0.
func (l *Log) upTo(ctx context.Context, board string, to uint64) (uint64, error) {
	if to > 0 {
		return to, nil
	}
	return l.Head(ctx, board)
}

// firstIn is the sequence of a stream from which on records from a position on are.
func firstIn(at home, from uint64) uint64 {
	if Generation(from) < at.gen {
		return 1
	}
	return max(StreamSeq(from), 1)
}

// scan yields the board's records from where req starts to sequence to, both of
// the stream at. It
// reads by direct gets, which any replica answers: that the answers are whole
// is seen by each record's Prev and by reaching to.
func (l *Log) scan(ctx context.Context, board string, at home, req messageGet, to uint64, yield func(Record, error) bool) {
	req.NextFor = at.subject
	s := &scan{getter: l.newGetter(at.stream), req: req, board: board, gen: at.gen, from: req.Seq, to: to, yield: yield}
	defer s.giveUp()
	progress := time.Now()
	for pause := firstPause; ; {
		n, err := s.step(ctx)
		if n == 0 && !s.done && time.Since(progress) > lagging && !permanent(err) {
			n, err = s.led(ctx, l, at.stream)
		}
		switch {
		case s.done:
			return
		case n > 0:
			progress, pause = time.Now(), firstPause
			continue
		case time.Since(progress) > l.patience || permanent(err):
			err = errors.Join(errBehind, err)
		default:
			if sleep(ctx, pause) == nil {
				pause = min(2*pause, longestPause)
				continue
			}
			err = errors.Join(ctx.Err(), err)
		}
		yield(Record{}, fmt.Errorf("eventlog: board %s read to %d of %d: %w", board, s.last, to, err))
		return
	}
}

var errBehind = errors.New("no more records")

const (
	// lagging is how long the replica that answers may have nothing new before the
	// leader is asked: after a partition nats-server 2.15 may take minutes to bring
	// a copy up to date, which answers meanwhile.
	lagging = 2 * time.Second
	// ledAtOnce is how many records are read from the leader, one at a time, before
	// the replica is asked again.
	ledAtOnce = 100
)

// singles is how many records are read one by one before batches are: often
// there is but one.
const singles = 1

// scan is how far one reading has come.
type scan struct {
	getter   getter
	req      messageGet // of what is next
	ahead    *answers   // asked for already, nil if none is
	board    string
	gen      int    // of the stream
	from, to uint64 // sequences of the stream, as all here
	count    int
	last     uint64 // sequence of the last record yielded, 0: none
	done     bool   // to is reached, or the reader has enough
	yield    func(Record, error) bool
}

// step reads and yields the next record or batch of them; 0: there is none, now.
func (s *scan) step(ctx context.Context) (n int, err error) {
	if s.count < singles {
		msg, err := s.getter.one(ctx, s.req)
		if msg == nil {
			return 0, err
		}
		return s.take([]*nats.Msg{msg})
	}
	batch, err := s.batch(ctx)
	if err != nil {
		return 0, err
	}
	return s.take(batch)
}

// batch gathers the batch that is due and asks for the one behind it, which
// the server prepares while this one is decoded.
func (s *scan) batch(ctx context.Context) (batch []*nats.Msg, err error) {
	s.req.Batch, s.req.MaxBytes = int(min(readBatch, s.to-s.last)), readBatchBytes
	asked := s.ahead
	if s.ahead = nil; asked == nil {
		if asked, err = s.getter.send(s.req); err != nil {
			return nil, err
		}
	}
	if batch, err = asked.collect(ctx); err != nil || len(batch) == 0 {
		return nil, err
	}
	end, err := directSeq(batch[len(batch)-1].Header)
	if err != nil || end >= s.to {
		return batch, err
	}
	next := s.req
	next.Seq = end + 1
	s.ahead, err = s.getter.send(next)
	return batch, err
}

// giveUp forgets the batch asked for ahead.
func (s *scan) giveUp() {
	if s.ahead != nil {
		s.ahead.giveUp()
		s.ahead = nil
	}
}

// take yields the records of a batch. It stops with an error at one that does
// not follow the last: the replica that answered is not whole.
func (s *scan) take(batch []*nats.Msg) (n int, err error) {
	for _, msg := range batch {
		r, err := directRecord(s.board, s.gen, msg)
		if err = s.put(r, err, &n); err != nil || s.done {
			return n, err
		}
	}
	return n, nil
}

// put yields a record that was read, or failed to be, and counts it in n.
func (s *scan) put(r Record, failed error, n *int) error {
	if failed != nil {
		s.done = true
		s.yield(Record{}, failed)
		return failed
	}
	seq, prev := StreamSeq(r.Seq), StreamSeq(r.Prev)
	if s.last != 0 && prev != s.last || s.last == 0 && s.from > 0 && prev >= s.from {
		s.giveUp()
		return fmt.Errorf("record %d follows %d, not %d", seq, prev, s.last)
	}
	if seq > s.to {
		s.done = true
		return nil
	}
	*n++
	s.count++
	s.last, s.req.Seq = seq, seq+1
	if !s.yield(r, nil) || seq == s.to {
		s.done = true
	}
	return nil
}

// led yields the next records as the stream's leader has them, some at most.
func (s *scan) led(ctx context.Context, l *Log, stream string) (n int, err error) {
	s.giveUp()
	for n < ledAtOnce && !s.done {
		msg, err := l.leaderGet(ctx, stream, messageGet{Seq: s.req.Seq, NextFor: s.req.NextFor})
		if errors.Is(err, ErrNotFound) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		header, err := msg.header()
		if err != nil {
			return n, err
		}
		r, err := newRecord(s.board, s.gen, msg.Seq, msg.Time, header, msg.Data)
		if err = s.put(r, err, &n); err != nil {
			return n, err
		}
	}
	return n, nil
}

// directRecord decodes a message of a direct get from a stream of that generation.
func directRecord(board string, gen int, msg *nats.Msg) (Record, error) {
	seq, err := directSeq(msg.Header)
	if err != nil {
		return Record{}, err
	}
	at, err := directTime(msg.Header)
	if err != nil {
		return Record{}, err
	}
	return newRecord(board, gen, seq, at, msg.Header, msg.Data)
}
