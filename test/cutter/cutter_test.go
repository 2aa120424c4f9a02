package cutter

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// echo is a WebSocket server that answers every frame with itself.
func echo(t *testing.T) string {
	t.Helper()
	up := websocket.Upgrader{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, data, err := c.ReadMessage()
			if err != nil {
				return
			}
			if c.WriteMessage(kind, data) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func dial(t *testing.T, p *Proxy) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws://"+p.Addr()+"/v1/boards/b/ws?user=ann", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestProxyRecordsFrames(t *testing.T) {
	tap := &Recorder{}
	p, err := New(echo(t), tap)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := dial(t, p)
	for _, size := range []int{1, 125, 126, 70_000} {
		if err := c.WriteMessage(websocket.TextMessage, []byte(strings.Repeat("x", size))); err != nil {
			t.Fatal(err)
		}
		if _, data, err := c.ReadMessage(); err != nil || len(data) != size {
			t.Fatalf("got %d bytes, %v", len(data), err)
		}
	}
	conns := tap.Conns()
	if len(conns) != 1 || conns[0].User() != "ann" || len(conns[0].Frames) != 8 || !conns[0].Closed.IsZero() {
		t.Fatalf("recorded %d connections: %+v", len(conns), conns)
	}
	for i, f := range conns[0].Frames {
		if f.Way != Way(i%2) || strings.Trim(string(f.Data), "x") != "" {
			t.Errorf("frame %d goes %d: %.20q", i, f.Way, f.Data)
		}
	}
}

func TestProxyStallsAndReleases(t *testing.T) {
	tap := &Recorder{}
	p, err := New(echo(t), tap)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	stalled := dial(t, p)
	if n := p.Stall(Up); n != 1 {
		t.Fatalf("stalled %d connections", n)
	}
	say := func(c *websocket.Conn, text string) {
		t.Helper()
		if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(c *websocket.Conn, want string) {
		t.Helper()
		if _, data, err := c.ReadMessage(); err != nil || string(data) != want {
			t.Fatalf("got %q, %v", data, err)
		}
	}
	say(stalled, "held")
	later := dial(t, p)
	say(later, "passes")
	hear(later, "passes")
	if frames := tap.Conns()[0].Frames; len(frames) != 0 {
		t.Fatalf("the stalled one passed %d frames", len(frames))
	}
	p.Release()
	hear(stalled, "held")
	p.Stall(Down)
	say(stalled, "lost")
	if n := p.CutAll(); n != 2 {
		t.Errorf("cut %d connections", n)
	}
	if _, _, err := stalled.ReadMessage(); err == nil {
		t.Error("a stalled connection is not cut")
	}
}

func TestProxyCutsAfterBytes(t *testing.T) {
	p, err := New(echo(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.CutAfter(func() (int, int) { return 2_000, -1 })
	c := dial(t, p)
	got := 0
	for c.WriteMessage(websocket.TextMessage, make([]byte, 100)) == nil {
		if _, _, err := c.ReadMessage(); err != nil {
			break
		}
		got++
	}
	if got == 0 || got > 20 {
		t.Errorf("%d echoes of 100 bytes before a cut at 2,000", got)
	}
}

func TestProxyDelaysAndSwallows(t *testing.T) {
	p, err := New(echo(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := dial(t, p)
	p.Set(Faults{Delay: [2]time.Duration{Up: 200 * time.Millisecond}})
	start := time.Now()
	c.WriteMessage(websocket.TextMessage, []byte("a"))
	if _, _, err := c.ReadMessage(); err != nil || time.Since(start) < 200*time.Millisecond {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
	p.Set(Faults{Swallow: [2]bool{Up: true}})
	c.WriteMessage(websocket.TextMessage, []byte("b"))
	c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, data, err := c.ReadMessage(); err == nil {
		t.Errorf("got %q", data)
	}
}

func TestNATSLosesAndDoubles(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, err := NewNATS(l.Addr().String(), func(way Way, subject, reply string) Fate {
		if subject == "lose" {
			return Lose
		}
		if subject == "double" && reply == "r" {
			return Double
		}
		return Pass
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	go func() {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.URL(), "nats://"))
		if err == nil {
			fmt.Fprint(c, "CONNECT {}\r\nPUB lose 2\r\nhi\r\nHPUB double r 3 5\r\nPUBxy\r\nPUB pass 0\r\n\r\nPING\r\n")
		}
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := "CONNECT {}\r\nHPUB double r 3 5\r\nPUBxy\r\nHPUB double r 3 5\r\nPUBxy\r\nPUB pass 0\r\n\r\nPING\r\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(bufio.NewReader(c), got); err != nil || string(got) != want {
		t.Errorf("%v: %q", err, got)
	}
}
