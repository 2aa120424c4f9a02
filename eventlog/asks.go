package eventlog

import (
	"context"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
)

// asks are the messages sent over the write connection whose answers are under
// way. nats.Conn could do it; here a lost connection ends them all at once, and
// none needs a timer.
type asks struct {
	nc     *nats.Conn
	prefix string // of the subjects of answers

	mu   sync.Mutex
	last uint64
	open map[uint64]chan *nats.Msg // nil: the answer will not come
}

// listen has answers come to nc from now on.
func (a *asks) listen(nc *nats.Conn) error {
	a.nc, a.prefix = nc, nc.NewInbox()+"."
	a.cut()
	_, err := nc.Subscribe(a.prefix+"*", a.answered)
	return err
}

func (a *asks) answered(msg *nats.Msg) {
	n, err := strconv.ParseUint(msg.Subject[len(a.prefix):], 36, 64)
	if err == nil {
		a.end(n, msg)
	}
}

// end gives msg to who waits for it, if somebody does.
func (a *asks) end(n uint64, msg *nats.Msg) {
	a.mu.Lock()
	answer := a.open[n]
	delete(a.open, n)
	a.mu.Unlock()
	if answer != nil {
		answer <- msg
	}
}

// cut tells everybody that no answer will come.
func (a *asks) cut() {
	a.mu.Lock()
	open := a.open
	a.open = make(map[uint64]chan *nats.Msg)
	a.mu.Unlock()
	for _, answer := range open {
		answer <- nil
	}
}

// ask sends msg and waits for the answer, until ctx ends or the connection is lost.
func (a *asks) ask(ctx context.Context, msg *nats.Msg) (*nats.Msg, error) {
	answer := make(chan *nats.Msg, 1)
	a.mu.Lock()
	a.last++
	n := a.last
	a.open[n] = answer
	a.mu.Unlock()
	msg.Reply = a.prefix + strconv.FormatUint(n, 36)
	if err := a.nc.PublishMsg(msg); err != nil {
		a.end(n, nil)
		return nil, err
	}
	select {
	case got := <-answer:
		if got == nil {
			return nil, nats.ErrDisconnected
		}
		return got, nil
	case <-ctx.Done():
		a.end(n, nil)
		return nil, ctx.Err()
	}
}
