package gateway

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	writeChunk   = 64 << 10               // bytes per write to the network
	longWrite    = 4 << 10                // what is as long is written from where it is, not copied
	writeTimeout = 30 * time.Second       // for one chunk: a peer that takes less is too slow
	slowWrite    = 250 * time.Millisecond // a write that took as long was waited for by a living peer
)

// conn is the connection under a session's WebSocket. Only the session's
// writer writes to it.
type conn struct {
	net.Conn
	of    *session
	since atomic.Int64 // when the write under way began, by hubs.clock; 0: none is
}

// write writes p in chunks; session.watch ends a write that takes too long.
func (c *conn) write(p []byte) (err error) {
	for len(p) > 0 && err == nil {
		k := min(len(p), writeChunk)
		start := c.begin()
		_, err = c.Conn.Write(p[:k])
		c.end(start)
		p = p[k:]
	}
	return err
}

func (c *conn) begin() (start int64) {
	start = c.of.hs.clock()
	c.since.Store(start)
	return start
}

func (c *conn) end(start int64) {
	c.since.Store(0)
	c.of.hs.counts.writes.Add(1)
	if now := c.of.hs.clock(); now-start > int64(slowWrite) {
		c.of.lastHeard.Store(now)
	}
}

// outlet collects what is written to a connection at a time, so that it leaves
// in few writes: gorilla writes each frame by itself, and those writes were
// 43 % of a server's time. What is short is copied together, what is long
// stays where it is.
type outlet struct {
	conn *conn
	tcp  *net.TCPConn // nil: the connection is none, and everything is copied
	buf  []byte
	from int         // buf[from:] is not in list yet
	list net.Buffers // to be written before it
	size int         // bytes of list
	room [8][]byte   // of list
	err  error       // of the first write that failed: none follows
}

var outlets = sync.Pool{New: func() any { return &outlet{buf: make([]byte, 0, writeChunk)} }}

// newOutlet is for the connection's writer, until flush.
func newOutlet(c *conn) *outlet {
	o := outlets.Get().(*outlet)
	o.conn, o.list = c, o.room[:0]
	o.tcp, _ = c.Conn.(*net.TCPConn)
	return o
}

// flush writes what is left. The outlet is not used afterwards.
func (o *outlet) flush() error {
	o.send()
	err := o.err
	if cap(o.buf) <= 2*writeChunk {
		o.conn, o.tcp, o.err = nil, nil, nil
		outlets.Put(o)
	}
	return err
}

// write adds p, which nobody may change before flush.
func (o *outlet) write(p []byte) {
	for len(p) > 0 && o.err == nil {
		free := writeChunk - o.size - (len(o.buf) - o.from)
		if free <= 0 || len(o.list) > len(o.room)-2 {
			o.send()
			continue
		}
		part := p[:min(len(p), free)]
		if o.tcp == nil || len(part) < longWrite {
			o.buf = append(o.buf, part...)
		} else {
			o.seal()
			o.list, o.size = append(o.list, part), o.size+len(part)
		}
		p = p[len(part):]
	}
}

// encode adds what fn appends to its argument.
func (o *outlet) encode(fn func([]byte) ([]byte, error)) error {
	if len(o.list) > 0 || len(o.buf) >= writeChunk {
		o.send()
	}
	buf, err := fn(o.buf)
	if err == nil {
		o.buf = buf
	}
	return err
}

// seal puts what was copied into the list.
func (o *outlet) seal() {
	if part := o.buf[o.from:]; len(part) > 0 {
		o.list, o.size, o.from = append(o.list, part), o.size+len(part), len(o.buf)
	}
}

// send writes everything that was added.
func (o *outlet) send() {
	o.seal()
	switch {
	case o.err != nil:
	case len(o.list) == 1:
		o.err = o.conn.write(o.list[0])
	case len(o.list) > 1:
		start := o.conn.begin()
		_, o.err = o.list.WriteTo(o.tcp)
		o.conn.end(start)
	}
	clear(o.room[:])
	o.list, o.size, o.buf, o.from = o.room[:0], 0, o.buf[:0], 0
}

// hijacker notes the connection that an upgrade takes over.
type hijacker struct {
	http.ResponseWriter
	conn *conn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	under, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if tcp, ok := under.(*net.TCPConn); ok {
		// A slow reader's backlog belongs in the queue, where it is bounded.
		_ = tcp.SetWriteBuffer(4 * writeChunk)
	}
	h.conn.Conn = under
	return under, rw, nil
}
