package eventlog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/snapback-io/snapback/domain"
)

// PublishCommand puts cmd into its shard's queue. It does not wait: a command
// may be lost or doubled, its owner publishes it again. ttl is the time to
// live that is left, counted by the queue's clock from its arrival there. It
// fails when the log is not connected, and with ErrTooLarge: then nothing of it
// is or will be in the queue.
func (l *Log) PublishCommand(cmd *domain.Command, ttl time.Duration) error {
	if !l.write.IsConnected() {
		return fmt.Errorf("eventlog: publish command %s: not connected: %w", cmd.ID, l.closedOr(ErrUnknown))
	}
	return l.outboxes[l.Shard(cmd.Board)].put(cmd, ttl)
}

// Delivery is a command taken from the queue.
type Delivery struct {
	// Command with Deadline set by [Expiry].
	Command domain.Command
	Queued  time.Time // by the queue's clock; zero: not known
	// Done acknowledges it: its decision is logged and announced. Not calling
	// it has the command delivered again, after five seconds, or to the next
	// active node at once when Commands ends. It does not wait.
	Done func()
}

const (
	consumerName = "worker"
	pinGroup     = "active"
	pinnedTTL    = 3 * time.Second // a node that is gone has lost the shard after this
	pullExpiry   = time.Second     // the sign of life that keeps the pin
	pullBatch    = 256
	ackWait      = 5 * time.Second
	maxUnacked   = 32_768 // commands a shard may have undecided
	silence      = pullExpiry + time.Second
	// On a replicated log a request is lost when its consumer gets another
	// leader. So the leader says every heartbeat that it knows of it, and who has
	// heard nothing for lostAfter asks again.
	heartbeat = 200 * time.Millisecond
	lostAfter = 500 * time.Millisecond
	// leaderChanged is what a consumer's new leader says of requests that the
	// one before had.
	leaderChanged = "Leadership Change"
)

func (l *Log) consumerConfig() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:        consumerName,
		DeliverPolicy:  jetstream.DeliverAllPolicy,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        ackWait,
		MaxDeliver:     -1,
		MaxAckPending:  maxUnacked,
		PriorityPolicy: jetstream.PriorityPolicyPinned,
		PinnedTTL:      pinnedTTL,
		PriorityGroups: []string{pinGroup},
	}
}

// Commands delivers the commands of one shard to fn, one at a time, until ctx
// ends, whichever node is the shard's active one (pinned consumer). It makes
// again a stream or consumer that is missing. It calls standing, if that is not
// nil, once when it has asked for commands: from then on this node has the shard
// as soon as nobody else has. When ctx ends it waits a moment for what fn was
// given to be Done, gives up the pin and then whatever is not Done, so that
// another node takes over at once, and returns nil. fn must not block: after
// three seconds the shard goes to another node. It returns ErrClosed when the
// Log is closed.
func (l *Log) Commands(ctx context.Context, shard int, fn func(Delivery), standing func()) error {
	if shard < 0 || shard >= l.shards {
		return fmt.Errorf("eventlog: shard %d of %d", shard, l.shards)
	}
	p := &puller{log: l, shard: shard, fn: fn, standing: standing, in: make(chan *nats.Msg, 4*pullBatch), open: map[uint64]*batch{}, rest: make(chan struct{}, 1), discarded: make(chan struct{}, 1)}
	inbox := l.write.NewInbox()
	sub, err := l.write.ChanSubscribe(inbox, p.in)
	if err != nil {
		return l.closedOr(err)
	}
	p.inbox = inbox
	l.counts.working(p, true)
	defer l.counts.working(p, false)
	if l.replicated() {
		watching, stop := context.WithCancel(ctx)
		defer stop()
		go p.watch(watching)
	}
	p.run(ctx)
	p.leave(sub)
	select {
	case <-l.closed:
		return ErrClosed
	default:
		return nil
	}
}

func (l *Log) closedOr(err error) error {
	select {
	case <-l.closed:
		return ErrClosed
	default:
		return err
	}
}

// puller takes commands of one shard through one pinned client.
type puller struct {
	log      *Log
	shard    int
	fn       func(Delivery)
	standing func() // nil: called, or nobody asked
	inbox    string
	in       chan *nats.Msg

	pin    string // id of our pin, "" while another node, or nobody, is active
	had    bool   // it was taken away by a change of the consumer's leader, or may have been, and nobody else had one since
	want   int    // messages asked for and not yet delivered; one request at a time without a pin
	turned int    // requests in a row that nobody took

	fresh     atomic.Uint64 // messages that came for the first time
	discarded chan struct{} // holds a token when the queue was deleted because nothing came out of it

	mu      sync.Mutex
	open    map[uint64]*batch // messages that are not done, by sequence
	leaving bool
	rest    chan struct{} // holds a token when leaving and nothing is open
}

// batch is a message that was delivered and is not acknowledged.
type batch struct {
	seq   uint64
	at    time.Time // it was queued; a stream made again counts from 1 again
	reply string    // of its last delivery
	done  []bool    // its commands
	left  int       // of them not done
}

func (p *puller) run(ctx context.Context) {
	if p.ensure(ctx) != nil {
		return
	}
	timer := time.NewTimer(silence)
	defer timer.Stop()
	heard := time.Now()
	consumer := commandStream(p.shard) + "." + consumerName
	elected := p.log.elections.of(consumer)
	for {
		link := p.log.link.Load()
		if p.want == 0 || p.pin != "" && p.want <= pullBatch/2 {
			if p.pull() != nil {
				if sleep(ctx, 10*firstPause) != nil || p.isClosed() {
					return
				}
				continue
			}
			if p.standing != nil {
				p.standing()
				p.standing = nil
			}
		}
		wait := silence
		if p.log.replicated() {
			wait = lostAfter
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-p.log.closed:
			return
		case <-link.ctx.Done(): // what was asked for is lost with the connection
			p.want = 0
		case <-elected: // ... or with the consumer's leader
			elected = p.log.elections.of(consumer)
			if p.pin != "" || p.had {
				go p.missed(ctx)
			}
			p.pin, p.had, p.want, p.turned = "", false, 0, 0
		case <-timer.C:
			p.want = 0
			if time.Since(heard) < silence {
				continue
			}
			heard = time.Now()
			if p.ensure(ctx) != nil {
				return
			}
		case <-p.discarded:
			if p.ensure(ctx) != nil {
				return
			}
			heard = time.Now()
		case msg := <-p.in:
			heard = time.Now()
			if !p.take(msg) && p.askAgain(ctx) != nil {
				return
			}
		}
	}
}

func (p *puller) isClosed() bool {
	select {
	case <-p.log.closed:
		return true
	default:
		return false
	}
}

// ensure sees to it that stream and consumer are there, and starts anew with
// what is asked for.
func (p *puller) ensure(ctx context.Context) error {
	p.want = 0
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-p.log.closed:
			cancel()
		case <-stop:
		}
	}()
	return retry(ctx, 0, p.make)
}

func (p *puller) make(ctx context.Context) error {
	name := commandStream(p.shard)
	patient, cancel := context.WithTimeout(ctx, p.log.patience)
	defer cancel()
	if _, err := p.log.ensureStream(patient, p.log.commandConfig(p.shard)); err != nil {
		return err
	}
	ctx, cancel2 := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel2()
	_, err := repeated(ctx, p.log, name, func(ctx context.Context) (jetstream.Consumer, error) {
		return p.log.js.CreateOrUpdateConsumer(ctx, name, p.log.consumerConfig())
	})
	if err != nil {
		p.log.log.Warn("consumer of commands", "stream", name, "error", err)
	}
	return err
}

type pullRequest struct {
	Expires time.Duration `json:"expires"`
	Batch   int           `json:"batch"`
	Group   string        `json:"group,omitempty"`
	ID      string        `json:"id,omitempty"`
	// Heartbeat is how often the leader says that the request waits; 0 never.
	Heartbeat time.Duration `json:"idle_heartbeat,omitempty"`
}

func (p *puller) pull() error {
	n := pullBatch - p.want
	ask := pullRequest{Expires: pullExpiry, Batch: n, Group: pinGroup, ID: p.pin}
	if p.log.replicated() {
		ask.Heartbeat = heartbeat
	}
	req, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	subject := "$JS.API.CONSUMER.MSG.NEXT." + commandStream(p.shard) + "." + consumerName
	if err := p.log.write.PublishRequest(subject, p.inbox, req); err != nil {
		return err
	}
	p.want += n
	return nil
}

// take handles one message of the inbox; false: stream or consumer is to be looked after.
func (p *puller) take(msg *nats.Msg) bool {
	if status := msg.Header.Get("Status"); status != "" && len(msg.Data) == 0 {
		return p.status(status, msg.Header)
	}
	p.want, p.turned = max(0, p.want-1), 0
	if id := msg.Header.Get("Nats-Pin-Id"); id != "" {
		p.pin = id
	}
	p.deliver(msg)
	return true
}

func (p *puller) status(status string, h nats.Header) bool {
	switch status {
	case "100": // sign of life
		p.turned = 0
		return true
	case "404", "408": // a request has ended, short of this many
		p.turned = 0
		short, err := strconv.Atoi(h.Get("Nats-Pending-Messages"))
		if err != nil {
			short = p.want
		}
		p.want = max(0, p.want-short)
		return true
	case "423": // the pin is another's
		p.pin, p.had, p.want = "", false, 0
		return true
	}
	p.pin, p.had = "", p.had || p.pin != "" // 409 consumer gone or its leader changed, 503 nobody there
	if h.Get("Description") == leaderChanged {
		p.want = 0 // the new one says so, and can be asked at once
		return true
	}
	return false
}

// maxTurned is how many requests in a row may be turned away before stream and
// consumer are looked after: mostly their leader has changed, and the next one
// takes the second request.
const maxTurned = 5

// askAgain has the puller ask once more after a request was turned away.
func (p *puller) askAgain(ctx context.Context) error {
	p.want = 0
	if p.turned++; p.turned <= maxTurned {
		return sleep(ctx, firstPause<<p.turned)
	}
	p.turned = 0
	return p.ensure(ctx)
}

// deliver hands over the commands of a message, of one that comes again those
// that are not done.
func (p *puller) deliver(msg *nats.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		p.log.log.Error("a message that is not the queue's is dropped", "subject", msg.Subject, "error", err)
		return
	}
	p.log.counts.delivered(meta)
	if meta.NumDelivered == 1 {
		p.fresh.Add(1)
	}
	if len(msg.Data) == 0 { // a probe
		_ = p.log.write.Publish(msg.Reply, []byte("+ACK"))
		return
	}
	b := p.batch(meta, msg)
	for i, rest := 0, msg.Data; len(rest) > 0; i++ {
		var d Delivery
		var ttl time.Duration
		d.Command, ttl, rest, err = cutCommand(rest)
		d.Done = func() { p.done(b, i) }
		if err != nil {
			p.log.counts.unreadable.Inc()
			p.log.log.Error("a command that cannot be read is dropped", "subject", msg.Subject, "error", err)
			d.Done()
			continue
		}
		if p.isDone(b, i) {
			continue
		}
		d.Queued = meta.Timestamp
		d.Command.Deadline = Expiry(d.Command.Deadline, d.Queued, ttl)
		p.fn(d)
	}
}

// batch is what is known of a message: nothing, the first time.
func (p *puller) batch(meta *nats.MsgMetadata, msg *nats.Msg) *batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.open[meta.Sequence.Stream]
	if b == nil || !b.at.Equal(meta.Timestamp) {
		n := bytes.Count(bytes.TrimSuffix(msg.Data, []byte{'\n'}), []byte{'\n'}) + 1
		b = &batch{seq: meta.Sequence.Stream, at: meta.Timestamp, done: make([]bool, n), left: n}
		p.open[b.seq] = b
	}
	b.reply = msg.Reply
	return b
}

func (p *puller) isDone(b *batch, i int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return b.done[i]
}

// done acknowledges a message with the last of its commands.
func (p *puller) done(b *batch, i int) {
	p.mu.Lock()
	if b.done[i] {
		p.mu.Unlock()
		return
	}
	b.done[i] = true
	b.left--
	last, reply := b.left == 0, b.reply
	if last && p.open[b.seq] == b {
		delete(p.open, b.seq)
	}
	if p.leaving && len(p.open) == 0 {
		select {
		case p.rest <- struct{}{}:
		default:
		}
	}
	p.mu.Unlock()
	if last {
		_ = p.log.write.Publish(reply, []byte("+ACK"))
	}
}
