package projector

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(Feed)
		expect := func(announcements int, since time.Duration) {
			t.Helper()
			if n, s := f.Behind(time.Now()); n != announcements || s != since {
				t.Errorf("behind by %d for %v, want %d for %v", n, s, announcements, since)
			}
		}
		expect(0, 0)
		f.lag.heard()
		time.Sleep(time.Second)
		f.lag.heard()
		expect(0, time.Second)
		f.lag.taken(2)
		time.Sleep(time.Second)
		expect(2, 2*time.Second) // what is worked on counts
		f.lag.heard()
		f.lag.done()
		expect(0, 0) // what came meanwhile has only just come
		time.Sleep(time.Second)
		expect(0, time.Second)
		f.lag.taken(1)
		f.lag.done()
		expect(0, 0)
	})
}
