package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// TestLaw7_NothingNewIsTakenWhileTheLogIsFull: what is under way waits for its
// verdict, people read and join, and there is room again without more ado.
func TestLaw7_NothingNewIsTakenWhileTheLogIsFull(t *testing.T) {
	inTappedBubble(t, options{}, func(t *testing.T, w *world, tap *tapped) {
		w.demo()
		s := w.connect("bob")
		s.skip("ready")
		published := 0
		tap.publish = func(*domain.Command, time.Duration) error { published++; return nil }
		first := s.mutate("c1", `{"title":"under way"}`)
		synctest.Wait() // it is taken before there is no room
		w.fake.SetFull(true)
		synctest.Wait()
		published = 0
		refused := w.refusesNew(s, reasonFull)
		if published != 0 {
			t.Errorf("%d commands were published", published)
		}
		late := w.connect("eve")
		late.skip("ready")
		w.fake.SetFull(false)
		if f := s.verdict(first); f.Code != "" && f.Code != string(domain.Expired) {
			t.Errorf("what was under way: %s", f)
		}
		s.send(`{"type":"mutate","clientMutationId":"` + refused + `","entityId":"c2","patch":{"title":"new"}}`)
		if f := s.verdict(refused); f.Type != wire.TypeAck {
			t.Errorf("sent again: %s", f)
		}
	})
}

// refusesNew has a socket and a request send what is new, which is pushed back
// for that reason, and gives the id of the socket's.
func (w *world) refusesNew(s *socket, reason string) (id string) {
	w.t.Helper()
	id = s.mutate("c2", `{"title":"new"}`)
	if f := s.verdict(id); f.Code != string(wire.Unavailable) || !f.Retryable || f.Reason != reason {
		w.t.Errorf("%s", f)
	}
	h, err := w.hubs.open(w.t.Context(), board)
	if err != nil {
		w.t.Fatal(err)
	}
	defer h.release()
	command := domain.Command{ID: ulid.Make().String(), Op: domain.OpMutate, User: "ada", Changes: []domain.Change{put("c3", "", "title", "over HTTP")}}
	var retry *retryError
	if _, _, err := h.submit(w.t.Context(), command, time.Second); !errors.As(err, &retry) || retry.code != wire.Unavailable {
		w.t.Errorf("over HTTP: %v", err)
	}
	return id
}
