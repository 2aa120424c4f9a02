package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
)

// inBubble runs a test on virtual time.
func inBubble(t *testing.T, o options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newWorld(t, o)) })
}

func TestFrame_Ping(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		s.send(`{"type":"ping","unknown":1}`)
		f := s.next()
		if at, err := time.Parse(time.RFC3339, f.Time); f.Type != "pong" || err != nil || time.Since(at) > time.Second {
			t.Errorf("%s", f)
		}
	})
}

// TestLaw8_BrokenFrameCostsThatFrame: an error frame without an id, a nack with one.
func TestLaw8_BrokenFrameCostsThatFrame(t *testing.T) {
	long := strings.Repeat("x", 65)
	many := strings.Repeat(`{"entityId":"c1","patch":{}},`, 100) + `{"entityId":"c1","patch":{}}`
	tests := []struct{ name, frame, answer, field, limit string }{
		{"not JSON", `{"type":`, "error", "", ""},
		{"no object", `[]`, "error", "", ""},
		{"no type", `{}`, "error", "", ""},
		{"unknown type", `{"type":"load","id":1}`, "error", "", ""},
		{"type in capitals", `{"TYPE":"ping"}`, "error", "", ""},
		{"no id", `{"type":"mutate","entityId":"c1","patch":{}}`, "error", "", ""},
		{"id no string", `{"type":"mutate","clientMutationId":7,"entityId":"c1","patch":{}}`, "error", "", ""},
		{"id too long", `{"type":"mutate","clientMutationId":"` + long + `","entityId":"c1","patch":{}}`, "nack", "clientMutationId", "64"},
		{"id with a space", `{"type":"cancel","clientMutationId":"a b"}`, "nack", "clientMutationId", "64"},
		{"no entity", `{"type":"mutate","clientMutationId":"m","patch":{}}`, "nack", "entityId", ""},
		{"no patch", `{"type":"mutate","clientMutationId":"m","entityId":"c1"}`, "nack", "patch", ""},
		{"patch a list", `{"type":"mutate","clientMutationId":"m","entityId":"c1","patch":[]}`, "nack", "patch", ""},
		{"patch in capitals", `{"type":"mutate","clientMutationId":"m","entityId":"c1","Patch":null}`, "nack", "patch", ""},
		{"change without patch", `{"type":"mutate","clientMutationId":"m","changes":[{"entityId":"c1","patch":{}},{"entityId":"c2"}]}`, "nack", "patch", ""},
		{"no changes", `{"type":"mutate","clientMutationId":"m","changes":[]}`, "nack", "changes", ""},
		{"both", `{"type":"mutate","clientMutationId":"m","entityId":"c1","changes":[{"entityId":"c1","patch":{}}]}`, "nack", "entityId", ""},
		{"101 changes", `{"type":"mutate","clientMutationId":"m","changes":[` + many + `]}`, "nack", "changes", "100"},
		{"if no object", `{"type":"mutate","clientMutationId":"m","entityId":"c1","patch":{},"if":[]}`, "nack", "if", ""},
		{"ifRev negative", `{"type":"mutate","clientMutationId":"m","entityId":"c1","patch":{},"ifRev":-1}`, "nack", "ifRev", ""},
		{"ttl too short", `{"type":"mutate","clientMutationId":"m","entityId":"c1","patch":{},"ttlMs":999}`, "nack", "ttlMs", "60000"},
		{"ttl too long", `{"type":"mutate","clientMutationId":"m","entityId":"c1","patch":{},"ttlMs":60001}`, "nack", "ttlMs", "60000"},
		{"expiresAt no time", `{"type":"mutate","clientMutationId":"m","entityId":"c1","patch":{},"expiresAt":"soon"}`, "nack", "expiresAt", ""},
		{"presence without data", `{"type":"presence"}`, "error", "", ""},
		{"presence too large", `{"type":"presence","data":"` + strings.Repeat("x", 1023) + `"}`, "error", "", ""},
		{"auth in open mode", `{"type":"auth","token":"t"}`, "error", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, options{}, func(t *testing.T, w *world) {
				w.demo()
				before := len(w.fake.Stored(board))
				s := w.connect("bob")
				s.skip("ready")
				s.send(test.frame)
				f := s.next()
				if f.Type != test.answer || f.Code != "invalid" || f.Retryable {
					t.Fatalf("%s", f)
				}
				if field, _ := f.Details["field"].(string); f.Type == "nack" && field != test.field {
					t.Errorf("field %q: %s", field, f)
				}
				if limit := f.Details["limit"]; test.limit != "" && fmt.Sprint(limit) != test.limit {
					t.Errorf("limit %v: %s", limit, f)
				}
				s.send(`{"type":"ping"}`)
				s.skip("pong")
				if n := len(w.fake.Stored(board)); n != before {
					t.Errorf("%d records more", n-before)
				}
			})
		})
	}
}

func TestLaw8_OversizedMutation(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		s.mutateAs("big", "c1", `{"description":"`+strings.Repeat("x", 270_000)+`"}`)
		if f := s.next(); f.Type != "nack" || f.Code != "too_large" || f.ID != "big" || f.Details["limit"] != 262144.0 || f.Retryable {
			t.Errorf("%s", f)
		}
		s.send(`{"type":"ping","x":"` + strings.Repeat("x", 270_000) + `"}`)
		if f := s.next(); f.Type != "error" || f.Code != "too_large" {
			t.Errorf("%s", f)
		}
		if f := s.verdict(s.mutate("c1", `{"title":"small"}`)); f.Type != "ack" {
			t.Errorf("%s", f)
		}
		go s.ws.WriteMessage(websocket.TextMessage, make([]byte, 2<<20))
		s.closed(1009)
	})
}

func TestLaw8_RepeatedAbuseCostsTheConnection(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		go func() {
			for range 100 {
				if s.ws.WriteMessage(websocket.TextMessage, []byte(`nonsense`)) != nil {
					return
				}
			}
		}()
		s.closed(4005)
	})
}

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

func TestFrame_LikedHasTwoEncodings(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		bob, ada := w.connect("bob"), w.connect("ada")
		bob.skip("ready")
		ada.skip("ready")
		bob.mutate("c1", `{"liked":true}`)
		b, a := bob.skip("sync"), ada.skip("sync")
		if b.Entity["liked"] != true || a.Entity["liked"] != false || b.Entity["likes"] != 1.0 || a.Entity["likes"] != 1.0 || a.Event != "card.liked" {
			t.Errorf("bob %s\nada %s", b, a)
		}
		for _, f := range w.connect("bob").until("ready") {
			if f.Entity["id"] == "c1" && f.Entity["liked"] != true {
				t.Errorf("at join: %s", f)
			}
		}
	})
}

func TestFrame_FilesNeverShowTheirObject(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		file := put("f1", "file", "name", "a.txt", "cardId", "c1")
		file.Content = &domain.Content{Object: "secret", Size: 3, ContentType: "text/plain", SHA256: strings.Repeat("0", 64)}
		w.do(file)
		live := s.skip("sync")
		s.mutateAs("cheat", "f1", `{"name":"b.txt"}`, `"content":{"object":"mine"}`, `"toggle":true`, `"if":{"name":"wrong"}`)
		conflict := s.verdict("cheat")
		if conflict.Code != "conflict" || conflict.Details["entity"] == nil {
			t.Errorf("%s", conflict)
		}
		for _, f := range append(w.connect("bob").until("ready"), live, conflict) {
			if strings.Contains(f.raw, "secret") || strings.Contains(f.raw, `"object"`) {
				t.Errorf("%s", f)
			}
		}
		if live.Entity["size"] != 3.0 {
			t.Errorf("%s", live)
		}
	})
}

// TestFrame_NeverSetsToggleOrContent: what only the gateway may set.
func TestFrame_NeverSetsToggleOrContent(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		s.send(`{"type":"mutate","clientMutationId":"m1","entityId":"c1","patch":{"title":"x"},"toggle":true,"content":{"object":"o"}}`)
		s.verdict("m1")
		s.send(`{"type":"mutate","clientMutationId":"m2","changes":[{"entityId":"c1","patch":{"title":"y"},"toggle":true,"content":{"object":"o"}}]}`)
		s.verdict("m2")
		for _, rec := range w.fake.Stored(board) {
			for _, d := range rec.Commit.Decisions {
				for _, c := range d.Changes {
					if c.Toggle || c.Content != nil {
						t.Errorf("%s: %+v", d.ID, c)
					}
				}
			}
		}
	})
}

func TestFrame_ConflictShowsTheEntityToItsReader(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		s.verdict(s.mutate("c1", `{"liked":true}`))
		f := s.verdict(s.mutate("c1", `{"title":"mine"}`, `"if":{"title":"another"}`))
		entity, _ := f.Details["entity"].(map[string]any)
		if f.Code != "conflict" || entity["liked"] != true || entity["likes"] != 1.0 || fmt.Sprint(f.Details["fields"]) != "[title]" {
			t.Errorf("%s", f)
		}
	})
}

func TestFrame_Cancel(t *testing.T) {
	inBubble(t, options{noService: true}, func(t *testing.T, w *world) {
		stop := w.serveFor()
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		id := s.mutate("c1", `{"title":"decided"}`)
		ack := s.verdict(id)
		s.send(`{"type":"cancel","clientMutationId":"` + id + `"}`)
		if f := s.verdict(id); f.raw != ack.raw {
			t.Errorf("cancel of a decided one: %s", f)
		}
		s.send(`{"type":"cancel","clientMutationId":"never-seen"}`)
		if f := s.verdict("never-seen"); f.Code != "withdrawn" || f.Retryable {
			t.Errorf("cancel of an unknown one: %s", f)
		}
		s.mutateAs("never-seen", "c1", `{"title":"late"}`)
		if f := s.verdict("never-seen"); f.Code != "withdrawn" {
			t.Errorf("mutate after its cancel: %s", f)
		}
		stop() // what waits is withdrawn together, answered by one frame
		id = s.mutate("c1", `{"title":"undecided"}`)
		s.send(`{"type":"cancel","clientMutationId":"` + id + `"}`)
		synctest.Wait()
		w.serveFor()
		first := s.verdict(id)
		s.send(`{"type":"ping"}`)
		if list := s.until("pong"); len(list) > 2 || (first.Type == "nack" && len(list) != 1) {
			t.Errorf("%s, then %v", first, list)
		}
	})
}

func TestFrame_ExpiresAt(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		at := func(d time.Duration) string {
			return fmt.Sprintf(`"expiresAt":%q`, time.Now().Add(d).UTC().Format(time.RFC3339Nano))
		}
		far := at(90 * time.Second)
		id := s.mutate("c1", `{"title":"x"}`, far)
		first := s.verdict(id)
		if first.Code != "invalid" || first.Details["field"] != "expiresAt" {
			t.Errorf("%s", first)
		}
		time.Sleep(40 * time.Second)
		s.mutateAs(id, "c1", `{"title":"x"}`, far)
		if f := s.verdict(id); f.raw != first.raw {
			t.Errorf("later, no longer too far: %s", f)
		}
		if f := s.verdict(s.mutate("c1", `{"title":"x"}`, at(-time.Second))); f.Code != "expired" {
			t.Errorf("%s", f)
		}
		if f := s.verdict(s.mutate("c1", `{"title":"x"}`, at(59*time.Second))); f.Type != "ack" {
			t.Errorf("%s", f)
		}
	})
}

func TestFrame_UnknownFieldsOfAPatchAreRefused(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		if f := s.verdict(s.mutate("c1", `{"colour":"red"}`)); f.Code != "invalid" || f.Details["field"] != "colour" {
			t.Errorf("%s", f)
		}
	})
}

func TestPart_IsNotServedYet(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		d := websocket.Dialer{NetDialContext: w.dial}
		_, resp, err := d.DialContext(t.Context(), w.url+"/"+board+"?user=bob&part=open", nil)
		if err == nil || resp == nil || resp.StatusCode != http.StatusNotFound {
			t.Fatalf("%v %v", resp, err)
		}
		var p struct{ Code string }
		if json.NewDecoder(resp.Body).Decode(&p) != nil || p.Code != "not_found" {
			t.Errorf("code %q", p.Code)
		}
	})
}
