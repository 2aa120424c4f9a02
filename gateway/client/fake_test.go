package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// fakeServer hands the far ends of connections to the test, which plays the server.
type fakeServer struct {
	t     *testing.T
	conns chan *fakeConn

	mu    sync.Mutex
	fail  error           // answers dials
	down  map[string]bool // hosts that cannot be dialled
	dials []time.Time
	hosts []string // dialled, one for each of dials
}

type fakeConn struct {
	Transport
	t     *testing.T
	host  string
	query url.Values
	got   chan map[string]any
}

func newFakeServer(t *testing.T) *fakeServer {
	return &fakeServer{t: t, conns: make(chan *fakeConn, 100)}
}

func (s *fakeServer) Dial(_ context.Context, at, token string) (Transport, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	s.dials, s.hosts = append(s.dials, time.Now()), append(s.hosts, u.Host)
	if s.fail != nil {
		return nil, s.fail
	}
	if s.down[u.Host] {
		return nil, errors.New("down")
	}
	near, far := Pipe()
	conn := &fakeConn{Transport: far, t: s.t, host: u.Host, query: u.Query(), got: make(chan map[string]any, 1000)}
	go conn.read()
	s.conns <- conn
	return near, nil
}

// answer sets what dials fail with from now on and forgets the earlier ones.
func (s *fakeServer) answer(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail, s.dials, s.hosts = err, nil, nil
}

// only has the other hosts down from now on and forgets the earlier dials.
func (s *fakeServer) only(up string, all ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down, s.dials, s.hosts = map[string]bool{}, nil, nil
	for _, host := range all {
		s.down[host] = host != up
	}
}

func (s *fakeServer) dialledHosts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.hosts)
}

func (s *fakeServer) dialled() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dials)
}

func (f *fakeConn) read() {
	defer close(f.got)
	for {
		raw, err := f.Read()
		if err != nil {
			return
		}
		var frame map[string]any
		if json.Unmarshal(raw, &frame) == nil && frame["type"] != "ping" {
			f.got <- frame
		} else if frame["type"] == "ping" {
			f.send(wire.Pong{Type: "pong", ServerTime: time.Now()})
		}
	}
}

func (f *fakeConn) send(frames ...any) {
	for _, frame := range frames {
		raw, err := json.Marshal(frame)
		if err != nil {
			f.t.Fatal(err)
		}
		_ = f.Write(raw) // the client may have gone
	}
}

// next is the client's next frame; it must come without time passing.
func (f *fakeConn) next() map[string]any {
	f.t.Helper()
	synctest.Wait()
	select {
	case frame := <-f.got:
		return frame
	default:
		f.t.Fatal("no frame from the client")
		return nil
	}
}

func (f *fakeConn) wantSent(want ...string) {
	f.t.Helper()
	for _, w := range want {
		frame := f.next()
		if got := fmt.Sprint(frame["type"], " ", frame["clientMutationId"]); got != w {
			f.t.Fatalf("sent %q, want %q", got, w)
		}
	}
	f.wantQuiet()
}

func (f *fakeConn) wantQuiet() {
	f.t.Helper()
	synctest.Wait()
	select {
	case frame, open := <-f.got:
		if open {
			f.t.Fatalf("unexpected frame %v", frame)
		}
	default:
	}
}

func hello(rev uint64, resumed bool) wire.Hello {
	return wire.Hello{
		Type: "hello", Protocol: 1, Board: "b", User: "ann", Role: domain.Editor, Session: "s", Epoch: "e1", Rev: rev,
		Resumed: resumed, ServerTime: time.Now(), Limits: wire.HelloLimits{FrameBytes: wire.FrameBytes, InFlight: 4, AckTimeoutMs: 5000},
	}
}

func ready(rev uint64) wire.Mark { return wire.Mark{Type: "ready", Rev: rev} }

func syncOf(rev uint64, entity string) wire.Sync {
	return wire.Sync{Type: "sync", Rev: rev, Entity: json.RawMessage(entity)}
}

func ackOf(id string, rev uint64) wire.Ack {
	return wire.Ack{Type: "ack", ClientMutationID: id, Rev: rev, Events: 1}
}

func nackOf(id string, code domain.Code, details domain.Details) wire.Nack {
	return wire.Nack{Type: "nack", ClientMutationID: id, Code: code, Retryable: wire.Retryable(code), Details: details}
}

const cardJSON = `{"id":"c1","kind":"card","rev":1,"createdRev":1,"title":"old","columnId":"k1","position":"a0","liked":false,"likes":0}`

// play runs a scenario in virtual time with a joined client that mints m1, m2, ...
func play(t *testing.T, opts Options, scenario func(t *testing.T, s *fakeServer, c *Client, conn *fakeConn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newFakeServer(t)
		n := 0
		opts.Board, opts.Dialer = "b", s
		if len(opts.URLs) == 0 {
			opts.URL = "http://server"
		}
		opts.NewID = func(time.Time) string { n++; return fmt.Sprint("m", n) }
		opts.Jitter = func() float64 { return 0 }
		go func() {
			conn := <-s.conns
			conn.send(hello(1, false), syncOf(1, cardJSON), ready(1))
			s.conns <- conn
		}()
		c, err := Connect(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		scenario(t, s, c, <-s.conns)
	})
}

func (s *fakeServer) nextConn() *fakeConn {
	s.t.Helper()
	select {
	case conn := <-s.conns:
		return conn
	case <-time.After(time.Minute):
		s.t.Fatal("no connection within a minute")
		return nil
	}
}

func title(c *Client, id string) string {
	if e := c.Get(id); e != nil {
		return e.Fields.String("title")
	}
	return ""
}

func wantTitle(t *testing.T, c *Client, want string) {
	t.Helper()
	synctest.Wait()
	if got := title(c, "c1"); got != want {
		t.Fatalf("title %q, want %q", got, want)
	}
}

func rename(c *Client, to string) *Mutation { return c.Mutate("c1", domain.Patch{"title": to}) }
