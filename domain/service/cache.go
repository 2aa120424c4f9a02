package service

import (
	"bytes"
	"container/list"

	"github.com/snapback-io/snapback/domain"
)

// cache keeps the boards used last, bounded by number. As many of them as the
// bound on entities allows stay as they are; those used longer ago are packed,
// which takes a sixth of the memory, and nothing of the garbage collector's
// time. Its owner locks. A board is in the cache or with its worker, never both.
type cache struct {
	boards, entities, bytes int // bounds
	open, packed            shelf
	byID                    map[string]*list.Element
}

// shelf has boards in the order used, the last one in front.
type shelf struct {
	list.List
	size int // of its boards
}

type cached struct {
	board string
	size  int    // entities, at least one; bytes when it is packed, about
	on    *shelf // where it lies
	folded
}

const (
	// packLimit is how many entities a board may have to be packed: a larger
	// one is read from its snapshot as quickly.
	packLimit = 1000
	// packedBase is about how many bytes a packed board takes beside its own.
	packedBase = 300
)

func newCache(boards, entities, bytes int) *cache {
	return &cache{boards: boards, entities: entities, bytes: bytes, byID: make(map[string]*list.Element)}
}

// take gives a board away.
func (c *cache) take(board string) (folded, bool) {
	el, ok := c.byID[board]
	if !ok {
		return folded{}, false
	}
	return c.remove(el).folded, true
}

// put keeps a board and gives those used longest ago that the bound on
// entities leaves no room for: they may be packed and put back.
func (c *cache) put(board string, b folded) (over []*cached) {
	c.add(&cached{board: board, size: b.state.Len() + 1, on: &c.open, folded: b})
	for c.open.Len() > 1 && c.open.size > c.entities {
		if old := c.remove(c.open.Back()); old.size <= packLimit {
			over = append(over, old)
		}
	}
	return over
}

// putPacked keeps a packed board, unless there is a newer one.
func (c *cache) putPacked(item *cached) {
	if c.byID[item.board] != nil {
		return
	}
	item.on = &c.packed
	c.add(item)
	for c.packed.size > c.bytes {
		c.remove(c.packed.Back())
	}
}

func (c *cache) add(item *cached) {
	c.byID[item.board] = item.on.PushFront(item)
	item.on.size += item.size
	for len(c.byID) > c.boards {
		if el := c.packed.Back(); el != nil {
			c.remove(el)
		} else {
			c.remove(c.open.Back())
		}
	}
}

func (c *cache) remove(el *list.Element) *cached {
	item := el.Value.(*cached)
	item.on.Remove(el)
	item.on.size -= item.size
	delete(c.byID, item.board)
	return item
}

// pack packs boards that the cache gave back, beside everybody else, and keeps
// them unless they are in use again.
func (s *Service) pack(list []*cached) {
	for _, item := range list {
		data, err := item.state.Snapshot()
		if err != nil { // folded ahead: it was not to be kept
			continue
		}
		item.packed, item.state = bytes.Clone(data), nil
		item.size = len(data) + packedBase
		s.mu.Lock()
		if s.active[item.board] == nil {
			s.idle.putPacked(item)
		}
		s.mu.Unlock()
	}
}

// unpack makes the worker's board ready for use if it is packed.
func (w *worker) unpack() bool {
	if w.packed == nil {
		return false
	}
	state, err := domain.LoadSnapshot(w.packed)
	if w.packed = nil; err != nil {
		w.s.Logger.Error("a packed board cannot be read", "board", w.board, "error", err)
		return false
	}
	w.state = state
	return true
}
