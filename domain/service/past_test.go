package service

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// titles are a hundred changes, each of which is an event.
func titles(n int) []domain.Change {
	changes := make([]domain.Change, 100)
	for i := range changes {
		changes[i] = create("wide", domain.Patch{"title": fmt.Sprint(n, i)})
		if i%2 > 0 {
			changes[i].EntityID = "full"
		}
	}
	return changes
}

// Some of a board's snapshots are kept, far enough from each other, whoever
// makes them; one that could not be is made at the next occasion.
func TestChores_PastSnapshots(t *testing.T) {
	often := func(c *Config) { c.SnapshotEvery = 1 }
	alone(t, logtest.Config{}, often, func(t *testing.T, b *bench) {
		n := 0
		reach := func(rev uint64) {
			t.Helper()
			for v := uint64(0); v < rev; n++ {
				v = b.mutate(b.id(), time.Second, titles(n)...).accepted(t).Rev
				time.Sleep(10 * time.Second) // that the chore rests is not what is tested
				synctest.Wait()
			}
		}
		pasts := func(want int) []uint64 {
			t.Helper()
			list, err := b.log.Pasts(b.ctx, "b")
			if err != nil || len(list) != want {
				t.Fatalf("past snapshots at %v, %v, want %d", list, err, want)
			}
			return list
		}
		const every = eventlog.PastEvery
		reach(every - 200)
		pasts(0)
		reach(every + 200)
		pasts(1)
		b.stop()
		b.start(often)
		reach(2*every - 200)
		pasts(1)
		b.log.Refuse("PutPast", errors.New("no room"))
		reach(2*every + 400)
		pasts(1)
		b.log.Refuse("PutPast", nil)
		reach(2*every + 600)
		list := pasts(2)
		snap, err := b.log.Past(b.ctx, "b", list[1])
		if err != nil || snap.Weight < 2*every+400 || snap.Weight > 2*every+800 {
			t.Fatalf("at %d, %v", snap.Weight, err)
		}
		state, err := domain.LoadSnapshot(snap.Data)
		if err != nil || state.Rev() != snap.Weight || state.Remembered() != 0 {
			t.Errorf("%v", err)
		}
	})
}
