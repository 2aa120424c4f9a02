package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
)

// What is sent at once, and kept of a line that may be among the last, bytes.
const (
	logBuffer = 64 << 10
	keptLine  = 4 << 10
)

// log reads a board's log to its end.
func (s *site) log(query string, header ...string) (lines []wire.Logged) {
	s.t.Helper()
	r := s.must(200, "GET", "/v1/boards/demo/log"+query, "", header...)
	if got := r.header.Get("Content-Type"); got != "application/x-ndjson" {
		s.t.Fatalf("Content-Type %q", got)
	}
	for line := range strings.Lines(r.body) {
		lines = append(lines, parseLogged(s.t, line))
	}
	return lines
}

func parseLogged(t *testing.T, line string) (l wire.Logged) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &l); err != nil || !strings.HasSuffix(line, "}\n") {
		t.Fatalf("%v in %q", err, line)
	}
	return l
}

// idsOf are the ids of lines, in order.
func idsOf(lines []wire.Logged) string {
	ids := make([]string, len(lines))
	for i := range lines {
		ids[i] = lines[i].ID
	}
	return strings.Join(ids, " ")
}

// mutate sends one change of demo and does not mind what becomes of it.
func (s *site) mutate(user, id, entity, patch string) {
	s.t.Helper()
	s.do("POST", "/v1/boards/demo/mutations?user="+user, fmt.Sprintf(`{"clientMutationId":%q,"entityId":%q,"patch":%s}`, id, entity, patch))
}

func TestLog_TellsEveryDecisionInOrder(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLogTells)
}

func testLogTells(t *testing.T, s *site) {
	s.demo()
	s.mutate("ann", "move", "c1", `{"position":{"after":null},"title":"Uno"}`)
	s.mutate("bob", "crowd", "c1", `{"columnId":"full"}`)
	s.mutate("bob", "crowd", "c1", `{"columnId":"full"}`) // a repeat is decided once
	s.mutate("bob", "again", "c1", `{"title":"Uno"}`)
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&user=bob", "hello", "Mutation-Id", "up")
	lines := s.log("")
	if got := idsOf(lines[1:]); got != "demo move crowd again up" {
		t.Fatal(got)
	}
	for i, want := range []wire.Outcome{wire.Accepted, wire.Accepted, wire.Accepted, wire.Refused, wire.Accepted, wire.Accepted} {
		if lines[i].Outcome != want {
			t.Errorf("%s: %s", lines[i].ID, lines[i].Outcome)
		}
	}
	renamed := lines[2]
	if renamed.User != "ann" || renamed.Rev != 7 || len(renamed.Events) != 1 || renamed.At.IsZero() || renamed.Changes[0].EntityID != "c1" || renamed.Changes[0].Patch["title"] != "Uno" {
		t.Errorf("%+v", renamed)
	}
	if ev := renamed.Events[0]; ev.Type != "card.renamed" || ev.Rev != 7 || ev.EntityID != "c1" || ev.Before["title"] != "One" || ev.After["title"] != "Uno" {
		t.Errorf("%+v", ev)
	}
	refused := lines[3]
	if r := refused.Rejection; refused.Rev != 7 || r == nil || r.Code != domain.WIPLimit || r.Details["columnId"] != "full" || r.Reason == "" || len(refused.Events) != 0 || refused.Changes[0].Patch["columnId"] != "full" {
		t.Errorf("%+v", refused)
	}
	if lines[4].Rejection != nil || len(lines[4].Events) != 0 || lines[4].Rev != 7 {
		t.Errorf("what changed nothing: %+v", lines[4])
	}
	body := s.must(200, "GET", "/v1/boards/demo/log", "").body
	for _, hidden := range []string{`"object":"0`, `"grant"`, `"session"`} {
		if strings.Contains(body, hidden) {
			t.Errorf("tells %s in\n%s", hidden, body)
		}
	}
	if r := s.must(200, "HEAD", "/v1/boards/demo/log?follow=1", ""); r.body != "" {
		t.Errorf("HEAD with a body")
	}
}

func TestLog_PartsOfIt(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLogParts)
}

// testLogParts holds what every combination of since, last and entity gives
// against what one would pick from the whole by hand.
func testLogParts(t *testing.T, s *site) {
	s.demo()
	s.must(201, "POST", "/v1/boards", `{"id":"other","title":"Other"}`)
	long := strings.Repeat("words ", keptLine/6)
	for i := range 12 {
		s.mutate("ann", fmt.Sprintf("one%d", i), "c1", fmt.Sprintf(`{"title":"%d"}`, i))
		s.mutate("bob", fmt.Sprintf("no%d", i), "c1", `{"columnId":"full"}`)
		s.mutate("bob", fmt.Sprintf("two%d", i), "c2", fmt.Sprintf(`{"description":"%d%s"}`, i, long))
		s.must(200, "POST", "/api/posts/c1/like?board=demo&user=eve", "", "Idempotency-Key", fmt.Sprintf("like%d", i))
		s.do("POST", "/v1/boards/other/mutations", fmt.Sprintf(`{"clientMutationId":"o%d","entityId":"other","patch":{"title":"%d"}}`, i, i))
	}
	all := s.log("")
	if len(all) != 50 {
		t.Fatalf("%d lines", len(all))
	}
	for _, entity := range []string{"", "c1", "c2", "todo", "nobody", "member:ann"} {
		for _, last := range []int{0, 1, 3, 7, 1000} {
			for since := uint64(0); since <= all[len(all)-1].Rev+1; since += 4 {
				var want []wire.Logged
				for _, l := range all {
					// demo makes all of them; c1 is in todo, c2 is not
					named := strings.HasPrefix(l.ID, "two") == (entity == "c2")
					switch {
					case l.Rev <= since:
					case entity == "", entity == "member:ann" && l.Rev == 2, l.ID == "demo" && entity != "nobody" && entity != "member:ann",
						slices.Contains([]string{"c1", "c2", "todo"}, entity) && named && l.Rev > 6:
						want = append(want, l)
					}
				}
				if last > 0 && len(want) > last {
					want = want[len(want)-last:]
				}
				query := fmt.Sprintf("?since=%d&entity=%s", since, entity)
				if last > 0 {
					query += fmt.Sprintf("&last=%d", last)
				}
				if got := idsOf(s.log(query)); got != idsOf(want) {
					t.Errorf("%s: %s, want %s", query, got, idsOf(want))
				}
			}
		}
	}
}

func TestLog_OfACardWithWhatHungOnIt(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLogOfACard)
}

func testLogOfACard(t *testing.T, s *site) {
	s.demo()
	s.mutate("ann", "say", "m1", `{"kind":"comment","cardId":"c1","text":"x"}`)
	s.mutate("ann", "said", "m2", `{"kind":"comment","cardId":"c2","text":"x"}`)
	s.mutate("ann", "list", "l1", `{"kind":"checklist","cardId":"c1","title":"x"}`)
	s.mutate("ann", "item", "i1", `{"kind":"item","checklistId":"l1","text":"x"}`)
	s.mutate("ann", "done", "i1", `{"done":true}`)
	s.must(200, "PUT", "/v1/boards/demo/files/f1/content?name=a.txt&card=c1", "hello", "Mutation-Id", "up")
	s.mutate("bob", "edit", "m1", `{"text":"not mine"}`) // forbidden
	s.mutate("ann", "unsay", "m1", `{}`)
	s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"gone","entityId":"m1","patch":null}`)
	s.mutate("ann", "late", "m1", `{"text":"y"}`) // not_found
	s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"end","entityId":"c1","patch":null}`)
	s.mutate("ann", "after", "c1", `{"title":"y"}`) // not_found
	if got := idsOf(s.log("?entity=c1")); got != "demo say list item done up edit unsay gone late end after" {
		t.Error(got)
	}
	if got := idsOf(s.log("?entity=m1")); got != "say edit unsay gone late" {
		t.Error(got)
	}
	if got := idsOf(s.log("?entity=c1&last=2")); got != "end after" {
		t.Error(got)
	}
}

func TestLog_BadParameters(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	for query, want := range map[string]string{
		"since=x": "since ", "since=-1": "since ", "since=1.5": "since ",
		"last=0": "last 1000", "last=1001": "last 1000", "last=all": "last 1000",
		"follow=true": "follow 1", "follow=2": "follow 1",
		"until=0x": "until ", "from=now": "from ", "to=now": "to ", "kind=x": "kind ", "outcome=x": "outcome ", "id=x:y": "id 64", "format=x": "format ",
		"actor=" + strings.Repeat("x", 256): "actor 255", "with=x": "with ",
		"entity=a%20b": "entity 64", "entity=" + strings.Repeat("x", 65): "entity 64",
	} {
		r := s.must(400, "GET", "/v1/boards/demo/log?"+query, "")
		var p struct {
			Details struct {
				Field string
				Limit json.Number
			}
		}
		r.json(t, &p)
		if got := p.Details.Field + " " + p.Details.Limit.String(); r.code(t) != domain.Invalid || got != want {
			t.Errorf("%s: %s", query, r.body)
		}
	}
	s.must(200, "GET", "/v1/boards/demo/log?since=&last=&follow=0&entity=", "")
	s.must(405, "POST", "/v1/boards/demo/log", "{}")
}

// tail is a log that is followed.
type tail struct {
	t     *testing.T
	lines chan string // closed at the end of the answer
	end   error       // why it ended; read it after lines is closed
	stop  func()
}

func (s *site) follow(query string, header ...string) *tail {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+"/v1/boards/demo/log?follow=1"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // returns with the header, before there is a line
	if err != nil || resp.StatusCode != 200 {
		s.t.Fatal(err, resp)
	}
	f := &tail{s.t, make(chan string), nil, cancel}
	go func() {
		defer close(f.lines)
		defer resp.Body.Close()
		for r := bufio.NewReader(resp.Body); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				f.end = err
				return
			}
			select {
			case f.lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	return f
}

// next wants the decision on this mutation; "" wants the end.
func (f *tail) next(id string) {
	f.t.Helper()
	select {
	case line, ok := <-f.lines:
		if !ok && id == "" {
			return
		}
		if !ok || parseLogged(f.t, line).ID != id {
			f.t.Fatalf("got %q, want %q", line, id)
		}
	case <-time.After(60 * time.Second):
		f.t.Fatalf("%q does not come", id)
	}
}

func TestLog_Follow(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLogFollow)
}

func testLogFollow(t *testing.T, s *site) {
	s.demo()
	s.mutate("ann", "a1", "c1", `{"title":"1"}`)
	all, card, newest, future := s.follow("&since=6"), s.follow("&entity=c2"), s.follow("&last=1&entity=c1"), s.follow("&since=8")
	all.next("a1")
	card.next("demo")
	newest.next("a1")
	s.mutate("ann", "a2", "c2", `{"columnId":"todo"}`)
	s.mutate("ann", "a3", "c9", `{"title":"1"}`) // not_found
	s.mutate("ann", "a4", "m1", `{"kind":"comment","cardId":"c2","text":"x"}`)
	s.mutate("ann", "a5", "c1", `{"title":"2"}`)
	for _, id := range []string{"a2", "a3", "a4", "a5"} {
		all.next(id)
	}
	card.next("a2")
	card.next("a4")
	newest.next("a5")
	future.next("a4")
	future.next("a5")
	for _, f := range []*tail{all, card, newest, future} {
		f.stop() // and nobody sits at the board: newSite looks
	}
}

func TestLog_FollowEndsWithTheServer(t *testing.T) {
	t.Parallel()
	s := newRealSite(t, Config{})
	s.demo()
	f := s.follow("&last=1")
	f.next("demo")
	if err := s.s.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	f.next("")
	if f.end.Error() != "EOF" {
		t.Errorf("ends with %v", f.end)
	}
}

func TestLog_FollowEndsWithTheToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	ctx, end := s.s.readingTime(t.Context(), identity{expires: time.Now().Add(10 * time.Millisecond)})
	defer end()
	select {
	case <-ctx.Done():
	case <-time.After(60 * time.Second):
		t.Error("goes on")
	}
}

func TestLog_Rights(t *testing.T) {
	t.Parallel()
	k, auth := newTokens(t)
	onEachSite(t, Config{Auth: auth, BoardIDs: true}, func(t *testing.T, s *site) { testLogRights(t, s, k) })
}

func testLogRights(t *testing.T, s *site, k tokens) {
	ann, vic := k.of("ann"), k.of("vic")
	s.must(201, "POST", "/v1/boards", `{"id":"demo","title":"Demo"}`, ann...)
	send := func(id, entity, patch string) {
		t.Helper()
		s.must(200, "POST", "/v1/boards/demo/mutations", fmt.Sprintf(`{"clientMutationId":%q,"entityId":%q,"patch":%s}`, id, entity, patch), ann...)
	}
	for _, who := range [][]string{vic, k.of("eve", "other=admin")} {
		if got := s.must(404, "GET", "/v1/boards/demo/log", "", who...).code(t); got != domain.NotFound {
			t.Error(got)
		}
	}
	s.must(401, "GET", "/v1/boards/demo/log", "")
	send("in", "member:vic", `{"kind":"member","role":"viewer"}`)
	if got := idsOf(s.log("?last=1", vic...)); got != "in" {
		t.Error(got)
	}
	if got := idsOf(s.log("?last=1", k.of("guest", "d*=viewer")...)); got != "in" {
		t.Error(got)
	}
	f := s.follow("&last=1", vic...)
	f.next("in")
	send("col", "todo", `{"kind":"column","title":"x"}`)
	f.next("col")
	send("out", "member:vic", `null`)
	send("later", "todo", `{"title":"y"}`)
	f.next("")
	s.must(404, "GET", "/v1/boards/demo/log", "", vic...)
}

func TestLog_OfABoardUnderImport(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLogImport)
}

func testLogImport(t *testing.T, s *site) {
	s.must(200, "POST", "/v1/boards/demo/import", `{"source":"test:1","part":0,"entities":[
		{"id":"demo","kind":"board","title":"Imported"},{"id":"col","kind":"column","title":"Column","position":"a0"}]}`, "Mutation-Id", "p0")
	if got := s.must(404, "GET", "/v1/boards/demo/log", "").code(t); got != domain.NotFound {
		t.Error(got)
	}
	s.must(200, "POST", "/v1/boards/demo/import", `{"source":"test:1","part":1,"done":true,"provenance":{"by":"them"},"entities":[
		{"id":"c1","kind":"card","columnId":"col","title":"Card","position":"a0"}]}`, "Mutation-Id", "p1")
	lines := s.log("")
	if got := idsOf(lines); got != "p0 p1" {
		t.Fatal(got)
	}
	if im := lines[1].Import; im == nil || string(im.Provenance) != `{"by":"them"}` || lines[1].Events[0].Origin == nil {
		t.Errorf("%+v", lines[1])
	}
	if got := idsOf(s.log("?entity=c1")); got != "p1" {
		t.Error(got)
	}
}

// TestLog_WhatIsVoidIsNotTold: it was stored too late to take effect, and its
// commands were decided again.
func TestLog_WhatIsVoidIsNotTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	s.mutate("ann", "a1", "c1", `{"title":"1"}`)
	s.m.room("demo").void(t, "a2")
	s.mutate("ann", "a2", "c1", `{"title":"2"}`)
	s.mutate("ann", "a3", "c1", `{"title":"3"}`)
	if all := s.log(""); idsOf(all[1:]) != "demo a1 a2 a3" {
		t.Error(idsOf(all))
	}
	for query, want := range map[string]string{"?last=3": "a1 a2 a3", "?since=6": "a1 a2 a3", "?since=7": "a2 a3", "?since=8": "a3", "?entity=c1&last=2": "a2 a3"} {
		if got := idsOf(s.log(query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// void stores a decision on mutation id too late.
func (r *memoryRoom) void(t *testing.T, id string) {
	t.Helper()
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	seq, prev, at := r.view.Board().Head()
	rev := r.view.Board().Rev()
	c := &domain.Commit{V: domain.CommitVersion, Board: "demo", Prev: prev, At: at, NotAfter: at, Decisions: []domain.Decision{{
		Command: domain.Command{ID: id, Op: domain.OpMutate, User: "ann", Changes: []domain.Change{put("c1", "", "title", "2")}},
		At:      at, Rev: rev + 1, Events: []domain.Event{{Type: "card.renamed", V: 1, Rev: rev + 1, EntityID: "c1"}},
	}}}
	data, hash, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	rec := eventlog.Record{Board: "demo", Seq: seq + 1, Prev: seq, Time: at.Add(time.Second), Data: data, Hash: hash, Commit: c}
	if _, err := r.view.Apply(rec); err != nil {
		t.Fatal(err)
	}
	r.records = append(r.records, rec)
}

func TestLog_WhatBreaksOffDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	for i := range 3 {
		s.mutate("ann", fmt.Sprintf("a%d", i), "c1", `{"description":"`+strings.Repeat("x", logBuffer/2)+`"}`)
	}
	rm := s.m.room("demo")
	s.m.mu.Lock()
	rm.records = rm.records[:len(rm.records)-1] // the last one cannot be read
	s.m.mu.Unlock()
	resp, err := http.Get(s.url + "/v1/boards/demo/log")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil || n == 0 {
		t.Errorf("ends after %d bytes as if it were whole", n)
	}
	s.must(503, "GET", "/v1/boards/demo/log?last=1", "")
}

func TestLog_ReadersOfOneUserAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	for range maxReaders {
		s.s.readers.enter("ann")
	}
	if got := s.must(429, "GET", "/v1/boards/demo/log?user=ann", "").code(t); got != wire.RateLimited {
		t.Error(got)
	}
	s.must(200, "GET", "/v1/boards/demo/log?user=bob", "")
	s.s.readers.leave("ann")
	s.must(200, "GET", "/v1/boards/demo/log?user=ann", "")
	s.must(200, "GET", "/v1/boards/demo/log?user=ann", "") // the first has left
}
