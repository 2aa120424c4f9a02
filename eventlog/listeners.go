package eventlog

import (
	"slices"
	"sync"
	"sync/atomic"
)

// listeners are the subscriptions made on one Log. What that Log announces
// they are told directly, as it is; only other nodes hear it by way of NATS.
type listeners struct {
	mu      sync.RWMutex
	byBoard map[string][]*listener // a list is replaced, never changed
}

// listener is one subscription. It is told one thing at a time, by whoever
// announces on this Log or by the live connection.
type listener struct {
	mu      sync.Mutex
	fn      func(Announcement)
	inForce atomic.Bool // the server knows of it, too
	stopped atomic.Bool
}

func (l *listener) tell(a Announcement) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped.Load() {
		l.fn(a)
	}
}

func (s *listeners) add(board string, l *listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byBoard == nil {
		s.byBoard = make(map[string][]*listener)
	}
	s.byBoard[board] = append(slices.Clip(s.byBoard[board]), l)
}

func (s *listeners) remove(board string, l *listener) {
	l.stopped.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(s.byBoard[board]), func(o *listener) bool { return o == l })
	if len(list) == 0 {
		delete(s.byBoard, board)
		return
	}
	s.byBoard[board] = list
}

// tell tells the board's listeners and says how many of them the server knows
// for certain.
func (s *listeners) tell(board string, a Announcement) (known int) {
	s.mu.RLock()
	list := s.byBoard[board]
	s.mu.RUnlock()
	for _, l := range list {
		l.tell(a)
		if l.inForce.Load() {
			known++
		}
	}
	return known
}
