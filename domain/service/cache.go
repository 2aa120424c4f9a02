package service

import "container/list"

// cache keeps the boards used last, bounded by number and by entities. Its
// owner locks. A board is in the cache or with its worker, never both.
type cache struct {
	boards, entities int // bounds
	size             int // entities held; at most entities, unless one board alone is larger
	order            *list.List
	byID             map[string]*list.Element
}

type cacheItem struct {
	board string
	size  int
	folded
}

func newCache(boards, entities int) *cache {
	return &cache{boards: boards, entities: entities, order: list.New(), byID: make(map[string]*list.Element)}
}

// take gives a board away.
func (c *cache) take(board string) (folded, bool) {
	el, ok := c.byID[board]
	if !ok {
		return folded{}, false
	}
	return c.remove(el).folded, true
}

// put keeps a board and drops those used longest ago beyond the bounds.
func (c *cache) put(board string, b folded) {
	item := cacheItem{board, b.state.Len() + 1, b}
	c.byID[board] = c.order.PushFront(item)
	c.size += item.size
	for c.order.Len() > 1 && (c.order.Len() > c.boards || c.size > c.entities) {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(el *list.Element) cacheItem {
	item := c.order.Remove(el).(cacheItem)
	delete(c.byID, item.board)
	c.size -= item.size
	return item
}
