package eventlog

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
)

// getter reads messages of one stream by direct gets: no consumer is made, any
// replica answers. Not safe for concurrent use.
type getter struct {
	nc      *nats.Conn
	subject string
	sub     *nats.Subscription // made by the first send
	inbox   string
	serial  int
}

func (l *Log) newGetter(stream string) *getter {
	return &getter{nc: l.bulk, subject: "$JS.API.DIRECT.GET." + stream, inbox: l.bulk.NewInbox()}
}

func (g *getter) close() {
	if g.sub != nil {
		_ = g.sub.Unsubscribe()
	}
}

// one reads a single message, the first that fits; nil: the replica that
// answered has none, now. For a few messages it is the cheapest way: before a
// batch the server counts what is pending.
func (g *getter) one(ctx context.Context, req messageGet) (*nats.Msg, error) {
	data, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	msg, err := g.nc.RequestWithContext(ctx, g.subject, data)
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
func (g *getter) get(ctx context.Context, req messageGet) ([]*nats.Msg, error) {
	reply, err := g.send(req)
	if err != nil {
		return nil, err
	}
	return g.collect(ctx, reply)
}

// send asks for a batch whose answers collect gathers.
func (g *getter) send(req messageGet) (reply string, err error) {
	if g.sub == nil {
		if g.sub, err = g.nc.SubscribeSync(g.inbox + ".*"); err != nil {
			return "", err
		}
		if err := g.sub.SetPendingLimits(-1, -1); err != nil { // two batches at most
			return "", err
		}
	}
	data, err := json.Marshal(req)
	if err != nil {
		return "", err
	}
	g.serial++
	reply = fmt.Sprintf("%s.%d", g.inbox, g.serial)
	return reply, g.nc.PublishRequest(g.subject, reply, data)
}

// collect gathers the answers to one request. Those to earlier ones that were
// given up are left out.
func (g *getter) collect(ctx context.Context, reply string) (batch []*nats.Msg, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for {
		msg, err := g.sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		if msg.Subject != reply {
			continue
		}
		if end, err := endOfBatch(msg); end || err != nil {
			return batch, err
		}
		batch = append(batch, msg)
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
