package eventlog

import (
	"context"
	"fmt"
	"time"
)

// A replicated consumer's leader sends a message when a majority knows that it
// is delivered. If another leads by then it is delivered as far as that one
// knows, nobody has it, and it would come again only after ackWait.

// missedWithin is how long a new leader is asked what it counts as delivered.
const missedWithin = time.Second

// missed has all messages delivered again that the consumer's new leader counts
// as delivered and waits for, and this node, which had the pin, does not have.
// One whose acknowledgement was lost comes again, too: it is decided already.
func (p *puller) missed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, missedWithin)
	defer cancel()
	type place struct {
		Consumer uint64 `json:"consumer_seq"`
		Stream   uint64 `json:"stream_seq"`
	}
	var info struct {
		answer
		Delivered place `json:"delivered"`
		Done      place `json:"ack_floor"`
	}
	consumer := commandStream(p.shard) + "." + consumerName
	for wait := 2 * firstPause; ; wait *= 2 { // it may not listen yet
		asked, stop := context.WithTimeout(ctx, wait)
		err := p.log.apiWithin(asked, "CONSUMER.INFO."+consumer, struct{}{}, &info)
		if err == nil {
			stop()
			break
		}
		<-asked.Done()
		stop()
		if ctx.Err() != nil {
			return
		}
	}
	for seq := info.Done.Stream + 1; seq <= info.Delivered.Stream; seq++ {
		p.mu.Lock()
		has := p.open[seq] != nil
		p.mu.Unlock()
		if !has {
			reply := fmt.Sprintf("$JS.ACK.%s.1.%d.%d.%d.0", consumer, seq, info.Delivered.Consumer, time.Now().UnixNano())
			_ = p.log.write.Publish(reply, []byte("-NAK"))
		}
	}
}
