package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/gateway/wire"
)

// PartOpen is the [Options.Part] without archived columns and cards, what hangs
// on them, and comments.
const PartOpen = "open"

// ErrNotLive is returned for a load while there is no connection, or when it is
// lost before the answer: load again.
var ErrNotLive = errors.New("client: not live")

// Page is some of what [Options.Part] leaves out.
type Page struct {
	Entities []*domain.Entity // as they were then, the newest first
	Before   string           // where the next page begins, "": there is none
}

type loadAnswer struct {
	page Page
	err  error
}

// LoadCard fetches a card with its newest comments and, if it is archived, with
// what else hangs on it; before is "" or the page's before. They join the view
// and stay current in it. Errors: ErrNotLive, ctx's.
func (c *Client) LoadCard(ctx context.Context, card, before string) (Page, error) {
	return c.load(ctx, wire.Load{Card: card, Before: before})
}

// LoadArchive fetches archived columns and the cards that are archived or in
// one, those changed last first; as LoadCard.
func (c *Client) LoadArchive(ctx context.Context, before string) (Page, error) {
	return c.load(ctx, wire.Load{Archive: true, Before: before})
}

func (c *Client) load(ctx context.Context, f wire.Load) (Page, error) {
	answer := make(chan loadAnswer, 1)
	c.mu.Lock()
	l := c.link
	if l == nil || !l.ready {
		c.mu.Unlock()
		return Page{}, ErrNotLive
	}
	l.loaded++
	f.Type, f.ID = wire.TypeLoad, l.loaded
	l.loads[f.ID] = answer
	l.send(f)
	c.mu.Unlock()
	select {
	case a := <-answer:
		return a.page, a.err
	case <-ctx.Done():
		return Page{}, ctx.Err()
	}
}

// page takes the answer to a load.
func (l *link) page(f wire.Loaded) error {
	var a loadAnswer
	for _, raw := range f.Entities {
		e := new(domain.Entity)
		if err := json.Unmarshal(raw, e); err != nil {
			return fmt.Errorf("client: entity of a page: %w", err)
		}
		a.page.Entities = append(a.page.Entities, e)
	}
	if f.Before != nil {
		a.page.Before = *f.Before
	}
	l.c.apply(l.c.store.Load(a.page.Entities))
	l.answer(f.ID, a)
	return nil
}

// refusedLoad is an error frame that may be the answer to a load.
func (l *link) refusedLoad(f wire.Error) error {
	if f.ID != nil {
		l.answer(*f.ID, loadAnswer{err: fmt.Errorf("client: load: %s: %s", f.Code, f.Reason)})
	}
	return nil
}

func (l *link) answer(id uint64, a loadAnswer) {
	if to := l.loads[id]; to != nil {
		delete(l.loads, id)
		to <- a
	}
}

// Load takes entities that were fetched beside the stream, as of what has come
// on it; one older than the one held is ignored.
func (s *Store) Load(entities []*domain.Entity) Effects {
	r := s.newRebase()
	for _, e := range entities {
		s.confirm(e, r)
	}
	return Effects{Changed: r.finish()}
}
