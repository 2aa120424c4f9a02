package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// Raw is a message of a board as it is stored, whole or damaged.
type Raw struct {
	Board    string
	Seq      uint64    // of its stream
	Time     time.Time // as [Record] has it
	MsgID    string    // should be the hex SHA-256 of Data
	Expected string    // should be the board's sequence before it, in decimal
	Data     []byte
}

// ReadRaw gives the board's messages from position from on, in order, up to and
// including position to (0: the head the leader names at the call), whether
// they are records or not and whether one follows the other: what [Log.Read]
// fails on is here to be looked at. It ends with an error when it could not get
// as far as to, after 15 s without progress, or at once if the leader is that
// far and gives none of what is left: ErrUnreadable. A message is left out only
// if neither the leader nor the replica that answered has it.
func (l *Log) ReadRaw(ctx context.Context, board string, from, to uint64) iter.Seq2[Raw, error] {
	return func(yield func(Raw, error) bool) {
		to, err := l.upTo(ctx, board, to)
		if err != nil {
			yield(Raw{}, err)
			return
		}
		at := l.homeAt(board, to)
		r := rawScan{log: l, stream: at.stream, yield: yield, scan: scan{getter: l.newGetter(at.stream), board: board, to: StreamSeq(to),
			req: messageGet{Seq: firstIn(at, from), NextFor: at.subject}}}
		defer r.scan.giveUp()
		if to > 0 && from <= to {
			r.run(ctx)
		}
	}
}

// rawScan is how far a raw reading has come.
type rawScan struct {
	scan   scan // to ask by
	log    *Log
	stream string
	done   bool // to is reached, or the reader has enough
	yield  func(Raw, error) bool
}

func (r *rawScan) run(ctx context.Context) {
	progress := time.Now()
	for pause := firstPause; ; {
		n, err := r.step(ctx)
		switch {
		case r.done:
			return
		case n > 0:
			progress, pause = time.Now(), firstPause
		case err == nil && r.log.noneLeft(ctx, r.stream, messageGet{Seq: r.scan.req.Seq, NextFor: r.scan.req.NextFor}, r.scan.to):
			r.fail(ErrUnreadable)
			return
		case time.Since(progress) <= r.log.patience && !permanent(err) && sleep(ctx, pause) == nil:
			pause = min(2*pause, longestPause)
		default:
			r.fail(errors.Join(errBehind, err, ctx.Err()))
			return
		}
	}
}

func (r *rawScan) fail(err error) {
	r.yield(Raw{}, fmt.Errorf("eventlog: board %s read to %d of %d: %w", r.scan.board, r.scan.last, r.scan.to, err))
}

// step reads and yields a batch; 0: there is nothing, now.
func (r *rawScan) step(ctx context.Context) (n int, err error) {
	batch, err := r.scan.batch(ctx)
	for _, msg := range batch {
		found, err := rawMessage(r.scan.board, msg)
		if err != nil {
			return n, err
		}
		raw := found
		if raw.Expected != strconv.FormatUint(r.scan.last, 10) {
			if raw, err = r.earlier(ctx, found); err != nil {
				return n, err
			}
		}
		if raw.Seq > r.scan.to {
			r.done = true
			return n, nil
		}
		n++
		r.scan.last, r.scan.req.Seq = raw.Seq, raw.Seq+1
		if !r.yield(raw, nil) || raw.Seq == r.scan.to {
			r.done = true
			return n, nil
		}
		if raw.Seq != found.Seq { // what follows is no longer what comes next
			r.scan.giveUp()
			return n, nil
		}
	}
	return n, err
}

// earlier is what the leader has before a message that does not name the one
// before it, or that message: the replica that gave it may not be whole.
func (r *rawScan) earlier(ctx context.Context, found Raw) (Raw, error) {
	led, err := r.log.leaderGet(ctx, r.stream, messageGet{Seq: r.scan.req.Seq, NextFor: r.scan.req.NextFor})
	if errors.Is(err, ErrNotFound) || err == nil && led.Seq >= found.Seq {
		return found, nil
	}
	if err != nil {
		return Raw{}, err
	}
	header, _ := led.header() // none if it is damaged, and then it does not fit the message
	return newRaw(r.scan.board, led.Seq, led.Time, header, led.Data), nil
}

func rawMessage(board string, msg *nats.Msg) (Raw, error) {
	seq, err := directSeq(msg.Header)
	if err != nil {
		return Raw{}, err
	}
	at, err := directTime(msg.Header)
	if err != nil {
		return Raw{}, err
	}
	return newRaw(board, seq, at, msg.Header, msg.Data), nil
}

func newRaw(board string, seq uint64, at time.Time, header nats.Header, data []byte) Raw {
	if first, err := storedAt(header, at); err == nil {
		at = first
	}
	return Raw{Board: board, Seq: seq, Time: at, MsgID: header.Get(headerMsgID), Expected: header.Get(headerExpected), Data: data}
}
