package gateway

import (
	"fmt"
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
