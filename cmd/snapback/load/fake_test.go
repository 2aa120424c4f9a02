package load

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// fakeServer acks every move and tells everybody, but for what a test has it
// do wrong.
type fakeServer struct {
	*httptest.Server
	stall func(move int) time.Duration // before it is answered
	nack  func(move int) bool
	skip  func(rev int) bool // whether the viewers are not told of it

	mu    sync.Mutex
	rev   int
	conns map[*websocket.Conn]bool
}

func newFakeServer(t *testing.T) *fakeServer {
	s := &fakeServer{conns: map[*websocket.Conn]bool{}}
	var upgrader websocket.Upgrader
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		for move := 1; ; move++ {
			var n int
			if conn.ReadJSON(&n) != nil {
				break
			}
			s.answer(conn, move, n)
		}
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		conn.Close()
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *fakeServer) answer(from *websocket.Conn, move, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stall != nil {
		time.Sleep(s.stall(move))
	}
	if s.nack != nil && s.nack(move) {
		_ = from.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "nack %d 0", n))
		return
	}
	s.rev++
	for conn := range s.conns {
		if s.skip == nil || !s.skip(s.rev) {
			_ = conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "sync 0 %d", s.rev))
		}
	}
	_ = from.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, "ack %d %d", n, s.rev))
}

// Make is of Target.
func (s *fakeServer) Make(context.Context, string, int) error { return nil }

// Open is of Target.
func (s *fakeServer) Open(ctx context.Context, _ string, _ int) (*Client, error) {
	socket, err := Dial(ctx, strings.Replace(s.URL, "http", "ws", 1), nil)
	if err != nil {
		return nil, err
	}
	return NewClient(socket, fakeDialect{}), nil
}

type fakeDialect struct{}

func (fakeDialect) Move(dst []byte, n uint64, _, _ int) []byte { return fmt.Append(dst, n) }

func (fakeDialect) Read(message, reply []byte) (e Event, _ []byte) {
	var kind string
	if _, err := fmt.Sscan(string(message), &kind, &e.N, &e.Rev); err != nil {
		return Event{}, reply
	}
	e.Kind = map[string]Kind{"sync": Sync, "ack": Ack, "nack": Nack}[kind]
	return e, reply
}
