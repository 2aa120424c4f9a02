package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/projector/rebuild"
)

// rebuildSite is a node on a log, with its admin listener.
func rebuildSite(t *testing.T, log *eventlog.Log) (s *site, admin string, stop func()) {
	t.Helper()
	workers, err := service.New(service.Config{Log: log, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = workers.Run(ctx) }()
	server, err := New(Config{Log: log, Logger: quiet, Rebuild: log, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	public, private := httptest.NewServer(server.Handler()), httptest.NewServer(server.AdminHandler())
	stop = func() { public.Close(); private.Close(); server.Close(); cancel(); <-done }
	return &site{t, nil, server, public.URL}, private.URL, stop
}

// rebuilt asks the admin listener and gives the differences and the last line.
func rebuilt(t *testing.T, admin, query string) (found []rebuild.Difference, end rebuild.Line) {
	t.Helper()
	answer, err := http.Post(admin+"/rebuild"+query, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Fatal(answer.Status)
	}
	for lines := json.NewDecoder(answer.Body); lines.More(); {
		end = rebuild.Line{}
		if err := lines.Decode(&end); err != nil {
			t.Fatal(err)
		}
		if end.Type == "difference" {
			found = append(found, *end.Difference)
		}
	}
	return found, end
}

// TestRebuild_WhatWasLoadedFromAWrongSnapshotIsLoadedAgain, and whoever watches
// the board is told.
func TestRebuild_WhatWasLoadedFromAWrongSnapshotIsLoadedAgain(t *testing.T) {
	t.Parallel()
	nats, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Shutdown)
	log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: nats, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	s, _, stop := rebuildSite(t, log)
	s.demo()
	s.must(200, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"t1","entityId":"todo","patch":{"title":"The right title"}}`)
	stop()
	b, err := eventlog.LoadBoard(t.Context(), log, "demo")
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte("The right title"), []byte("The wrong title"))
	binary.BigEndian.PutUint32(data[len(data)-4:], crc32.ChecksumIEEE(data[:len(data)-4]))
	seq, hash, _ := b.Head()
	if err := log.PutSnapshot(t.Context(), "demo", eventlog.Snapshot{Seq: seq, Hash: hash, Data: data}); err != nil {
		t.Fatal(err)
	}
	log.DropKept("demo")

	s, admin, stop := rebuildSite(t, log)
	defer stop()
	c, err := client.Connect(t.Context(), client.Options{URL: s.url, Board: "demo", User: "ann", TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	told := make(chan struct{}, 1)
	c.Subscribe(func([]client.Change) { token(told) })
	if r, err := c.Transact(put("c1", "", "title", "by a worker")).Wait(t.Context()); err != nil || !r.OK {
		t.Fatal(r, err)
	}
	if title := c.Get("todo").Fields.String("title"); title != "The wrong title" {
		t.Fatalf("the snapshot was not used: %q", title)
	}
	wants := []string{"snapshot", "view", "worker"}
	for _, query := range []string{"?check", "?check&board=demo", ""} {
		found, end := rebuilt(t, admin, query)
		in := map[string]bool{}
		for _, d := range found {
			in[d.In] = true
			if d.Fixed != (query == "") {
				t.Errorf("%q: %+v", query, d)
			}
		}
		for _, want := range wants {
			if !in[want] {
				t.Errorf("%q: not found in the %s: %v", query, want, found)
			}
		}
		if end.Type != "end" || end.Boards != 1 || end.Records == 0 {
			t.Errorf("%q ends with %+v", query, end)
		}
	}
	if found, _ := rebuilt(t, admin, "?check"); len(found) > 0 {
		t.Errorf("after it: %v", found)
	}
	if r := s.must(200, "GET", "/v1/boards/demo", ""); !strings.Contains(r.body, "The right title") || !strings.Contains(r.body, "by a worker") {
		t.Errorf("the room has %s", r.body)
	}
	for patience := time.After(60 * time.Second); c.Get("todo").Fields.String("title") != "The right title"; {
		select {
		case <-told:
		case <-patience:
			t.Fatal("who watches was not told")
		}
	}
	if r, err := c.Transact(put("c1", "", "title", "later")).Wait(t.Context()); err != nil || !r.OK {
		t.Fatal(r, err)
	}
	if found, _ := rebuilt(t, admin, "?check"); len(found) > 0 {
		t.Errorf("later: %v", found)
	}
}

func TestRebuild_Refuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	if w := s.post("/rebuild", ""); w.Code != 404 {
		t.Errorf("a node without it: %d", w.Code)
	}
	s.s.cfg.Rebuild = new(eventlog.Log) // not touched
	s.s.rebuilding.Store(true)
	for path, want := range map[string]int{"/rebuild": 409, "/rebuild?board=a.b": 400, "/rebuild?after=%2A": 400} {
		if w := s.post(path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if w := s.post("/rebuild", "https://example.com"); w.Code != 403 {
		t.Errorf("a page: %d", w.Code)
	}
	if r := s.admin("/rebuild"); r.status != 405 {
		t.Errorf("GET: %d", r.status)
	}
}

func (s *site) post(path, origin string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest("POST", path, nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	s.s.AdminHandler().ServeHTTP(w, r)
	return w
}
