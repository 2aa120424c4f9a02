package cutter

import (
	"context"
	"net"
	"sync"
)

// Pipe is a listener whose connections are in memory, for a bubble of
// testing/synctest. Safe for concurrent use.
type Pipe struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// NewPipe makes a Pipe.
func NewPipe() *Pipe { return &Pipe{conns: make(chan net.Conn), done: make(chan struct{})} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "localhost:80" }

// Addr is made up.
func (p *Pipe) Addr() net.Addr { return pipeAddr{} }

// Close refuses further connections.
func (p *Pipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

// Accept waits for a connection.
func (p *Pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Offer gives the listener the far end of a connection the caller made. It
// waits until that is accepted.
func (p *Pipe) Offer(far net.Conn) { p.conns <- far }

// Dial connects; it has the form that dialers want.
func (p *Pipe) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
