package gateway

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	writeChunk   = 64 << 10               // bytes per write to the network
	writeTimeout = 30 * time.Second       // for one chunk: a peer that takes less is too slow
	slowWrite    = 250 * time.Millisecond // a write that took as long was waited for by a living peer
)

// bufferedConn collects the frames of one drained queue and writes them
// together: gorilla writes each frame by itself, and those writes were 43 % of
// a server's time. Between begin and flush Write only buffers; outside it
// writes through.
type bufferedConn struct {
	net.Conn
	alive func() // called after a write that the peer has shown to be alive by

	mu  sync.Mutex
	buf *bufio.Writer // nil outside begin and flush
}

var writeBuffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeChunk) }}

// chunkWriter writes to the network, each write with a deadline of its own.
type chunkWriter struct{ c *bufferedConn }

func (w chunkWriter) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		start := time.Now()
		if err = w.c.Conn.SetWriteDeadline(start.Add(writeTimeout)); err != nil {
			return n, err
		}
		var k int
		k, err = w.c.Conn.Write(p[n:min(len(p), n+writeChunk)])
		n += k
		if w.c.alive != nil && time.Since(start) > slowWrite {
			w.c.alive()
		}
	}
	return n, err
}

func (c *bufferedConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = writeBuffers.Get().(*bufio.Writer)
	c.buf.Reset(chunkWriter{c})
}

func (c *bufferedConn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.buf.Flush()
	c.buf.Reset(nil)
	writeBuffers.Put(c.buf)
	c.buf = nil
	return err
}

func (c *bufferedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf != nil {
		return c.buf.Write(p)
	}
	return chunkWriter{c}.Write(p)
}

// SetWriteDeadline does nothing: every chunk has its own.
func (c *bufferedConn) SetWriteDeadline(time.Time) error { return nil }

// hijacker puts a bufferedConn under the connection that an upgrade takes over.
type hijacker struct {
	http.ResponseWriter
	conn *bufferedConn // set by Hijack
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// A slow reader's backlog belongs in the queue, where it is bounded.
		_ = tcp.SetWriteBuffer(4 * writeChunk)
	}
	h.conn = &bufferedConn{Conn: conn}
	return h.conn, rw, nil
}
