package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/snapback-io/snapback/cmd/snapback/load"
)

// A test that starts a hub starts this program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == hubCommand {
		main()
	}
	os.Exit(m.Run())
}

const patience = 30 * time.Second

func testShop(t *testing.T) *workshop {
	t.Helper()
	w, err := newWorkshop(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.remove)
	return w
}

func startTest(t *testing.T, w *workshop, args ...string) *server {
	t.Helper()
	s, err := startHub(args...)(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

func openTest(t *testing.T, s *server, board string) *load.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := s.Open(ctx, board, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// hear gives the next n events.
func hear(t *testing.T, c *load.Client, n int) []load.Event {
	t.Helper()
	var events []load.Event
	for len(events) < n {
		err := c.Receive(func(e load.Event) error {
			events = append(events, e)
			return nil
		})
		if err != nil {
			t.Fatalf("after %v: %v", events, err)
		}
	}
	return events
}

// What a hub of every kind says to a mover and to a viewer.
func TestHubIsUnderstood(t *testing.T) {
	w := testShop(t)
	for name, args := range map[string][]string{
		"coalescing": nil,
		"by frame":   {"-coalesce=false"},
		"with a wal": {"-wal", filepath.Join(w.dir, "changes")},
	} {
		t.Run(name, func(t *testing.T) {
			s := startTest(t, w, args...)
			if err := s.Make(t.Context(), "b", 10); err != nil {
				t.Fatal(err)
			}
			mover, viewer, elsewhere := openTest(t, s, "b"), openTest(t, s, "b"), openTest(t, s, "c")
			mover.Send(3, 1)
			mover.Send(4, 1)
			if err := mover.Flush(); err != nil {
				t.Fatal(err)
			}
			want := []load.Event{
				{Kind: load.Sync, Rev: 11}, {Kind: load.Ack, N: 1, Rev: 11},
				{Kind: load.Sync, Rev: 12}, {Kind: load.Ack, N: 2, Rev: 12},
			}
			if got := hear(t, mover, 4); !slices.Equal(got, want) {
				t.Errorf("the mover heard %v, should %v", got, want)
			}
			want = []load.Event{{Kind: load.Sync, Rev: 11}, {Kind: load.Sync, Rev: 12}}
			if got := hear(t, viewer, 2); !slices.Equal(got, want) {
				t.Errorf("the viewer heard %v, should %v", got, want)
			}
			elsewhere.Send(0, 1)
			if err := elsewhere.Flush(); err != nil {
				t.Fatal(err)
			}
			if got := hear(t, elsewhere, 1)[0]; got.Rev != 1 {
				t.Errorf("on another board: %v", got)
			}
		})
	}
}

func TestHubReadsItsFileBack(t *testing.T) {
	w := testShop(t)
	file := filepath.Join(w.dir, "changes")
	s := startTest(t, w, "-wal", file)
	if err := s.Make(t.Context(), "b", 10); err != nil {
		t.Fatal(err)
	}
	s.stop()
	c := openTest(t, startTest(t, w, "-wal", file), "b")
	c.Send(0, 1)
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := hear(t, c, 1)[0]; got.Rev != 11 {
		t.Errorf("the first change after a restart: %v, should have rev 11", got)
	}
}

// Each measurement runs, and counts what a hub surely does.
func TestMovesOnAHub(t *testing.T) {
	s := startTest(t, testShop(t))
	span := load.Span{Warm: 100 * time.Millisecond, Measure: 300 * time.Millisecond, CPU: childrenCPU()}
	for _, b := range benches[:2] {
		r, err := b.run(t.Context(), s, b.name, span)
		if err != nil {
			t.Fatal(err)
		}
		if r.Bench != b.name || r.Faults > 0 || r.Figures.Get("acked") == 0 || r.Figures.Get("syncs") < 2*r.Figures.Get("acked") {
			t.Errorf("%s: %+v", b.name, r)
		}
		if cpu := r.Figures.Get(perMove.figure); span.CPU != nil && (cpu <= 0 || cpu > 10_000) {
			t.Errorf("%s: a move costs the hub %v us", b.name, cpu)
		}
	}
}

// Messages as the servers send them (Socket.IO 4.8, ShareDB 7.0).
func TestMessagesAreUnderstood(t *testing.T) {
	const head = `{"a":"op","c":"b","d":"card-`
	none := load.Event{}
	for _, c := range []struct {
		name    string
		dialect dialect
		heard   []string
		events  []load.Event
		reply   string
	}{
		{"Socket.IO", speakSocketIO("b"), []string{
			`42["sync",{"rev":12,"entity":{"id":"card-1","rev":3}}]`,
			`437[{"rev":12}]`,
			`438[{"error":"no connection"}]`,
			`2`,
		}, []load.Event{{Kind: load.Sync, Rev: 12}, {Kind: load.Ack, N: 7, Rev: 12}, {Kind: load.Nack, N: 8}, none}, "3"},
		{"ShareDB", speakShareDB("b"), []string{
			head + `1","v":0,"src":"s","seq":1,"create":{"type":"t","data":{}}}`,
			head + `1","v":1,"src":"s","seq":2,"op":[{"p":["columnId"],"od":"c0","oi":"c1"}]}`,
			head + `1","v":1,"src":"s","seq":2,"op":[{"p":["columnId"],"od":"c0","oi":"c1"}]}`, // again
			`{"src":"me","seq":5,"v":2,"a":"op","c":"b","d":"card-1"}`,
			head + `22","v":0,"src":"s","seq":9,"create":{"type":"t","data":{}}}`,
			head + `22","v":2,"src":"s","seq":9,"op":[]}`, // one was lost: it shows
			`{"seq":6,"a":"op","c":"b","d":"card-1","v":9,"op":[],"error":{"code":"ERR"}}`,
		}, []load.Event{
			{Kind: load.Sync, Rev: 1}, {Kind: load.Sync, Rev: 2}, none, {Kind: load.Ack, N: 5, Rev: 3},
			{Kind: load.Sync, Rev: 4}, {Kind: load.Sync, Rev: 6}, {Kind: load.Nack, N: 6},
		}, ""},
	} {
		var reply []byte
		for i, message := range c.heard {
			var got load.Event
			if got, reply = c.dialect.Read([]byte(message), reply); got != c.events[i] {
				t.Errorf("%s: %s is %v, should be %v", c.name, message, got, c.events[i])
			}
		}
		if string(reply) != c.reply {
			t.Errorf("%s: replies %q, should %q", c.name, reply, c.reply)
		}
	}
}

func TestMovesAreSaid(t *testing.T) {
	shared := speakShareDB("b")
	shared.Read([]byte(`{"a":"op","c":"b","d":"card-1","v":4,"src":"s","seq":1,"op":[]}`), nil)
	const card = `{"id":"card-1","kind":"card","columnId":"c1","position":"100001","title":"Card 1",` +
		`"createdAt":"2026-01-02T03:04:05.678Z","createdBy":"u0","updatedAt":"2026-01-02T03:04:05.678Z","updatedBy":"u0"}`
	for _, c := range []struct {
		dialect dialect
		want    string
	}{
		{speakHub("b"), `{"type":"mutate","id":"7","entity":` + card + `}`},
		{speakSocketIO("b"), `427["mutate",` + card + `]`},
		{shared, `{"seq":7,"a":"op","c":"b","d":"card-1","v":5,"op":[{"p":["columnId"],"od":"c0","oi":"c1"},{"p":["position"],"od":"100001","oi":"100001"}]}`},
	} {
		if got := string(c.dialect.Move(nil, 7, 1, 1)); got != c.want {
			t.Errorf("%T says\n%s, should\n%s", c.dialect, got, c.want)
		}
	}
}

func TestCells(t *testing.T) {
	runs := func(list ...load.Result) (r report) {
		for i, run := range list {
			r.Runs = append(r.Runs, taken{"p", "b", i + 1, run})
		}
		return r
	}
	run := func(acked, ms, generator float64, faults int) load.Result {
		return load.Result{Load: generator, Faults: faults, Figures: load.Figures{{Name: "acked", Value: acked, Unit: "/s"}, {Name: "ack p50", Value: ms, Unit: "ms"}}}
	}
	for _, c := range []struct {
		name           string
		r              report
		acked, latency string
	}{
		{"median", runs(run(100, 3, .5, 0), run(12345, 1, .5, 0), run(20000, 2.345, .5, 0)), "12,300", "2.35 ms"},
		{"generator-bound", runs(run(12345, 1, .91, 0)), "> 12,300", "-"},
		{"refusals do not count", runs(run(50, 1, .5, 3), run(700, 2, .5, 0)), "700", "2.00 ms"},
		{"nothing but refusals", runs(run(50, 1, .5, 3)), "failed", "failed"},
		{"nothing", runs(), "failed", "failed"},
		{"not told", runs(load.Result{}), "-", "-"},
	} {
		if got := c.r.cell("p", "b", "acked"); got != c.acked {
			t.Errorf("%s: %s, should be %s", c.name, got, c.acked)
		}
		if got := c.r.cell("p", "b", "ack p50"); got != c.latency {
			t.Errorf("%s: %s, should be %s", c.name, got, c.latency)
		}
	}
}

func TestParseStat(t *testing.T) {
	parent, used := parseStat("77 (a) b (c) S 12 77 77 0 -1 4194560 1 2 3 4 150 25 300 25 20 0 1 0 9 9 9")
	if parent != 12 || used != 5 {
		t.Errorf("parent %d, %v s, should be 12 and 5 s", parent, used)
	}
	if parent, used := parseStat("77 (cut"); parent != 0 || used != 0 {
		t.Errorf("of half a line: %d, %v", parent, used)
	}
}

func TestChosen(t *testing.T) {
	if all, err := chosen(peers, ""); err != nil || len(all) != len(peers) {
		t.Errorf("no flag: %d peers, %v", len(all), err)
	}
	some, err := chosen(peers, "snapback,hub")
	if err != nil || !slices.Equal(names(some), []string{"snapback", "hub"}) {
		t.Errorf("snapback,hub: %v, %v", names(some), err)
	}
	if _, err := chosen(peers, "hub,nothing"); err == nil {
		t.Error("an unknown peer is accepted")
	}
}
