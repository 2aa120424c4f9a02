package eventlog

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
)

// A queue on several servers may stand still while its consumer says that it is
// well. After a partition nats-server 2.15 brings a copy whose last entries were
// never agreed on back by one entry at a time, each up to two seconds; if that
// server leads the consumer meanwhile, which is another vote, what is published
// is stored by the others and delivered by nobody. Or the copies find no leader
// at all. What is in a queue is published again by its gateways; so whoever asks
// for a shard's commands looks whether what goes in comes out, and if nothing
// does for a while, has the queue made again.

const (
	// probePause is how long nothing new may come before a message that is no
	// command is put in, to see it come out.
	probePause = 3 * time.Second
	// probeAgain is how soon that is done again when it did not, and how long it
	// may take.
	probeAgain = time.Second
	// stillFor is how long nothing may come out: longer than an election takes (4
	// to 9 s), after which a queue goes on by itself. After each making it doubles,
	// to longestStill, until something comes.
	stillFor     = 10 * time.Second
	longestStill = 2 * time.Minute
	// heardWithin is how long ago the leader of a shard's records heard from those
	// who count as there: a few heartbeats of nats-server.
	heardWithin = 3 * time.Second
)

// watch has the queue made again when nothing comes out of it, until ctx ends.
func (p *puller) watch(ctx context.Context) {
	most := p.log.stillFor
	most += rand.N(most / 5) // not all nodes at the same time
	first, seen := most, p.fresh.Load()
	// What has passed while this process ran: of a freeze it counts a moment.
	var still time.Duration
	for pause := probePause; ; {
		start := time.Now()
		if sleep(ctx, min(pause, most/2)) != nil {
			return
		}
		if now := p.fresh.Load(); now != seen || p.flows(ctx) {
			seen, still, most, pause = p.fresh.Load(), 0, first, probePause
			continue
		}
		still += min(time.Since(start), pause+2*probeAgain)
		if pause = probeAgain; still < most {
			continue
		}
		if still = most / 2; ctx.Err() != nil || !p.log.discardQueue(ctx, p.shard) {
			continue
		}
		still, most = 0, min(2*most, longestStill)
		select {
		case p.discarded <- struct{}{}:
		default:
		}
	}
}

// flows says whether a message that is put into the queue comes out of it, to
// this node or, as its consumer tells, to another one.
func (p *puller) flows(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeAgain)
	defer cancel()
	before := p.fresh.Load()
	ack, err := p.log.asks.ask(ctx, &nats.Msg{Subject: commandSubject(p.shard)})
	if err != nil {
		return false
	}
	seq, err := parseAck(ack)
	if err != nil {
		return false
	}
	for sleep(ctx, 10*firstPause) == nil {
		if p.fresh.Load() != before {
			return true
		}
		var info struct {
			answer
			Delivered struct {
				Stream uint64 `json:"stream_seq"`
			} `json:"delivered"`
			Unacked int `json:"num_ack_pending"`
		}
		err := p.log.api(ctx, "CONSUMER.INFO."+commandStream(p.shard)+"."+consumerName, struct{}{}, &info)
		// Full of what cannot be decided just now it is not to blame.
		if err == nil && (info.Delivered.Stream >= seq || info.Unacked >= maxUnacked) {
			return true
		}
	}
	return false
}

// discardQueue deletes a shard's queue, if the cluster can agree on that just
// now: it says whether it tried.
func (l *Log) discardQueue(ctx context.Context, shard int) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	if !l.agreeing(ctx, shard) {
		return false
	}
	err := l.js.DeleteStream(ctx, commandStream(shard)) // a queue without a leader does not say that it is gone
	l.counts.discarded.Inc()
	l.log.Error("nothing comes out of a queue of commands, it is made again", "stream", commandStream(shard), "error", err)
	return true
}

// agreeing says whether this node hears the cluster's leader, and the leader of
// the shard's records, which hears more than half of their copies: what leads and
// was cut off answers for 20 s more. Where no record can be stored nothing
// depends on the queue.
func (l *Log) agreeing(ctx context.Context, shard int) bool {
	if _, err := l.js.AccountInfo(ctx); err != nil { // only its leader answers
		return false
	}
	var info struct {
		answer
		Cluster struct {
			Replicas []struct {
				Active  time.Duration `json:"active"` // since it was heard
				Offline bool          `json:"offline"`
			} `json:"replicas"`
		} `json:"cluster"`
	}
	if err := l.api(ctx, "STREAM.INFO."+eventStream(shard), struct{}{}, &info); err != nil {
		return false
	}
	heard := 1 // itself
	for _, r := range info.Cluster.Replicas {
		if !r.Offline && r.Active < heardWithin {
			heard++
		}
	}
	return 2*heard > 1+len(info.Cluster.Replicas)
}
