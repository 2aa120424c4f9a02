package seed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/node"
)

func TestMain(m *testing.M) { node.Main(m) }

const (
	soon    = 20 * time.Second // for what must happen
	silence = 5 * time.Second
)

// board is a server with one board: columns todo, doing and full (a WIP limit
// of 1, reached), cards c1 to c3 in todo, one in full, and a file f1.
type board struct {
	*node.Server
	t  *testing.T
	id string
}

var shared *node.Server // one server for all tests; each makes a board of its own

func newBoard(t *testing.T) *board {
	t.Helper()
	b := &board{Server: shared, t: t, id: "seed-" + strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))}
	b.post("/v1/boards", "owner", map[string]any{"id": b.id, "title": "Seed"}, http.StatusCreated)
	b.mutate("owner", "todo", Entity{"kind": "column", "title": "Todo"})
	b.mutate("owner", "doing", Entity{"kind": "column", "title": "Doing"})
	b.mutate("owner", "full", Entity{"kind": "column", "title": "Full", "wipLimit": 1})
	b.mutate("owner", "filler", Entity{"kind": "card", "title": "Filler", "columnId": "full"})
	for _, id := range []string{"c1", "c2", "c3"} {
		b.mutate("owner", id, Entity{"kind": "card", "title": "Card " + id, "columnId": "todo"})
	}
	b.mutate("owner", "f1", Entity{"kind": "file", "name": "plan.txt", "url": "https://example.org/plan.txt"})
	return b
}

func (b *board) post(path, user string, body any, want int) []byte {
	b.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := http.Post("http://"+b.Addr+path+"?user="+user, "application/json", bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	out.ReadFrom(resp.Body)
	if resp.StatusCode != want {
		b.t.Fatalf("POST %s: %s, not %d: %s", path, resp.Status, want, out.String())
	}
	return out.Bytes()
}

func (b *board) mutate(user, entityID string, patch Entity) {
	b.t.Helper()
	b.post("/v1/boards/"+b.id+"/mutations", user, map[string]any{"type": "mutate", "clientMutationId": uuid4(), "entityId": entityID, "patch": patch}, http.StatusOK)
}

// dial opens a store that has been filled.
func (b *board) dial(user, addr string, silence time.Duration) *Store {
	b.t.Helper()
	s, err := Dial("ws://"+addr+"/v1/boards/"+b.id+"/ws?user="+user, silence)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(s.Close)
	for _, id := range []string{b.id, "todo", "doing", "full", "filler", "c1", "c2", "c3", "f1"} {
		b.wait(s, "filled with "+id, func() bool { return s.Get(id) != nil })
	}
	return s
}

func (b *board) wait(s *Store, what string, ok func() bool) {
	b.t.Helper()
	if err := s.Wait(soon, ok); err != nil {
		b.t.Fatalf("%s: %v", what, err)
	}
}

func (b *board) verdict(s *Store, id, want, code string) {
	b.t.Helper()
	b.wait(s, "verdict", func() bool { v, _ := s.Verdict(id); return v != "" })
	if v, c := s.Verdict(id); v != want || c != code {
		b.t.Fatalf("verdict %s %s, want %s %s", v, c, want, code)
	}
}

// shown checks that an entity's field was shown in these values, one after the other.
func (b *board) shown(s *Store, id, field string, want ...any) {
	b.t.Helper()
	var got []any
	for _, e := range s.History(id) {
		if v := e[field]; len(got) == 0 || fmt.Sprint(got[len(got)-1]) != fmt.Sprint(v) {
			got = append(got, v)
		}
	}
	if have, due := fmt.Sprint(got...), fmt.Sprint(want...); have != due {
		b.t.Errorf("%s of %s was shown as %s, want %s", field, id, have, due)
	}
}

func TestSeed(t *testing.T) {
	shared = node.Start(t, "server", t.TempDir(), "", "--demo=false")
	t.Run("group", func(t *testing.T) {
		t.Run("FilledBySync", testFilledBySync)
		t.Run("KeepsOnAck", testKeepsOnAck)
		t.Run("RollsBackOneOfThree", testRollsBackOneOfThree)
		t.Run("RollsBackOnSilence", testRollsBackOnSilence)
		t.Run("NeighboursSyncKeepsPending", testNeighboursSyncKeepsPending)
		t.Run("DoubleClickSecondRefused", testDoubleClickSecondRefused)
		t.Run("LikeStays", testLikeStays)
		t.Run("LikeButton", testLikeButton)
		t.Run("LikeButtonDoubleClick", testLikeButtonDoubleClick)
		t.Run("LikeButtonFails", testLikeButtonFails)
	})
}

func testFilledBySync(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	s := b.dial("ann", b.Addr, silence)
	for id, field := range map[string]string{"todo": "title", "c1": "columnId", "c3": "position", "f1": "name", b.id: "title"} {
		if s.Get(id)[field] == nil {
			t.Errorf("%s has no %s: %v", id, field, s.Get(id))
		}
	}
	if c := s.Get("c1"); c["liked"] != false || c["likes"] != 0.0 {
		t.Errorf("liked %v, likes %v", c["liked"], c["likes"])
	}
	if s.Mutate("nobody", Entity{"title": "x"}) != "" {
		t.Error("the seed changes what it does not know")
	}
}

func testKeepsOnAck(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	s := b.dial("ann", b.Addr, silence)
	id := s.Mutate("f1", Entity{"name": "plan-2.txt"})
	move := s.Mutate("c1", Entity{"columnId": "doing"})
	if s.Get("f1")["name"] != "plan-2.txt" || s.Get("c1")["columnId"] != "doing" {
		t.Error("not shown at once")
	}
	b.verdict(s, id, "ack", "")
	b.verdict(s, move, "ack", "")
	b.shown(s, "f1", "name", "plan.txt", "plan-2.txt")
	b.shown(s, "c1", "columnId", "todo", "doing")
	if other := b.dial("bob", b.Addr, silence); other.Get("f1")["name"] != "plan-2.txt" || other.Get("c1")["columnId"] != "doing" {
		t.Error("somebody who comes later sees something else")
	}
}

func testRollsBackOneOfThree(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	s := b.dial("ann", b.Addr, silence)
	first := s.Mutate("c1", Entity{"description": "first"})
	second := s.Mutate("c1", Entity{"columnId": "full"})
	third := s.Mutate("c1", Entity{"color": "red"})
	if c := s.Get("c1"); c["description"] != "first" || c["columnId"] != "full" || c["color"] != "red" {
		t.Errorf("shown at once: %v", c)
	}
	b.verdict(s, first, "ack", "")
	b.verdict(s, second, "nack", "wip_limit")
	b.verdict(s, third, "ack", "")
	if c := s.Get("c1"); c["description"] != "first" || c["columnId"] != "todo" || c["color"] != "red" {
		t.Errorf("in the end: %v", c)
	}
	b.shown(s, "c1", "description", nil, "first")
	b.shown(s, "c1", "columnId", "todo", "full", "todo")
	b.shown(s, "c1", "color", nil, "red")
}

func testRollsBackOnSilence(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	p, err := cutter.New(b.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	s := b.dial("ann", p.Addr(), time.Second)
	kept := s.Mutate("c1", Entity{"title": "kept"})
	b.verdict(s, kept, "ack", "")
	p.Set(cutter.Faults{Swallow: [2]bool{cutter.Up: true}})
	lost := s.Mutate("c1", Entity{"title": "lost"})
	if s.Get("c1")["title"] != "lost" {
		t.Error("not shown at once")
	}
	b.verdict(s, lost, "timeout", "")
	b.shown(s, "c1", "title", "Card c1", "kept", "lost", "kept")
	if other := b.dial("bob", b.Addr, silence); other.Get("c1")["title"] != "kept" {
		t.Error("what was lost has come true")
	}
}

func testNeighboursSyncKeepsPending(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	p, err := cutter.New(b.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	s, bob := b.dial("ann", p.Addr(), 4*silence), b.dial("bob", b.Addr, silence)
	p.Set(cutter.Faults{Delay: [2]time.Duration{cutter.Up: time.Second}})
	mine := s.Mutate("c1", Entity{"description": "mine"})
	theirs := bob.Mutate("c1", Entity{"title": "theirs"})
	b.verdict(bob, theirs, "ack", "")
	b.wait(s, "the neighbour's sync", func() bool { return s.Get("c1")["title"] == "theirs" })
	if v, _ := s.Verdict(mine); v != "" {
		t.Fatalf("the change was to be pending, it is %s", v)
	}
	if s.Get("c1")["description"] != "mine" {
		t.Error("the pending change is gone with the neighbour's sync")
	}
	b.verdict(s, mine, "ack", "")
	b.shown(s, "c1", "description", nil, "mine")
	b.shown(s, "c1", "title", "Card c1", "theirs")
}

func testDoubleClickSecondRefused(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	s := b.dial("ann", b.Addr, silence)
	first := s.Mutate("c1", Entity{"columnId": "doing"})
	second := s.Mutate("c1", Entity{"columnId": "full"})
	b.verdict(s, first, "ack", "")
	b.verdict(s, second, "nack", "wip_limit")
	b.shown(s, "c1", "columnId", "todo", "doing", "full", "doing")

	like := s.Mutate("c2", Entity{"liked": true, "likes": 1})
	unlike := s.Mutate("c2", Entity{"liked": false, "likes": 0, "title": strings.Repeat("x", 16385)})
	b.verdict(s, like, "ack", "")
	b.verdict(s, unlike, "nack", "invalid")
	b.shown(s, "c2", "liked", false, true, false, true)
}

func testLikeStays(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	s, bob := b.dial("ann", b.Addr, silence), b.dial("bob", b.Addr, silence)
	id := s.Mutate("c1", Entity{"liked": true, "likes": 1})
	b.verdict(s, id, "ack", "")
	b.shown(s, "c1", "liked", false, true)
	b.shown(s, "c1", "likes", 0, 1)
	b.wait(bob, "the like at a neighbour", func() bool { return bob.Get("c1")["likes"] == 1.0 })
	if bob.Get("c1")["liked"] != false {
		t.Error("bob has not liked it")
	}
}

// posts is the recipe's list, filled from the server.
func (b *board) posts(user string) (*Posts, *[]string) {
	b.t.Helper()
	toasts := &[]string{}
	p := &Posts{
		Toast: func(reason string) { *toasts = append(*toasts, reason) },
		Fetch: func(method, path string) (*http.Response, error) {
			req, err := http.NewRequest(method, "http://"+b.Addr+path+"?board="+b.id+"&user="+user, nil)
			if err != nil {
				return nil, err
			}
			return http.DefaultClient.Do(req)
		},
	}
	p.Set(b.rows(user))
	return p, toasts
}

// rows are the cards of the column todo as the server has them.
func (b *board) rows(user string) []Post {
	b.t.Helper()
	resp, err := http.Get("http://" + b.Addr + "/v1/boards/" + b.id + "?user=" + user)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body struct {
		Entities []struct {
			ID, Kind, ColumnID string
			Liked              bool
			Likes              int
		} `json:"entities"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		b.t.Fatal(err)
	}
	var rows []Post
	for _, e := range body.Entities {
		if e.Kind == "card" && e.ColumnID == "todo" {
			rows = append(rows, Post{e.ID, e.Liked, e.Likes})
		}
	}
	return rows
}

func (b *board) sameAsServer(p *Posts, user string) {
	b.t.Helper()
	if got, want := p.Items(), b.rows(user); !slices.Equal(got, want) {
		b.t.Errorf("shown %v, the server has %v", got, want)
	}
}

func testLikeButton(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	ann, toasts := b.posts("ann")
	bob, _ := b.posts("bob")
	<-ann.ToggleLike("c1")
	<-bob.ToggleLike("c1")
	if got := ann.Items()[0]; !got.Liked || got.Likes != 1 {
		t.Errorf("shown %+v", got)
	}
	if got := b.rows("bob")[0]; !got.Liked || got.Likes != 2 {
		t.Errorf("after two likes bob is shown %+v", got)
	}
	if got := b.rows("cid")[0]; got.Liked || got.Likes != 2 {
		t.Errorf("after two likes cid is shown %+v", got)
	}
	<-bob.ToggleLike("c1")
	b.sameAsServer(ann, "ann")
	if len(*toasts) > 0 {
		t.Errorf("toasts %v", *toasts)
	}

	var answers []string
	for range 2 {
		req, _ := http.NewRequest(http.MethodPost, "http://"+b.Addr+"/api/posts/c2/like?board="+b.id+"&user=ann", nil)
		req.Header.Set("Idempotency-Key", "once-only")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Liked bool
			Likes int
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		answers = append(answers, fmt.Sprint(resp.StatusCode, answer, err))
	}
	if answers[0] != "200 {true 1} <nil>" || answers[1] != answers[0] {
		t.Errorf("twice under one key: %v", answers)
	}
}

func testLikeButtonDoubleClick(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	p, toasts := b.posts("ann")
	first := p.ToggleLike("c1")
	second := p.ToggleLike("c1")
	<-first
	<-second
	b.sameAsServer(p, "ann")
	if p.Items()[0].Liked || len(*toasts) > 0 {
		t.Errorf("after a double click %v, toasts %v", p.Items()[0], *toasts)
	}
}

// The second of two clicks fails while the first is under way: the list goes
// back to what the first click made of it, and so says the server.
func testLikeButtonFails(t *testing.T) {
	t.Parallel()
	b := newBoard(t)
	p, toasts := b.posts("ann")
	fetch := p.Fetch
	begin, clicks := make(chan struct{}), 0
	p.Fetch = func(method, path string) (*http.Response, error) {
		<-begin
		return fetch(method, path)
	}
	first := p.ToggleLike("c1")
	p.Fetch = func(method, path string) (*http.Response, error) {
		clicks++
		return fetch(method, strings.Replace(path, "c1", "no-such-post", 1))
	}
	if got := p.Items()[0]; !got.Liked || got.Likes != 1 {
		t.Errorf("after the first click %+v", got)
	}
	second := p.ToggleLike("c1")
	if got := p.Items()[0]; got.Liked || got.Likes != 0 {
		t.Errorf("after the second click %+v", got)
	}
	<-second
	if got := p.Items()[0]; !got.Liked || got.Likes != 1 {
		t.Errorf("after the second is refused %+v", got)
	}
	close(begin)
	<-first
	b.sameAsServer(p, "ann")
	if clicks != 1 || len(*toasts) != 1 || !strings.Contains((*toasts)[0], "404") {
		t.Errorf("%d requests, toasts %v", clicks, *toasts)
	}

	b.mutate("owner", "c2", Entity{"archived": true})
	<-p.ToggleLike("c2")
	if got := p.Items()[1]; got.Liked || len(*toasts) != 2 || !strings.Contains((*toasts)[1], "409") {
		t.Errorf("a like of an archived card: %+v, toasts %v", got, *toasts)
	}
}
