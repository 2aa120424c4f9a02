package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
)

const short = 300 * time.Millisecond

// What is written is read by gorilla, and what gorilla writes is read, in
// frames of every size of length, with pings in between.
func TestSocket_FramesOfEverySize(t *testing.T) {
	sizes := []int{0, 1, 125, 126, 127, 4090, 65535, 65536, 300_000}
	var upgrader websocket.Upgrader
	pongs := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetPongHandler(func(data string) error { pongs <- data; return nil })
		for range sizes {
			kind, data, err := conn.ReadMessage()
			if err != nil {
				return
			}
			_ = conn.WriteMessage(kind, data)
		}
		_ = conn.WriteControl(websocket.PingMessage, []byte("still there?"), time.Time{})
		_ = conn.WriteMessage(websocket.TextMessage, []byte("last"))
		_, _, _ = conn.ReadMessage() // reads the pong
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4002, "too slow"), time.Time{})
	}))
	defer server.Close()
	s, err := Dial(t.Context(), server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, n := range sizes {
		s.Append(bytes.Repeat([]byte{'a' + byte(n%26)}, n))
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []int
	for len(got) < len(sizes)+1 {
		err := s.Frames(func(payload []byte) error {
			if n := len(payload); string(payload) != "last" && n > 0 && bytes.Count(payload, []byte{'a' + byte(n%26)}) != n {
				t.Errorf("a frame of %d bytes came back changed", n)
			}
			got = append(got, len(payload))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got[:len(sizes)], sizes) {
		t.Errorf("sizes %v, want %v", got, sizes)
	}
	s.Append([]byte("bye"))
	_ = s.Flush()
	if pong := <-pongs; pong != "still there?" {
		t.Errorf("pong %q", pong)
	}
	if err := s.Frames(func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "4002 too slow") {
		t.Errorf("the close says %v", err)
	}
}

func TestMint_IDsAreULIDsThatCount(t *testing.T) {
	var m mint
	for _, n := range []uint64{1, 31, 32, 1 << 30, 1<<40 - 1} {
		id := string(m.next(nil, n))
		parsed, err := ulid.ParseStrict(id)
		if err != nil || time.Since(ulid.Time(parsed.Time())).Abs() > time.Minute {
			t.Errorf("%s: %v", id, err)
		}
		if got := minted([]byte(`{"type":"ack","clientMutationId":"` + id + `","rev":7}`)); got != n {
			t.Errorf("%s counts %d, not %d", id, got, n)
		}
	}
}

// Every card has a place of its own that the server takes as it is.
func TestPosition_IsAFractionalIndex(t *testing.T) {
	last := ""
	for i := range 5000 {
		p := string(position(nil, i))
		if !domain.ValidPosition(p) || p <= last {
			t.Fatalf("position %q after %q", p, last)
		}
		last = p
	}
}

// A stall delays what is due while it lasts, and all of that is charged to the
// server, not only the one move that waited for its answer.
func TestSteady_ChargesAStallForAllThatWasDue(t *testing.T) {
	s := newFakeServer(t)
	s.stall = func(move int) time.Duration {
		if move == 100 {
			return short
		}
		return 0
	}
	for try := 1; ; try++ {
		r, err := Steady(t.Context(), s, fmt.Sprint("run", try), Room{Boards: 1, Clients: 1}, 200, Span{Measure: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if p99 := r.Figures.Get("ack p99"); p99 < 250 {
			t.Errorf("p99 is %v ms after a stall of %v in a second", p99, short)
		}
		// 60 of 200 were due in the stall: their mean is half of it.
		if r.Figures.Get("ack p50") <= 100 && r.Figures.Get("acked") >= 150 {
			return
		}
		if try == 10 { // a machine that stalls itself has had its chances
			t.Fatalf("figures %v", r.Figures)
		}
	}
}

func TestFanout_AMissedChangeIsAFault(t *testing.T) {
	for _, missing := range []bool{false, true} {
		s := newFakeServer(t)
		s.skip = func(rev int) bool { return missing && rev == 20 }
		r, err := Fanout(t.Context(), s, "run", 3, 200, Span{Measure: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if (r.Faults > 0) != missing || r.Quotable() == missing && r.Load < MaxLoad {
			t.Errorf("missing %v: %d faults", missing, r.Faults)
		}
		if r.Figures.Get("sync p99") <= 0 || r.Figures.Get("syncs") < 2*r.Figures.Get("changes") {
			t.Errorf("figures %v", r.Figures)
		}
	}
}

func TestMoves_ARefusalIsAFault(t *testing.T) {
	for _, refusing := range []bool{false, true} {
		s := newFakeServer(t)
		s.nack = func(move int) bool { return refusing && move == 5 }
		r, err := Moves(t.Context(), s, "run", Room{Boards: 2, Clients: 2, Window: 2}, Span{Measure: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if (r.Faults > 0) != refusing {
			t.Errorf("refusing %v: %d faults", refusing, r.Faults)
		}
		if acked, syncs := r.Figures.Get("acked"), r.Figures.Get("syncs"); acked < 10 || syncs < 3*acked {
			t.Errorf("%v acked, %v syncs", acked, syncs)
		}
	}
}

// A generator that used its whole core has measured itself.
func TestResult_AboveNinetyPercentIsNotQuotable(t *testing.T) {
	for load, quotable := range map[float64]bool{0.2: true, 0.9: true, 0.91: false} {
		if r := (Result{Load: load}); r.Quotable() != quotable {
			t.Errorf("load %v: quotable %v", load, r.Quotable())
		}
	}
	m := Span{}.startMeter()
	const busy = 100 * time.Millisecond
	for start := cpuTime(); cpuTime() < start+busy; {
	}
	var r Result
	if m.stop(&r); r.Load*r.Seconds*float64(runtime.GOMAXPROCS(0)) < busy.Seconds() {
		t.Errorf("a load of %v in %v s is not the %v of CPU time that were used", r.Load, r.Seconds, busy)
	}
}

func TestMoves_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	start := time.Now()
	if _, err := Moves(ctx, newFakeServer(t), "run", Room{Boards: 1, Clients: 1, Window: 1}, Span{Measure: time.Minute}); err == nil {
		t.Error("no error")
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
