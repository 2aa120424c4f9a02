package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// tape is a connection on which a text comes in pieces of any length.
type tape struct {
	net.Conn
	rng  *rand.Rand // nil: in one piece
	text []byte
}

func (c *tape) Read(p []byte) (int, error) {
	if len(c.text) == 0 {
		return 0, io.EOF
	}
	n := min(len(p), len(c.text))
	if c.rng != nil {
		n = 1 + c.rng.IntN(n)
	}
	copy(p, c.text[:n])
	c.text = c.text[n:]
	return n, nil
}

func (c *tape) Write(p []byte) (int, error)      { return len(p), nil }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }
func (c *tape) Close() error                     { return nil }

// clientFrame is a frame as a client sends it.
func clientFrame(opcode byte, final bool, payload []byte, key [4]byte) []byte {
	frame := makeFrame(int(opcode), payload)
	head := frame[:len(frame)-len(payload)]
	if !final {
		head[0] &^= 0x80
	}
	out := slices.Clone(head)
	out[1] |= 0x80
	out = append(out, key[:]...)
	for i, b := range payload {
		out = append(out, b^key[i%4])
	}
	return out
}

// heardBy writes down what a stream is read as, up to and with the error.
func heardBy(next func() (int, []byte, error)) []string {
	var all []string
	for {
		opcode, data, err := next()
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure:
			return append(all, fmt.Sprint("closed ", closed.Code))
		case err != nil:
			return append(all, "broken")
		case opcode == websocket.CloseMessage:
			err := closeError(data)
			if errors.As(err, &closed) {
				return append(all, fmt.Sprint("closed ", closed.Code))
			}
			return append(all, "broken")
		}
		all = append(all, fmt.Sprintf("%d %d %x", opcode, len(data), data[:min(len(data), 20)]))
		if n := len(data); n > 20 {
			all = append(all, fmt.Sprintf("%x", data[n-20:]))
		}
	}
}

// byLibrary is heardBy of gorilla's reader.
func byLibrary(t *testing.T, c *tape) []string {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	for name, value := range map[string]string{"Connection": "upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="} {
		r.Header.Set(name, value)
	}
	ws, err := upgrader.Upgrade(lent{httptest.NewRecorder(), c}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	type control struct {
		opcode int
		data   string
	}
	var controls []control
	var message []byte
	kind := 0
	var failed error
	ws.SetPingHandler(func(s string) error { controls = append(controls, control{9, s}); return nil })
	ws.SetPongHandler(func(s string) error { controls = append(controls, control{10, s}); return nil })
	ws.SetCloseHandler(func(int, string) error { return nil })
	return heardBy(func() (int, []byte, error) {
		for len(controls) == 0 && kind == 0 && failed == nil {
			kind, message, failed = ws.ReadMessage()
		}
		if len(controls) > 0 { // those that came in the midst of a message come before it
			c := controls[0]
			controls = controls[1:]
			return c.opcode, []byte(c.data), nil
		}
		if failed != nil {
			return 0, nil, failed
		}
		defer func() { kind = 0 }()
		return kind, message, nil
	})
}

// lent hands a connection to an upgrade.
type lent struct {
	http.ResponseWriter
	conn net.Conn
}

func (l lent) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return l.conn, bufio.NewReadWriter(bufio.NewReader(strings.NewReader("")), bufio.NewWriter(io.Discard)), nil
}

// randomStream is frames of a client, most of them as they should be.
func randomStream(rng *rand.Rand) []byte {
	var all []byte
	open := false
	for range rng.IntN(12) {
		payload := make([]byte, []int{0, 3, 40, 125, 126, 300, 5000, 70_000}[rng.IntN(8)])
		for i := range payload {
			payload[i] = byte(rng.Uint32())
		}
		opcode, final := byte(rng.IntN(2)+1), rng.IntN(3) > 0
		if open {
			opcode = 0
		}
		switch rng.IntN(4) {
		case 0:
			opcode, final = byte(9+rng.IntN(2)), true
			payload = payload[:min(len(payload), 125)]
		case 1:
			if rng.IntN(8) == 0 {
				opcode, final = 8, true
				code := 990 + rng.IntN(40)
				payload = append([]byte{byte(code >> 8), byte(code)}, "bye"...)[:rng.IntN(6)]
			}
		}
		if opcode < 8 {
			open = !final
		}
		if rng.IntN(30) == 0 {
			opcode = byte(rng.IntN(16))
		}
		if rng.IntN(40) == 0 {
			final = !final
		}
		var key [4]byte
		for i := range key {
			key[i] = byte(rng.Uint32())
		}
		frame := clientFrame(opcode, final, payload, key)
		if rng.IntN(40) == 0 {
			frame[rng.IntN(2)] ^= 1 << rng.IntN(8)
		}
		all = append(all, frame...)
	}
	if rng.IntN(10) == 0 && len(all) > 0 {
		all = all[:rng.IntN(len(all))]
	}
	return all
}

// TestIncoming_AsTheLibrary: whatever comes in whatever pieces is read as
// gorilla's reader reads it.
func TestIncoming_AsTheLibrary(t *testing.T) {
	t.Parallel()
	did := map[string]int{}
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		stream := randomStream(rng)
		want := byLibrary(t, &tape{text: stream})
		in := incoming{conn: &tape{rng: rng, text: bytes.Clone(stream)}}
		got := heardBy(func() (int, []byte, error) {
			if rng.IntN(3) == 0 {
				in.settle()
			}
			return in.next()
		})
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: read as\n%v, not\n%v", seed, got, want)
		}
		did[strings.Fields(want[len(want)-1])[0]]++
		did["messages"] += len(want) - 1
	}
	t.Log(did)
	if did["closed"] == 0 || did["broken"] == 0 || did["messages"] < 1000 {
		t.Errorf("%v", did)
	}
}

// TestIncoming_RestsWithoutABuffer, and what was announced takes no room before
// it comes.
func TestIncoming_RestsWithoutABuffer(t *testing.T) {
	t.Parallel()
	frame := clientFrame(1, true, bytes.Repeat([]byte("x"), 1000), [4]byte{1, 2, 3, 4})
	in := incoming{conn: &tape{text: frame}}
	if _, data, err := in.next(); err != nil || len(data) != 1000 || in.talk == nil {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	if in.settle(); in.talk != nil {
		t.Error("a buffer is kept")
	}
	in = incoming{conn: &tape{text: clientFrame(1, true, make([]byte, 1_000_000), [4]byte{})[:200]}}
	if _, _, err := in.next(); err != io.EOF || cap(in.message) > 2*talkBuffer {
		t.Errorf("%v, room for %d bytes", err, cap(in.message))
	}
	in = incoming{conn: &tape{text: clientFrame(1, true, make([]byte, readLimit+1), [4]byte{})}}
	if _, _, err := in.next(); err != websocket.ErrReadLimit || cap(in.message) > 0 {
		t.Errorf("%v, room for %d bytes", err, cap(in.message))
	}
}

// FuzzIncoming: no bytes make it panic, and none are read as more than they are.
func FuzzIncoming(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(randomStream(rand.New(rand.NewPCG(seed, 1))))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		in := incoming{conn: &tape{text: bytes.Clone(stream)}}
		total := 0
		heardBy(func() (int, []byte, error) {
			opcode, data, err := in.next()
			if total += len(data); total > len(stream) {
				t.Fatal("more was read than came")
			}
			return opcode, data, err
		})
	})
}
