package gateway

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// TestLag_SlowReader: its memory is bounded, the laws hold for it, the others
// are not slowed, and its acks wait for the catch-up that covers them.
func TestLag_SlowReader(t *testing.T) {
	inBubble(t, options{cfg: Config{QueueBytes: 64 << 10}}, func(t *testing.T, w *world) {
		w.demo()
		slow := w.connectRaw("/"+board+"?user=bob", nil) // reads nothing yet; net.Pipe has no room
		quick := w.connect("ada")
		quick.skip("ready")
		synctest.Wait()
		const n = 300
		text := strings.Repeat("x", 4000)
		start := time.Now()
		mine, refused := "", ""
		for i := range n {
			if i == n/2 {
				mine = slow.mutate("c2", `{"title":"mine"}`)
				refused = slow.mutate("nowhere", `{"title":"x"}`)
				synctest.Wait()
			}
			id := quick.mutate("c1", fmt.Sprintf(`{"description":"%d %s"}`, i, text))
			if f := quick.verdict(id); f.Type != "ack" {
				t.Fatalf("%s", f)
			}
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("the quick one took %v", took)
		}
		if total := queued(w); total > 2*64<<10 {
			t.Errorf("%d bytes queued", total)
		}
		if n := w.hubs.counters().Lagging; n != 1 {
			t.Errorf("%d connections lag", n)
		}
		go slow.readAll()
		list := slow.until("lag")
		if len(list) > 60 {
			t.Errorf("%d frames before the lag", len(list))
		}
		nack := false
		for _, f := range list {
			nack = nack || f.Type == "nack" && f.ID == refused
			if f.Type == "ack" {
				t.Errorf("before the catch-up: %s", f)
			}
		}
		if !nack {
			t.Error("the nack waited for the catch-up")
		}
		list = slow.until("ready")
		if len(list) != 3 || list[0].Type != "sync" || list[1].Type != "sync" {
			t.Errorf("catch-up: %d frames, %.200v", len(list), list)
		}
		for _, f := range list[:2] {
			if f.Entity["id"] == "c1" && !strings.HasPrefix(f.Entity["description"].(string), fmt.Sprint(n-1, " ")) || f.By != "" || f.Event != "" {
				t.Errorf("not the current state: %.100s", f)
			}
		}
		if f := slow.next(); f.Type != "ack" || f.ID != mine {
			t.Errorf("after the catch-up: %s", f)
		}
		id := slow.mutate("c2", `{"title":"live again"}`)
		if f := slow.verdict(id); f.Type != "ack" || f.Rev != slow.rev {
			t.Errorf("%s", f)
		}
		if c := w.hubs.counters(); c.Lags != 1 || c.Lagging != 0 {
			t.Errorf("%d lags, %d now", c.Lags, c.Lagging)
		}
	})
}

// queued is what waits in all queues, bytes.
func queued(w *world) (total int) {
	w.hubs.mu.Lock()
	defer w.hubs.mu.Unlock()
	for s := range w.hubs.sessions {
		s.q.mu.Lock()
		for _, it := range s.q.items {
			total += len(it.data)
		}
		s.q.mu.Unlock()
	}
	return total
}

// TestLag_PresenceIsCompleteAgain: dropped first, and after the catch-up
// everybody who is there is shown.
func TestLag_PresenceIsCompleteAgain(t *testing.T) {
	inBubble(t, options{cfg: Config{QueueBytes: 32 << 10}}, func(t *testing.T, w *world) {
		w.demo()
		slow := w.connectRaw("/"+board+"?user=bob", nil)
		quick := w.connect("ada")
		quick.skip("ready")
		synctest.Wait()
		for i := range 20 {
			quick.verdict(quick.mutate("c1", fmt.Sprintf(`{"description":"%d %s"}`, i, strings.Repeat("x", 4000))))
		}
		quick.send(`{"type":"presence","data":"here"}`)
		synctest.Wait()
		go slow.readAll()
		slow.skip("lag")
		slow.skip("ready")
		if f := slow.next(); f.Type != "presence" || string(f.Data) != `"here"` {
			t.Errorf("%s", f)
		}
	})
}

// TestLag_ClientThatSendsWithoutReading waits itself; nothing grows.
func TestLag_ClientThatSendsWithoutReading(t *testing.T) {
	inBubble(t, options{cfg: Config{QueueBytes: 16 << 10}}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connectRaw("/"+board+"?user=bob", nil)
		go func() {
			for s.ws.WriteMessage(1, []byte(`{"type":"ping"}`)) == nil {
			}
		}()
		synctest.Wait()
		if total := queued(w); total > 32<<10 {
			t.Errorf("%d bytes queued", total)
		}
		go s.readAll()
		for range 2000 {
			s.skip("pong")
		}
		s.ws.Close()
	})
}

// TestClose4004_ReaderThatNeverReads is given up, whatever it sends.
func TestClose4004_ReaderThatNeverReads(t *testing.T) {
	inBubble(t, options{cfg: Config{QueueBytes: 64 << 10}}, func(t *testing.T, w *world) {
		w.demo()
		w.connectRaw("/"+board+"?user=bob", nil)
		quick := w.connect("ada")
		quick.skip("ready")
		time.Sleep(time.Minute)
		if n := w.hubs.counters().Sessions; n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestLag_OverTCP: many slow readers on real sockets; what the kernel does not
// take waits in queues of bounded size, and in the end each has the board.
func TestLag_OverTCP(t *testing.T) {
	const limit, readers = 256 << 10, 8
	w := newRealWorld(t, options{cfg: Config{QueueBytes: limit, PongTimeout: time.Minute}})
	w.demo()
	var slow []*socket
	for range readers {
		slow = append(slow, w.connectRaw("/"+board+"?user=bob", nil))
	}
	quick := w.connect("ada")
	quick.skip("ready")
	text := strings.Repeat("x", 50_000)
	for i := range 80 { // 4 MB for each reader
		if f := quick.verdict(quick.mutate("c1", fmt.Sprintf(`{"description":"%d %s"}`, i, text))); f.Type != "ack" {
			t.Fatalf("%.200s", f)
		}
	}
	if total := queued(w); total > readers*limit {
		t.Errorf("%d bytes queued for %d slow readers", total, readers)
	}
	for _, s := range slow {
		go s.readAll()
		s.skip("lag")
		for {
			f := s.next()
			if f.Rev < quick.rev {
				continue
			}
			if description, _ := f.Entity["description"].(string); f.Type != "sync" || !strings.HasPrefix(description, "79 ") {
				t.Errorf("%.200s", f)
			}
			break
		}
	}
}

// TestQueue_EndWakesWhoWaitsForRoom: nobody writes any more, so nothing else would.
func TestQueue_EndWakesWhoWaitsForRoom(t *testing.T) {
	t.Parallel()
	q := newQueue(1)
	q.count(flight{mutates: 1})
	if !q.full(0) {
		t.Fatal("there is room with one in flight of none")
	}
	q.close(1000, "")
	select {
	case <-q.room:
	default:
		t.Fatal("who waits for room sleeps on")
	}
	if q.full(0) {
		t.Error("a queue that is being closed is full")
	}
}

// TestLag_PingsWithoutReading: only the newest ping is owed a pong.
func TestLag_PingsWithoutReading(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connectRaw("/"+board+"?user=bob", nil)
		for i := range 1000 {
			if err := s.ws.WriteControl(websocket.PingMessage, []byte(strconv.Itoa(i)), time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		w.hubs.mu.Lock()
		for s := range w.hubs.sessions {
			s.q.mu.Lock()
			if n := len(s.q.items); n > 10 {
				t.Errorf("%d frames wait", n)
			}
			s.q.mu.Unlock()
		}
		w.hubs.mu.Unlock()
		ponged := make(chan string, 1000)
		s.ws.SetPongHandler(func(data string) error { ponged <- data; return nil })
		go s.readAll()
		if err := s.ws.WriteControl(websocket.PingMessage, []byte("last"), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		for data := range ponged {
			if data == "last" {
				break
			}
		}
	})
}
