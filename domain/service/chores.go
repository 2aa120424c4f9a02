package service

import (
	"context"
	"errors"
	"math"
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
	h.at[board] = head{seq, time.Now().Add(headFor)}
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
	now := time.Now()
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

// snapshots encodes and stores boards beside their workers, one at a time, and
// takes a tenth of the time at most.
type snapshots struct {
	s     *Service
	queue chan *domain.Still
	mu    sync.Mutex
	busy  map[string]bool // queued or under way; false: stored a moment ago
	idle  chan struct{}   // closed when a board is not busy any more; nil: nobody waits

	pasts map[string]uint64 // the weight at which a board's next past snapshot is due; of run
}

const (
	smallTail      = 32 // records that are not worth a snapshot
	leaveTail      = 8  // ... when the service ends
	leaveFor       = time.Second
	snapshotShare  = 10       // one part in so many of the time goes to snapshots
	snapshotBuffer = 16 << 20 // bytes; what was needed beyond is given back
)

func (p *snapshots) init(s *Service) {
	p.s, p.queue, p.busy, p.pasts = s, make(chan *domain.Still, 100), make(map[string]bool), make(map[string]uint64)
}

// due is how long the tail of a board may become: what it costs to read is
// weighed against what it costs to store the board. An id takes a sixteenth of
// what an entity does.
func (p *snapshots) due(b *domain.Board) int {
	return min(p.s.SnapshotEvery, max(smallTail, (b.Len()+b.Remembered()/16)/4))
}

// consider has a snapshot made of the worker's board, as it is stored, if one
// is due. When it cannot be queued now the next commit tries again; when making
// it fails, the records of the next tail or of the next load count again.
func (p *snapshots) consider(w *worker) {
	if w.tail < p.due(w.state) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, busy := p.busy[w.board]; busy || len(p.queue) == cap(p.queue) {
		return
	}
	still, err := w.state.Still()
	if err != nil {
		p.s.Logger.Error("a snapshot of what is not stored", "board", w.board, "error", err)
		return
	}
	p.queue <- still // has room: only this sends, under the lock
	p.busy[w.board] = true
	w.tail = 0
}

func (p *snapshots) run(ctx context.Context) {
	var buf []byte
	for {
		select {
		case still := <-p.queue:
			start := p.s.Now()
			var err error
			if buf, err = p.put(ctx, still, buf); err != nil && ctx.Err() == nil {
				p.s.warn("making a snapshot failed", "board", still.ID(), "error", err)
			}
			if err := p.keepPast(ctx, still, buf); err != nil && ctx.Err() == nil {
				p.s.warn("making a past snapshot failed", "board", still.ID(), "error", err)
			}
			p.mu.Lock()
			p.busy[still.ID()] = false
			if p.idle != nil {
				close(p.idle)
				p.idle = nil
			}
			p.mu.Unlock()
			pause(ctx, (snapshotShare-1)*min(p.s.Now().Sub(start), time.Second))
			p.mu.Lock()
			delete(p.busy, still.ID())
			p.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// leave stores the boards used last, so that whoever takes over, or this
// process when it starts again, need not read what came since their snapshots.
func (p *snapshots) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, leaveFor)
	defer cancel()
	var buf []byte
	for el := p.s.idle.open.Front(); el != nil && ctx.Err() == nil; el = el.Next() {
		b := el.Value.(*cached)
		if b.tail < leaveTail {
			continue
		}
		still, err := b.state.Still()
		if err == nil {
			buf, err = p.put(ctx, still, buf)
		}
		if err != nil {
			p.s.warn("leaving a snapshot failed", "board", b.board, "error", err)
		}
	}
}

// put encodes into buf and stores, and gives the buffer for the next.
func (p *snapshots) put(ctx context.Context, still *domain.Still, buf []byte) ([]byte, error) {
	data, err := still.Append(buf[:0])
	if err != nil {
		p.s.metrics.snapshot(err)
		return buf, err
	}
	seq, hash := still.Head()
	err = p.s.Log.PutSnapshot(ctx, still.ID(), eventlog.Snapshot{Seq: seq, Hash: hash, Data: data})
	p.s.metrics.snapshot(err)
	if cap(data) > snapshotBuffer {
		data = nil
	}
	return data, err
}

// maxPasts bounds for how many boards it is known when the next one is due.
const maxPasts = 100_000

// keepPast stores the board beside its past snapshots if it is time for one. It
// encodes into buf. What fails is made up for at the next snapshot.
func (p *snapshots) keepPast(ctx context.Context, still *domain.Still, buf []byte) error {
	weight, board := still.Weight(), still.ID()
	due, known := p.pasts[board]
	if !known && weight >= eventlog.PastEvery {
		last, err := eventlog.PastBefore(ctx, p.s.Log, board, math.MaxUint64)
		if err != nil && !errors.Is(err, eventlog.ErrNotFound) {
			return err
		}
		if len(p.pasts) >= maxPasts {
			clear(p.pasts)
		}
		due = last.NextPast()
		p.pasts[board] = due
	}
	if weight < max(due, eventlog.PastEvery) {
		return nil
	}
	snap, err := eventlog.PastOf(still, buf[:0])
	if err == nil {
		err = p.s.Log.PutPast(ctx, board, snap)
	}
	if err == nil {
		p.pasts[board] = snap.NextPast()
	}
	return err
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
	behind  time.Time         // when pending was last empty, if it is not
	listed  map[string]uint64 // domain.Board.Listed of what the directory is known to have
}

func (d *directory) init(s *Service) {
	d.s, d.wake = s, make(chan struct{}, 1)
	d.pending, d.listed = make(map[string]eventlog.Listing), make(map[string]uint64)
}

// loaded checks a board just read from the log: unless the directory is known
// to have it as it is, somebody may have died before writing its listing.
func (d *directory) loaded(b *domain.Board) {
	d.mu.Lock()
	known := d.listed[b.ID()] == b.Listed()
	d.mu.Unlock()
	if !known {
		d.changed(b)
	}
}

// changed has the board's listing written.
func (d *directory) changed(b *domain.Board) {
	if !b.Exists() {
		return
	}
	l := eventlog.ListingOf(b)
	d.mu.Lock()
	if len(d.pending) == 0 {
		d.behind = d.s.Now()
	}
	d.pending[l.Board] = l
	delete(d.listed, l.Board)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
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
