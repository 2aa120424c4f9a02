package service

import (
	"context"
	"sync"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
)

// How often heads are announced, and for how long after a commit.
const (
	headEvery = time.Second
	headFor   = 10 * time.Second
)

// heads announces where the boards committed to lately stand: an announcement
// may be lost, even that of a board's last commit.
type heads struct {
	s  *Service
	mu sync.Mutex
	at map[string]head
}

type head struct {
	seq   uint64
	until time.Time
}

func (h *heads) init(s *Service) { h.s, h.at = s, make(map[string]head) }

func (h *heads) committed(board string, seq uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at[board] = head{seq, h.s.Now().Add(headFor)}
}

// loaded announces a board just read from the log if its last commit is not
// long ago: who stored it may have died before announcing it.
func (h *heads) loaded(b *domain.Board) {
	if seq, _, at := b.Head(); seq > 0 && h.s.Now().Sub(at) < time.Minute {
		h.committed(b.ID(), seq)
	}
}

func (h *heads) run(ctx context.Context) {
	tick := time.NewTicker(headEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for board, seq := range h.due() {
			if err := h.s.Log.Announce(board, eventlog.Announcement{Head: seq}); err != nil {
				h.s.warn("announcing a head failed", "board", board, "error", err)
			}
		}
	}
}

func (h *heads) due() map[string]uint64 {
	now := h.s.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	due := make(map[string]uint64, len(h.at))
	for board, at := range h.at {
		if now.After(at.until) {
			delete(h.at, board)
			continue
		}
		due[board] = at.seq
	}
	return due
}

// snapshots makes snapshots beside the workers, from the log, one at a time.
type snapshots struct {
	s     *Service
	queue chan string
	mu    sync.Mutex
	busy  map[string]bool // queued or under way
}

func (p *snapshots) init(s *Service) {
	p.s, p.queue, p.busy = s, make(chan string, 1000), make(map[string]bool)
}

// consider has a snapshot made of the worker's board if one is due. When it
// cannot be queued now the next commit tries again; when making it fails, the
// records of the next SnapshotEvery or of the next load count again.
func (p *snapshots) consider(w *worker) {
	if w.tail < p.s.SnapshotEvery {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy[w.board] {
		return
	}
	select {
	case p.queue <- w.board:
		p.busy[w.board] = true
		w.tail = 0
	default:
	}
}

func (p *snapshots) run(ctx context.Context) {
	for {
		select {
		case board := <-p.queue:
			if err := p.make(ctx, board); err != nil && ctx.Err() == nil {
				p.s.warn("making a snapshot failed", "board", board, "error", err)
			}
			p.mu.Lock()
			delete(p.busy, board)
			p.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

func (p *snapshots) make(ctx context.Context, board string) error {
	state, err := eventlog.LoadBoard(ctx, p.s.Log, board)
	if err != nil {
		return err
	}
	data, err := state.Snapshot()
	if err != nil {
		return err
	}
	seq, hash, _ := state.Head()
	return p.s.Log.PutSnapshot(ctx, board, eventlog.Snapshot{Seq: seq, Hash: hash, Data: data})
}

// maxListed bounds how many boards the directory is remembered to be right about.
const maxListed = 200_000

// directory writes the listings of boards whose listing changed, each until it
// is written. A listing lost in a crash is written at the board's next load.
type directory struct {
	s       *Service
	wake    chan struct{}
	mu      sync.Mutex
	pending map[string]eventlog.Listing
	listed  map[string]uint64 // sequence up to which the directory is known to be right
}

func (d *directory) init(s *Service) {
	d.s, d.wake = s, make(chan struct{}, 1)
	d.pending, d.listed = make(map[string]eventlog.Listing), make(map[string]uint64)
}

// loaded checks a board just read from the log: unless its head is where this
// service left it, somebody may have died before writing its listing.
func (d *directory) loaded(b *domain.Board) {
	seq, _, _ := b.Head()
	d.mu.Lock()
	known := d.listed[b.ID()] == seq
	d.mu.Unlock()
	if !known {
		d.changed(b)
	}
}

// left says that the board's commits since it was listed, up to its head, are
// this service's own.
func (d *directory) left(b *domain.Board) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, waits := d.pending[b.ID()]
	if _, ok := d.listed[b.ID()]; ok && !waits {
		d.listed[b.ID()], _, _ = b.Head()
	}
}

// changed has the board's listing written.
func (d *directory) changed(b *domain.Board) {
	if !b.Exists() {
		return
	}
	l := listing(b)
	d.mu.Lock()
	d.pending[l.Board] = l
	delete(d.listed, l.Board)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func listing(b *domain.Board) eventlog.Listing {
	seq, _, _ := b.Head()
	l := eventlog.Listing{Board: b.ID(), Seq: seq, Members: make(map[string]domain.Role)}
	if e := b.Get(b.ID()); e != nil {
		l.Title, l.Archived = e.Fields.String("title"), e.Fields.Bool("archived")
	}
	for e := range b.All() {
		if e.Kind == domain.KindMember {
			l.Members[e.Fields.String("user")] = domain.Role(e.Fields.String("role"))
		}
	}
	return l
}

func (d *directory) run(ctx context.Context) {
	for {
		select {
		case <-d.wake:
		case <-ctx.Done():
			return
		}
		var retry backoff
		for l, ok := d.next(); ok; l, ok = d.next() {
			err := d.s.Log.PutListing(ctx, l)
			if ctx.Err() != nil {
				return
			}
			d.written(l, err == nil)
			if err != nil {
				d.s.warn("writing a listing failed, trying again", "board", l.Board, "error", err)
				pause(ctx, retry.next())
			} else {
				retry = backoff{}
			}
		}
	}
}

func (d *directory) next() (eventlog.Listing, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.pending {
		return l, true
	}
	return eventlog.Listing{}, false
}

// written takes l off the list unless a newer one has come meanwhile.
func (d *directory) written(l eventlog.Listing, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !ok || d.pending[l.Board].Seq != l.Seq {
		return
	}
	delete(d.pending, l.Board)
	if len(d.listed) >= maxListed {
		clear(d.listed)
	}
	d.listed[l.Board] = l.Seq
}
