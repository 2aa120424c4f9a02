package gateway

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

const (
	loadPer   = time.Second / wire.LoadsPerSec
	loadBurst = 200 * time.Millisecond // of loads at their rate that a client may be ahead of it

	// A page of so many bytes more, or for which so many more cards were looked
	// at, counts as one load more: the room waits while it is made.
	loadBytes = 64 << 10
	loadCards = 10_000
)

// load answers with a page, as of what s has been sent when it is sent that.
func (s *session) load(ask *wire.Page) {
	if !s.paceLoads() {
		return
	}
	s.q.count(flight{loads: 1})
	if ask.Card == "" {
		s.hub.archive.Lock()
		defer s.hub.archive.Unlock()
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.q.update(func() {
		if s.q.lagging {
			s.q.put(item{kind: itemLoaded, ends: flight{loads: 1}, ask: ask})
		} else {
			it, looked := s.hub.page(s, ask)
			s.q.put(it)
			s.loads += int64(loadPer) * int64(len(it.data)/loadBytes+looked/loadCards)
		}
	})
}

// page makes the answer as of now, and says how many cards it has looked at. It
// is encoded at once: what waits in a queue is bytes, and a page has not many.
// Call it with h.mu held.
func (h *hub) page(s *session, ask *wire.Page) (it item, looked int) {
	board := h.view.Board()
	p := loadedPage{board: board, user: s.id.user, open: s.open}
	if ask.Card != "" {
		p.card(ask)
	} else {
		p.archive(ask)
	}
	if p.err != nil { // cannot happen: entities are made of JSON
		h.hs.logger.Error("page not encodable", "board", h.board, "card", ask.Card, "error", p.err)
	}
	data := make([]byte, frameRoom, frameRoom+len(p.entities)+len(`{"type":"loaded","id":,"rev":,"entities":[],"before":""}`)+128)
	data = wire.AppendLoaded(data, ask.ID, board.Rev(), p.entities, p.before)
	return item{kind: itemLoaded, ends: flight{loads: 1}, rev: board.Rev(), data: closeFrame(data, 0, websocket.TextMessage), ask: ask}, p.looked
}

// paceLoads waits until the next load may be answered; false if the connection
// ends before.
func (s *session) paceLoads() bool {
	now := s.hs.clock()
	s.loads = max(s.loads, now) + int64(loadPer)
	wait := time.Duration(s.loads-now) - loadBurst
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		s.heard() // nobody listened meanwhile
		return !s.q.ended()
	case <-s.hub.ctx.Done():
		return false
	}
}

// loadedPage collects a page of what the open part of a board leaves out.
type loadedPage struct {
	board    *domain.Board
	user     string
	open     bool   // cards carry the count of their comments
	entities []byte // encoded, commas between them
	before   wire.Cursor
	looked   int // how many cards were looked at to find those of the page
	err      error
}

func (p *loadedPage) add(e *domain.Entity) {
	if p.open {
		e = p.board.Counted(e)
	}
	if len(p.entities) > 0 {
		p.entities = append(p.entities, ',')
	}
	to, err := e.AppendJSONFor(p.entities, e.LikedBy(p.user))
	if err != nil {
		p.entities, p.err = bytes.TrimSuffix(p.entities, []byte(",")), err
		return
	}
	p.entities = to
}

// list adds at most so many of a list whose newest come first, fewer if they
// are large, and says where it broke off.
func (p *loadedPage) list(newest iter.Seq[*domain.Entity], most int, at func(*domain.Entity) wire.Cursor) {
	n := 0
	var last wire.Cursor
	for e := range newest {
		if n == most || n > 0 && len(p.entities) > wire.PageBytes {
			p.before = last
			return
		}
		p.add(e)
		last = at(e)
		n++
	}
}

// card adds the card, so that nothing is held without what it hangs on, with
// what else hangs on it if the client may not have that, and comments. Where
// there is no such card the page is empty.
func (p *loadedPage) card(ask *wire.Page) {
	card := p.board.Get(ask.Card)
	if card == nil || card.Kind != domain.KindCard {
		return
	}
	p.add(card)
	if !ask.Further && !p.board.InSight(card) {
		for e := range p.board.Under(card) {
			p.add(e)
		}
	}
	comments := p.board.Comments(card.ID)
	made := func(e *domain.Entity) wire.Cursor { return wire.Cursor{Rev: e.CreatedRev, ID: e.ID} }
	end, _ := slices.BinarySearchFunc(comments, ask.Before, func(e *domain.Entity, c wire.Cursor) int { return compareCursors(made(e), c) })
	p.list(func(yield func(*domain.Entity) bool) {
		for i := end - 1; i >= 0 && yield(comments[i]); i-- {
		}
	}, wire.PageComments, made)
}

// archive adds the archived columns and then the cards that are not in sight,
// those changed last first: nothing changes what is archived.
func (p *loadedPage) archive(ask *wire.Page) {
	if !ask.Further {
		for _, e := range p.board.ShutColumns() {
			p.add(e)
		}
	}
	newest, of := newestOf(p.board.ShutCards(), ask.Before, wire.PageCards+1)
	p.looked = of
	p.list(slices.Values(newest), wire.PageCards, changedAt)
}

func changedAt(e *domain.Entity) wire.Cursor { return wire.Cursor{Rev: e.Rev, ID: e.ID} }

func compareCursors(a, b wire.Cursor) int {
	if c := cmp.Compare(a.Rev, b.Rev); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// newestOf gives the n entities of a list in no order that were changed last
// but before the cursor, the newest first, and the length of the list.
func newestOf(list iter.Seq[*domain.Entity], before wire.Cursor, n int) (some []*domain.Entity, of int) {
	after := wire.Cursor{} // n of some are newer
	cut := func() {
		slices.SortFunc(some, func(a, b *domain.Entity) int { return compareCursors(changedAt(b), changedAt(a)) })
		if len(some) >= n {
			some = some[:n]
			after = changedAt(some[n-1])
		}
	}
	for e := range list {
		of++
		if e.Rev < after.Rev || e.Rev > before.Rev {
			continue
		}
		if at := changedAt(e); compareCursors(at, before) < 0 && compareCursors(at, after) > 0 {
			if some = append(some, e); len(some) == 8*n {
				cut()
			}
		}
	}
	cut()
	return some, of
}
