package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

func TestHTTP_EveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[domain.Code]int{
		domain.Invalid: 400, domain.Forbidden: 403, domain.NotFound: 404,
		domain.Conflict: 409, domain.NameTaken: 409, domain.WIPLimit: 409, domain.NotEmpty: 409,
		domain.Archived: 409, domain.Withdrawn: 409, domain.IDReused: 409,
		domain.TooLarge: 413, domain.Limit: 422, domain.Expired: 422,
		wire.RateLimited: 429, wire.Unavailable: 503, wire.Undecided: 504,
		codeUnauthorized: 401, codeMethod: 405, codeMediaType: 415,
	} {
		w := httptest.NewRecorder()
		writeProblem(w, problem{code: code, reason: "why", details: domain.Details{"limit": 3}, mutationID: "m"})
		r := reply{w.Code, w.Header(), w.Body.String()}
		if r.status != want || r.code(t) != code {
			t.Errorf("%s: %d %s, want %d", code, r.status, r.body, want)
		}
		var p struct {
			Title, Detail, ClientMutationID string
			Details                         struct{ Limit int }
			Retryable                       bool
		}
		r.json(t, &p)
		if p.Title != http.StatusText(want) || p.Detail != "why" || p.ClientMutationID != "m" || p.Details.Limit != 3 {
			t.Errorf("%s: %s", code, r.body)
		}
		if p.Retryable != wire.Retryable(code) {
			t.Errorf("%s: retryable %v", code, p.Retryable)
		}
	}
}

func TestHTTP_RefusalsOfTheLogKeepCodeAndDetails(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	r := s.must(409, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"m1","entityId":"c1","patch":{"columnId":"full"}}`)
	var p struct {
		Code             string
		ClientMutationID string
		Details          struct {
			ColumnID     string
			Limit, Count int
		}
	}
	r.json(t, &p)
	if p.Code != "wip_limit" || p.ClientMutationID != "m1" || p.Details.ColumnID != "full" || p.Details.Limit != 1 || p.Details.Count != 1 {
		t.Errorf("%s", r.body)
	}
}

func TestHTTP_MutationAnswersItsVerdict(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testMutationAnswers)
}

func testMutationAnswers(t *testing.T, s *site) {
	s.demo()
	const like = `{"type":"mutate","clientMutationId":"m1","entityId":"c1","patch":{"title":" Uno ","liked":true},"ttlMs":2000}`
	r := s.must(200, "POST", "/v1/boards/demo/mutations?user=bob", like, "Content-Type", "application/json")
	var a struct {
		ClientMutationID string
		Rev              uint64
		Events           int
		Entities         []struct {
			ID, Title string
			Liked     bool
			Likes     int
		}
	}
	r.json(t, &a)
	if a.ClientMutationID != "m1" || a.Events != 2 || len(a.Entities) != 1 || a.Entities[0].Title != "Uno" || !a.Entities[0].Liked || a.Entities[0].Likes != 1 {
		t.Fatalf("%s", r.body)
	}
	if again := s.must(200, "POST", "/v1/boards/demo/mutations?user=bob", like); again.body != r.body {
		t.Errorf("a repeat: %s, first %s", again.body, r.body)
	}
	other := strings.Replace(like, "Uno", "Due", 1)
	if got := s.must(409, "POST", "/v1/boards/demo/mutations?user=bob", other).code(t); got != domain.IDReused {
		t.Errorf("another content: %s", got)
	}
	s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", other) // ids belong to the user

	var ack wire.Ack
	s.must(200, "GET", "/v1/boards/demo/mutations/m1?user=bob", "").json(t, &ack)
	if ack != (wire.Ack{Type: "ack", ClientMutationID: "m1", Rev: a.Rev, Events: 2}) {
		t.Errorf("%+v", ack)
	}
	s.must(409, "POST", "/v1/boards/demo/mutations?user=bob", `{"clientMutationId":"m2","entityId":"c1","patch":{"columnId":"full"}}`)
	var nack wire.Nack
	s.must(200, "GET", "/v1/boards/demo/mutations/m2?user=bob", "").json(t, &nack)
	if nack.Type != "nack" || nack.Code != domain.WIPLimit || nack.Retryable {
		t.Errorf("%+v", nack)
	}
	if got := s.must(404, "GET", "/v1/boards/demo/mutations/m3?user=bob", "").code(t); got != wire.Undecided {
		t.Errorf("an unknown id: %s", got)
	}
	if got := s.must(404, "GET", "/v1/boards/demo/mutations/m2?user=eve", "").code(t); got != wire.Undecided {
		t.Errorf("somebody else's id: %s", got)
	}
}

func TestHTTP_BrokenRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	const ok = `{"clientMutationId":"x","entityId":"c1","patch":{"title":"x"}}`
	for _, tt := range []struct {
		method, path, body string
		header             []string
		status             int
		code               domain.Code
	}{
		{"POST", "/v1/boards/demo/mutations", ``, nil, 400, domain.Invalid},
		{"POST", "/v1/boards/demo/mutations", `[]`, nil, 400, domain.Invalid},
		{"POST", "/v1/boards/demo/mutations", `{"entityId":"c1","patch":{}}`, nil, 400, domain.Invalid},
		{"POST", "/v1/boards/demo/mutations", `{"type":"cancel","clientMutationId":"x"}`, nil, 400, domain.Invalid},
		{"POST", "/v1/boards/demo/mutations", `{"clientMutationId":"x","entityId":"c1"}`, nil, 400, domain.Invalid},
		{"POST", "/v1/boards/demo/mutations", `{"clientMutationId":"x","entityId":"c1","patch":{},"ttlMs":5}`, nil, 400, domain.Invalid},
		{"POST", "/v1/boards/demo/mutations", strings.Replace(ok, `"x"}`, "\"\xff\"}", 1), nil, 400, domain.Invalid},
		{"POST", "/v1/boards/none/mutations", ok, []string{"Content-Type", "application/x-www-form-urlencoded"}, 404, domain.NotFound}, // as plain curl sends it
		{"POST", "/v1/boards/demo/mutations", ok, []string{"Content-Encoding", "gzip"}, 415, codeMediaType},
		{"POST", "/v1/boards/demo/mutations", `{"x":"` + strings.Repeat("x", wire.FrameBytes) + `"}`, nil, 413, domain.TooLarge},
		{"POST", "/v1/boards/none/mutations", ok, nil, 404, domain.NotFound},
		{"POST", "/v1/boards/demo/mutations?user=", ok, nil, 400, domain.Invalid},
		{"DELETE", "/v1/boards/demo", "", nil, 405, codeMethod},
		{"PATCH", "/v1/boards/demo/mutations", ok, nil, 405, codeMethod},
		{"POST", "/", "", nil, 405, codeMethod},
		{"GET", "/v1/boards/demo/ws", "", nil, 426, domain.Invalid},
		{"GET", "/v1/boards/demo?minRev=soon", "", nil, 400, domain.Invalid},
		{"GET", "/v1/boards?limit=0", "", nil, 400, domain.Invalid},
		{"GET", "/v1/boards?after=%20", "", nil, 400, domain.Invalid},
		{"GET", "/v1/boards/demo/mutations/a%20b", "", nil, 400, domain.Invalid},
		{"GET", "/v1/boards/a%20b", "", nil, 404, domain.NotFound},
		{"GET", "/v1/boards/%3E", "", nil, 404, domain.NotFound},
		{"GET", "/v1/nothing", "", nil, 404, domain.NotFound},
		{"GET", "/api/posts", "", nil, 404, domain.NotFound},
		{"GET", "/nothing.js", "", nil, 404, domain.NotFound},
		{"POST", "/v1/boards", `{"id":"a b","title":"x"}`, nil, 400, domain.Invalid},
		{"POST", "/v1/boards", `{"id":"b","title":7}`, nil, 400, domain.Invalid},
		{"POST", "/v1/boards", `{"title":""}`, nil, 400, domain.Invalid},
	} {
		r := s.do(tt.method, tt.path, tt.body, tt.header...)
		if r.status != tt.status || r.code(t) != tt.code {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, r.status, r.body, tt.status, tt.code)
		}
		if r.status == 405 && r.header.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", tt.method, tt.path)
		}
	}
	if got := s.do("OPTIONS", "/v1/boards", "").header.Get("Allow"); got != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("Allow: %s", got)
	}
}

func TestHTTP_PushBackIsAnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	const mutation = `{"clientMutationId":"m1","entityId":"c1","patch":{"title":"x"}}`
	for code, status := range map[domain.Code]int{wire.RateLimited: 429, wire.Unavailable: 503} {
		s.m.room("demo").refuse = &retryError{code, 1200 * time.Millisecond}
		r := s.must(status, "POST", "/v1/boards/demo/mutations", mutation)
		var p struct{ Details struct{ RetryAfterMs int } }
		r.json(t, &p)
		if r.code(t) != code || p.Details.RetryAfterMs != 1200 || r.header.Get("Retry-After") != "2" {
			t.Errorf("%s: %v %s", code, r.header, r.body)
		}
	}
	s.m.room("demo").refuse = nil
	s.must(200, "POST", "/v1/boards/demo/mutations", mutation) // nothing was published, the id is free
	s.m.down = errors.New("no servers available")
	if got := s.must(503, "GET", "/v1/boards/demo", "").code(t); got != wire.Unavailable {
		t.Errorf("a log that does not answer: %s", got)
	}
}

func TestHTTP_NoVerdictInTimeIsUndecided(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	st, err := s.s.sit(context.Background(), identity{user: "ann", open: true}, "demo")
	if err != nil {
		t.Fatal(err)
	}
	defer st.release()
	s.m.room("demo").silent = true
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, _, err = s.s.decide(ctx, st, st.command("m1"), time.Second)
	var p problem
	if !errors.As(err, &p) || p.code != wire.Undecided || statusOf(p.code) != 504 || p.mutationID != "m1" {
		t.Errorf("%v", err)
	}
}

func TestHTTP_WhatAUserHasInFlightIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	rm := s.m.room("demo")
	rm.silent, rm.voice = true, make(chan struct{})
	for range wire.InFlight {
		if !s.s.flights.enter("ann") {
			t.Fatal("refused below the bound")
		}
	}
	const mutation = `{"clientMutationId":"m1","entityId":"c1","patch":{"title":"x"}}`
	if got := s.must(429, "POST", "/v1/boards/demo/mutations?user=ann", mutation).code(t); got != wire.RateLimited {
		t.Errorf("%s", got)
	}
	close(rm.voice)
	s.must(200, "POST", "/v1/boards/demo/mutations?user=bob", mutation)
	s.s.flights.leave("ann")
	s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", mutation)
	if n := s.s.flights.by["ann"]; n != wire.InFlight-1 {
		t.Errorf("%d in flight", n)
	}
}

func TestHTTP_DeadlineOfAMutation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name    string
		frame   wire.ClientFrame
		ttl, at time.Duration
	}{
		{"none", wire.ClientFrame{}, 4 * time.Second, 4 * time.Second},
		{"ttlMs", wire.ClientFrame{TTL: time.Second}, time.Second, time.Second},
		{"expiresAt", wire.ClientFrame{ExpiresAt: now.Add(9 * time.Second)}, 9 * time.Second, 9 * time.Second},
		{"a time before a span", wire.ClientFrame{ExpiresAt: now.Add(9 * time.Second), TTL: 2 * time.Second}, 9 * time.Second, 9 * time.Second},
		{"past", wire.ClientFrame{ExpiresAt: now.Add(-time.Hour)}, -time.Hour, -time.Hour},
	} {
		var cmd domain.Command
		if ttl := schedule(&cmd, tt.frame, now); ttl != tt.ttl || !cmd.Deadline.Equal(now.Add(tt.at)) || !cmd.ReceivedAt.Equal(now) {
			t.Errorf("%s: ttl %v, deadline %v", tt.name, ttl, cmd.Deadline.Sub(now))
		}
	}
}

func TestHTTP_CreateBoard(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testCreateBoard)
}

func testCreateBoard(t *testing.T, s *site) {
	r := s.must(201, "POST", "/v1/boards?user=ann", `{"id":"b1","title":" Plan "}`)
	var e domain.Entity
	r.json(t, &e)
	if e.ID != "b1" || e.Kind != domain.KindBoard || e.Fields.String("title") != "Plan" || e.CreatedBy != "ann" || r.header.Get("Location") != "/v1/boards/b1" {
		t.Errorf("%v %s", r.header, r.body)
	}
	s.must(200, "POST", "/v1/boards?user=ann", `{"id":"b1","title":"Plan"}`)
	for query, body := range map[string]string{"?user=ann": `{"id":"b1","title":"Other"}`, "?user=bob": `{"id":"b1","title":"Plan"}`} {
		if got := s.must(409, "POST", "/v1/boards"+query, body).code(t); got != domain.Conflict {
			t.Errorf("%s %s: %s", query, body, got)
		}
	}
	s.must(400, "POST", "/v1/boards?user=ann", `{"id":"b2","title":""}`)
	s.must(201, "POST", "/v1/boards?user=bob", `{"id":"b2","title":"Now"}`) // a refusal takes no id
	var first, second, other domain.Entity
	s.must(201, "POST", "/v1/boards?user=ann", `{"title":"New"}`, "Idempotency-Key", `"k1"`).json(t, &first)
	s.must(200, "POST", "/v1/boards?user=ann", `{"title":"New"}`, "Idempotency-Key", "k1").json(t, &second)
	s.must(201, "POST", "/v1/boards?user=bob", `{"title":"New"}`, "Idempotency-Key", "k1").json(t, &other)
	if first.ID == "" || first.ID != second.ID || first.ID == other.ID {
		t.Errorf("one key of one user is one board: %s %s %s", first.ID, second.ID, other.ID)
	}
}

// tokens mints for a site with auth.
type tokens struct {
	t   *testing.T
	key Key
}

func newTokens(t *testing.T) (tokens, *Auth) {
	key := mustKey(t, "", []byte(strings.Repeat("k", MinSecret)))
	return tokens{t, key}, mustAuth(t, key)
}

// of is an Authorization header, name and value, with board=role pairs.
func (k tokens) of(user string, boards ...string) []string {
	k.t.Helper()
	c := Claims{User: user, Expires: time.Now().Add(time.Hour)}
	for _, pair := range boards {
		if c.Boards == nil {
			c.Boards = map[string]domain.Role{}
		}
		pattern, role, _ := strings.Cut(pair, "=")
		c.Boards[pattern] = domain.Role(role)
	}
	token, err := MintToken(k.key, c)
	if err != nil {
		k.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + token}
}

func TestHTTP_ABoardYouMayNotSeeDoesNotExist(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s := newSite(t, Config{Auth: auth, BoardIDs: true})
	ann, eve := k.of("ann"), k.of("eve", "other-*=admin")
	s.must(201, "POST", "/v1/boards", `{"id":"secret","title":"Secret"}`, ann...)
	s.must(200, "POST", "/v1/boards/secret/mutations", `{"clientMutationId":"m1","changes":[
		{"entityId":"todo","patch":{"kind":"column","title":"To do"}},{"entityId":"c1","patch":{"kind":"card","columnId":"todo","title":"One"}}]}`, ann...)
	s.must(200, "PUT", "/v1/boards/secret/files/f1/content?name=a.txt", "hello", ann...)
	began := time.Now()
	s.must(404, "GET", "/v1/boards/nosuch", "", eve...)
	if took := time.Since(began); took < veilStep {
		t.Errorf("answered after %v, which may tell what is there", took)
	}
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "/v1/boards/%s", ""},
		{"GET", "/v1/boards/%s?minRev=1", ""},
		{"GET", "/v1/boards/%s?minRev=99999", ""},
		{"POST", "/v1/boards/%s/mutations", `{"clientMutationId":"m2","entityId":"c1","patch":{"title":"x"}}`},
		{"POST", "/v1/boards/%s/mutations", `{"clientMutationId":"","entityId":"c1"}`},
		{"GET", "/v1/boards/%s/log", ""},
		{"GET", "/v1/boards/%s/log?entity=c1&follow=1&last=9", ""},
		{"GET", "/v1/boards/%s/mutations/m1", ""},
		{"GET", "/v1/boards/%s/mutations/a%%20b", ""},
		{"GET", "/v1/boards/%s/files/f1/content", ""},
		{"PUT", "/v1/boards/%s/files/f1/content", "x"},
		{"PUT", "/v1/boards/%s/files/f2/content?name=b.txt", "x"},
		{"POST", "/api/posts/c1/like?board=%s", ""},
		{"POST", "/api/posts/c9/like?board=%s", ""},
	} {
		seen := s.do(tt.method, fmt.Sprintf(tt.path, "secret"), tt.body, eve...)
		none := s.do(tt.method, fmt.Sprintf(tt.path, "nosuch"), tt.body, eve...)
		if seen.status != 404 || seen.status != none.status || seen.body != none.body || headers(seen) != headers(none) {
			t.Errorf("%s %s: %d %s %s\nand where there is none: %d %s %s", tt.method, tt.path, seen.status, seen.body, headers(seen), none.status, none.body, headers(none))
		}
	}
	taken := s.must(409, "POST", "/v1/boards", `{"id":"secret","title":"Secret"}`, eve...)
	if strings.Contains(taken.body, "ann") || strings.Contains(taken.body, "Secret") {
		t.Errorf("says more than that the id is taken: %s", taken.body)
	}
	if r := s.must(200, "GET", "/v1/boards", "", eve...); strings.Contains(r.body, "secret") {
		t.Errorf("listed: %s", r.body)
	}
	if s.m.objects() != 1 {
		t.Errorf("%d objects after refused uploads", s.m.objects())
	}
}

func headers(r reply) string {
	h := r.header.Clone()
	h.Del("Date")
	return fmt.Sprint(h)
}

func TestHTTP_RolesComeFromMembershipOrClaim(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s := newSite(t, Config{Auth: auth, BoardIDs: true})
	ann := k.of("ann")
	s.must(201, "POST", "/v1/boards", `{"id":"design-1","title":"Design"}`, ann...)
	s.must(200, "POST", "/v1/boards/design-1/mutations", `{"clientMutationId":"m1","entityId":"member:vic","patch":{"kind":"member","role":"viewer"}}`, ann...)
	column := func(id string) string {
		return `{"clientMutationId":"` + id + `","entityId":"` + id + `","patch":{"kind":"column","title":"x"}}`
	}
	for i, tt := range []struct {
		who    []string
		status int
	}{
		{ann, 200},
		{k.of("vic"), 403},
		{k.of("vic", "design-*=editor"), 200},
		{k.of("new", "design-*=viewer"), 403},
		{k.of("new", "design-*=viewer", "*=editor"), 200},
		{k.of("new", "plan-*=admin"), 404},
		{k.of("new"), 404},
		{nil, 401},
		{[]string{"Authorization", "Bearer x"}, 401},
	} {
		r := s.must(tt.status, "POST", "/v1/boards/design-1/mutations", column(fmt.Sprintf("col%d", i)), tt.who...)
		if tt.status == 401 && !strings.HasPrefix(r.header.Get("WWW-Authenticate"), `Bearer realm="snapback"`) {
			t.Errorf("WWW-Authenticate: %q", r.header.Get("WWW-Authenticate"))
		}
	}
	for who, want := range map[string]string{"ann": "admin", "vic": "viewer", "eve": ""} {
		r := s.must(200, "GET", "/v1/boards", "", k.of(who)...)
		if got := strings.Contains(r.body, `"role":"`+want+`"`); got != (want != "") {
			t.Errorf("%s: %s", who, r.body)
		}
	}
	if r := s.must(200, "GET", "/v1/boards", "", k.of("vic", "design-*=editor")...); !strings.Contains(r.body, `"role":"editor"`) {
		t.Errorf("the higher counts: %s", r.body)
	}
}

func TestHTTP_WhoLosesAccessSeesNothingMore(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s := newSite(t, Config{Auth: auth, BoardIDs: true})
	ann, bob := k.of("ann"), k.of("bob")
	s.must(201, "POST", "/v1/boards", `{"id":"b","title":"B"}`, ann...)
	admit := func(id string) {
		s.must(200, "POST", "/v1/boards/b/mutations", `{"clientMutationId":"`+id+`","entityId":"member:bob","patch":{"kind":"member","role":"admin"}}`, ann...)
	}
	admit("in1")
	var a accepted
	s.must(200, "POST", "/v1/boards/b/mutations", `{"clientMutationId":"m1","changes":[
		{"entityId":"col","patch":{"kind":"column","title":"x"}},{"entityId":"member:bob","patch":null}]}`, bob...).json(t, &a)
	if a.Events != 2 || len(a.Entities) != 0 {
		t.Errorf("who removed himself is shown %s", a.Entities)
	}
	s.must(404, "GET", "/v1/boards/b", "", bob...)

	admit("in2")
	rm := s.m.room("b")
	answer := make(chan reply)
	go func() { answer <- s.do("GET", fmt.Sprintf("/v1/boards/b?minRev=%d", a.Rev+3), "", bob...) }()
	for seated := false; !seated; {
		s.m.mu.Lock()
		seated = rm.used > 0
		s.m.mu.Unlock()
	}
	s.must(200, "POST", "/v1/boards/b/mutations", `{"clientMutationId":"out","entityId":"member:bob","patch":null}`, ann...)
	s.must(200, "POST", "/v1/boards/b/mutations", `{"clientMutationId":"more","entityId":"col","patch":{"title":"y"}}`, ann...)
	if r := <-answer; r.status != 404 {
		t.Errorf("who lost the board while he waited: %d %s", r.status, r.body)
	}
}

func TestHTTP_WithAuthTheServerChoosesBoardIDs(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s := newSite(t, Config{Auth: auth})
	if got := s.must(400, "POST", "/v1/boards", `{"id":"mine","title":"x"}`, k.of("ann")...).code(t); got != domain.Invalid {
		t.Errorf("%s", got)
	}
	var e domain.Entity
	s.must(201, "POST", "/v1/boards", `{"title":"x"}`, k.of("ann")...).json(t, &e)
	if len(e.ID) != 26 {
		t.Errorf("id %q", e.ID)
	}
	part := `{"source":"test:1","part":0,"done":true,"entities":[{"id":"mine","kind":"board","title":"Mine"}]}`
	if got := s.must(403, "POST", "/v1/boards/mine/import", part, k.of("ann", "mine=editor")...).code(t); got != domain.Forbidden {
		t.Errorf("%s", got)
	}
	s.must(200, "POST", "/v1/boards/mine/import", part, k.of("ann", "m*=admin")...)
	s.must(200, "GET", "/v1/boards/mine", "", k.of("ann")...) // who imports becomes a member
}

func TestHTTP_ListOfBoardsIsPaged(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		s.must(201, "POST", "/v1/boards", `{"id":"`+id+`","title":"x"}`)
	}
	var got []string
	after, pages := "", 0
	for {
		var page struct {
			Boards []struct{ Board string }
			Next   string
		}
		s.must(200, "GET", "/v1/boards?limit=2&after="+after, "").json(t, &page)
		pages++
		for _, b := range page.Boards {
			got = append(got, b.Board)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if strings.Join(got, "") != "abcde" || pages != 3 {
		t.Errorf("%v in %d pages", got, pages)
	}
}

func TestHTTP_GetBoard(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	s.must(200, "POST", "/api/posts/c1/like?user=bob", "")
	var b struct {
		Board, Epoch string
		Rev          uint64
		Entities     []map[string]any
	}
	s.must(200, "GET", "/v1/boards/demo?user=bob&minRev=7", "").json(t, &b)
	if b.Board != "demo" || b.Epoch != "epoch" || b.Rev != 7 || len(b.Entities) < 5 {
		t.Fatalf("%+v", b)
	}
	for _, e := range b.Entities {
		if e["id"] == "c1" && (e["liked"] != true || e["likes"] != 1.0) {
			t.Errorf("bob likes c1: %v", e)
		}
		if e["id"] == "c2" && (e["liked"] != false || e["likes"] != 0.0) {
			t.Errorf("nobody likes c2: %v", e)
		}
	}
	if r := s.must(200, "HEAD", "/v1/boards/demo", ""); r.body != "" {
		t.Errorf("HEAD with a body")
	}
	s.m.room("demo").read(func(v *projector.View) {
		if v.Rev() != 7 {
			t.Errorf("rev %d", v.Rev())
		}
	})
}

func TestHTTP_ImportIsSeenWhenItsLastPartIsIn(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testImportSeen)
}

func testImportSeen(t *testing.T, s *site) {
	s.must(200, "POST", "/v1/boards/imp/import", `{"source":"test:1","part":0,"entities":[
		{"id":"imp","kind":"board","title":"Imported","createdAt":"2020-01-02T03:04:05Z","createdBy":"old"},
		{"id":"col","kind":"column","title":"Column","position":"a0","createdAt":"2020-01-02T03:04:05Z","createdBy":"old"}]}`, "Mutation-Id", "p0")
	s.must(404, "GET", "/v1/boards/imp", "")
	s.must(404, "GET", "/v1/boards/imp/mutations/p0", "")
	last := `{"source":"test:1","part":1,"done":true,"entities":[{"id":"c1","kind":"card","columnId":"col","title":"Card","position":"a0","createdAt":"2020-01-02T03:04:05Z","createdBy":"old"}]}`
	r := s.must(200, "POST", "/v1/boards/imp/import", last, "Mutation-Id", "p1")
	if again := s.must(200, "POST", "/v1/boards/imp/import", last, "Mutation-Id", "p1"); again.body != r.body {
		t.Errorf("a repeat: %s, first %s", again.body, r.body)
	}
	if r := s.must(200, "GET", "/v1/boards/imp", ""); !strings.Contains(r.body, `"createdAt":"2020-01-02T03:04:05Z","createdBy":"old"`) {
		t.Errorf("%s", r.body)
	}
	var done accepted
	s.must(200, "POST", "/v1/boards/imp/import", last, "Mutation-Id", "p2").json(t, &done)
	if done.Events != 0 {
		t.Errorf("a second run made %d events", done.Events)
	}
}

func TestHTTP_AnImportLargerThanTheLogTakesIsTooLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	part := func(title string) string {
		return `{"source":"test:1","part":0,"done":true,"entities":[{"id":"imp","kind":"board","title":"` + title + `"}]}`
	}
	if got := s.must(413, "POST", "/v1/boards/imp/import", part(strings.Repeat("x", maxImport))).code(t); got != domain.TooLarge {
		t.Errorf("%s", got)
	}
	escapes := strings.Repeat("<", maxImport/4) // six bytes each on their way
	if got := s.must(413, "POST", "/v1/boards/imp/import", part(escapes)).code(t); got != domain.TooLarge {
		t.Errorf("%s", got)
	}
}

func TestHTTP_AnImportThatNoRecordCouldBeReadWithIsInvalid(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	deep := strings.Repeat("[", domain.MaxDepth) + strings.Repeat("]", domain.MaxDepth)
	body := `{"source":"test:1","part":0,"entities":[{"id":"imp","kind":"board","title":"Imp"}],"provenance":` + deep + `}`
	if got := s.must(400, "POST", "/v1/boards/imp/import", body).code(t); got != domain.Invalid {
		t.Errorf("%s", got)
	}
}

func TestHTTP_AnImportSaysNothingOfABoardInTheWay(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	s := newSite(t, Config{Auth: auth, BoardIDs: true})
	part := func(source string) string {
		return `{"source":"` + source + `","part":0,"done":true,"entities":[{"id":"imp","kind":"board","title":"Secret"}]}`
	}
	s.must(200, "POST", "/v1/boards/imp/import", part("test:1"), k.of("ann")...)
	s.must(201, "POST", "/v1/boards", `{"id":"made","title":"Secret"}`, k.of("ann")...)
	for _, path := range []string{"/v1/boards/imp/import", "/v1/boards/made/import"} {
		for _, source := range []string{"test:1", "test:2"} {
			r := s.must(409, "POST", path, part(source), k.of("eve")...)
			if r.code(t) != domain.Conflict || strings.Contains(r.body, "Secret") || strings.Contains(r.body, "test:1") {
				t.Errorf("%s %s: %s", path, source, r.body)
			}
		}
	}
	var due struct{ Details struct{ Source string } }
	s.must(409, "POST", "/v1/boards/imp/import", part("test:2"), k.of("ann")...).json(t, &due)
	if due.Details.Source != "test:1" {
		t.Errorf("who may see it hears where it comes from: %+v", due)
	}
}

func TestHTTP_AnswersAreNotKeptOrFramed(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	for _, path := range []string{"/v1/boards/demo", "/v1/boards/none", "/v1/none"} {
		h := s.do("GET", path, "").header
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s: %v", path, h)
		}
	}
}
