package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/gateway/client"
	"github.com/snapback-io/snapback/projector/mover"
	"github.com/snapback-io/snapback/projector/verify"
)

// shardSite is a node on a server that others are on, too.
func shardSite(t *testing.T, nats *natsd.Server) (s *site, admin string, log *eventlog.Log) {
	t.Helper()
	log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: nats, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	workers, err := service.New(service.Config{Log: log, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = workers.Run(ctx) }()
	server, err := New(Config{Log: log, Logger: quiet, Shards: log})
	if err != nil {
		t.Fatal(err)
	}
	public, private := httptest.NewServer(server.Handler()), httptest.NewServer(server.AdminHandler())
	t.Cleanup(func() {
		public.Close()
		private.Close()
		server.Close()
		cancel()
		<-done
		log.Close()
	})
	return &site{t, nil, server, public.URL}, private.URL, log
}

// movesTold posts to the admin listener and gives the lines of the answer.
func movesTold(t *testing.T, status int, url string) (lines []mover.Line) {
	t.Helper()
	answer, err := http.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != status {
		t.Fatalf("%s: %s, want %d", url, answer.Status, status)
	}
	for in := json.NewDecoder(answer.Body); in.More(); {
		var l mover.Line
		if err := in.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// person changes the title of a card of his own again and again and expects that
// each is acked.
type person struct {
	*client.Client
	card  string
	acked atomic.Int64
}

func (p *person) work(ctx context.Context, t *testing.T) {
	for i := 1; ctx.Err() == nil; i++ {
		r, err := p.Transact(put(p.card, "", "title", fmt.Sprint(p.card, " ", i))).Wait(context.Background())
		if err != nil || !r.OK {
			t.Errorf("%s, change %d: %+v, %v", p.card, i, r, err)
			return
		}
		p.acked.Store(int64(i))
		time.Sleep(2 * time.Millisecond)
	}
}

// TestMove_WhilePeopleWork: a board that is moved to a new shard while people on
// two nodes change it refuses nobody, loses nothing, and all see the same; the
// records that it has there verify.
func TestMove_WhilePeopleWork(t *testing.T) {
	t.Parallel()
	nats, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Shutdown)
	_, admin, _ := shardSite(t, nats)
	movesTold(t, 200, admin+"/shards?add=3")
	if l := movesTold(t, 200, admin+"/move?board=demo&to=1"); l[0].Type != "failed" {
		t.Fatalf("a node that did not start again moves boards: %+v", l)
	}
	a, admin, log := shardSite(t, nats)
	b, _, _ := shardSite(t, nats)
	a.demo()
	ctx, stop := context.WithCancel(t.Context())
	var working sync.WaitGroup
	var people []*person
	for i, s := range []*site{a, b, a, b} {
		c, err := client.Connect(t.Context(), client.Options{URL: s.url, Board: "demo", User: fmt.Sprint("p", i), TTL: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		p := &person{Client: c, card: fmt.Sprint("card-", i)}
		if r, err := p.Transact(put(p.card, "card", "title", "new", "columnId", "todo")).Wait(t.Context()); err != nil || !r.OK {
			t.Fatal(r, err)
		}
		people = append(people, p)
		working.Go(func() { p.work(ctx, t) })
	}
	each := func(n int64) bool {
		for _, p := range people {
			if p.acked.Load() < n {
				return false
			}
		}
		return true
	}
	wait(t, "changes before", func() bool { return each(20) })
	lines := movesTold(t, 200, admin+"/move")
	if last := lines[len(lines)-1]; len(lines) != 2 || lines[0].Type != "moved" || lines[0].Board != "demo" || last.Type != "end" || last.Moved != 1 || last.Boards != 1 {
		t.Fatalf("%+v", lines)
	}
	moved := people[0].acked.Load()
	wait(t, "changes after", func() bool { return each(moved + 40) })
	stop()
	working.Wait()
	if again := movesTold(t, 200, admin+"/move"); len(again) != 1 || again[0].Moved != 0 {
		t.Errorf("again: %+v", again)
	}
	for _, p := range people {
		for _, other := range people {
			want := fmt.Sprint(other.card, " ", other.acked.Load())
			wait(t, "the same title", func() bool { return p.Get(other.card).Fields.String("title") == want })
		}
	}
	var found []verify.Finding
	head, err := log.Head(t.Context(), "demo")
	if err != nil || eventlog.Generation(head) != 1 {
		t.Fatal(head, err)
	}
	sum, err := verify.Board(t.Context(), log, head, verify.Config{Board: "demo", Generation: 1, Report: func(f verify.Finding) { found = append(found, f) }})
	if err != nil || len(found) > 0 || sum.Rev != people[0].Rev() || sum.Refused > 0 {
		t.Errorf("%+v, %v, %v", sum, found, err)
	}
	if r := a.must(200, "GET", "/v1/boards/demo/log?with=record", ""); strings.Count(r.body, "\n") != int(sum.Decisions) {
		t.Errorf("the log tells %d decisions, not %d", strings.Count(r.body, "\n"), sum.Decisions)
	}
	a.must(200, "GET", fmt.Sprintf("/v1/boards/demo?rev=%d", sum.Rev/2), "")
}

// wait waits for ok, for as long as a slow machine may take.
func wait(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if t.Failed() || time.Now().After(end) {
			t.Fatalf("no %s", what)
		}
	}
}

func TestShards_Refuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	if w := s.post("/move", ""); w.Code != 404 {
		t.Errorf("a node without them: %d", w.Code)
	}
	s.s.cfg.Shards = new(eventlog.Log) // not touched
	for path, want := range map[string]int{
		"/shards?add=0": 400, "/shards?add=1024": 400, "/shards": 400, "/move?to=0": 400, "/move?to=x": 400, "/move?board=a.b": 400, "/move?after=%2A": 400,
	} {
		if w := s.post(path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	for _, path := range []string{"/shards?add=1", "/move"} {
		if w := s.post(path, "https://example.com"); w.Code != 403 {
			t.Errorf("%s by a page: %d", path, w.Code)
		}
	}
}
