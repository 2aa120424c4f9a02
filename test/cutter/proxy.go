// Package cutter stands between processes and misbehaves: a TCP proxy that
// cuts, delays and swallows, and records the WebSocket frames that pass, and a
// NATS proxy that loses and doubles single messages.
package cutter

import (
	"errors"
	"net"
	"sync"
	"time"
)

// Way is the direction of bytes: Up from client to server, Down back.
type Way int

// The two ways.
const (
	Up Way = iota
	Down
)

// Faults is what a Proxy does at present. The zero value passes everything on.
type Faults struct {
	Delay   [2]time.Duration // by Way; order is kept
	Swallow [2]bool          // bytes of this way vanish
}

// Proxy forwards connections to one address. Safe for concurrent use.
type Proxy struct {
	listener net.Listener

	mu     sync.Mutex
	target func() (net.Conn, error)
	faults Faults
	links  map[*link]bool
	closed bool
	// cutAfter gives how many bytes of each way a new connection may pass before it is cut, -1: no limit.
	cutAfter func() (up, down int)
	tap      *Recorder
	wait     sync.WaitGroup
}

// New starts a proxy to target. Frames of WebSocket connections are recorded
// in tap, which may be nil.
func New(target string, tap *Recorder) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return NewOn(l, tcp(target), tap), nil
}

// NewOn starts a proxy on a listener of the caller's, which it closes, to
// whatever dial connects to.
func NewOn(l net.Listener, dial func() (net.Conn, error), tap *Recorder) *Proxy {
	p := &Proxy{listener: l, target: dial, links: map[*link]bool{}, tap: tap}
	p.wait.Go(p.accept)
	return p
}

func tcp(addr string) func() (net.Conn, error) {
	return func() (net.Conn, error) { return net.DialTimeout("tcp", addr, 5*time.Second) }
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set replaces what the proxy does from now on, also on open connections.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
}

// Retarget has connections made from now on go to another address.
func (p *Proxy) Retarget(target string) { p.RetargetTo(tcp(target)) }

// RetargetTo is Retarget to whatever dial connects to.
func (p *Proxy) RetargetTo(dial func() (net.Conn, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = dial
}

// CutAfter sets how many bytes each way a connection made from now on passes
// before it is cut; fn is asked once per connection, -1 is no limit.
func (p *Proxy) CutAfter(fn func() (up, down int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutAfter = fn
}

// CutAll breaks every open connection, without a word to either side, and says
// how many there were.
func (p *Proxy) CutAll() int {
	p.mu.Lock()
	links := p.links
	p.links = map[*link]bool{}
	p.mu.Unlock()
	for l := range links {
		l.cut()
	}
	return len(links)
}

// Stall holds back what comes one way on the connections open now, until
// Release; nothing is lost. It says how many there are. Later ones pass.
func (p *Proxy) Stall(way Way) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if l.gates[way] == nil {
			l.gates[way] = make(chan struct{})
		}
	}
	return len(p.links)
}

// Release ends every Stall.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		for way, gate := range l.gates {
			if gate != nil {
				close(gate)
				l.gates[way] = nil
			}
		}
	}
}

// Close ends the proxy and every connection.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.listener.Close()
	p.CutAll()
	p.wait.Wait()
}

func (p *Proxy) now() Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := target()
	if err != nil {
		client.Close()
		return
	}
	l := &link{proxy: p, client: client, server: server, done: make(chan struct{})}
	if p.tap != nil {
		l.conn = newParser(p.tap, server.RemoteAddr().String())
	}
	budget := [2]int{-1, -1}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		l.cut()
		return
	}
	if p.cutAfter != nil {
		budget[Up], budget[Down] = p.cutAfter()
	}
	p.links[l] = true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.pump(Up, client, server, budget[Up]) })
	both.Go(func() { l.pump(Down, server, client, budget[Down]) })
	both.Wait()
	l.cut()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	conn           *parser
	once           sync.Once
	done           chan struct{}    // closed by cut
	gates          [2]chan struct{} // by Way, set while stalled; guarded by proxy.mu
}

// pass waits until the link is not stalled.
func (l *link) pass(way Way) {
	l.proxy.mu.Lock()
	gate := l.gates[way]
	l.proxy.mu.Unlock()
	if gate == nil {
		return
	}
	select {
	case <-gate:
	case <-l.done:
	}
}

func (l *link) cut() {
	l.once.Do(func() {
		close(l.done)
		l.client.Close()
		l.server.Close()
		if l.conn != nil {
			l.conn.end()
		}
	})
}

type chunk struct {
	data []byte
	due  time.Time
}

// pump moves bytes one way. A reader and a writer of its own, so that a delay
// holds bytes back without holding up the reading.
//
//	from ──read──> queue (due times) ──wait, tap──> to
func (l *link) pump(way Way, from, to net.Conn, budget int) {
	queue := make(chan chunk, 4096)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for c := range queue {
			if wait := time.Until(c.due); wait > 0 {
				time.Sleep(wait)
			}
			l.pass(way)
			if way == Up && l.conn != nil {
				l.conn.feed(Up, c.data)
			}
			if _, err := to.Write(c.data); err != nil {
				l.broken(way)
			}
		}
	}()
	err := l.read(way, from, budget, queue)
	close(queue)
	if errors.Is(err, errCut) {
		from.Close()
	}
	<-done // what is on its way still arrives, as on a line that broke at the near end
	l.cut()
}

// broken is told that nobody takes the bytes of this way any more. A server
// whose client is gone still gets what is delayed on its way to it.
func (l *link) broken(way Way) {
	if way == Up || l.proxy.now().Delay[Up] == 0 {
		l.cut()
	}
}

var errCut = errors.New("cut")

func (l *link) read(way Way, from net.Conn, budget int, queue chan<- chunk) error {
	var last time.Time
	for {
		buf := make([]byte, 16<<10)
		n, err := from.Read(buf)
		data := buf[:n]
		if budget >= 0 && n >= budget {
			data, err = data[:budget], errCut
		} else if budget >= 0 {
			budget -= n
		}
		if way == Down && l.conn != nil {
			l.conn.feed(Down, buf[:n]) // all that left the server, also what is cut off
		}
		f := l.proxy.now()
		if len(data) > 0 && !f.Swallow[way] {
			due := time.Now().Add(f.Delay[way])
			if due.Before(last) {
				due = last
			}
			last = due
			queue <- chunk{data, due}
		}
		if err != nil {
			return err
		}
	}
}
