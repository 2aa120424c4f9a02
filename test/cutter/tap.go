package cutter

import (
	"bytes"
	"encoding/binary"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Frame is one text frame of a WebSocket connection.
type Frame struct {
	Way  Way
	At   time.Time
	Data []byte
}

// Conn is the trace of one WebSocket connection: Up frames just before they are
// written to the server, Down frames as they were read from it. Closed says
// when the connection ended, zero while it lives.
type Conn struct {
	URL    *url.URL // of the upgrade request
	Server string   // address of whom it went to
	Opened time.Time
	Closed time.Time
	Frames []Frame
	// Partial says that the last frame up was cut in the middle.
	Partial bool
}

// User is the one named in the URL.
func (c *Conn) User() string { return c.URL.Query().Get("user") }

// Recorder keeps the traces of every connection through the proxies it is
// given to. Safe for concurrent use.
type Recorder struct {
	mu    sync.Mutex
	conns []*Conn
}

// Conns gives a copy of every trace so far, in order of opening.
func (r *Recorder) Conns() []Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Conn, len(r.conns))
	for i, c := range r.conns {
		list[i] = *c
		list[i].Frames = append([]Frame(nil), c.Frames...)
	}
	return list
}

// parser cuts the bytes of one TCP connection into WebSocket text frames. A
// connection that does not begin with an upgrade is not recorded.
type parser struct {
	recorder *Recorder
	server   string
	mu       sync.Mutex
	conn     *Conn // nil until upgraded
	plain    bool  // not a WebSocket
	buf      [2][]byte
	upgraded [2]bool // the HTTP head is behind us
	message  [2][]byte
}

func newParser(r *Recorder, server string) *parser { return &parser{recorder: r, server: server} }

func (p *parser) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.recorder.mu.Lock()
		defer p.recorder.mu.Unlock()
		p.conn.Closed = time.Now()
		p.conn.Partial = len(p.buf[Up]) > 0
	}
}

func (p *parser) feed(way Way, data []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plain {
		return
	}
	p.buf[way] = append(p.buf[way], data...)
	if !p.upgraded[way] && !p.head(way) {
		return
	}
	for p.frame(way) {
	}
}

// head takes the HTTP head off the buffer; false: not whole yet, or no upgrade.
func (p *parser) head(way Way) bool {
	end := bytes.Index(p.buf[way], []byte("\r\n\r\n"))
	if end < 0 {
		return false
	}
	head := string(p.buf[way][:end])
	p.buf[way] = p.buf[way][end+4:]
	p.upgraded[way] = true
	if way == Down {
		if p.conn == nil || !strings.Contains(head, " 101 ") {
			p.plain = true
			return false
		}
		p.recorder.mu.Lock()
		p.recorder.conns = append(p.recorder.conns, p.conn)
		p.recorder.mu.Unlock()
		return true
	}
	line, _, _ := strings.Cut(head, "\r\n")
	parts := strings.Split(line, " ")
	if len(parts) < 2 || !strings.Contains(strings.ToLower(head), "upgrade: websocket") {
		p.plain = true
		return false
	}
	u, err := url.Parse(parts[1])
	if err != nil {
		p.plain = true
		return false
	}
	p.conn = &Conn{URL: u, Server: p.server, Opened: time.Now()}
	return true
}

// frame takes one WebSocket frame off the buffer, if there is a whole one.
func (p *parser) frame(way Way) bool {
	b := p.buf[way]
	if len(b) < 2 || p.conn == nil {
		return false
	}
	fin, op := b[0]&0x80 != 0, b[0]&0x0f
	masked, size, at := b[1]&0x80 != 0, uint64(b[1]&0x7f), 2
	switch size {
	case 126:
		if len(b) < 4 {
			return false
		}
		size, at = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return false
		}
		size, at = binary.BigEndian.Uint64(b[2:]), 10
	}
	var key [4]byte
	if masked {
		if len(b) < at+4 {
			return false
		}
		copy(key[:], b[at:])
		at += 4
	}
	if uint64(len(b)-at) < size {
		return false
	}
	body := bytes.Clone(b[at : at+int(size)])
	if masked {
		for i := range body {
			body[i] ^= key[i%4]
		}
	}
	p.buf[way] = b[at+int(size):]
	if op == 1 || op == 0 {
		p.message[way] = append(p.message[way], body...)
		if fin {
			p.record(way, p.message[way])
			p.message[way] = nil
		}
	}
	return true
}

func (p *parser) record(way Way, data []byte) {
	p.recorder.mu.Lock()
	defer p.recorder.mu.Unlock()
	p.conn.Frames = append(p.conn.Frames, Frame{way, time.Now(), data})
}
