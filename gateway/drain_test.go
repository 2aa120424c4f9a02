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

// TestClose1012_Drain: goaway with spread times, what is in flight gets its
// verdict, what is new is refused, and then every connection closes.
func TestClose1012_Drain(t *testing.T) {
	inBubble(t, options{noService: true}, func(t *testing.T, w *world) {
		stop := w.serveFor()
		w.demo()
		idle, busy := w.connect("ada"), w.connect("bob")
		idle.skip("ready")
		busy.skip("ready")
		stop()
		id := busy.mutate("c1", `{"title":"x"}`)
		synctest.Wait()
		drained := make(chan error, 1)
		go func() { drained <- w.hubs.drain(t.Context(), 10*time.Second) }()
		one, two := idle.skip("goaway").After, busy.skip("goaway").After
		if one+two != 5000 || one == two {
			t.Errorf("reconnect after %d and %d", one, two)
		}
		idle.closed(1012)
		if w.hubs.ready() == nil {
			t.Error("ready while draining")
		}
		late := busy.mutate("c1", `{"title":"late"}`)
		if f := busy.verdict(late); f.Code != "unavailable" || !f.Retryable {
			t.Errorf("%s", f)
		}
		d := websocket.Dialer{NetDialContext: w.dial}
		if _, resp, err := d.DialContext(t.Context(), w.url+"/"+board+"?user=bob", nil); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%v %v", resp, err)
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
