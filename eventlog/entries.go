package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
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
	entriesAhead  = 4000             // entries asked for at once
	entriesExpiry = time.Second      // how long a request for them stands
	entriesSilent = 2 * time.Second  // after which the server is asked anew
	entriesIdle   = 30 * time.Second // after which the server forgets who reads
)

// Entries gives the entries of a shard's stream from sequence from to sequence
// to, in order, without the bytes of the records. A sequence that the stream
// does not have or cannot read is left out: whoever counts sees it. It ends with
// an error when it could not get as far as to; a replica that lags is waited
// for, 15 s at most without progress. The stream must have a record at to.
// ErrUnreadable: it cannot read that one. With the sequence of an entry: what is
// there is no record; whoever goes on gets those behind it.
func (l *Log) Entries(ctx context.Context, shard int, from, to uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		r := &entryReader{log: l, shard: shard, next: max(from, 1), to: to, yield: yield}
		progress := time.Now()
		for r.next <= to {
			before := r.next
			err := r.read(ctx)
			if errors.Is(err, errBehind) && r.unreadable(ctx) {
				err = fmt.Errorf("%w: the server counts it and does not give it", ErrUnreadable)
				yield(Entry{}, fmt.Errorf("eventlog: record %d of stream %s: %w", r.next, eventStream(shard), err))
				return
			}
			switch {
			case r.done:
				return
			case r.next > before:
				progress = time.Now()
			case ctx.Err() != nil || permanent(err) || time.Since(progress) > l.patience:
				yield(Entry{}, fmt.Errorf("eventlog: stream %s read to %d of %d: %w", eventStream(shard), r.next-1, to, errors.Join(ctx.Err(), err)))
				return
			default:
				_ = sleep(ctx, 10*firstPause)
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

// unreadable says whether the leader is as far as the reading is to go, and yet
// gives nothing of what is left of it.
func (r *entryReader) unreadable(ctx context.Context) bool {
	return r.log.noneLeft(ctx, eventStream(r.shard), messageGet{Seq: r.next, NextFor: "evt.*.*"}, r.to)
}

// noneLeft says whether the leader of a stream gives no message from where req
// starts up to sequence to, although it is that far.
func (l *Log) noneLeft(ctx context.Context, stream string, req messageGet, to uint64) bool {
	state, err := l.streamState(ctx, stream)
	if err != nil || state.LastSeq < to {
		return false
	}
	next, err := l.leaderGet(ctx, stream, req)
	return errors.Is(err, ErrNotFound) || err == nil && next.Seq > to
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
	name := consumer.CachedInfo().Name
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
		defer cancel()
		_ = r.log.js.DeleteConsumer(ctx, stream, name) // else it goes by itself
	}()
	in := make(chan *nats.Msg, 2*entriesAhead)
	sub, err := r.log.bulk.ChanSubscribe(r.log.bulk.NewInbox(), in)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	p := &entryPull{log: r.log, subject: "$JS.API.CONSUMER.MSG.NEXT." + stream + "." + name, inbox: sub.Subject, heard: time.Now()}
	return r.receive(ctx, p, in)
}

// receive takes what is delivered and asks for more in time.
func (r *entryReader) receive(ctx context.Context, p *entryPull, in <-chan *nats.Msg) error {
	check := time.NewTicker(entriesSilent / 4)
	defer check.Stop()
	for r.next <= r.to {
		if err := p.ask(r.to - r.next + 1); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.log.closed:
			return ErrClosed
		case <-check.C:
			if time.Since(p.heard) > entriesSilent {
				return errBehind
			}
		case msg := <-in:
			if status := msg.Header.Get("Status"); status != "" {
				if err := p.status(ctx, status, msg.Header); err != nil {
					return err
				}
				continue
			}
			meta, err := msg.Metadata()
			if err != nil {
				return err
			}
			if err := p.delivered(meta); err != nil {
				return err
			}
			if !r.take(msg, meta) {
				return nil
			}
		}
	}
	return nil
}

// entryPull is what is asked for and not delivered yet. A request may come
// before its consumer is known everywhere: nobody is there, and it is asked again.
type entryPull struct {
	log            *Log
	subject, inbox string
	want           int
	count          uint64 // entries delivered
	heard          time.Time
}

func (p *entryPull) ask(left uint64) error {
	n := int(min(entriesAhead, left)) - p.want
	if p.want > entriesAhead/2 || n <= 0 {
		return nil
	}
	req, err := json.Marshal(pullRequest{Expires: entriesExpiry, Batch: n})
	if err != nil {
		return err
	}
	p.want += n
	return p.log.bulk.PublishRequest(p.subject, p.inbox, req)
}

func (p *entryPull) status(ctx context.Context, status string, h nats.Header) error {
	switch status {
	case "404", "408": // a request has ended, short of this many: there are no more yet
		short, err := strconv.Atoi(h.Get("Nats-Pending-Messages"))
		if err != nil {
			short = p.want
		}
		p.want = max(0, p.want-short)
		return nil
	case "503":
		p.want = 0
		return sleep(ctx, firstPause)
	}
	return fmt.Errorf("consumer: %s %s", status, h.Get("Description"))
}

func (p *entryPull) delivered(meta *nats.MsgMetadata) error {
	p.count++
	p.want--
	p.heard = time.Now()
	if meta.Sequence.Consumer != p.count {
		return fmt.Errorf("delivery %d is missing", p.count)
	}
	return nil
}

// take gives an entry to the reader; false: that is all.
func (r *entryReader) take(msg *nats.Msg, meta *nats.MsgMetadata) bool {
	seq := meta.Sequence.Stream
	if seq > r.to {
		r.next = seq
		return false
	}
	e, err := newEntry(msg, meta)
	if err != nil {
		err = fmt.Errorf("eventlog: record %d of stream %s: %w: %w", seq, eventStream(r.shard), ErrUnreadable, err)
	}
	r.next = seq + 1
	r.done = !r.yield(e, err)
	return !r.done
}

func newEntry(msg *nats.Msg, meta *nats.MsgMetadata) (e Entry, err error) {
	e = Entry{Board: lastToken(msg.Subject), Seq: meta.Sequence.Stream}
	if e.Time, err = storedAt(msg.Header, meta.Timestamp); err != nil {
		return e, err
	}
	if err := e.Hash.UnmarshalText([]byte(msg.Header.Get(headerMsgID))); err != nil {
		return e, fmt.Errorf("header %s: %w", headerMsgID, err)
	}
	return e, nil
}
