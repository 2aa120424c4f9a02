package gateway

import (
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// write is the only goroutine that writes frames: it drains the queue, one
// flush each time, until the close frame is written or the connection is lost.
func (s *session) write() {
	ping := time.NewTicker(s.pong / 3)
	defer ping.Stop()
	for {
		select {
		case <-s.q.wake:
		case <-ping.C:
			s.put(item{kind: itemReply, control: websocket.PingMessage})
		}
		for more := true; more; {
			var ended bool
			if more, ended = s.drain(); ended {
				return
			}
		}
	}
}

// drain writes what is queued. more says to look again at once.
func (s *session) drain() (more, ended bool) {
	b := s.q.take()
	if b.behind {
		s.hub.catchUp(s)
		return true, false
	}
	if b.closing != nil {
		s.fixed.Store(true)
		_ = s.ws.SetReadDeadline(time.Now().Add(closeTimeout))
		time.AfterFunc(closeTimeout, func() { _ = s.conn.Conn.Close() })
	}
	if len(b.items) == 0 && b.closing == nil {
		return false, false
	}
	s.conn.begin()
	err := s.writeAll(b)
	if flushed := s.conn.flush(); err == nil {
		err = flushed
	}
	left := s.q.done(b.items)
	if err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			s.shut(wire.CloseTooSlow, "too slow")
		}
		s.shut(websocket.CloseAbnormalClosure, "")
		_ = s.conn.Conn.Close()
		return false, true
	}
	if s.hs.draining.Load() && left == (flight{}) {
		s.shut(wire.CloseRestart, "restart")
	}
	return true, b.closing != nil
}

func (s *session) writeAll(b batch) error {
	for i := range b.items {
		if err := s.writeItem(&b.items[i]); err != nil {
			return err
		}
	}
	if b.closing == nil {
		return nil
	}
	code := b.closing.code
	if code == 0 || code == websocket.CloseNoStatusReceived || code == websocket.CloseAbnormalClosure {
		code = websocket.CloseNormalClosure
	}
	return s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, b.closing.reason), time.Now().Add(closeTimeout))
}

func (s *session) writeItem(it *item) error {
	switch {
	case it.control != 0:
		return s.ws.WriteControl(it.control, it.data, time.Now().Add(writeTimeout))
	case it.prepared != nil:
		return s.ws.WritePreparedMessage(it.prepared)
	case it.bulk != nil:
		return s.writeBulk(it.bulk, it.of)
	}
	return s.ws.WriteMessage(websocket.TextMessage, it.data)
}

// writeBulk encodes entities as they are written, so that a whole board never
// lies in memory once per session.
func (s *session) writeBulk(entities []*domain.Entity, user string) error {
	for _, e := range entities {
		data, err := syncFrame(e, e.LikedBy(user), e.Rev, "", "", false)
		if err != nil {
			return err
		}
		if err := s.ws.WriteMessage(websocket.TextMessage, data); err != nil {
			return err
		}
	}
	return nil
}
