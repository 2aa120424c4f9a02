package eventlog

import (
	"strings"

	"github.com/nats-io/nats.go"
)

// Subjects of core NATS on which nodes hear each other.
const (
	beatSubject = "node.beat"
	nodeSubject = "node.is." // and the name, which has no dots
)

// Bus is how the nodes on this log hear each other: core NATS. A probe is a
// request to a node's own subject; that nobody listens there the servers say
// themselves, at once, also of a node whose process was killed.
func (l *Log) Bus() Bus { return bus{l, l.live.NewInbox() + "."} }

type bus struct {
	log   *Log
	inbox string // prefix of the subjects of answers to probes
}

func (b bus) Beat(data []byte) error { return b.log.live.Publish(beatSubject, data) }

func (b bus) Probe(node string) error {
	return b.log.live.PublishRequest(nodeSubject+node, b.inbox+node, nil)
}

func (b bus) Listen(node string, heard func([]byte), lost func(string)) (stop func(), err error) {
	nc, in := b.log.live, make(chan *nats.Msg, 1024)
	var subs []*nats.Subscription
	leave := func() {
		for _, sub := range subs {
			_ = sub.Unsubscribe()
		}
	}
	for _, subject := range []string{beatSubject, nodeSubject + node, b.inbox + "*"} {
		sub, err := nc.ChanSubscribe(subject, in)
		if err != nil {
			leave()
			return nil, b.log.closedOr(err)
		}
		subs = append(subs, sub)
	}
	if err := nc.FlushTimeout(askTimeout); err != nil {
		leave()
		return nil, b.log.closedOr(err)
	}
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case msg := <-in:
				switch {
				case msg.Subject == beatSubject:
					heard(msg.Data)
				case msg.Header.Get("Status") == "503":
					lost(strings.TrimPrefix(msg.Subject, b.inbox))
				}
			case <-ended:
				return
			}
		}
	}()
	return func() { leave(); close(ended) }, nil
}
