package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

func TestClose1007_NotUTF8(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		s.send("{\"type\":\"ping\",\"x\":\"\xff\"}")
		s.closed(1007)
	})
}

func TestClose1000_ClientLeaves(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		if err := s.ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "")); err != nil {
			t.Fatal(err)
		}
		s.closed(1000)
		synctest.Wait()
		if n := w.hubs.counters().Sessions; n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestClose4004_NoPong(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connectRaw("/"+board+"?user=bob", nil)
		s.ws.SetPingHandler(func(string) error { return nil })
		start := time.Now()
		go s.readAll()
		s.closed(4004)
		if took := time.Since(start); took < 15*time.Second || took > 16*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

func TestPong_KeepsAnIdleConnection(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		time.Sleep(10 * time.Minute) // virtual
		if f := s.verdict(s.mutate("c1", `{"title":"still here"}`)); f.Type != "ack" {
			t.Errorf("%s", f)
		}
	})
}

func TestClose4504_Version(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connectRaw("/"+board+"?user=bob", nil, "snapback.v2")
		go s.readAll()
		s.closed(4504)
		s = w.connectRaw("/"+board+"?user=bob", nil, "snapback.v2", "snapback.v1")
		if s.ws.Subprotocol() != "snapback.v1" {
			t.Errorf("subprotocol %q", s.ws.Subprotocol())
		}
	})
}

func TestClose4502_UnknownBoardAndForbiddenOneAlike(t *testing.T) {
	inBubble(t, options{auth: true}, func(t *testing.T, w *world) {
		w.demo()
		w.tokens["eve"] = identity{user: "eve"}
		var said []string
		for _, path := range []string{"/" + board, "/nowhere", "/not.an.id", "/*"} {
			s := w.connectRaw(path, http.Header{"Authorization": {"Bearer eve"}})
			go s.readAll()
			f := s.next()
			if f.Type != "error" || f.Code != "not_found" {
				t.Errorf("%s: %s", path, f)
			}
			said = append(said, f.raw)
			s.closed(4502)
		}
		if slices.Sort(said); said[0] != said[3] {
			t.Errorf("%q", said)
		}
	})
}

func TestAuth_ByHeaderSubprotocolAndFrame(t *testing.T) {
	inBubble(t, options{auth: true}, func(t *testing.T, w *world) {
		w.demo()
		w.tokens["bob"] = identity{user: "bob", name: "Bob", picture: "https://x/p"}
		header := w.connect("bob")
		if f := header.next(); f.Type != "hello" || f.User != "bob" || f.Name != "Bob" || f.Role != "editor" {
			t.Errorf("%s", f)
		}
		sub := w.connectRaw("/"+board, nil, "snapback.v1", "snapback.bearer.bob")
		if sub.ws.Subprotocol() != "snapback.v1" {
			t.Errorf("subprotocol %q", sub.ws.Subprotocol())
		}
		go sub.readAll()
		sub.skip("ready")
		first := w.connectRaw("/"+board, nil)
		go first.readAll()
		first.send(`{"type":"auth","token":"bob"}`)
		first.skip("ready")
	})
}

func TestClose4500_BadToken(t *testing.T) {
	inBubble(t, options{auth: true}, func(t *testing.T, w *world) {
		w.demo()
		sub := w.connectRaw("/"+board, nil, "snapback.v1", "snapback.bearer.wrong")
		go sub.readAll()
		sub.closed(4500)
		frame := w.connectRaw("/"+board, nil)
		go frame.readAll()
		frame.send(`{"type":"auth","token":"wrong"}`)
		frame.closed(4500)
		silent := w.connectRaw("/"+board, nil)
		start := time.Now()
		go silent.readAll()
		silent.closed(4500)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

func TestClose4501_FirstFrameNotAuth(t *testing.T) {
	inBubble(t, options{auth: true}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connectRaw("/"+board, nil)
		go s.readAll()
		s.send(`{"type":"ping"}`)
		s.closed(4501)
	})
}

func TestClose4001_TokenExpires_AndRefreshPutsItOff(t *testing.T) {
	inBubble(t, options{auth: true}, func(t *testing.T, w *world) {
		w.demo()
		start := time.Now()
		w.tokens["short"] = identity{user: "bob", expires: start.Add(time.Minute)}
		w.tokens["long"] = identity{user: "bob", expires: start.Add(time.Hour)}
		a, b := w.connect("short"), w.connect("short")
		a.skip("ready")
		b.skip("ready")
		b.send(`{"type":"auth","token":"long"}`)
		a.closed(4001)
		if took := time.Since(start); took != time.Minute {
			t.Errorf("after %v", took)
		}
		if f := b.verdict(b.mutate("c1", `{"title":"x"}`)); f.Type != "ack" {
			t.Errorf("%s", f)
		}
		b.ws.SetReadDeadline(time.Time{})
		time.Sleep(time.Until(start.Add(time.Hour)))
		b.closed(4001)
	})
}

func TestAuth_RefreshWithAnotherUserIs4500(t *testing.T) {
	inBubble(t, options{auth: true}, func(t *testing.T, w *world) {
		w.demo()
		w.tokens["bob"] = identity{user: "bob"}
		w.tokens["ada"] = identity{user: "ada"}
		s := w.connect("bob")
		s.skip("ready")
		s.send(`{"type":"auth","token":"ada"}`)
		s.closed(4500)
	})
}

func TestClose4502_MembershipLost(t *testing.T) {
	inBubble(t, options{auth: true}, func(t *testing.T, w *world) {
		w.demo()
		w.tokens["bob"] = identity{user: "bob"}
		w.tokens["grant"] = identity{user: "bob", boards: map[string]domain.Role{"*": domain.Viewer}}
		s, granted := w.connect("bob"), w.connect("grant")
		s.skip("ready")
		granted.skip("ready")
		gone := put("member:bob", "")
		gone.Patch = nil
		w.do(gone)
		w.do(put("c1", "", "title", "not for bob"))
		for {
			f := s.next()
			if f.Type == "" {
				if f.closed != 4502 {
					t.Errorf("%s", f)
				}
				break
			}
			if f.Event == "card.renamed" {
				t.Errorf("told after he was removed: %s", f)
			}
		}
		if f := granted.until("sync"); f[0].Event != "member.removed" {
			t.Errorf("%v", f)
		}
		if f := granted.next(); f.Event != "card.renamed" {
			t.Errorf("%s", f)
		}
		if f := granted.verdict(granted.mutate("c1", `{"title":"x"}`)); f.Code != "forbidden" {
			t.Errorf("role change not in effect: %s", f)
		}
	})
}

// TestClose4002_TooFarBehind: what is gone is no longer known as of where the
// reader stands, so only a new join can tell.
func TestClose4002_TooFarBehind(t *testing.T) {
	inBubble(t, options{cfg: Config{QueueBytes: 16 << 10}}, func(t *testing.T, w *world) {
		w.demo()
		slow := w.connectRaw("/"+board+"?user=bob", nil)
		synctest.Wait()
		for n := 0; n <= domain.TombstoneRevs; {
			var changes []domain.Change
			for range 100 {
				n++
				changes = append(changes, put("c1", "", "title", strconv.Itoa(n)))
			}
			w.do(changes...)
		}
		go slow.readAll()
		slow.closed(4002)
	})
}

// headless is a log without a leader.
type headless struct{ *logtest.Log }

func (headless) Head(context.Context, string) (uint64, error) {
	return 0, errors.New("no leader")
}

func TestClose1013_TheLogDoesNotAnswer(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.hubs.log = headless{w.fake}
		s := w.connectRaw("/"+board+"?user=bob", nil)
		go s.readAll()
		s.closed(1013)
		synctest.Wait()
		if n := w.hubs.counters().Boards; n != 0 {
			t.Errorf("%d rooms are left", n)
		}
	})
}

// cutOff is a log whose leader is out of reach while it is set.
type cutOff struct {
	*logtest.Log
	now atomic.Bool
}

func (l *cutOff) Head(ctx context.Context, board string) (uint64, error) {
	if l.now.Load() {
		return 0, errors.New("no leader")
	}
	return l.Log.Head(ctx, board)
}

// TestClose1013_BehindItsClient: a node that is cut off does not take a client
// back who has seen more on another one, unless the log says that it has no more.
func TestClose1013_BehindItsClient(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		log := &cutOff{Log: w.fake}
		w.hubs.log = log
		w.demo()
		s := w.connect("bob")
		rev := s.skip("ready").Rev
		query := fmt.Sprintf("since=%d&epoch=%s", rev+1, s.epoch)
		log.now.Store(true)
		r := w.connectRaw("/"+board+"?user=bob&"+query, nil)
		go r.readAll()
		r.closed(1013)
		if list := w.connect("bob", fmt.Sprintf("since=%d&epoch=%s", rev, s.epoch)).until("ready"); !list[0].Resumed {
			t.Errorf("who has what the node has: %v", list)
		}
		log.now.Store(false)
		if list := w.connect("bob", query).until("ready"); list[0].Resumed || list[0].Rev != rev {
			t.Errorf("the log has no more: %v", list[0])
		}
	})
}

func TestClose1001_TheServerIsClosed(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		w.hubs.close()
		s.closed(1001)
		synctest.Wait()
		if n := w.hubs.counters().Sessions; n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestClose4002_ReaderThatTakesNothing, though it shows life all the time.
func TestClose4002_ReaderThatTakesNothing(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connectRaw("/"+board+"?user=bob", nil)
		synctest.Wait()
		start := time.Now()
		for w.hubs.counters().Sessions == 1 {
			if time.Since(start) > time.Minute {
				t.Fatal("still there")
			}
			_ = s.ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(time.Second))
			time.Sleep(time.Second)
		}
		if took := time.Since(start); took < writeTimeout || took > writeTimeout+10*time.Second {
			t.Errorf("gone after %v", took)
		}
	})
}

// TestSession_Rests: an idle connection has no writer, after a while no buffer
// and a small stack, and one that is over is given no writer.
func TestSession_Rests(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		s.verdict(s.mutate("c1", `{"title":"x"}`))
		synctest.Wait()
		var of *session
		w.hubs.mu.Lock()
		for of = range w.hubs.sessions {
		}
		w.hubs.mu.Unlock()
		state := func() (active, over bool) {
			of.q.mu.Lock()
			defer of.q.mu.Unlock()
			return of.q.active || of.q.list != nil, of.q.over
		}
		if active, over := state(); active || over {
			t.Errorf("idle: something written %v, over %v", active, over)
		}
		time.Sleep(w.hubs.cfg.PongTimeout) // a ping and two are answered
		synctest.Wait()
		if of.grown || of.in.talk != nil || len(of.waiting) > 0 || of.last != nil {
			t.Errorf("at rest the reader has grown %v, has a buffer %v, waits for %v", of.grown, of.in.talk != nil, of.waiting)
		}
		s.ws.Close()
		synctest.Wait()
		of.put(replyItem("late"))
		if active, over := state(); active || !over {
			t.Errorf("gone: writer %v, over %v", active, over)
		}
	})
}

// TestSession_PanicCostsOneConnection, and what it held is given back.
func TestSession_PanicCostsOneConnection(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s, other := w.connect("bob"), w.connect("ada")
		s.skip("ready")
		other.skip("ready")
		w.hubs.log = exploding{tap}
		s.mutate("c1", `{"title":"x"}`)
		s.closed(1006)
		w.hubs.log = tap
		if f := other.verdict(other.mutate("c1", `{"title":"y"}`)); f.Type != "ack" {
			t.Errorf("%s", f)
		}
		time.Sleep(time.Minute)
		if n := w.hubs.counters().Sessions; n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}

// exploding is a log whose publishing panics.
type exploding struct{ *tapped }

func (exploding) PublishCommand(*domain.Command, time.Duration) error { panic("a bug") }
