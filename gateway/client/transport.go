package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// Transport is one open connection. Read and Write are each called by one
// goroutine at a time; Close may be called at any time and ends both.
type Transport interface {
	// Read waits for the next text frame. It fails with a *[CloseError] when
	// the peer closed the connection.
	Read() ([]byte, error)
	// Write returns once the frame is on its way, or not to be sent any more.
	Write(frame []byte) error
	Close(code int, reason string) error
}

// Dialer opens connections.
type Dialer interface {
	// Dial connects to a board's socket. token is "" for none. It fails with a
	// *[RefusedError] when the server answered and would not.
	Dial(ctx context.Context, url, token string) (Transport, error)
}

// CloseError is a close frame of the server.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("client: closed %d %s", e.Code, e.Reason) }

// Final says that reconnecting is of no use.
func (e *CloseError) Final() bool { return e.Code >= 4500 && e.Code < 5000 }

// RefusedError is an HTTP answer in place of a connection.
type RefusedError struct {
	Status int         // HTTP
	Code   domain.Code // of the problem, if it said
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("client: refused with %d %s %s", e.Status, e.Code, e.Reason)
}

// Final says that asking again is of no use.
func (e *RefusedError) Final() bool {
	return e.Status >= 400 && e.Status < 500 && e.Status != http.StatusRequestTimeout && e.Status != http.StatusTooManyRequests
}

// WebSocket dials real connections.
type WebSocket struct {
	// NetDial opens the TCP connection. Default [net.Dialer].
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	maxFrame     = 16 << 20 // bytes of one frame from the server
	writeTimeout = 10 * time.Second
)

// Dial implements [Dialer].
func (w WebSocket) Dial(ctx context.Context, url, token string) (Transport, error) {
	d := websocket.Dialer{
		NetDialContext: w.NetDial, Proxy: http.ProxyFromEnvironment,
		Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: 10 * time.Second,
	}
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	conn, resp, err := d.DialContext(ctx, url, header)
	if err != nil && resp != nil && resp.StatusCode >= 400 {
		refused := &RefusedError{Status: resp.StatusCode}
		var problem struct {
			Code   domain.Code `json:"code"`
			Detail string      `json:"detail"`
		}
		if json.NewDecoder(resp.Body).Decode(&problem) == nil {
			refused.Code, refused.Reason = problem.Code, problem.Detail
		}
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("client: dial: %w", err)
	}
	conn.SetReadLimit(maxFrame)
	return &socket{conn}, nil
}

type socket struct{ conn *websocket.Conn }

func (s *socket) Read() ([]byte, error) {
	for {
		kind, frame, err := s.conn.ReadMessage()
		if closed, ok := err.(*websocket.CloseError); ok && closed.Code != websocket.CloseAbnormalClosure {
			return nil, &CloseError{closed.Code, closed.Text}
		}
		if err != nil || kind == websocket.TextMessage {
			return frame, err
		}
	}
}

func (s *socket) Write(frame []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, frame)
}

func (s *socket) Close(code int, reason string) error {
	// The peer may be gone: the frame is a courtesy.
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
	return s.conn.Close()
}

// socketURL is where a board's socket is on a server, resuming if known is set.
func socketURL(o Options, server, epoch string, rev uint64, known bool) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("client: URL: %w", err)
	}
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	u = u.JoinPath("v1", "boards", o.Board, "ws")
	q := u.Query()
	if known {
		q.Set("since", strconv.FormatUint(rev, 10))
		q.Set("epoch", epoch)
	}
	if o.Part != "" {
		q.Set("part", o.Part)
	}
	if o.User != "" && o.Token == nil {
		q.Set("user", o.User)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
