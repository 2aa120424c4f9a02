package eventlog

import (
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
)

// KeptBoards are boards that were loaded lately, as they were then: who loads
// one again, as a worker does after a room, or a room after a worker, shares
// what has not changed. Safe for concurrent use; the zero value has none.
type KeptBoards struct {
	mu    sync.Mutex
	byID  map[string]*kept
	order []*kept // in which they came; some are replaced already
	size  int     // entities
}

type kept struct {
	*domain.Still
	until time.Time
}

const (
	keptFor      = time.Minute
	keptEntities = 50_000
	// keptLag is how far a board that is kept may be behind the head, in
	// sequences of its stream: further, its snapshot may be nearer.
	keptLag = 100
)

// Keep keeps a board for a while, instead of what was kept of it.
func (k *KeptBoards) Keep(s *domain.Still) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = make(map[string]*kept)
	}
	k.drop(k.byID[s.ID()])
	item := &kept{s, now.Add(keptFor)}
	k.byID[s.ID()] = item
	k.order = append(k.order, item)
	k.size += s.Len()
	for len(k.order) > 1 {
		oldest := k.order[0]
		if k.byID[oldest.ID()] == oldest && k.size <= keptEntities && now.Before(oldest.until) {
			break
		}
		k.drop(oldest)
		k.order[0] = nil
		k.order = k.order[1:]
	}
}

// drop forgets an item unless it was replaced.
func (k *KeptBoards) drop(item *kept) {
	if item != nil && k.byID[item.ID()] == item {
		k.size -= item.Len()
		delete(k.byID, item.ID())
	}
}

// Kept gives the board if it is kept, else nil.
func (k *KeptBoards) Kept(board string) *domain.Still {
	k.mu.Lock()
	defer k.mu.Unlock()
	if item := k.byID[board]; item != nil {
		return item.Still
	}
	return nil
}
