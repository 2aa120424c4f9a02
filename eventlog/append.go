package eventlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/snapback-io/snapback/domain"
)

// Headers of a record. The expected sequence is stored with it and so tells
// the board's sequence before it.
const (
	headerMsgID    = "Nats-Msg-Id"
	headerExpected = "Nats-Expected-Last-Subject-Sequence"
)

// appendTimeout is how long an append waits for its answer: longer than an
// ordinary stall, shorter than a leader's election, after which the answer is lost.
const appendTimeout = 5 * time.Second

// longestInProcess bounds the pause before a message is sent again that is
// under way already: a slow disk gets no more to do than it has.
const longestInProcess = 200 * time.Millisecond

// Append stores data (an encoded commit with this hash) as the board's next
// record, if the board's last sequence is expected (0: none yet). When it
// returns nil the record is durable as far as the server makes it so (sync
// always: fsynced; R3: on a majority). It retries by itself what is not yet an
// outcome (in process, 10164 and 10158) with the same message. Errors:
// ErrConflict, ErrUnknown, ErrTooLarge, ErrFull. A retry of what is stored may
// answer as stored or as ErrConflict. It blocks its caller only, 5 s at most.
func (l *Log) Append(ctx context.Context, board string, data []byte, hash domain.Hash, expected uint64) (seq uint64, err error) {
	at, last := l.homeAt(board, expected), StreamSeq(expected)
	seq, err = l.append(ctx, record(at, data, hash, last), last)
	l.appended(at.shard, err)
	if harm := l.harmed(); err == nil && harm != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnknown, harm)
	}
	return position(at.gen, seq), err
}

// append is Append of a message that names stream sequences.
func (l *Log) append(ctx context.Context, msg *nats.Msg, expected uint64) (seq uint64, err error) {
	if len(msg.Data) > l.MaxRecord() {
		return 0, fmt.Errorf("%w: %d bytes of %d", ErrTooLarge, len(msg.Data), l.MaxRecord())
	}
	seq, err = l.publishExpecting(ctx, msg)
	if err == nil && seq <= expected {
		// The server knows these bytes as an earlier record. Commits hold the
		// hash of the one before, so no two of a board are alike.
		return 0, fmt.Errorf("%w: stored at %d already", ErrConflict, seq)
	}
	return seq, err
}

// publishExpecting publishes a message that says which sequence it expects and
// classifies what comes of it.
func (l *Log) publishExpecting(ctx context.Context, msg *nats.Msg) (seq uint64, err error) {
	if err := l.disksFull(); err != nil {
		return 0, err
	}
	if end, bound := ctx.Deadline(); !bound || time.Until(end) > appendTimeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, appendTimeout)
		defer cancel()
	}
	leaderless := firstPause
	for most := 20 * time.Millisecond; ; most = min(2*most, longestInProcess) {
		seq, err := l.publishOnce(ctx, msg)
		var pause time.Duration
		switch code := errorCode(err); {
		case code == codeSequenceInProcess || code == codeMessageInProcess:
			pause = most/4 + rand.N(most*3/4)
		case errors.Is(err, errElected):
			leaderless = firstPause
		case l.replicated() && errors.Is(err, nats.ErrNoResponders): // one leader has gone, the next is not there
			pause = leaderless
			leaderless = min(2*leaderless, longestInProcess)
		default:
			return seq, classify(err)
		}
		if sleep(ctx, pause) != nil {
			return 0, fmt.Errorf("%w: %w", ErrUnknown, err)
		}
	}
}

// classify names the outcome of an append by the answer's code. What is not
// known to have stored nothing is unknown.
func classify(err error) error {
	if err == nil {
		return nil
	}
	switch errorCode(err) {
	case codeWrongSequence:
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case codeMessageTooLarge:
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case codeStoreFailed, codeNoResources, codeNoMemory, codeNoStorage:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if errors.Is(err, nats.ErrMaxPayload) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

func (l *Log) publishOnce(ctx context.Context, msg *nats.Msg) (seq uint64, err error) {
	answer, err := l.asks.ask(ctx, msg)
	if err != nil {
		return 0, err
	}
	return parseAck(answer)
}

// parseAck reads a PubAck. A duplicate is stored: it has the sequence of the first.
func parseAck(answer *nats.Msg) (seq uint64, err error) {
	if seq := plainAck(answer.Data); seq > 0 {
		return seq, nil
	}
	if answer.Header.Get("Status") == "503" {
		return 0, nats.ErrNoResponders
	}
	var ack struct {
		Seq   uint64    `json:"seq"`
		Error *apiError `json:"error"`
	}
	switch err := json.Unmarshal(answer.Data, &ack); {
	case err != nil:
		return 0, fmt.Errorf("eventlog: answer to an append: %w", err)
	case ack.Error != nil:
		return 0, ack.Error
	case ack.Seq == 0:
		return 0, errors.New("eventlog: answer to an append without a sequence")
	}
	return ack.Seq, nil
}

// plainAck is the sequence in the usual words of a PubAck, 0 if it has others.
func plainAck(data []byte) uint64 {
	rest, usual := bytes.CutPrefix(data, []byte(`{"stream":"`))
	_, rest, named := bytes.Cut(rest, []byte(`"seq":`))
	if !usual || !named {
		return 0
	}
	rest = bytes.TrimPrefix(rest, []byte(" "))
	if end := bytes.IndexAny(rest, ",}"); end > 0 {
		seq, _ := strconv.ParseUint(string(rest[:end]), 10, 64)
		return seq
	}
	return 0
}
