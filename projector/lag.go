package projector

import (
	"sync/atomic"
	"time"
)

// lag is how far a feed is behind what it has heard of. Heard and taken are
// called with Feed.mu held. Times are nanoseconds since 1970; 0: there is none.
type lag struct {
	waits atomic.Int64 // since when something waits to be taken
	works atomic.Int64 // since when what is being worked on had waited
	batch atomic.Int64 // how many announcements that is
}

func (l *lag) heard() {
	if l.waits.Load() == 0 {
		l.waits.Store(time.Now().UnixNano())
	}
}

func (l *lag) taken(news int) {
	l.works.Store(l.waits.Swap(0))
	l.batch.Store(int64(news))
}

func (l *lag) done() {
	l.works.Store(0)
	l.batch.Store(0)
}

// Behind says how many announcements the feed has heard that the sink has not
// been given, and since when it was not current by what it had heard; what it
// has not heard of it does not know.
func (f *Feed) Behind(now time.Time) (announcements int, since time.Duration) {
	f.mu.Lock()
	announcements = len(f.waiting) + int(f.lag.batch.Load())
	f.mu.Unlock()
	at := f.lag.works.Load()
	if at == 0 {
		at = f.lag.waits.Load()
	}
	if at == 0 {
		return announcements, 0
	}
	return announcements, max(0, now.Sub(time.Unix(0, at)))
}
