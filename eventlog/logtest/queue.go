package logtest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// queue is one shard's commands. Guarded by Log.mu.
type queue struct {
	consumers []*consumer
	waiting   []*message // nobody consumes
}

type message struct {
	data    []byte
	trace   string // beside it
	arrived time.Time
	ttl     time.Duration
	done    bool
}

// consumer is one call of Commands.
type consumer struct {
	mailbox[*message]
	taken []*message // by fn, and not Done as of when kept was counted
	kept  int
}

// PublishCommand puts cmd into its shard's queue, or loses or doubles it.
func (l *Log) PublishCommand(cmd *domain.Command, ttl time.Duration) error {
	data, err := json.Marshal(cmd)
	if err != nil {
		return err
	}
	d := l.roll("publish", cmd.Board)
	copies := 1
	if d.chance(d.LoseCommand) {
		copies = 0
	} else if d.chance(d.RepeatCommand) {
		copies = 2
	}
	q := l.queues[l.Shard(cmd.Board)]
	for range copies {
		m := &message{data: data, trace: cmd.Trace, ttl: ttl}
		l.mu.Lock()
		l.undone++
		l.mu.Unlock()
		after(d.upTo(d.CommandDelay), func() { m.arrived = l.cfg.Now(); l.deliver(q, m) })
	}
	return nil
}

func after(d time.Duration, fn func()) {
	if d == 0 {
		fn()
		return
	}
	time.AfterFunc(d, fn)
}

func (l *Log) deliver(q *queue, m *message) {
	d := l.roll("deliver", "")
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.done {
		return
	}
	if len(q.consumers) == 0 {
		q.waiting = append(q.waiting, m)
		return
	}
	q.consumers[d.IntN(len(q.consumers))].put(m)
	if d.Redeliver > 0 {
		time.AfterFunc(d.Redeliver, func() { l.deliver(q, m) })
	}
}

// Commands delivers a shard's commands. With several consumers of a shard each
// command goes to any of them: several nodes believe the shard is theirs.
func (l *Log) Commands(ctx context.Context, shard int, fn func(eventlog.Delivery), standing func()) error {
	q := l.queues[shard]
	c := &consumer{}
	c.init()
	l.mu.Lock()
	q.consumers = append(q.consumers, c)
	waiting := q.waiting
	q.waiting = nil
	l.mu.Unlock()
	for _, m := range waiting {
		l.deliver(q, m)
	}
	if standing != nil {
		standing()
	}
	for {
		m, ok := c.take(ctx)
		if !ok {
			l.leave(q, c)
			return nil
		}
		c.taken = append(c.taken, m)
		if len(c.taken) >= 2*c.kept+100 {
			c.taken = l.undoneOf(c.taken)
			c.kept = len(c.taken)
		}
		fn(l.delivery(m))
	}
}

// Unpin does nothing: nobody is pinned.
func (l *Log) Unpin(context.Context, int) error { return nil }

func (l *Log) undoneOf(list []*message) []*message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(list, func(m *message) bool { return m.done })
}

// leave gives what a consumer did not take, or not finish, to the others.
func (l *Log) leave(q *queue, c *consumer) {
	l.mu.Lock()
	for i, o := range q.consumers {
		if o == c {
			q.consumers = append(q.consumers[:i:i], q.consumers[i+1:]...)
			break
		}
	}
	l.mu.Unlock()
	for _, m := range slices.Concat(l.undoneOf(c.taken), c.rest()) {
		l.deliver(q, m)
	}
}

func (l *Log) delivery(m *message) eventlog.Delivery {
	d := eventlog.Delivery{Queued: m.arrived}
	if err := json.Unmarshal(m.data, &d.Command); err != nil {
		panic(err) // we encoded it
	}
	d.Command.Trace = m.trace
	d.Command.Deadline = eventlog.Expiry(d.Command.Deadline, m.arrived, m.ttl)
	d.Done = func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !m.done {
			m.done = true
			l.undone--
		}
	}
	return d
}

// mailbox is an unbounded queue between two goroutines.
type mailbox[T any] struct {
	mu    sync.Mutex
	items []T
	wake  chan struct{}
}

func (b *mailbox[T]) init() { b.wake = make(chan struct{}, 1) }

func (b *mailbox[T]) put(item T) {
	b.mu.Lock()
	b.items = append(b.items, item)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take waits for an item; false when ctx ends first.
func (b *mailbox[T]) take(ctx context.Context) (item T, ok bool) {
	for ctx.Err() == nil {
		b.mu.Lock()
		if len(b.items) > 0 {
			item, b.items = b.items[0], b.items[1:]
			b.mu.Unlock()
			return item, true
		}
		b.mu.Unlock()
		select {
		case <-b.wake:
		case <-ctx.Done():
		}
	}
	return item, false
}

func (b *mailbox[T]) rest() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.items
	b.items = nil
	return items
}
