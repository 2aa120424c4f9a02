package gateway

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestPresence: shown after ready and live, never to oneself, null on leave.
func TestPresence(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		a := w.connect("ada")
		a.skip("ready")
		a.send(`{"type":"presence","data":{"card": "c1"}}`)
		synctest.Wait()
		b := w.connect("bob")
		b.skip("ready")
		if f := b.next(); f.Type != "presence" || f.Session != a.session || f.User != "ada" || string(f.Data) != `{"card":"c1"}` {
			t.Errorf("after ready: %s", f)
		}
		b.send(`{"type":"presence","data":7}`)
		if f := a.next(); f.Type != "presence" || f.User != "bob" || string(f.Data) != "7" {
			t.Errorf("live: %s", f)
		}
		b.send(`{"type":"ping"}`)
		if f := b.next(); f.Type != "pong" {
			t.Errorf("to oneself: %s", f)
		}
		a.ws.Close()
		if f := b.next(); f.Type != "presence" || f.Session != a.session || string(f.Data) != "null" {
			t.Errorf("left: %s", f)
		}
		c := w.connect("ada")
		c.skip("ready")
		if f := c.next(); f.User != "bob" {
			t.Errorf("%s", f)
		}
	})
}

// TestPresence_NullLeaves: who says null is gone for the others and for
// newcomers, and may come again.
func TestPresence_NullLeaves(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		a, b := w.connect("ada"), w.connect("bob")
		a.skip("ready")
		b.skip("ready")
		for _, data := range []string{`1`, `null`, `2`, `null`} {
			a.send(`{"type":"presence","data":` + data + `}`)
			if f := b.next(); f.Type != "presence" || f.Session != a.session || string(f.Data) != data {
				t.Errorf("%s, not %s", f, data)
			}
		}
		c := w.connect("cleo")
		c.skip("ready")
		c.send(`{"type":"ping"}`)
		if f := c.next(); f.Type != "pong" {
			t.Errorf("a newcomer hears %s", f)
		}
		a.send(`{"type":"presence","data":null}`) // it has left already
		c.send(`{"type":"presence","data":null}`) // nobody knows of it
		a.ws.Close()
		synctest.Wait()
		b.send(`{"type":"ping"}`)
		if f := b.next(); f.Type != "pong" {
			t.Errorf("who is not there leaves: %s", f)
		}
	})
}

// TestPresence_TenASecond: what comes later replaces what waits.
func TestPresence_TenASecond(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		a, b := w.connect("ada"), w.connect("bob")
		a.skip("ready")
		b.skip("ready")
		start := time.Now()
		for i := range 100 {
			a.send(fmt.Sprintf(`{"type":"presence","data":%d}`, i))
			time.Sleep(10 * time.Millisecond)
		}
		n, last := 0, ""
		for last != "99" {
			f := b.next()
			n, last = n+1, string(f.Data)
		}
		if took := time.Since(start); n > 11 || n < 9 || took > 1200*time.Millisecond {
			t.Errorf("%d shown in %v", n, took)
		}
	})
}

// TestPresence_SilentSessionLeaves: 15 s without a sign of life.
func TestPresence_SilentSessionLeaves(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		a := w.connectRaw("/"+board+"?user=ada", nil)
		a.ws.SetPingHandler(func(string) error { return nil })
		go a.readAll()
		b := w.connect("bob")
		b.skip("ready")
		a.send(`{"type":"presence","data":{}}`)
		b.skip("presence")
		start := time.Now()
		if f := b.skip("presence"); string(f.Data) != "null" {
			t.Errorf("%s", f)
		}
		if took := time.Since(start); took > 16*time.Second {
			t.Errorf("after %v", took)
		}
	})
}
