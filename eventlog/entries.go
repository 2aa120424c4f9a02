package eventlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/snapback-io/snapback/domain"
)

// Entry is what a shard's stream says of one of its records without the bytes.
type Entry struct {
	Board string
	Seq   uint64
	Time  time.Time   // as Record.Time
	Hash  domain.Hash // as the header says; that the bytes have it is not looked at
}

// ShardState is what the stream of a shard holds, by its leader. As nothing is
// ever deleted, First is 1 (0 or 1 while it is empty) and Records is Last.
type ShardState struct {
	First, Last uint64 // sequences
	Records     uint64
}

// ShardState asks the leader. Without one it waits, 15 s at most.
func (l *Log) ShardState(ctx context.Context, shard int) (ShardState, error) {
	var resp struct {
		answer
		State struct {
			First   uint64 `json:"first_seq"`
			Last    uint64 `json:"last_seq"`
			Records uint64 `json:"messages"`
		} `json:"state"`
	}
	err := retry(ctx, l.patience, func(ctx context.Context) error {
		return l.api(ctx, "STREAM.INFO."+eventStream(shard), struct{}{}, &resp)
	})
	if err != nil {
		return ShardState{}, fmt.Errorf("eventlog: stream %s: %w", eventStream(shard), err)
	}
	return ShardState(resp.State), nil
}

const (
	entriesAhead = 4000             // entries that are on their way at once
	entriesBeat  = 5 * time.Second  // how often the server says that it has no more yet
	entriesIdle  = 30 * time.Second // after which the server forgets who reads
)

// Entries gives the entries of a shard's stream from sequence from to sequence
// to, in order, without the bytes of the records. A sequence that the stream
// does not have is left out: whoever counts sees it. It ends with an error when
// it could not get as far as to; a replica that lags is waited for, 15 s at
// most without progress. The stream must have a record at to.
func (l *Log) Entries(ctx context.Context, shard int, from, to uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		r := &entryReader{log: l, shard: shard, next: max(from, 1), to: to, yield: yield}
		progress := time.Now()
		for r.next <= to {
			before := r.next
			err := r.read(ctx)
			switch {
			case r.done:
				return
			case r.next > before:
				progress = time.Now()
			case ctx.Err() != nil || permanent(err) || time.Since(progress) > l.patience:
				yield(Entry{}, fmt.Errorf("eventlog: stream %s read to %d of %d: %w", eventStream(shard), r.next-1, to, errors.Join(ctx.Err(), err)))
				return
			default:
				_ = sleep(ctx, longestPause)
			}
		}
	}
}

// entryReader is how far one reading of entries has come.
type entryReader struct {
	log   *Log
	shard int
	next  uint64 // sequence to read from
	to    uint64
	done  bool // its reader has enough, or has been told of an error
	yield func(Entry, error) bool
}

// read reads by a consumer of its own until it is at the end or something is
// wrong with the consumer: then another one can go on.
func (r *entryReader) read(ctx context.Context) error {
	stream := eventStream(r.shard)
	asking, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	consumer, err := r.log.js.CreateConsumer(asking, stream, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next,
		AckPolicy: jetstream.AckNonePolicy, HeadersOnly: true,
		MemoryStorage: true, Replicas: 1, InactiveThreshold: entriesIdle,
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
		defer cancel()
		_ = r.log.js.DeleteConsumer(ctx, stream, consumer.CachedInfo().Name) // else it goes by itself
	}()
	messages, err := consumer.Messages(jetstream.PullMaxMessages(entriesAhead), jetstream.PullHeartbeat(entriesBeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	for delivered := uint64(1); r.next <= r.to; delivered++ {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != delivered {
			return fmt.Errorf("delivery %d is missing", delivered)
		}
		if !r.take(msg, meta) {
			return nil
		}
	}
	return nil
}

// take gives an entry to the reader; false: that is all.
func (r *entryReader) take(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
	seq := meta.Sequence.Stream
	if seq > r.to {
		r.next = seq
		return false
	}
	e, err := newEntry(msg, meta)
	if err != nil {
		err = fmt.Errorf("eventlog: record %d of stream %s: %w", seq, eventStream(r.shard), err)
	}
	r.next = seq + 1
	r.done = !r.yield(e, err) || err != nil
	return !r.done
}

func newEntry(msg jetstream.Msg, meta *jetstream.MsgMetadata) (e Entry, err error) {
	header := nats.Header(msg.Headers())
	e = Entry{Board: lastToken(msg.Subject()), Seq: meta.Sequence.Stream}
	if e.Time, err = storedAt(header, meta.Timestamp); err != nil {
		return e, err
	}
	if err := e.Hash.UnmarshalText([]byte(header.Get(headerMsgID))); err != nil {
		return e, fmt.Errorf("header %s: %w", headerMsgID, err)
	}
	return e, nil
}
