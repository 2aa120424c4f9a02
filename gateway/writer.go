package gateway

import (
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

var pingFrame = makeFrame(websocket.PingMessage, nil)

func (s *session) startWriting() { go s.write() }

// write is the session's writer: the only goroutine that writes, there only
// while there is something to write. What it calls is kept shallow: most
// writers write once, and a stack that has to grow costs as much as that.
func (s *session) write() {
	var b batch
	for s.q.take(&b) && s.drain(&b) {
	}
}

// drain writes what was taken, in one flush. It says no when there is nothing
// more to do ever: the close frame is written or the connection is lost.
func (s *session) drain(b *batch) (more bool) {
	if b.behind {
		s.hub.catchUp(s)
		return true
	}
	if b.closing != nil {
		s.closeSoon()
	}
	var err error
	if len(b.items) == 1 && b.items[0].bulk == nil && b.closing == nil {
		err = s.conn.write(b.items[0].data)
	} else {
		err = s.writeAll(b)
	}
	if s.hs.tracing != nil && err == nil {
		s.hs.tracing.wrote(b.items)
	}
	left := s.q.done(b)
	if err != nil || b.closing != nil {
		s.lose(err)
		return false
	}
	if left == (flight{}) && s.retired.Load() {
		s.shut(wire.CloseRestart, "restart")
	}
	return true
}

// closeSoon sees to it that a close that hangs ends.
func (s *session) closeSoon() {
	_ = s.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	time.AfterFunc(closeTimeout, func() { _ = s.conn.Close() })
}

// lose ends the writing, for an error or because everything is written.
func (s *session) lose(err error) {
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			s.shut(wire.CloseTooSlow, "too slow")
		}
		s.shut(websocket.CloseAbnormalClosure, "")
		_ = s.conn.Close()
	}
	s.q.finish()
}

func (s *session) writeAll(b *batch) error {
	out := newOutlet(&s.conn)
	var err error
	for i := range b.items {
		it := &b.items[i]
		out.write(it.data)
		if it.bulk != nil && err == nil {
			err = it.bulk.write(out)
		}
	}
	if b.closing != nil && err == nil {
		out.write(b.closing.frame())
	}
	if flushed := out.flush(); err == nil {
		err = flushed
	}
	return err
}

func (c *closing) frame() []byte {
	code := c.code
	if code == 0 || code == websocket.CloseNoStatusReceived || code == websocket.CloseAbnormalClosure {
		code = websocket.CloseNormalClosure
	}
	return makeFrame(websocket.CloseMessage, websocket.FormatCloseMessage(code, c.reason))
}

func (b *bulk) write(out *outlet) error {
	for _, frame := range b.frames {
		out.write(frame)
	}
	for i, p := range b.pages {
		if err := p.write(out, b.user); err != nil {
			return err
		}
		b.pages[i] = nil // a slow reader holds no more of them than it must
	}
	return writeEntities(out, b.entities, b.user)
}

// writeEntities encodes entities as they are written, so that they never lie
// in memory once per session.
func writeEntities(out *outlet, entities []*domain.Entity, user string) error {
	var enc syncEncoder
	for _, e := range entities {
		err := out.encode(func(dst []byte) ([]byte, error) {
			return enc.append(dst, &projector.Sync{Rev: e.Rev, Entity: e}, e.LikedBy(user))
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
