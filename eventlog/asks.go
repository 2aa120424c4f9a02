package eventlog

import (
	"context"
	"strconv"
	"strings"
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
	open map[uint64]openAsk
}

type openAsk struct {
	subject string
	answer  chan told
}

// told is an answer, or why none will come.
type told struct {
	msg *nats.Msg
	err error
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
		a.end(n, told{msg: msg})
	}
}

// end tells who waits for it, if somebody does.
func (a *asks) end(n uint64, t told) {
	a.mu.Lock()
	answer := a.open[n].answer
	delete(a.open, n)
	a.mu.Unlock()
	if answer != nil {
		answer <- t
	}
}

// cut tells everybody that no answer will come.
func (a *asks) cut() {
	a.mu.Lock()
	open := a.open
	a.open = make(map[uint64]openAsk)
	a.mu.Unlock()
	for _, one := range open {
		one.answer <- told{err: nats.ErrDisconnected}
	}
}

// lose tells who sent to a subject with this prefix that another one leads there
// now: no answer may come.
func (a *asks) lose(prefix string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for n, one := range a.open {
		if strings.HasPrefix(one.subject, prefix) {
			delete(a.open, n)
			one.answer <- told{err: errElected} // it has room for the one answer
		}
	}
}

// ask sends msg and waits for the answer, until ctx ends, the connection is lost
// or, on several servers, its shard's stream gets another leader (errElected).
func (a *asks) ask(ctx context.Context, msg *nats.Msg) (*nats.Msg, error) {
	answer := make(chan told, 1)
	a.mu.Lock()
	a.last++
	n := a.last
	a.open[n] = openAsk{msg.Subject, answer}
	a.mu.Unlock()
	msg.Reply = a.prefix + strconv.FormatUint(n, 36)
	if err := a.nc.PublishMsg(msg); err != nil {
		a.end(n, told{})
		return nil, err
	}
	select {
	case got := <-answer:
		return got.msg, got.err
	case <-ctx.Done():
		a.end(n, told{})
		return nil, ctx.Err()
	}
}
