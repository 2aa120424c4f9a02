package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
)

// A node whose clock is wrong takes nothing new, over sockets and HTTP, until
// it is right again: the deadlines it would give could not be trusted.
func TestAstray_NothingNewIsTaken(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		synctest.Wait()
		published, wrong := 0, true
		tap.publish = func(cmd *domain.Command, ttl time.Duration) error {
			published++
			return w.fake.PublishCommand(cmd, ttl)
		}
		w.hubs.astray = func() bool { return wrong }
		refused := w.refusesNew(s, reasonAstray)
		if published != 0 {
			t.Errorf("%d commands were published", published)
		}
		wrong = false
		s.send(`{"type":"mutate","clientMutationId":"` + refused + `","entityId":"c2","patch":{"title":"new"}}`)
		if f := s.verdict(refused); f.Type != wire.TypeAck && f.Code == string(wire.Unavailable) {
			t.Errorf("sent again: %s", f)
		}
	})
}

// Who comes to such a node is sent away: its clock is what a client takes for
// the time, and later the ids of what he does would be refused for it.
func TestAstray_NobodyIsLetIn(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		wrong := true
		w.hubs.astray = func() bool { return wrong }
		answer := httptest.NewRecorder()
		w.hubs.serve(answer, httptest.NewRequest("GET", "/"+board, nil), board, identity{user: "bob", open: true}, nil)
		if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), reasonAstray) {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
		wrong = false
		w.connect("bob").skip("ready")
	})
}

// clocks is what a node knows of the others.
type clocks struct{ settled, astray bool }

func (c *clocks) Present() ([]eventlog.Member, bool, <-chan struct{}) { return nil, c.settled, nil }
func (c *clocks) Astray() (bool, time.Duration)                       { return c.astray, 0 }

// Until a node has heard the others it does not know its clock to be right.
func TestAstray_UntilClocksAreCompared(t *testing.T) {
	c := &clocks{}
	hs := newHubsOn(nil, Config{Members: c})
	for _, step := range []struct{ settled, astray, want bool }{{false, false, true}, {true, true, true}, {true, false, false}, {false, false, false}} {
		if c.settled, c.astray = step.settled, step.astray; hs.astray() != step.want {
			t.Errorf("%+v", step)
		}
	}
}

// A node that does not know yet who the others are refuses mutations, and says
// that it is not ready.
func TestReadyz_NotBeforeTheNodeHasListened(t *testing.T) {
	t.Parallel()
	c := &clocks{}
	s := newSite(t, Config{Members: c})
	if r := s.admin("/readyz"); r.status != 503 || !strings.Contains(r.body, "listens who the others are") {
		t.Errorf("%d %s", r.status, r.body)
	}
	c.settled = true
	if r := s.admin("/readyz"); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
