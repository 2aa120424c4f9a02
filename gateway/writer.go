package gateway

import (
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

var pingFrame = makeFrame(websocket.PingMessage, nil)

func (s *session) startWriting() { go s.write() }

// write is the session's writer: the only goroutine that writes frames, there
// only while there is something to write.
func (s *session) write() {
	for s.drain() {
	}
}

// drain writes what is queued, in one flush. It says no when there is nothing
// to do, or nothing ever will be: the close frame is written or the connection
// is lost.
func (s *session) drain() (more bool) {
	b, ok := s.q.take()
	switch {
	case !ok:
		return false
	case b.behind:
		s.hub.catchUp(s)
		return true
	}
	if b.closing != nil {
		_ = s.conn.SetReadDeadline(time.Now().Add(closeTimeout))
		time.AfterFunc(closeTimeout, func() { _ = s.conn.Close() })
	}
	err := s.writeAll(b)
	left := s.q.done(b)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			s.shut(wire.CloseTooSlow, "too slow")
		}
		s.shut(websocket.CloseAbnormalClosure, "")
		_ = s.conn.Close()
	}
	if err != nil || b.closing != nil {
		s.q.finish()
		return false
	}
	if s.hs.draining.Load() && left == (flight{}) {
		s.shut(wire.CloseRestart, "restart")
	}
	return true
}

func (s *session) writeAll(b batch) error {
	if len(b.items) == 1 && b.items[0].bulk == nil && b.closing == nil {
		return s.conn.write(b.items[0].data)
	}
	out := s.conn.begin()
	var err error
	for i := range b.items {
		it := &b.items[i]
		out.write(it.data)
		if it.bulk != nil && err == nil {
			err = it.bulk.write(out)
		}
	}
	if b.closing != nil && err == nil {
		code := b.closing.code
		if code == 0 || code == websocket.CloseNoStatusReceived || code == websocket.CloseAbnormalClosure {
			code = websocket.CloseNormalClosure
		}
		out.write(makeFrame(websocket.CloseMessage, websocket.FormatCloseMessage(code, b.closing.reason)))
	}
	if flushed := out.flush(); err == nil {
		err = flushed
	}
	return err
}

// write encodes the entities as they are written, so that a whole board never
// lies in memory once per session.
func (b *bulk) write(out *outlet) error {
	var enc syncEncoder
	for _, e := range b.entities {
		err := out.encode(func(dst []byte) ([]byte, error) {
			return enc.append(dst, &projector.Sync{Rev: e.Rev, Entity: e}, e.LikedBy(b.user))
		})
		if err != nil {
			return err
		}
		if out.err != nil {
			return out.err
		}
	}
	return nil
}
