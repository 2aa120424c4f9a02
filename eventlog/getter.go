package eventlog

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
)

// getter reads messages of one stream by direct gets: no consumer is made, any
// replica answers.
type getter struct {
	log     *Log
	stream  string
	subject string
}

func (l *Log) newGetter(stream string) getter {
	return getter{log: l, stream: stream, subject: "$JS.API.DIRECT.GET." + stream}
}

// one reads a single message, the first that fits; nil: the replica that
// answered has none, now. For a few messages it is the cheapest way: before a
// batch the server counts what is pending.
func (g getter) one(ctx context.Context, req messageGet) (*nats.Msg, error) {
	data, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	msg, err := repeated(ctx, g.log, g.stream, func(ctx context.Context) (*nats.Msg, error) {
		return g.log.bulk.RequestWithContext(ctx, g.subject, data)
	})
	if err != nil {
		return nil, err
	}
	if end, err := endOfBatch(msg); end || err != nil {
		return nil, err
	}
	return msg, nil
}

// get sends one batch request and collects its answers. None is no error: the
// replica that answered has no such message, now.
func (g getter) get(ctx context.Context, req messageGet) ([]*nats.Msg, error) {
	b, err := g.send(req)
	if err != nil {
		return nil, err
	}
	return b.collect(ctx)
}

// send asks for a batch; its caller collects it or gives it up.
func (g getter) send(req messageGet) (*answers, error) {
	data, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	b, err := g.log.batches.open(g.log.bulk, req.Batch)
	if err != nil {
		return nil, err
	}
	b.closed = g.log.closed
	if err := g.log.bulk.PublishRequest(g.subject, b.reply, data); err != nil {
		b.giveUp()
		return nil, err
	}
	return b, nil
}

// batches are those asked for whose answers are still to come. They share one
// subscription: to make one costs the server as much as to send ten messages.
type batches struct {
	mu      sync.Mutex
	inbox   string // "": there is no subscription yet
	serial  uint64
	byReply map[string]*answers
}

// answers are those to one request for a batch. Not safe for concurrent use.
type answers struct {
	all     *batches
	closed  <-chan struct{} // the log is
	reply   string
	answers chan *nats.Msg // has room for all of them
}

// open makes a batch of at most so many messages.
func (bs *batches) open(nc *nats.Conn, most int) (*answers, error) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.inbox == "" {
		inbox := nc.NewInbox()
		sub, err := nc.Subscribe(inbox+".*", bs.answered)
		if err != nil {
			return nil, err
		}
		if err := sub.SetPendingLimits(-1, -1); err != nil { // a few batches at most
			return nil, err
		}
		bs.inbox, bs.byReply = inbox, make(map[string]*answers)
	}
	bs.serial++
	b := &answers{all: bs, reply: bs.inbox + "." + strconv.FormatUint(bs.serial, 36), answers: make(chan *nats.Msg, most+1)}
	bs.byReply[b.reply] = b
	return b, nil
}

func (bs *batches) answered(msg *nats.Msg) {
	bs.mu.Lock()
	b := bs.byReply[msg.Subject]
	bs.mu.Unlock()
	if b == nil {
		return // it was given up
	}
	select {
	case b.answers <- msg:
	default: // more than was asked for
	}
}

func (b *answers) giveUp() {
	b.all.mu.Lock()
	defer b.all.mu.Unlock()
	delete(b.all.byReply, b.reply)
}

// collect gathers the answers.
func (b *answers) collect(ctx context.Context) (list []*nats.Msg, err error) {
	defer b.giveUp()
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for {
		select {
		case msg := <-b.answers:
			if end, err := endOfBatch(msg); end || err != nil {
				return list, err
			}
			list = append(list, msg)
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.closed:
			return nil, nats.ErrConnectionClosed
		}
	}
}

// endOfBatch reads the status of an answer; messages have none.
func endOfBatch(msg *nats.Msg) (bool, error) {
	switch status := msg.Header.Get("Status"); status {
	case "":
		return false, nil
	case "204", "404": // end of batch, nothing there
		return true, nil
	case "503":
		return true, nats.ErrNoResponders
	default:
		return true, fmt.Errorf("eventlog: direct get: %s %s", status, msg.Header.Get("Description"))
	}
}
