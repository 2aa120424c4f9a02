package gateway

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/rebuild"
)

// The page of any site can post to the loopback interface of whoever opened it,
// a text/plain body even without asking first.
func TestOperator_NoPageAsksForAnything(t *testing.T) {
	t.Parallel()
	s, log := newArchive(t, Config{})
	s.must(201, "POST", "/v1/boards?user=ann", `{"id":"demo","title":"Demo"}`)
	stream := s.must(200, "GET", "/v1/boards/demo/bundle", "").body
	there, log2 := newArchive(t, Config{})
	there.s.cfg.Rebuild = rebuild.Log(log)
	for _, page := range [][2]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Origin", "http://localhost:8081"},
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-origin"},
	} {
		for _, path := range []string{"/restore", "/rebuild", "/rebuild?check"} {
			w, r := httptest.NewRecorder(), httptest.NewRequest("POST", path, strings.NewReader(stream))
			r.Header.Set("Content-Type", "text/plain")
			r.Header.Set(page[0], page[1])
			there.s.AdminHandler().ServeHTTP(w, r)
			if w.Code != 403 {
				t.Errorf("%s with %s: %d %s", path, page, w.Code, w.Body)
			}
		}
	}
	if head, err := log2.Head(t.Context(), "demo"); head != 0 || err != nil {
		t.Errorf("a page restored a board, up to %d, %v", head, err)
	}
	if r := there.restore(stream, ""); r.status != 200 {
		t.Errorf("an operator: %d %s", r.status, r.body)
	}
}

// Who restores is told what there is no room for, and not to blame the log.
func TestRestore_SaysWhereThereIsNoRoom(t *testing.T) {
	s, _ := newArchive(t, Config{})
	t.Setenv("TMPDIR", t.TempDir()+"/gone")
	r := s.restore("{}", "")
	if r.status != 503 || !strings.Contains(r.body, os.TempDir()) || strings.Contains(r.body, "snapback-restore") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// What a restored board names is given out only if it is its own: its bundle
// may have been made by anybody.
func TestContent_OfAnotherBoardIsNotGivenOut(t *testing.T) {
	t.Parallel()
	s, log := newArchive(t, Config{})
	s.must(201, "POST", "/v1/boards?user=ann", `{"id":"secret","title":"Secret"}`)
	s.must(201, "POST", "/v1/boards?user=eve", `{"id":"mine","title":"Mine"}`)
	object := eventlog.ObjectName("secret")
	size, sum, err := log.PutContent(t.Context(), object, strings.NewReader("plans"), 100)
	if err != nil {
		t.Fatal(err)
	}
	for board, want := range map[string]int{"secret": 200, "mine": 404} {
		st, err := s.s.seatAt(t.Context(), identity{user: "eve", open: true}, board)
		if err != nil {
			t.Fatal(err)
		}
		change := domain.Change{EntityID: "f1", Patch: domain.Patch{"kind": "file", "name": "a"}, Content: &domain.Content{Object: object, Size: size, ContentType: "text/plain", SHA256: sum}}
		if _, _, err := s.s.decide(t.Context(), st, st.command("m1", change), time.Minute); err != nil {
			t.Fatal(err)
		}
		st.release()
		if r := s.do("GET", "/v1/boards/"+board+"/files/f1/content", ""); r.status != want {
			t.Errorf("%s: %d %s", board, r.status, r.body)
		}
		stream := s.must(200, "GET", "/v1/boards/"+board+"/bundle", "").body
		if has := strings.Contains(stream, `"bytes":"cGxhbnM="`); has != (want == 200) {
			t.Errorf("the bundle of %s has the content: %v", board, has)
		}
	}
}

// Answers about the past wait in memory for whoever asked: there is an end to
// that, whatever the number of users.
func TestPast_SlowReadersHoldOnlySoMuch(t *testing.T) {
	t.Parallel()
	s, _ := newArchive(t, Config{})
	s.must(201, "POST", "/v1/boards?user=ann", `{"id":"demo","title":"Demo"}`)
	s.s.held.Store(maxHeld)
	for _, path := range []string{"?rev=1", "/diff?from=1", "/blame?entity=demo"} {
		s.must(429, "GET", "/v1/boards/demo"+path, "")
	}
	if held := s.s.held.Load(); held != maxHeld {
		t.Errorf("%d bytes are held, not %d", held, maxHeld)
	}
	s.s.held.Store(0) // as long as it may be if it is alone
	s.must(200, "GET", "/v1/boards/demo?rev=1", "")
	if held := s.s.held.Load(); held != 0 {
		t.Errorf("%d bytes are held for nobody", held)
	}
}
