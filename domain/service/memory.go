package service

import (
	"context"

	"github.com/snapback-io/snapback/domain"
)

// Still gives the board as this service has it in memory, nil if it has not,
// for whoever compares it with the log. It waits for a commit that is under way.
func (s *Service) Still(ctx context.Context, board string) (*domain.Still, error) {
	s.mu.Lock()
	w := s.active[board]
	if w == nil {
		defer s.mu.Unlock()
		return s.idle.still(board)
	}
	answer := make(chan *domain.Still, 1)
	w.post(func(m *mail) { m.looks = append(m.looks, answer) })
	s.mu.Unlock()
	select {
	case still := <-answer:
		return still, nil
	case <-s.hard.Done():
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Forget has the board loaded again before the next command is decided. When it
// returns, no snapshot and no listing comes any more of what was there before.
func (s *Service) Forget(ctx context.Context, board string) error {
	s.mu.Lock()
	if w := s.active[board]; w != nil {
		answer := make(chan *domain.Still, 1)
		w.post(func(m *mail) { m.forget, m.looks = true, append(m.looks, answer) })
		s.mu.Unlock()
		select {
		case <-answer:
		case <-s.hard.Done():
		case <-ctx.Done():
			return ctx.Err()
		}
	} else {
		s.idle.take(board)
		s.mu.Unlock()
	}
	s.directory.forget(board)
	return s.snapshots.settled(ctx, board)
}

// answerLooks answers who asked for the board, when all that was decided on it
// is stored.
func (w *worker) answerLooks() {
	if w.flight != nil || len(w.looks) == 0 {
		return
	}
	if w.forget {
		w.reload()
	}
	var still *domain.Still
	if w.state != nil {
		still, _ = w.state.Still() // fails only ahead of the log
	}
	for _, answer := range w.looks {
		answer <- still
	}
	w.looks, w.forget = nil, false
}

// still gives a board of the cache, nil if it is not there.
func (c *cache) still(board string) (*domain.Still, error) {
	el, ok := c.byID[board]
	if !ok {
		return nil, nil
	}
	f := el.Value.(*cached).folded
	if f.state != nil {
		return f.state.Still()
	}
	state, err := domain.LoadSnapshot(f.packed)
	if err != nil {
		return nil, err
	}
	return state.Still()
}

// forget drops what was to be written of a board.
func (d *directory) forget(board string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.pending, board)
	delete(d.listed, board)
}

// settled returns when no snapshot of the board is queued or under way.
func (p *snapshots) settled(ctx context.Context, board string) error {
	for {
		p.mu.Lock()
		busy := p.busy[board]
		if p.idle == nil {
			p.idle = make(chan struct{})
		}
		idle := p.idle
		p.mu.Unlock()
		if !busy {
			return nil
		}
		select {
		case <-idle:
		case <-p.s.hard.Done():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
