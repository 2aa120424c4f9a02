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
	sub     *nats.Subscription
	serial  int
	inbox   string
}

func (l *Log) newGetter(stream string) (*getter, error) {
	inbox := l.bulk.NewInbox()
	sub, err := l.bulk.SubscribeSync(inbox + ".*")
	if err != nil {
		return nil, err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil { // one batch at most
		return nil, err
	}
	return &getter{nc: l.bulk, subject: "$JS.API.DIRECT.GET." + stream, sub: sub, inbox: inbox}, nil
}

func (g *getter) close() { _ = g.sub.Unsubscribe() }

// get sends one batch request and collects its answers. None is no error: the
// replica that answered has no such message, now.
func (g *getter) get(ctx context.Context, req messageGet) ([]*nats.Msg, error) {
	data, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	g.serial++
	reply := fmt.Sprintf("%s.%d", g.inbox, g.serial) // answers to an earlier, failed request are told apart
	if err := g.nc.PublishRequest(g.subject, reply, data); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var batch []*nats.Msg
	for {
		msg, err := g.sub.NextMsgWithContext(ctx)
		if err != nil {
			return batch, err
		}
		if msg.Subject != reply {
			continue
		}
		if status := msg.Header.Get("Status"); status != "" {
			switch status {
			case "204", "404": // end of batch, nothing there
				return batch, nil
			case "503":
				return batch, nats.ErrNoResponders
			}
			return batch, fmt.Errorf("eventlog: direct get: %s %s", status, msg.Header.Get("Description"))
		}
		batch = append(batch, msg)
	}
}
