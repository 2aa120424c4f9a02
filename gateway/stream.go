package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// errBrokenOff: a body ended before its end, or stood still too long.
var errBrokenOff = errors.New("gateway: the content broke off")

// steadyReader gives up on a body that stands still for bodyTimeout, however
// long it is in all. Its errors are io.EOF and errBrokenOff.
type steadyReader struct {
	r    io.Reader
	conn *http.ResponseController
}

func newSteadyReader(w http.ResponseWriter, r io.Reader) *steadyReader {
	return &steadyReader{r: r, conn: http.NewResponseController(w)}
}

func (s *steadyReader) Read(p []byte) (int, error) {
	_ = s.conn.SetReadDeadline(time.Now().Add(bodyTimeout)) // a recorder has none
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", errBrokenOff, err)
	}
	return n, err
}

func (s *steadyReader) done() { _ = s.conn.SetReadDeadline(time.Time{}) }

// steadyWriter is the same for what is sent. It holds the status back until
// there is a byte to send, so that what fails before can still be answered
// with another one.
type steadyWriter struct {
	http.ResponseWriter
	conn   *http.ResponseController
	status int // held back; 0: none
	sent   bool
}

func newSteadyWriter(w http.ResponseWriter) *steadyWriter {
	return &steadyWriter{ResponseWriter: w, conn: http.NewResponseController(w)}
}

// WriteHeader is http.ResponseWriter.
func (s *steadyWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
}

func (s *steadyWriter) Write(p []byte) (int, error) {
	s.send()
	_ = s.conn.SetWriteDeadline(time.Now().Add(bodyTimeout)) // a recorder has none
	return s.ResponseWriter.Write(p)
}

func (s *steadyWriter) send() {
	if s.status != 0 && !s.sent {
		s.ResponseWriter.WriteHeader(s.status)
	}
	s.sent = true
}

// done sends what was held back and leaves the connection to the next request.
func (s *steadyWriter) done() {
	s.send()
	_ = s.conn.SetWriteDeadline(time.Time{})
}

// contentReader reads an object of known size from wherever it is sought to;
// it opens the object where the reading starts and not before. Closing it may
// overlap a read: an answer of several ranges is read by a goroutine that
// outlives a reader who goes away.
type contentReader struct {
	ctx    context.Context
	store  store
	object string
	size   int64

	mu     sync.Mutex
	at     int64
	body   io.ReadCloser // nil: not open
	closed bool
	failed error // of the store
}

var errClosed = errors.New("gateway: content is closed")

func (c *contentReader) Seek(offset int64, whence int) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += c.at
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 {
		return 0, errors.New("gateway: seek before the start")
	}
	if offset != c.at {
		c.drop()
		c.at = offset
	}
	return offset, nil
}

func (c *contentReader) Read(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, errClosed
	case c.at >= c.size:
		return 0, io.EOF
	case c.body == nil:
		if c.body, err = c.store.OpenContent(c.ctx, c.object, c.at); err != nil {
			c.body, c.failed = nil, err
			return 0, err
		}
	}
	n, err = c.body.Read(p)
	c.at += int64(n)
	if errors.Is(err, io.EOF) && c.at < c.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.failed = err
	}
	return n, err
}

// err is what the store failed with, nil if it did not.
func (c *contentReader) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func (c *contentReader) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.drop()
	return nil
}

func (c *contentReader) drop() {
	if c.body != nil {
		_ = c.body.Close()
		c.body = nil
	}
}
