package gateway

import (
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
)

// socket connects to the board demo as user and gives the connection and its session.
func (s *site) socket(user string) (*websocket.Conn, string) {
	s.t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.url, "http")+"/v1/boards/demo/ws?user="+user, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { ws.Close() })
	var hello frame
	if err := ws.ReadJSON(&hello); err != nil || hello.Session == "" {
		s.t.Fatalf("%+v %v", hello, err)
	}
	return ws, hello.Session
}

const (
	noLab  = `{"delayMs":0,"jitterMs":0,"refuse":0,"swallow":0,"plan":[]}` + "\n"
	allLab = `{"delayMs":30000,"jitterMs":1,"refuse":0.3,"swallow":0.7,"plan":["pass","refuse","swallow"]}` + "\n"
)

func TestLabEndpoint(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{Lab: true})
	s.demo()
	_, key := s.socket("bob")
	bobs := "/v1/boards/demo/lab?user=bob&session=" + key
	if r := s.must(200, "GET", bobs, ""); r.body != noLab {
		t.Errorf("at first: %s", r.body)
	}
	if r := s.must(200, "PUT", bobs, allLab); r.body != allLab {
		t.Errorf("set: %s", r.body)
	}
	s.must(400, "PUT", bobs, `{"delayMs":1,"refuse":2}`)
	if r := s.must(200, "GET", bobs, ""); r.body != allLab {
		t.Errorf("after a bad one: %s", r.body)
	}
	s.must(201, "POST", "/v1/boards?user=bob", `{"id":"other","title":"Other"}`)
	for _, path := range []string{
		"/v1/boards/demo/lab?user=ann&session=" + key, "/v1/boards/other/lab?user=bob&session=" + key, "/v1/boards/none/lab?user=bob&session=" + key,
		"/v1/boards/demo/lab?user=bob", "/v1/boards/demo/lab?user=bob&session=" + key[1:],
	} {
		for method, body := range map[string]string{"GET": "", "PUT": noLab} {
			if got := s.must(404, method, path, body).code(t); got != domain.NotFound {
				t.Errorf("%s %s: %s", method, path, got)
			}
		}
	}
	if r := s.must(200, "PUT", bobs, `{"jitterMs":7}`); r.body != strings.Replace(noLab, `"jitterMs":0`, `"jitterMs":7`, 1) {
		t.Errorf("what is missing: %s", r.body)
	}
	if r := s.must(200, "PUT", bobs, `{}`); r.body != noLab {
		t.Errorf("reset: %s", r.body)
	}
}

func TestLabEndpoint_OnlyOfALab(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	_, key := s.socket("bob")
	for _, method := range []string{"GET", "PUT", "POST"} {
		if got := s.must(404, method, "/v1/boards/demo/lab?user=bob&session="+key, noLab).code(t); got != domain.NotFound {
			t.Errorf("%s: %s", method, got)
		}
	}
}

func TestLabEndpoint_NamesFieldAndLimit(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{Lab: true})
	s.demo()
	_, key := s.socket("bob")
	plan := func(n int) string { return `["pass"` + strings.Repeat(`,"refuse"`, n-1) + `]` }
	const known = "delayMs, jitterMs, refuse, swallow, plan"
	for _, tt := range []struct {
		body, field string
		limit       any
	}{
		{``, "", nil}, {`[]`, "", nil}, {`null`, "", nil}, {`7`, "", nil}, {`{"plan":`, "", nil},
		{`{"delay":1}`, "delay", known}, {`{"DelayMs":1}`, "DelayMs", known}, {`{"":1}`, "", known},
		{`{"delayMs":-1}`, "delayMs", 30000.0}, {`{"delayMs":30001}`, "delayMs", 30000.0}, {`{"delayMs":1.5}`, "delayMs", 30000.0},
		{`{"delayMs":"1"}`, "delayMs", 30000.0}, {`{"delayMs":null}`, "delayMs", 30000.0}, {`{"delayMs":1e99}`, "delayMs", 30000.0},
		{`{"jitterMs":-1}`, "jitterMs", 30000.0}, {`{"jitterMs":30001}`, "jitterMs", 30000.0}, {`{"jitterMs":[]}`, "jitterMs", 30000.0},
		{`{"refuse":-0.1}`, "refuse", 1.0}, {`{"refuse":1.1}`, "refuse", 1.0}, {`{"refuse":true}`, "refuse", 1.0},
		{`{"swallow":-0.1}`, "swallow", 1.0}, {`{"swallow":1.1}`, "swallow", 1.0}, {`{"swallow":null}`, "swallow", 1.0},
		{`{"refuse":0.6,"swallow":0.5}`, "swallow", 1.0},
		{`{"plan":{}}`, "plan", 100.0}, {`{"plan":null}`, "plan", 100.0}, {`{"plan":["delay"]}`, "plan", 100.0},
		{`{"plan":[null]}`, "plan", 100.0}, {`{"plan":["Pass"]}`, "plan", 100.0}, {`{"plan":` + plan(101) + `}`, "plan", 100.0},
		{`{"delayMs":0,"jitterMs":0,"refuse":0,"swallow":0,"plan":[]}`, "ok", nil}, {`{"plan":` + plan(100) + `}`, "ok", nil},
		{`{"delayMs":30000,"jitterMs":30000}`, "ok", nil}, {`{"refuse":0.9,"swallow":0.1}`, "ok", nil}, {`{"swallow":1}`, "ok", nil}, {`{"refuse":1}`, "ok", nil},
	} {
		r := s.do("PUT", "/v1/boards/demo/lab?user=bob&session="+key, tt.body)
		if tt.field == "ok" {
			if r.status != 200 {
				t.Errorf("%s: %d %s", tt.body, r.status, r.body)
			}
			continue
		}
		var p struct {
			Details struct {
				Field string
				Limit any
			}
		}
		r.json(t, &p)
		if r.status != 400 || r.code(t) != domain.Invalid || p.Details.Field != tt.field || p.Details.Limit != tt.limit {
			t.Errorf("%s: %d %s", tt.body, r.status, r.body)
		}
	}
}

// TestLaw3_RefusedByTheLabOverHTTP: the refusal has a status of its own, and is
// found by the id.
func TestLaw3_RefusedByTheLabOverHTTP(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{Lab: true})
	s.demo()
	ws, key := s.socket("bob")
	s.must(200, "PUT", "/v1/boards/demo/lab?user=bob&session="+key, `{"refuse":1}`)
	const mutation = `{"type":"mutate","clientMutationId":"m1","entityId":"c1","patch":{"title":"never"}}`
	if err := ws.WriteMessage(websocket.TextMessage, []byte(mutation)); err != nil {
		t.Fatal(err)
	}
	var f frame
	for f.Type != "nack" {
		f = frame{}
		if err := ws.ReadJSON(&f); err != nil {
			t.Fatal(err)
		}
	}
	refusedByLab(t, f)
	r := s.must(409, "POST", "/v1/boards/demo/mutations?user=bob", mutation)
	if r.code(t) != "lab" || strings.Contains(r.body, "retryable") {
		t.Errorf("%s", r.body)
	}
	var found frame
	if s.must(200, "GET", "/v1/boards/demo/mutations/m1?user=bob", "").json(t, &found); found.Type != "nack" || found.Code != "lab" || found.Retryable {
		t.Errorf("%+v", found)
	}
	if got := s.must(404, "GET", "/v1/boards/demo/mutations/m1?user=ann", "").code(t); got != "undecided" {
		t.Errorf("of somebody else: %s", got)
	}
	if strings.Contains(s.must(200, "GET", "/v1/boards/demo?user=bob", "").body, "never") {
		t.Error("it took effect")
	}
}
