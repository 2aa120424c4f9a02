package gateway

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// TestClose1012_Drain: who stays after goaway is served until a second past his
// time; then what is in flight gets its verdict, what is new is refused, and
// the connection closes.
func TestClose1012_Drain(t *testing.T) {
	inBubble(t, options{noService: true}, func(t *testing.T, w *world) {
		stop := w.serveFor()
		w.demo()
		idle, busy := w.connect("ada"), w.connect("bob")
		idle.skip("ready")
		busy.skip("ready")
		start := time.Now()
		drained := make(chan error, 1)
		go func() { drained <- w.hubs.drain(t.Context(), 10*time.Second) }()
		one, two := idle.skip("goaway").After, busy.skip("goaway").After
		if one+two != leaveEvery.Milliseconds() || one == two {
			t.Errorf("reconnect after %d and %d", one, two)
		}
		if w.hubs.ready() == nil {
			t.Error("ready while draining")
		}
		d := websocket.Dialer{NetDialContext: w.dial}
		if _, resp, err := d.DialContext(t.Context(), w.url+"/"+board+"?user=bob", nil); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%v %v", resp, err)
		}
		if f := busy.verdict(busy.mutate("c1", `{"title":"as ever"}`)); f.Type != "ack" {
			t.Errorf("%s", f)
		}
		stop()
		id := busy.mutate("c1", `{"title":"x"}`)
		idle.closed(1012)
		if took := time.Since(start); took < leaveGrace || took > leaveGrace+100*time.Millisecond {
			t.Errorf("closed after %v", took)
		}
		time.Sleep(100 * time.Millisecond)
		late := busy.mutate("c1", `{"title":"late"}`)
		if f := busy.verdict(late); f.Code != "unavailable" || !f.Retryable {
			t.Errorf("%s", f)
		}
		select {
		case err := <-drained:
			t.Fatalf("drained with a mutation in flight: %v", err)
		default:
		}
		w.serveFor()
		if f := busy.verdict(id); f.Type != "ack" {
			t.Errorf("%s", f)
		}
		busy.closed(1012)
		if err := <-drained; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if c := w.hubs.counters(); c.Sessions != 0 || c.Boards != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestDrain_SpreadsNoWiderThanTold: many clients go within the spread, and the
// node is done as soon as they have gone.
func TestDrain_SpreadsNoWiderThanTold(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		var all []*socket
		for range 20 {
			s := w.connect("ada")
			s.skip("ready")
			all = append(all, s)
		}
		synctest.Wait() // the last is counted, too
		start := time.Now()
		drained := make(chan error, 1)
		go func() { drained <- w.hubs.drain(t.Context(), 40*time.Millisecond) }()
		times := map[int64]bool{}
		for _, s := range all {
			times[s.skip("goaway").After] = true
		}
		for i := range all {
			if !times[2*int64(i)] {
				t.Errorf("nobody goes after %d ms: %v", 2*i, times)
			}
		}
		for _, s := range all {
			_ = s.ws.Close()
		}
		if err := <-drained; err != nil || time.Since(start) > leaveGrace/2 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestDrain_EndsWithItsContext: what waits for a verdict then is closed all the same.
func TestDrain_EndsWithItsContext(t *testing.T) {
	inBubble(t, options{noService: true}, func(t *testing.T, w *world) {
		stop := w.serveFor()
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		stop()
		s.mutate("c1", `{"title":"x"}`)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := w.hubs.drain(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		s.closed(1012)
	})
}
