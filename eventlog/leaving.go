package eventlog

import (
	"cmp"
	"context"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	unpinTimeout = 2 * time.Second
	// finishFor is how long a node that gives a shard away goes on with what it
	// has of it: the next one then finds its boards at rest, and nothing is
	// decided twice. As long nobody decides what comes.
	finishFor = 50 * time.Millisecond
	// lingerFor is how long it then still hears what the queue sends it.
	lingerFor = 50 * time.Millisecond
)

// leave hands the shard over: it finishes what is under way, gives up the pin
// and then what came meanwhile or is not Done: the next active node gets it at
// once. So it does with what still comes: a message may be on its way while the
// pin is given up, or a request of before may have got the pin anew.
func (p *puller) leave(sub *nats.Subscription) {
	late := p.finish()
	for _, msg := range late {
		p.pin = cmp.Or(msg.Header.Get("Nats-Pin-Id"), p.pin)
	}
	p.unpin()
	for _, msg := range late {
		p.refuse(msg)
	}
	p.mu.Lock()
	for _, b := range p.open { // Done after this still acknowledges
		_ = p.log.write.Publish(b.reply, []byte("-NAK"))
	}
	p.mu.Unlock()
	end := time.NewTimer(lingerFor)
	defer end.Stop()
	for {
		select {
		case msg := <-p.in:
			if id := msg.Header.Get("Nats-Pin-Id"); id != "" && id != p.pin {
				p.pin = id
				p.unpin()
			}
			p.refuse(msg)
			continue
		case <-end.C:
		case <-p.log.closed:
		}
		_ = sub.Unsubscribe()
		return
	}
}

// unpin gives up the pin, if this node has it.
func (p *puller) unpin() {
	if p.isClosed() || p.pin == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), unpinTimeout)
	defer cancel()
	if err := p.log.Unpin(ctx, p.shard); err != nil {
		p.log.log.Warn("unpin", "shard", p.shard, "error", err)
	}
}

// refuse has a message delivered to the next active node.
func (p *puller) refuse(msg *nats.Msg) {
	if len(msg.Data) > 0 {
		_ = p.log.write.Publish(msg.Reply, []byte("-NAK"))
	}
}

// finish waits until nothing is open, for finishFor at most, and gives what
// was delivered meanwhile: nobody works on it.
func (p *puller) finish() (late []*nats.Msg) {
	p.mu.Lock()
	p.leaving = true
	atRest := len(p.open) == 0
	p.mu.Unlock()
	if atRest {
		return nil
	}
	end := time.NewTimer(finishFor)
	defer end.Stop()
	for {
		select {
		case msg := <-p.in:
			late = append(late, msg)
		case <-p.rest:
			return late
		case <-end.C:
			return late
		case <-p.log.closed:
			return late
		}
	}
}

// Unpin takes a shard from the node that has it, so that one of those that wait
// for it gets the next command: the pin of a node that is gone would stay for
// three seconds. It takes nothing from the safety of the log.
func (l *Log) Unpin(ctx context.Context, shard int) error {
	return l.api(ctx, "CONSUMER.UNPIN."+commandStream(shard)+"."+consumerName, map[string]string{"group": pinGroup}, new(answer))
}
