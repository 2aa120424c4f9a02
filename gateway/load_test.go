package gateway

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// held is how many answers all lagging sessions will get after their catch-up,
// and how large they are while they wait.
func (w *world) held() (n, bytes int) {
	synctest.Wait()
	w.hubs.mu.Lock()
	defer w.hubs.mu.Unlock()
	for s := range w.hubs.sessions {
		s.q.mu.Lock()
		n += len(s.q.held)
		for _, it := range s.q.held {
			bytes += len(it.data)
		}
		s.q.mu.Unlock()
	}
	return n, bytes
}

// TestLoad_AsManyAsMay are answered at once, the others in their turn; nothing
// grows while nobody reads the answers.
func TestLoad_AsManyAsMay(t *testing.T) {
	inBubble(t, options{cfg: Config{QueueBytes: 64 << 10}}, func(t *testing.T, w *world) {
		w.demo()
		for i := range 30 {
			w.do(put(fmt.Sprint("say", i), "comment", "text", strings.Repeat("x", 2000), "cardId", "c1"))
		}
		s := w.connect("bob", "part=open")
		s.skip("ready")
		start := time.Now()
		go func() {
			for i := range 120 {
				s.send(fmt.Sprintf(`{"type":"load","id":%d,"card":"c2"}`, i))
			}
		}()
		for i := range 120 {
			if f := s.skip("loaded"); f.LoadID != i {
				t.Fatalf("page %d: %s", i, f)
			}
		}
		if took := time.Since(start); took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Errorf("120 pages took %v", took)
		}
		greedy := w.connectRaw("/"+board+"?user=bob&part=open", nil)
		go func() {
			for greedy.ws.WriteMessage(1, []byte(`{"type":"load","id":1,"card":"c1"}`)) == nil {
			}
		}()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if total := queued(w); total > 3*64<<10 {
			t.Errorf("%d bytes queued", total)
		}
		greedy.ws.Close()
		lagging := w.naive("bob", "part=open")
		<-lagging.gate // its socket takes no more
		for i := range 40 {
			w.do(put("c2", "", "description", strings.Repeat("x", 4000+i)))
		}
		for i := range 1000 {
			lagging.out <- fmt.Sprintf(`{"type":"load","id":%d,"card":"c1"}`, i)
		}
		time.Sleep(10 * time.Second)
		if n, bytes := w.held(); n == 0 || n > 4 || bytes > 0 {
			t.Errorf("%d pages held back, %d bytes", n, bytes)
		}
		lagging.gate <- struct{}{}
		for i := 0; i < 1000; {
			f := <-lagging.frames
			lagging.take(f)
			if f.Type != "loaded" {
				continue
			}
			if f.LoadID != i || len(f.Entities) != 31 || f.Rev != lagging.at || !lagging.settled {
				t.Fatalf("page %d at rev %d: %.200s", i, lagging.at, f)
			}
			i++
		}
	})
}

// TestLoad_LargePagesCountAsSeveral: the room waits while one is made.
func TestLoad_LargePagesCountAsSeveral(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		for i := range 50 {
			w.do(put(fmt.Sprint("say", i), "comment", "text", strings.Repeat("x", 4000), "cardId", "c1")) // 200 kB in all
		}
		for card, want := range map[string]time.Duration{"c1": 100 * 4 * loadPer, "c2": 100 * loadPer} {
			s := w.connect("bob", "part=open")
			s.skip("ready")
			start := time.Now()
			go func() {
				for i := range 100 {
					s.send(fmt.Sprintf(`{"type":"load","id":%d,"card":%q}`, i, card))
				}
			}()
			for range 100 {
				s.skip("loaded")
			}
			if took := time.Since(start); took > want || took < want-loadBurst-50*time.Millisecond {
				t.Errorf("100 pages of %s took %v, should take %v", card, took, want)
			}
		}
	})
}

// TestLoad_OneAtATimeLooksThroughTheArchive: the others wait outside, and
// nobody for them.
func TestLoad_OneAtATimeLooksThroughTheArchive(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.shelf()
		h, err := w.hubs.open(t.Context(), board)
		if err != nil {
			t.Fatal(err)
		}
		defer h.release()
		a, b := w.connect("bob", "part=open"), w.connect("ada", "part=open")
		a.skip("ready")
		b.skip("ready")
		h.archive.Lock()
		unlock := time.AfterFunc(time.Minute, h.archive.Unlock) // by then all others are done
		a.send(`{"type":"load","id":1,"archive":true}`)
		if ids, _ := b.loaded(`"card":"c1"`); ids != "c1,say2,say1" {
			t.Error(ids)
		}
		if f := b.verdict(b.mutate("c1", `{"title":"x"}`)); f.Type != "ack" || !unlock.Stop() {
			t.Errorf("%s", f)
		}
		h.archive.Unlock()
		if f := a.skip("loaded"); len(f.Entities) != 4 {
			t.Errorf("%s", f)
		}
	})
}
