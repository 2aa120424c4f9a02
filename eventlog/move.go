package eventlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/snapback-io/snapback/domain"
)

// ErrGeneration: there are no such shards, as far as this node knows.
var ErrGeneration = errors.New("eventlog: no such generation of shards")

// Move has a board go on in the shard it has in a later generation, while it is
// worked on, and gives its head there. Its records are copied first, with their
// bytes, hashes and times; then one that says so ends it where it is, by
// compare-and-set, and the few records in between follow. What is undecided
// meanwhile waits, and is decided there. A move that broke off is continued by
// the same call and, once the board has ended where it was, by whoever next asks
// for its head.
//
// Where the board was, its records stay; nobody reads them as the board's. A
// board that is written to without a pause of some milliseconds takes as long
// as it takes to find one. Errors: ErrNotFound, ErrRestoring, ErrGeneration.
func (l *Log) Move(ctx context.Context, board string, gen int) (head uint64, err error) {
	if gen < 1 || gen >= len(l.generations) {
		return 0, fmt.Errorf("%w: %d of %d", ErrGeneration, gen, len(l.generations))
	}
	for {
		from, last, err := l.head(ctx, board)
		if err != nil {
			return 0, fmt.Errorf("eventlog: move of board %s: %w", board, err)
		}
		if from.gen >= gen {
			head = position(from.gen, last.Seq)
			if err := l.dropPasts(ctx, board, from.gen); err != nil {
				l.log.Warn("past snapshots from before a board moved are left", "board", board, "error", err)
			}
			return head, l.Announce(board, Announcement{Head: head})
		}
		if err := l.leave(ctx, board, from, gen, last); err != nil {
			return 0, fmt.Errorf("eventlog: move of board %s: %w", board, err)
		}
	}
}

// leave copies what there is and tries to end the board where it is. Without an
// error it may have ended, or there are more records now: the head tells.
func (l *Log) leave(ctx context.Context, board string, from home, gen int, last *stored) error {
	header, err := last.header()
	if err != nil {
		return err
	}
	if header.Get(headerMore) != "" {
		return ErrRestoring
	}
	to := l.homeIn(gen, board)
	if err := l.copyBoard(ctx, board, from, to, last.Seq, true); err != nil {
		return err
	}
	commit := &domain.Commit{V: domain.MovedVersion, Board: board, At: time.Now().UTC().Truncate(time.Millisecond),
		Decisions: []domain.Decision{}, Moved: &domain.Moved{Generation: gen, Shard: to.shard}}
	if err := commit.Prev.UnmarshalText([]byte(header.Get(headerMsgID))); err != nil {
		return fmt.Errorf("header %s: %w", headerMsgID, err)
	}
	data, hash, err := commit.Encode()
	if err != nil {
		return err
	}
	msg := record(from, data, hash, last.Seq)
	msg.Header[headerMoved] = []string{strconv.Itoa(gen)}
	_, err = l.publishExpecting(ctx, msg)
	if errors.Is(err, ErrUnknown) {
		return sleep(ctx, longestPause)
	}
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// movedTo is the generation in which the board of a last record goes on, 0: it
// is at home here.
func movedTo(last *stored) (gen int, err error) {
	header, err := last.header()
	if err != nil {
		return 0, err
	}
	text := header.Get(headerMoved)
	if text == "" {
		return 0, nil
	}
	gen, err = strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("header %s: %w", headerMoved, err)
	}
	return gen, nil
}

// follow goes after a board that has ended with last: what is still to be copied
// is, and from then on the board is there.
func (l *Log) follow(ctx context.Context, board string, from home, gen int, last *stored) error {
	if gen <= from.gen || gen >= len(l.generations) {
		return fmt.Errorf("%w: the board is in %d, this node knows %d: start it again", ErrGeneration, gen, len(l.generations))
	}
	if err := l.copyBoard(ctx, board, from, l.homeIn(gen, board), last.Seq, false); err != nil {
		return err
	}
	l.moved.put(board, gen)
	return nil
}

// copyBoard copies a board's records up to a sequence of the stream they are in,
// those that are not there yet; more: others will follow. Several may do so at
// the same time.
func (l *Log) copyBoard(ctx context.Context, board string, from, to home, end uint64, more bool) error {
	for {
		copied, head, whole, err := l.copied(ctx, from, to)
		if err != nil || whole || copied == end {
			return err
		}
		err = l.copyRecords(ctx, board, from, to, copied+1, end, head, more)
		if errors.Is(err, ErrUnknown) || errors.Is(err, ErrConflict) { // look how far it is
			err = sleep(ctx, firstPause)
		}
		if err != nil {
			return err
		}
	}
}

// copied says how far a copy is: the last record that was copied, by its
// sequence there and here; whole: there will be no more.
func (l *Log) copied(ctx context.Context, from, to home) (there, here uint64, whole bool, err error) {
	last, err := l.last(ctx, to.stream, to.subject)
	if errors.Is(err, ErrNotFound) {
		return 0, 0, false, nil
	}
	if err != nil {
		return 0, 0, false, err
	}
	header, err := last.header()
	if err != nil {
		return 0, 0, false, err
	}
	if header.Get(headerMore) == "" {
		return 0, last.Seq, true, nil
	}
	at, err := strconv.ParseUint(header.Get(headerCopied), 10, 64)
	if err != nil || Generation(at) != from.gen {
		return 0, 0, false, fmt.Errorf("%w: stream %s has records of a copy from elsewhere", ErrExists, to.stream)
	}
	return StreamSeq(at), last.Seq, false, nil
}

func (l *Log) copyRecords(ctx context.Context, board string, from, to home, first, end, head uint64, more bool) (err error) {
	l.scan(ctx, board, from, messageGet{Seq: first}, end, func(r Record, e error) bool {
		if err = e; err != nil {
			return false
		}
		msg := record(to, r.Data, r.Hash, head)
		msg.Header[headerStoredAt] = []string{r.Time.UTC().Format(time.RFC3339Nano)}
		msg.Header[headerCopied] = []string{strconv.FormatUint(r.Seq, 10)}
		if more || StreamSeq(r.Seq) < end {
			msg.Header[headerMore] = []string{"1"}
		}
		head, err = l.append(ctx, msg, head)
		return err == nil
	})
	return err
}

// record is a message with a record for a stream, expecting that sequence.
func record(at home, data []byte, hash domain.Hash, expected uint64) *nats.Msg {
	return &nats.Msg{Subject: at.subject, Data: data, Header: nats.Header{
		headerMsgID:    {hash.String()},
		headerExpected: {strconv.FormatUint(expected, 10)},
	}}
}
