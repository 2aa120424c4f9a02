package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
)

func (s *site) likes(path string, header ...string) liking {
	s.t.Helper()
	var l liking
	s.must(200, "POST", path, "", header...).json(s.t, &l)
	return l
}

func TestLike_TogglesInLogOrder(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLikeToggles)
}

func testLikeToggles(t *testing.T, s *site) {
	s.demo()
	for i, want := range []struct {
		user string
		liking
	}{
		{"ann", liking{true, 1}}, {"bob", liking{true, 2}}, {"ann", liking{false, 1}}, {"ann", liking{true, 2}}, {"bob", liking{false, 1}},
	} {
		if got := s.likes("/api/posts/c1/like?user=" + want.user); got != want.liking {
			t.Errorf("click %d by %s: %+v, want %+v", i, want.user, got, want.liking)
		}
	}
	if got := s.likes("/api/posts/c2/like?board=demo"); got != (liking{true, 1}) {
		t.Errorf("%+v", got)
	}
}

func TestLike_ARepeatAnswersAsOfItsDecision(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLikeRepeat)
}

func testLikeRepeat(t *testing.T, s *site) {
	s.demo()
	first := s.likes("/api/posts/c1/like?user=ann", "Idempotency-Key", "k1")
	s.likes("/api/posts/c1/like?user=bob")
	s.likes("/api/posts/c1/like?user=ann")
	s.must(200, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"t","entityId":"c1","patch":{"title":"other"}}`)
	if again := s.likes("/api/posts/c1/like?user=ann", "Idempotency-Key", `"k1"`); again != first || first != (liking{true, 1}) {
		t.Errorf("first %+v, again %+v", first, again)
	}
	s.must(200, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"d","entityId":"c1","patch":null}`)
	if again := s.likes("/api/posts/c1/like?user=ann", "Idempotency-Key", "k1"); again != first {
		t.Errorf("after the card is gone: %+v", again)
	}
	s.must(200, "POST", "/v1/boards/demo/mutations?user=bob", `{"clientMutationId":"n","entityId":"c9","patch":{"kind":"card","title":"x","columnId":"todo","liked":true}}`)
	if first = s.likes("/api/posts/c9/like?user=ann", "Idempotency-Key", "k9"); first != (liking{true, 2}) {
		t.Errorf("a card that was liked when it was made: %+v", first)
	}
	s.must(200, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"d9","entityId":"c9","patch":null}`)
	if again := s.likes("/api/posts/c9/like?user=ann", "Idempotency-Key", "k9"); again != first {
		t.Errorf("after that card is gone: %+v", again)
	}
	if got := s.must(409, "POST", "/api/posts/c2/like?user=ann", "", "Idempotency-Key", "k1").code(t); got != domain.IDReused {
		t.Errorf("the key for another post: %s", got)
	}
	if got := s.likes("/api/posts/c2/like?user=bob", "Idempotency-Key", "k1"); got != (liking{true, 1}) {
		t.Errorf("a key belongs to its user: %+v", got)
	}
}

func TestLike_Refusals(t *testing.T) {
	t.Parallel()
	onEachSite(t, Config{}, testLikeRefusals)
}

func testLikeRefusals(t *testing.T, s *site) {
	s.demo()
	for _, tt := range []struct {
		path   string
		header []string
		status int
		code   domain.Code
	}{
		{"/api/posts/none/like", nil, 404, domain.NotFound},
		{"/api/posts/a%20b/like", nil, 404, domain.NotFound},
		{"/api/posts/c1/like?board=none", nil, 404, domain.NotFound},
		{"/api/posts/todo/like", nil, 400, domain.Invalid},
		{"/api/posts/c1/like", []string{"Idempotency-Key", "not an id"}, 400, domain.Invalid},
		{"/api/posts/c1/like", []string{"Idempotency-Key", "a", "Idempotency-Key", "b"}, 400, domain.Invalid},
	} {
		r := s.do("POST", tt.path, "", tt.header...)
		if r.status != tt.status || r.code(t) != tt.code {
			t.Errorf("%s %v: %d %s", tt.path, tt.header, r.status, r.body)
		}
	}
}

func TestLike_AsOfItsDecisionAmongOthersOfOneCommit(t *testing.T) {
	t.Parallel()
	s := newSite(t, Config{})
	s.demo()
	var cmds []domain.Command
	for _, user := range []string{"ann", "bob", "cat", "ann"} {
		cmds = append(cmds, domain.Command{
			ID: fmt.Sprint("k", len(cmds)), Board: "demo", Op: domain.OpMutate, User: user, Grant: domain.GrantOpen,
			ReceivedAt: time.Now(), Deadline: time.Now().Add(time.Minute / 2), Changes: []domain.Change{{EntityID: "c1", Patch: domain.Patch{}, Toggle: true}},
		})
	}
	if _, err := s.m.room("demo").commit(cmds...); err != nil {
		t.Fatal(err)
	}
	want := []liking{{true, 1}, {true, 2}, {true, 3}, {false, 2}}
	ask := func(when string) {
		for i, cmd := range cmds {
			if got := s.likes("/api/posts/c1/like?user="+cmd.User, "Idempotency-Key", cmd.ID); got != want[i] {
				t.Errorf("%s, %s: %+v, want %+v", when, cmd.ID, got, want[i])
			}
		}
	}
	ask("at once")
	s.must(200, "POST", "/v1/boards/demo/mutations", `{"clientMutationId":"d","entityId":"c1","patch":null}`)
	ask("after the card is gone")
}
