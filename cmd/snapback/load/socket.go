package load

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Socket is the client's end of a WebSocket (RFC 6455), made for load: it gives
// every frame that one read brought, uncopied, and writes several in one call.
// It speaks plain ws without extensions. Read and write belong to one
// goroutine each; Close may be called by anybody.
type Socket struct {
	conn net.Conn
	buf  []byte // what was read
	from int    // start of what is not yet given out
	to   int    // end of what was read
	out  []byte // frames that wait for Flush
}

// Opcodes of RFC 6455.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

const (
	firstBuffer = 4 << 10
	dialTimeout = 30 * time.Second
	maxFrame    = 64 << 20
)

// ErrClosed: the server closed the connection; the error's text has its code.
var ErrClosed = errors.New("load: connection closed by the server")

// Dial opens a WebSocket at a ws:// or http:// URL. A status other than 101 is
// an error.
func Dial(ctx context.Context, rawURL string, header http.Header) (*Socket, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	s, err := upgrade(conn, u, header)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return s, nil
}

func upgrade(conn net.Conn, u *url.URL, header http.Header) (*Socket, error) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("Upgrade", "websocket")
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Sec-WebSocket-Version", "13")
	req.Header.Set("Sec-WebSocket-Key", base64.StdEncoding.EncodeToString(nonce[:]))
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	br := bufio.NewReaderSize(conn, firstBuffer)
	resp, err := http.ReadResponse(br, req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return nil, fmt.Errorf("load: %s answers %s: %s", u.Host, resp.Status, body)
	}
	s := &Socket{conn: conn, buf: make([]byte, firstBuffer)}
	s.to, _ = br.Read(s.buf[:br.Buffered()])
	return s, nil
}

// Close ends the connection without a close frame.
func (s *Socket) Close() { s.conn.Close() }

// Frames waits for at least one data frame and calls fn with the payload of
// each that has arrived; it is fn's until it returns. Pings are answered.
// Fragmented messages are not supported: no server here sends them.
func (s *Socket) Frames(fn func(payload []byte) error) error {
	for given := 0; given == 0; {
		if s.from == s.to || !s.whole() {
			if err := s.fill(); err != nil {
				return err
			}
		}
		for s.from < s.to && s.whole() {
			op, payload := s.next()
			switch op {
			case opText, opBinary:
				given++
				if err := fn(payload); err != nil {
					return err
				}
			case opPing:
				s.append(opPong, payload)
				if err := s.Flush(); err != nil {
					return err
				}
			case opPong:
			case opClose:
				return closed(payload)
			default:
				return fmt.Errorf("load: frame with opcode %d", op)
			}
		}
	}
	return nil
}

func closed(payload []byte) error {
	if len(payload) < 2 {
		return ErrClosed
	}
	return fmt.Errorf("%w: %d %s", ErrClosed, binary.BigEndian.Uint16(payload), payload[2:])
}

// size gives the lengths of the next frame's head and payload, 0 head: unknown yet.
func (s *Socket) size() (head, payload int) {
	b := s.buf[s.from:s.to]
	if len(b) < 2 {
		return 0, 0
	}
	switch n := int(b[1] & 0x7f); {
	case n < 126:
		return 2, n
	case n == 126 && len(b) >= 4:
		return 4, int(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= 10:
		return 10, int(binary.BigEndian.Uint64(b[2:]))
	}
	return 0, 0
}

func (s *Socket) whole() bool {
	head, payload := s.size()
	return head > 0 && s.from+head+payload <= s.to
}

func (s *Socket) next() (op byte, payload []byte) {
	head, n := s.size()
	op = s.buf[s.from] & 0x0f
	payload = s.buf[s.from+head : s.from+head+n]
	s.from += head + n
	return op, payload
}

// fill reads once more, making room first. A buffer that one read fills
// doubles, up to 256 KiB or the frame that is due.
func (s *Socket) fill() error {
	head, payload := s.size()
	if payload > maxFrame {
		return fmt.Errorf("load: a frame of %d bytes", payload)
	}
	copy(s.buf, s.buf[s.from:s.to])
	s.from, s.to = 0, s.to-s.from
	if need := max(head+payload, s.to+1); need > len(s.buf) {
		s.grow(need)
	}
	n, err := s.conn.Read(s.buf[s.to:])
	s.to += n
	if n > 0 {
		if s.to == len(s.buf) && len(s.buf) < 256<<10 {
			s.grow(2 * len(s.buf))
		}
		return nil
	}
	return err
}

func (s *Socket) grow(n int) {
	bigger := make([]byte, max(n, 2*len(s.buf)))
	copy(bigger, s.buf[:s.to])
	s.buf = bigger
}

// Append adds a text frame to what the next Flush writes. payload is not
// changed, and the caller's again at once.
func (s *Socket) Append(payload []byte) { s.append(opText, payload) }

// append masks by a constant zero key: it is legal, costs nothing, and leaves
// the payload readable in a capture.
func (s *Socket) append(op byte, payload []byte) {
	s.out = append(s.out, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		s.out = append(s.out, 0x80|byte(n))
	case n < 1<<16:
		s.out = append(s.out, 0x80|126, byte(n>>8), byte(n))
	default:
		s.out = binary.BigEndian.AppendUint64(append(s.out, 0x80|127), uint64(n))
	}
	s.out = append(s.out, 0, 0, 0, 0)
	s.out = append(s.out, payload...)
}

// Flush writes what was appended.
func (s *Socket) Flush() error {
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

// SetDeadline bounds reads and writes from now on; zero: no more.
func (s *Socket) SetDeadline(t time.Time) { _ = s.conn.SetDeadline(t) }
