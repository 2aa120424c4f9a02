package cutter

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fate of one NATS message.
type Fate int

// The fates.
const (
	Pass Fate = iota
	Lose
	Double
)

// NATS is a proxy of the NATS client protocol that loses and doubles single
// messages and can hold everything back. Safe for concurrent use.
type NATS struct {
	listener net.Listener
	target   string
	fate     func(way Way, subject, reply string) Fate

	mu    sync.Mutex
	held  chan struct{} // closed when nothing is held
	conns map[net.Conn]bool
	wait  sync.WaitGroup
}

// NewNATS starts a proxy to the server at target. fate is asked for every
// message, Up for a publish with its subject, Down for a delivery; it is
// called from several goroutines at once.
func NewNATS(target string, fate func(way Way, subject, reply string) Fate) (*NATS, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	open := make(chan struct{})
	close(open)
	p := &NATS{listener: l, target: target, fate: fate, held: open, conns: map[net.Conn]bool{}}
	p.wait.Go(p.accept)
	return p, nil
}

// URL is where clients connect.
func (p *NATS) URL() string { return "nats://" + p.listener.Addr().String() }

// Hold stops all bytes both ways until the returned function is called.
func (p *NATS) Hold() (release func()) {
	held := make(chan struct{})
	p.mu.Lock()
	p.held = held
	p.mu.Unlock()
	return sync.OnceFunc(func() { close(held) })
}

// CutAll breaks every connection.
func (p *NATS) CutAll() {
	p.mu.Lock()
	conns := p.conns
	p.conns = map[net.Conn]bool{}
	p.mu.Unlock()
	for c := range conns {
		c.Close()
	}
}

// Close ends the proxy.
func (p *NATS) Close() {
	p.listener.Close()
	p.CutAll()
	p.mu.Lock()
	p.held = make(chan struct{})
	close(p.held)
	p.mu.Unlock()
	p.wait.Wait()
}

func (p *NATS) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.serve(client) })
	}
}

func (p *NATS) serve(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.conns[client] = true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pump(Up, client, server); server.Close() })
	both.Go(func() { p.pump(Down, server, client); client.Close() })
	both.Wait()
	p.mu.Lock()
	delete(p.conns, client)
	p.mu.Unlock()
}

func (p *NATS) pump(way Way, from, to net.Conn) {
	in, out := bufio.NewReaderSize(from, 64<<10), bufio.NewWriterSize(to, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var body []byte
		subject, reply, size, isMessage := parseLine(line)
		if isMessage {
			body = make([]byte, size+2)
			if _, err := io.ReadFull(in, body); err != nil {
				return
			}
		}
		p.mu.Lock()
		held := p.held
		p.mu.Unlock()
		<-held
		times := 1
		if isMessage {
			switch p.fate(way, subject, reply) {
			case Lose:
				times = 0
			case Double:
				times = 2
			}
		}
		for range times {
			out.Write(line)
			out.Write(body)
		}
		if in.Buffered() == 0 {
			if out.Flush() != nil {
				return
			}
		}
	}
}

// parseLine reads a control line: PUB subject [reply] size, HPUB subject [reply]
// header total, MSG subject sid [reply] size, HMSG subject sid [reply] header total.
func parseLine(line []byte) (subject, reply string, size int, ok bool) {
	if len(line) < 4 || !bytes.ContainsRune([]byte("PHMphm"), rune(line[0])) {
		return "", "", 0, false
	}
	words := strings.Fields(string(line))
	tail := 1
	drop := 1 // words before the optional reply: op, subject, ...
	switch strings.ToUpper(words[0]) {
	case "PUB":
	case "HPUB":
		tail = 2
	case "MSG":
		drop = 2
	case "HMSG":
		drop, tail = 2, 2
	default:
		return "", "", 0, false
	}
	if len(words) < 1+drop+tail {
		return "", "", 0, false
	}
	if len(words) == 2+drop+tail {
		reply = words[1+drop]
	}
	size, err := strconv.Atoi(words[len(words)-1])
	return words[1], reply, size, err == nil
}
