package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/projector"
)

// Who joins is sent the whole board. While people join, a room keeps it encoded
// in pages, which all of them are sent: a join then costs by what has changed
// since the one before.

const (
	pageEntities = 64
	imageKeep    = 10 * time.Second // after the last join
	maxImages    = 64 << 20         // bytes of all rooms' frames; what is beyond is encoded for each join
)

// joinOrder has parents before children, whatever moves where.
var joinOrder = [...]domain.Kind{domain.KindBoard, domain.KindMember, domain.KindLabel, domain.KindColumn, domain.KindCard,
	domain.KindChecklist, domain.KindItem, domain.KindComment, domain.KindFile}

// image is a board in pages, or its open part, as of rev. Under hub.mu.
type image struct {
	open   bool
	rev    uint64
	count  int // entities
	slots  [len(joinOrder)][]*slot
	places map[string]*slot // where each entity is
	all    []*page          // of every slot, in order; nil: to be put together
	used   time.Time
	timer  *time.Timer
	held   *atomic.Int64 // bytes of all rooms' frames
}

// partOf gives the entities of the board, or of its open part as who watches
// that is sent them, in the order of [domain.Board.All].
func partOf(b *domain.Board, open bool) []*domain.Entity {
	if !open {
		list := make([]*domain.Entity, 0, b.Len())
		return slices.AppendSeq(list, b.All())
	}
	var list []*domain.Entity
	for e := range b.Open() {
		list = append(list, b.Counted(e))
	}
	return list
}

// slot is where a page of one kind stands: the present one, which may still be
// changed while it is fresh.
type slot struct {
	page  *page
	fresh bool
}

func newImage(b *domain.Board, open bool, held *atomic.Int64) *image {
	entities := partOf(b, open)
	m := &image{open: open, rev: b.Rev(), places: make(map[string]*slot, len(entities)), held: held}
	for _, e := range entities {
		m.add(e)
	}
	return m
}

// follow brings the image to what the board is now, at a cost of what has
// changed. It says no when making it anew costs less.
func (m *image) follow(b *domain.Board) bool {
	if m.rev == b.Rev() {
		return true
	}
	changed, ok := b.ChangedSince(m.rev)
	if !ok || len(changed) > pageEntities+m.count/2 {
		return false
	}
	gone := false // some may have gone with their parents
	for _, e := range changed {
		if m.open {
			m.turn(b, e)
		} else {
			m.take(e)
		}
		gone = gone || m.open && e.Deleted && (e.Kind == domain.KindCard || e.Kind == domain.KindChecklist)
	}
	if gone || !m.open && m.count != b.Len() {
		for id, s := range m.places {
			if b.Get(id) == nil {
				m.remove(s, id)
			}
		}
	}
	m.rev, m.all = b.Rev(), nil
	return m.open || m.count == b.Len()
}

// take makes e what the image has of it.
func (m *image) take(e *domain.Entity) {
	switch s := m.places[e.ID]; {
	case e.Deleted && s != nil:
		m.remove(s, e.ID)
	case e.Deleted:
	case s != nil:
		p := m.change(s)
		p.entities[p.find(e.ID)] = e
	default:
		m.add(e)
	}
}

// turn is take for the open part: e may have come into sight or gone out of it,
// and what hangs on it with it, and a comment is counted on its card.
func (m *image) turn(b *domain.Board, e *domain.Entity) {
	if e.Kind == domain.KindComment {
		if card := b.Get(e.Parent()); card != nil && m.places[card.ID] != nil {
			m.take(b.Counted(card))
		}
		return
	}
	s := m.places[e.ID]
	switch {
	case e.Deleted:
		m.take(e)
	case !b.InSight(e):
		if s == nil {
			return
		}
		m.remove(s, e.ID)
		for under := range b.Under(e) {
			if s := m.places[under.ID]; s != nil {
				m.remove(s, under.ID)
			}
		}
	default:
		m.take(b.Counted(e))
		if s != nil {
			return
		}
		for under := range b.Under(e) {
			m.take(b.Counted(under))
		}
	}
}

func (m *image) add(e *domain.Entity) {
	kind := slices.Index(joinOrder[:], e.Kind)
	list := m.slots[kind]
	if len(list) == 0 || len(list[len(list)-1].page.entities) >= pageEntities {
		list = append(list, &slot{page: &page{held: m.held}, fresh: true})
		m.slots[kind] = list
	}
	s := list[len(list)-1]
	p := m.change(s)
	p.entities = append(p.entities, e)
	m.places[e.ID] = s
	m.count++
}

func (m *image) remove(s *slot, id string) {
	p := m.change(s)
	i := p.find(id)
	p.entities = slices.Delete(p.entities, i, i+1)
	delete(m.places, id)
	m.count--
}

// change gives the slot's page to be changed: one that nobody else has.
func (m *image) change(s *slot) *page {
	if !s.fresh {
		s.page, s.fresh = s.page.next(), true
	}
	return s.page
}

// pages gives all of them; they are not changed any more.
func (m *image) pages() []*page {
	if m.all == nil {
		m.all = make([]*page, 0, m.count/pageEntities+len(joinOrder))
		for _, list := range m.slots {
			for _, s := range list {
				s.fresh = false
				m.all = append(m.all, s.page)
			}
		}
	}
	return m.all
}

// drop lets go of what the pages hold.
func (m *image) drop() {
	m.timer.Stop()
	for _, list := range m.slots {
		for _, s := range list {
			s.page.leave()
		}
	}
}

// page is some entities and, once somebody has been sent them, their frames.
type page struct {
	entities []*domain.Entity
	held     *atomic.Int64

	encoded atomic.Pointer[frames]

	mu     sync.Mutex
	before *frames          // of the page that this one came of,
	of     []*domain.Entity // which were of these
	left   bool             // it is no room's any more
}

// frames are the sync frames of some entities as who likes none of them is sent
// them, and those of the liked ones for who does.
type frames struct {
	plain []byte
	ends  []int    // where each ends in plain
	liked []int    // which entities somebody likes
	shown [][]byte // their other frames
}

func (f *frames) size() (n int64) {
	n = int64(len(f.plain))
	for _, frame := range f.shown {
		n += int64(len(frame))
	}
	return n
}

func (f *frames) start(i int) int {
	if i == 0 {
		return 0
	}
	return f.ends[i-1]
}

func (p *page) find(id string) int {
	return slices.IndexFunc(p.entities, func(e *domain.Entity) bool { return e.ID == id })
}

// next is a page to take the place of p.
func (p *page) next() *page {
	n := &page{entities: slices.Clone(p.entities), held: p.held}
	p.leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	n.before, n.of = p.before, p.of
	if f := p.encoded.Load(); f != nil {
		n.before, n.of = f, p.entities
	}
	return n
}

func (p *page) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.encoded.Load(); f != nil && !p.left {
		p.held.Add(-f.size())
	}
	p.left = true
}

// frames gives the page's frames, nil when they are not to be kept: there is no
// room, or nobody else will want them.
func (p *page) frames() (*frames, error) {
	if f := p.encoded.Load(); f != nil {
		return f, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.encoded.Load()
	if f != nil || p.left || p.held.Load() >= maxImages {
		return f, nil
	}
	f, err := p.encode()
	if err != nil {
		return nil, err
	}
	p.encoded.Store(f)
	p.before, p.of = nil, nil
	p.held.Add(f.size())
	return f, nil
}

// encode makes the frames, of what has not changed from those before.
func (p *page) encode() (*frames, error) {
	var enc syncEncoder
	f := &frames{ends: make([]int, len(p.entities))}
	old, oldLiked := 0, 0
	for i, e := range p.entities {
		for old < len(p.of) && p.of[old] != e && p.of[old].ID != e.ID {
			old++
		}
		known := old < len(p.of) && p.of[old] == e
		if known {
			f.plain = append(f.plain, p.before.plain[p.before.start(old):p.before.ends[old]]...)
		} else {
			var err error
			if f.plain, err = enc.append(f.plain, &projector.Sync{Rev: e.Rev, Entity: e}, false); err != nil {
				return nil, err
			}
		}
		f.ends[i] = len(f.plain)
		if len(e.Fields.Set("likedBy")) == 0 {
			continue
		}
		f.liked = append(f.liked, i)
		for known && p.before.liked[oldLiked] != old {
			oldLiked++
		}
		if known {
			f.shown = append(f.shown, p.before.shown[oldLiked])
			continue
		}
		frame, err := enc.append(nil, &projector.Sync{Rev: e.Rev, Entity: e}, true)
		if err != nil {
			return nil, err
		}
		f.shown = append(f.shown, frame)
	}
	f.plain = slices.Clip(f.plain)
	return f, nil
}

// write writes the page as user is sent it.
func (p *page) write(out *outlet, user string) error {
	f, err := p.frames()
	if f == nil || err != nil {
		return writeEntities(out, p.entities, user)
	}
	from := 0
	for k, i := range f.liked {
		if p.entities[i].LikedBy(user) {
			out.write(f.plain[from:f.start(i)])
			out.write(f.shown[k])
			from = f.ends[i]
		}
	}
	out.write(f.plain[from:])
	return out.err
}

// pages gives those of the board as it is, or of its open part. Call it with
// h.mu held.
func (h *hub) pages(open bool) []*page {
	at := &h.images[0]
	if open {
		at = &h.images[1]
	}
	board := h.view.Board()
	if *at == nil || !(*at).follow(board) {
		dropImage(at)
		*at = newImage(board, open, &h.hs.imaged)
		(*at).timer = time.AfterFunc(imageKeep, func() { h.forgetImage(at) })
	}
	(*at).used = time.Now()
	return (*at).pages()
}

// forgetImage drops the image when nobody has joined for a while.
func (h *hub) forgetImage(at **image) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if *at == nil {
		return
	}
	if left := imageKeep - time.Since((*at).used); left > 0 {
		(*at).timer.Reset(left)
		return
	}
	dropImage(at)
}

// dropImages is to be called with h.mu held.
func (h *hub) dropImages() {
	for i := range h.images {
		dropImage(&h.images[i])
	}
}

func dropImage(at **image) {
	if *at != nil {
		(*at).drop()
		*at = nil
	}
}
