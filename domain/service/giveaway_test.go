package service

import (
	"testing"
	"time"

	"github.com/snapback-io/snapback/eventlog/logtest"
)

// What is known of a board whose shard was another's for a while is not
// believed when it comes back: what a command comes after may be decided since.
func TestGiveAway_BoardsAreLoadedAgain(t *testing.T) {
	alone(t, logtest.Config{}, nil, func(t *testing.T, b *bench) {
		again := func(what string, do func()) {
			t.Helper()
			_, _, before := b.script.counts()
			do()
			if _, _, now := b.script.counts(); now == before {
				t.Errorf("%s: the board was not loaded again", what)
			}
		}
		shard := b.script.Shard("b")
		b.card(b.id(), 4*time.Second).accepted(t)
		again("its worker had ended", func() {
			b.s.giveAway(shard)
			b.rest()
			b.card(b.id(), 4*time.Second).accepted(t)
		})
		appends, _, _ := b.script.counts()
		b.script.onAppend = func(n int, store func() (uint64, error)) (uint64, error) {
			if n == appends+1 {
				time.Sleep(time.Second)
			}
			return store()
		}
		again("its worker was at work", func() {
			flying := b.card(b.id(), 10*time.Second)
			flying.pending(t)
			b.s.giveAway(shard)
			next := b.card(b.id(), 10*time.Second)
			flying.accepted(t)
			next.accepted(t)
		})
	})
}
