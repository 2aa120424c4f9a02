package client

import (
	"errors"
	"sync"
)

// Pipe gives the two ends of a connection in memory: what one end writes the
// other reads, in order and without a bound. Closing an end lets the other
// read what was written before, then the close.
func Pipe() (a, b Transport) {
	x, y := newQueue(), newQueue()
	return &pipeEnd{in: x, out: y}, &pipeEnd{in: y, out: x}
}

type pipeEnd struct{ in, out *queue }

func (p *pipeEnd) Read() ([]byte, error)    { return p.in.take() }
func (p *pipeEnd) Write(frame []byte) error { return p.out.put(frame) }

func (p *pipeEnd) Close(code int, reason string) error {
	p.out.close(&CloseError{code, reason})
	p.in.drop()
	return nil
}

// queue is an unbounded queue of frames with an end.
type queue struct {
	mu     sync.Mutex
	some   *sync.Cond
	frames [][]byte
	end    error
}

var errPipeClosed = errors.New("client: pipe closed")

func newQueue() *queue {
	q := &queue{}
	q.some = sync.NewCond(&q.mu)
	return q
}

func (q *queue) put(frame []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.end != nil {
		return errPipeClosed
	}
	q.frames = append(q.frames, frame)
	q.some.Broadcast()
	return nil
}

// take waits for a frame, or for the end after the last.
func (q *queue) take() ([]byte, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.frames) == 0 && q.end == nil {
		q.some.Wait()
	}
	if len(q.frames) == 0 {
		return nil, q.end
	}
	frame := q.frames[0]
	q.frames = q.frames[1:]
	return frame, nil
}

func (q *queue) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.end == nil {
		q.end = err
	}
	q.some.Broadcast()
}

// drop ends the queue for its reader at once.
func (q *queue) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.frames, q.end = nil, errPipeClosed
	q.some.Broadcast()
}
