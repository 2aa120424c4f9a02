package eventlog

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// While a queue on several servers gets another leader, what is published to it
// is lost. Its gateway would notice after half a second and look at the log
// first; here a message that the queue does not acknowledge is sent again much
// sooner, unless so many are that something else is the matter.

const (
	resendAfter = 100 * time.Millisecond // many times what a queue in memory takes
	resendUntil = 450 * time.Millisecond // then its gateway looks after it
	maxUnsure   = 64                     // messages of a shard that wait for their acknowledgement and are sent again
)

// sendSurely publishes commands and does not wait. data is no longer its caller's.
func (o *outbox) sendSurely(data []byte) {
	if o.unsure.Add(1) > maxUnsure {
		o.unsure.Add(-1)
		o.sendOnce(data)
		return
	}
	go func() {
		defer o.unsure.Add(-1)
		pause := firstPause
		for start := time.Now(); ; {
			sent := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), resendAfter)
			answer, err := o.log.asks.ask(ctx, &nats.Msg{Subject: o.subject, Data: data})
			cancel()
			if err == nil {
				if _, err = parseAck(answer); err == nil {
					return
				}
			}
			wait := resendAfter - time.Since(sent)
			switch {
			case errors.Is(err, errElected):
				wait, pause = 0, firstPause
			case errors.Is(err, nats.ErrNoResponders): // one leader has gone, the next is not there
				wait = pause
				pause = min(2*pause, resendAfter)
			}
			select {
			case <-o.log.closed:
				return
			case <-time.After(wait):
			}
			if time.Since(start) > resendUntil {
				o.log.counts.unsent.Inc()
				return
			}
			data = aged(data, time.Since(sent))
		}
	}()
}

// sendOnce publishes commands; what is lost is lost on the way.
func (o *outbox) sendOnce(data []byte) {
	if err := o.log.write.PublishMsg(&nats.Msg{Subject: o.subject, Data: data}); err != nil {
		o.log.counts.unsent.Inc()
		o.log.log.Warn("commands are lost", "subject", o.subject, "error", err)
	}
}

// aged is a message as it is to be sent so much later: with less time to live.
func aged(data []byte, by time.Duration) []byte {
	older := make([]byte, 0, len(data))
	for line := range bytes.Lines(data) {
		n := 0
		for n < len(line) && (line[n] == '-' || line[n] >= '0' && line[n] <= '9') {
			n++
		}
		left, err := strconv.ParseInt(string(line[:n]), 10, 64)
		if err == nil {
			older = strconv.AppendInt(older, left-by.Milliseconds(), 10)
			line = line[n:]
		}
		older = append(older, line...)
	}
	return older
}
