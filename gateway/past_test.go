package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/projector/past"
)

func (m *memory) Head(_ context.Context, board string) (uint64, error) {
	r := m.room(board)
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(r.records)), nil
}

func (m *memory) GetSnapshot(context.Context, string) (eventlog.Snapshot, error) {
	return eventlog.Snapshot{}, eventlog.ErrNotFound
}
func (m *memory) Pasts(context.Context, string) ([]uint64, error) { return nil, nil }
func (m *memory) Past(context.Context, string, uint64) (eventlog.Snapshot, error) {
	return eventlog.Snapshot{}, eventlog.ErrNotFound
}
func (m *memory) Keep(*domain.Still)        {}
func (m *memory) Kept(string) *domain.Still { return nil }

// seen is a board as an answer shows it.
type seen struct {
	Board, Epoch string
	Rev          uint64
	At           time.Time
	Entities     json.RawMessage
}

func (s *site) board(query string, header ...string) (b seen) {
	s.t.Helper()
	s.must(200, "GET", "/v1/boards/demo"+query, "", header...).json(s.t, &b)
	return b
}

// What the board was at a rev or a time is what somebody saw then.
func TestPast_IsWhatWasThere(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, func(t *testing.T, s *site) {
		s.demo()
		var was []seen
		for i := range 12 {
			s.mutate("ann", fmt.Sprint("t", i), "c1", fmt.Sprintf(`{"title":"%d","liked":%v}`, i, i%3 > 0))
			s.mutate("bob", fmt.Sprint("a", i), "c2", fmt.Sprintf(`{"archived":%v}`, i%2 == 0))
			s.mutate("bob", fmt.Sprint("no", i), "c1", `{"columnId":"full"}`)
			was = append(was, s.board("?user=ann"), s.board("?user=ann&part=open"))
		}
		log := s.log("")
		for i, want := range was {
			part := "&user=ann"
			if i%2 > 0 {
				part += "&part=open"
			}
			got := s.board(fmt.Sprint("?rev=", want.Rev, part))
			if string(got.Entities) != string(want.Entities) || got.Rev != want.Rev || got.Epoch != want.Epoch || got.Board != "demo" {
				t.Errorf("rev %d%s: %s\nwant %s", want.Rev, part, got.Entities, want.Entities)
			}
			for j := range log {
				if d := log[j]; d.Rev == want.Rev && len(d.Events) > 0 && !got.At.Equal(d.At) {
					t.Errorf("rev %d at %v, decided at %v", want.Rev, got.At, d.At)
				}
			}
		}
		last := log[len(log)-1]
		for query, want := range map[string]uint64{
			"?at=" + last.At.Add(time.Hour).Format(time.RFC3339): last.Rev, "?at=" + log[3].At.Format(time.RFC3339Nano): 0,
		} {
			if want == 0 { // several in one millisecond
				for _, d := range log {
					if !d.At.After(log[3].At) {
						want = d.Rev
					}
				}
			}
			if got := s.board(query); got.Rev != want {
				t.Errorf("%s: rev %d, want %d", query, got.Rev, want)
			}
		}
		parts := 0
		for _, d := range log[2:] {
			if len(d.Events) > 1 {
				parts++
				if got := s.board(fmt.Sprint("?rev=", d.Events[0].Rev)); got.Rev != d.Rev {
					t.Errorf("rev %d: %d, want %d, of the whole mutation", d.Events[0].Rev, got.Rev, d.Rev)
				}
			}
		}
		if parts == 0 {
			t.Error("no mutation has several events")
		}
		if r := s.must(200, "HEAD", "/v1/boards/demo?rev=7", ""); r.body != "" {
			t.Error("HEAD with a body")
		}
	})
}

func TestPast_Diff(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, func(t *testing.T, s *site) {
		s.demo()
		s.mutate("ann", "two", "n1", `{"kind":"card","title":"New","columnId":"todo"}`)
		s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&user=bob", "hello", "Mutation-Id", "up")
		s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"gone","entityId":"c2","patch":null}`)
		s.mutate("ann", "one", "c1", `{"title":"Uno","columnId":"full"}`)
		var d struct {
			Board, Epoch string
			past.Diff
		}
		r := s.must(200, "GET", "/v1/boards/demo/diff?from=6", "")
		r.json(t, &d)
		if d.Board != "demo" || d.From.Rev != 6 || len(d.Created) != 2 || len(d.Deleted) != 1 || d.Deleted[0].ID != "c2" || len(d.Changed) != 1 ||
			d.Changed[0].After["title"] != "Uno" || d.Changed[0].Before["title"] != "One" || d.Changed[0].Moved == "" || strings.Contains(r.body, `"object"`) {
			t.Errorf("%s", r.body)
		}
		at := d.From.At.Format(time.RFC3339Nano)
		r = s.must(200, "GET", "/v1/boards/demo/diff?from=6&to="+at, "")
		r.json(t, &d)
		if d.To.Rev < 6 {
			t.Errorf("%s", r.body)
		}
	})
}

func TestPast_Blame(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, func(t *testing.T, s *site) {
		s.demo()
		s.mutate("ann", "one", "c1", `{"title":"Uno"}`)
		s.mutate("bob", "two", "c1", `{"assignees":{"add":["ann","bob"]}}`)
		s.mutate("eve", "three", "c1", `{"assignees":{"remove":"bob"},"title":"Due"}`)
		s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&card=c1&user=bob", "hello", "Mutation-Id", "up")
		ask := func(query string) (b past.Blame) {
			t.Helper()
			r := s.must(200, "GET", "/v1/boards/demo/blame?"+query, "")
			if strings.Contains(r.body, `"object"`) {
				t.Errorf("%s", r.body)
			}
			r.json(t, &b)
			return b
		}
		by := func(b past.Blame, field string) string {
			for _, f := range b.Fields {
				if f.Name == field {
					words := string(f.Value) + " " + f.Set.Mutation
					for _, e := range f.Elements {
						words += " " + e.Element + ":" + e.Set.Mutation + "/" + e.Set.User
					}
					return words
				}
			}
			return ""
		}
		now := ask("entity=c1")
		for field, want := range map[string]string{"title": `"Due" three`, "assignees": `["ann"] three ann:two/bob`, "columnId": `"todo" demo`} {
			if got := by(now, field); got != want {
				t.Errorf("%s: %s", field, got)
			}
		}
		if got := by(ask("entity=c1&field=title&rev=7"), "title"); got != `"Uno" one` {
			t.Error(got)
		}
		s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"gone","entityId":"c1","patch":null}`)
		for query, entity := range map[string]string{"entity=c1": "", "entity=f1": "c1"} {
			if b := ask(query); b.Deleted == nil || b.Deleted.Mutation != "gone" || b.Deleted.User != "ann" || b.Deleted.Entity != entity || len(b.Fields) == 0 {
				t.Errorf("%s: %+v", query, b)
			}
		}
		r := s.must(404, "GET", "/v1/boards/demo/blame?entity=nobody", "")
		if r.code(t) != domain.NotFound || !strings.Contains(r.body, `"entityId":"nobody"`) {
			t.Error(r.body)
		}
	})
}

func TestPast_BadParameters(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	for query, want := range map[string]string{
		"?rev=0": "rev", "?rev=x": "rev", "?rev=-1": "rev", "?rev=99": "rev 6", "?rev=": "rev", "?at=": "at", "?at=yesterday": "at", "?at=2026-03-01": "at",
		"?at=2020-01-01T00:00:00Z": "at", "?rev=1&at=2026-03-01T00:00:00Z": "at", "?rev=1&part=shut": "part",
		"/diff": "from", "/diff?from=x": "from", "/diff?from=0": "from", "/diff?from=6&to=2": "to", "/diff?from=6&to=y": "to", "/diff?from=6&to=7": "to 6",
		"/diff?from=2020-01-01T00:00:00Z": "from",
		"/blame":                          "entity", "/blame?entity=a%20b": "entity", "/blame?entity=c1&rev=x": "rev", "/blame?entity=c1&rev=77": "rev 6", "/blame?entity=c1&field=due": "field",
		"/blame?entity=c1&field=object": "field",
	} {
		r := s.must(400, "GET", "/v1/boards/demo"+query, "")
		var p struct {
			Details struct {
				Field string
				Limit json.Number
			}
		}
		r.json(t, &p)
		if got := strings.TrimSpace(p.Details.Field + " " + p.Details.Limit.String()); r.code(t) != domain.Invalid || got != want {
			t.Errorf("%s: %s", query, r.body)
		}
	}
	for _, path := range []string{"?rev=1", "/diff?from=1", "/blame?entity=c1"} {
		s.must(404, "GET", "/v1/boards/nothing"+path, "")
	}
}

// Whoever may see the board now sees its past, nobody else.
func TestPast_Rights(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	onEachSite(t, Config{Auth: auth, BoardIDs: true}, func(t *testing.T, s *site) {
		ann, viewer, other := k.of("ann"), k.of("vic", "demo=viewer"), k.of("eve", "other=admin")
		s.must(201, "POST", "/v1/boards", `{"id":"demo","title":"Demo"}`, ann...)
		for _, path := range []string{"?rev=2", "/diff?from=1", "/blame?entity=demo"} {
			s.must(200, "GET", "/v1/boards/demo"+path, "", ann...)
			s.must(200, "GET", "/v1/boards/demo"+path, "", viewer...)
			s.must(404, "GET", "/v1/boards/demo"+path, "", other...)
			s.must(401, "GET", "/v1/boards/demo"+path, "")
		}
	})
}

// Those who look at the past take turns with those who read logs.
func TestPast_Turns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s, err := newServer(Config{Logger: quiet}, m)
		if err != nil {
			t.Fatal(err)
		}
		defer s.chores.end()
		slow := &timedStore{store: m}
		s.open, s.store = m.open, slow
		const atATime = 3
		s.tickets = make(chan struct{}, atATime)
		handler := s.Handler()
		serve := func(w http.ResponseWriter, method, path, body string) {
			handler.ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body)))
		}
		serve(httptest.NewRecorder(), "POST", "/v1/boards", `{"id":"demo","title":"0"}`)
		for i := range 8 {
			serve(httptest.NewRecorder(), "POST", "/v1/boards/demo/mutations", fmt.Sprintf(`{"clientMutationId":"m%d","entityId":"demo","patch":{"title":"%d"}}`, i, i))
		}
		const readers = 20
		takes, ended := make(chan struct{}), make(chan int, readers)
		for i := range readers {
			path := []string{"?rev=5", "/diff?from=2&to=5", "/blame?entity=demo"}[i%3] + fmt.Sprint("&user=u", i)
			go func() {
				rec := httptest.NewRecorder()
				serve(slowClient{rec, takes}, "GET", "/v1/boards/demo"+path, "")
				ended <- rec.Code
			}()
		}
		time.Sleep(time.Minute)
		if len(s.tickets) != 0 || len(ended) != 0 {
			t.Errorf("%d tickets are held for slow clients, %d have ended", len(s.tickets), len(ended))
		}
		close(takes)
		for range readers {
			if code := <-ended; code != 200 {
				t.Errorf("status %d", code)
			}
		}
		if most := slow.most.Load(); most != atATime {
			t.Errorf("%d read at a time, not %d", most, atATime)
		}
	})
}
