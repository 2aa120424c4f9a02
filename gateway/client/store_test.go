package client

import (
	"fmt"
	"testing"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// filled is a Store with a board of n cards in one column.
func filled(tb testing.TB, n int) *Store {
	tb.Helper()
	s := NewStore("ann", false)
	s.Hello(wire.Hello{User: "ann", Epoch: "e"})
	keys := domain.KeysEvenly(n)
	for i, k := range keys {
		feedCard(tb, s, i, "old", k)
	}
	s.Ready(1)
	return s
}

func feedCard(tb testing.TB, s *Store, i int, title, position string) Effects {
	tb.Helper()
	raw := fmt.Sprintf(`{"id":"c%d","kind":"card","rev":1,"createdRev":1,"columnId":"k","title":%q,"position":%q,"liked":false,"likes":0}`, i, title, position)
	eff, err := s.Sync(wire.Sync{Rev: 1, Entity: []byte(raw)})
	if err != nil {
		tb.Fatal(err)
	}
	return eff
}

func TestLaw11_OthersKeepTheirIdentity(t *testing.T) {
	s := filled(t, 20)
	before := map[string]*domain.Entity{}
	for e := range s.All() {
		before[e.ID] = e
	}
	s.Mutate("m1", []domain.Change{{EntityID: "c3", Patch: domain.Patch{"position": domain.Place{HasAfter: true}}}})
	s.Mutate("m2", []domain.Change{{EntityID: "c4", Patch: domain.Patch{"title": "old"}}})
	feedCard(t, s, 5, "old", position(before["c5"])) // sent again alike
	s.Nack(wire.Nack{ClientMutationID: "m2"})
	for id, e := range before {
		if same := s.Get(id) == e; same != (id != "c3") {
			t.Errorf("%s kept its identity: %v", id, same)
		}
	}
}

// TestInputCostsWhatItTouches: what a sync, a mutation and its verdict allocate
// does not grow with the board, nor with pending mutations elsewhere.
func TestInputCostsWhatItTouches(t *testing.T) {
	cost := func(cards, pending int) float64 {
		s := filled(t, cards)
		for i := range pending {
			s.Mutate(fmt.Sprint("p", i), []domain.Change{{EntityID: fmt.Sprint("c", 5+i), Patch: domain.Patch{"title": "mine"}}})
		}
		n := 0
		return testing.AllocsPerRun(100, func() {
			n++
			s.Mutate(fmt.Sprint("m", n), []domain.Change{{EntityID: "c2", Patch: domain.Patch{"title": fmt.Sprint(n)}}})
			feedCard(t, s, 3, fmt.Sprint(n), "a2")
			s.Nack(wire.Nack{ClientMutationID: fmt.Sprint("m", n)})
		})
	}
	small, large := cost(10, 0), cost(5000, 1000)
	if large > small*1.5 {
		t.Errorf("%v allocations on a small board, %v on a large one", small, large)
	}
}

// TestConfirmationDoesNotReplayTheQueue: cards are created one below the other;
// when the first is confirmed where it was shown, the others are not replayed.
func TestConfirmationDoesNotReplayTheQueue(t *testing.T) {
	const queue = 2000
	s := filled(t, 0)
	for i := range queue {
		s.Mutate(fmt.Sprint("m", i), []domain.Change{{EntityID: fmt.Sprint("c", i), Patch: domain.Patch{"kind": "card", "columnId": "k", "title": "old"}}})
	}
	n := 0
	allocs := testing.AllocsPerRun(500, func() {
		feedCard(t, s, n, "old", position(s.Get(fmt.Sprint("c", n))))
		s.Ack(wire.Ack{ClientMutationID: fmt.Sprint("m", n)})
		n++
	})
	if allocs > 500 {
		t.Errorf("%v allocations for one confirmation", allocs)
	}
}

func BenchmarkSync(b *testing.B) {
	s := filled(b, 5000)
	for i := range 200 {
		s.Mutate(fmt.Sprint("p", i), []domain.Change{{EntityID: fmt.Sprint("c", 5+i), Patch: domain.Patch{"title": "mine"}}})
	}
	for i := range b.N {
		feedCard(b, s, 3, fmt.Sprint(i), "a3")
	}
}

// TestStore_DeleteOfWhatHangsOnItself ends, and a nack brings it back.
func TestStore_DeleteOfWhatHangsOnItself(t *testing.T) {
	s := NewStore("ann", false)
	s.Mutate("m1", []domain.Change{{EntityID: "x", Patch: domain.Patch{"kind": "checklist", "cardId": "x"}}})
	s.Mutate("m2", []domain.Change{{EntityID: "x"}})
	if s.Get("x") != nil {
		t.Error("deleted and still shown")
	}
	if s.Nack(wire.Nack{ClientMutationID: "m2"}); s.Get("x") == nil {
		t.Error("the nack did not bring it back")
	}
}
