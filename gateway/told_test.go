package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// The last stage is observed for records that somebody waits for at this node,
// and for these only.
func TestTold_RecordsThatSomebodyWaitsFor(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		told := 0
		w.hubs.counts.told = func(stored time.Time) {
			if since := time.Since(stored); since < 0 || since > time.Second {
				t.Errorf("stored %v ago", since)
			}
			told++
		}
		w.demo()
		ann := w.connect("ann")
		ann.skip("ready")
		synctest.Wait()
		before := told
		ann.verdict(ann.mutate("c1", `{"title":"one"}`))
		synctest.Wait()
		if told != before+1 {
			t.Errorf("told %d times of one record", told-before)
		}
		if c := w.hubs.counters(); c.Oldest != 0 || c.Behind != 0 || c.BehindBoards != 0 {
			t.Errorf("nothing waits: %+v", c)
		}
	})
}

// What waits without a verdict is seen to grow old.
func TestCounters_TheOldestMutationThatWaits(t *testing.T) {
	inBubble(t, options{}, func(t *testing.T, w *world) {
		w.demo()
		w.hubs.log = mute{w.hubs.log}
		ann := w.connect("ann")
		ann.skip("ready")
		ann.mutate("c1", `{"title":"one"}`)
		time.Sleep(300 * time.Millisecond)
		if c := w.hubs.counters(); c.Oldest < 299*time.Millisecond || c.Oldest > 302*time.Millisecond || c.InFlight != 1 {
			t.Errorf("%d wait, the oldest is %v old", c.InFlight, c.Oldest)
		}
	})
}
