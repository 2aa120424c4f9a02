package gateway

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
)

// retryError is back-pressure: nothing was published, the id is free. Code is
// wire.RateLimited or wire.Unavailable.
type retryError struct {
	code  domain.Code
	after time.Duration // how long to wait before another try
}

func (e *retryError) Error() string {
	return fmt.Sprintf("gateway: %s, try again in %s", e.code, e.after)
}

// boardLog is what a room needs of the log.
type boardLog interface {
	projector.Log
	Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error)
	ReadSince(ctx context.Context, board string, start time.Time, to uint64) iter.Seq2[eventlog.Record, error]
	PublishCommand(cmd *domain.Command, ttl time.Duration) error
	Epoch() string
}

const (
	loadTimeout = time.Minute // to load a board: the largest take seconds, on a busy machine many
	retryAfter1 = time.Second // what a refused client is told to wait
	reasonFull  = "the log is full"

	reasonAstray = "this node's clock differs from the others'"
)

// hubs holds the rooms of the boards that are watched on this node. Safe for
// concurrent use. Locks are taken in the order hubs, hub, queue.
type hubs struct {
	log     boardLog
	logger  *slog.Logger
	cfg     Config // defaults filled in
	counts  tally
	tracing *tracing // nil: nothing is traced
	lab     *lab     // nil: none
	// full says whether the log takes no writes of a board now: nothing new is taken then.
	full   func(board string) bool
	astray func() bool  // this node's clock is wrong: likewise
	imaged atomic.Int64 // bytes of all images' frames
	made   time.Time
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	rooms    map[string]*hub
	sessions map[*session]struct{}
	beat     *time.Timer // runs while there are sessions
	entered  uint        // how many sessions ever were
	turn     uint8       // the group looked at last
	draining atomic.Bool
	drained  chan struct{} // closed when draining and no session is left
}

// now is the time that commands are stamped with. It may have no monotonic part.
func (hs *hubs) now() time.Time { return hs.cfg.Now() }

func newHubs(cfg Config) *hubs { return newHubsOn(cfg.Log, cfg) }

func newHubsOn(log boardLog, cfg Config) *hubs {
	if cfg.QueueBytes == 0 {
		cfg.QueueBytes = 1 << 20
	}
	if cfg.PongTimeout == 0 {
		cfg.PongTimeout = 15 * time.Second
	}
	if cfg.IdleBoard == 0 {
		cfg.IdleBoard = time.Minute
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	hs := &hubs{log: log, logger: cfg.Logger, cfg: cfg, made: time.Now(), rooms: map[string]*hub{},
		sessions: map[*session]struct{}{}, drained: make(chan struct{})}
	if cfg.Lab {
		hs.lab = newLab()
	}
	hs.astray = func() bool { return false }
	if cfg.Members != nil {
		var compared atomic.Bool
		hs.astray = func() bool {
			if !compared.Load() { // until then nobody knows
				_, settled, _ := cfg.Members.Present()
				compared.Store(settled)
				if !settled {
					return true
				}
			}
			astray, _ := cfg.Members.Astray()
			return astray
		}
	}
	hs.full = func(string) bool { return false }
	if l, ok := log.(interface{ Full(board string) error }); ok {
		hs.full = func(board string) bool { return l.Full(board) != nil }
	}
	hs.tracing = newTracing(cfg.Tracer)
	hs.ctx, hs.cancel = context.WithCancel(context.Background())
	return hs
}

// open gives the room of a board, loaded, subscribed and current. A board that
// does not exist has a room too, whose view says so (View.Board().Exists()).
// The caller must call release once. Errors: *retryError, ctx's.
func (hs *hubs) open(ctx context.Context, board string) (*hub, error) {
	hs.mu.Lock()
	h := hs.rooms[board]
	if h == nil {
		h = newHub(hs, board)
		hs.rooms[board] = h
		go h.start()
	}
	h.refs++
	if h.idle != nil {
		h.idle.Stop()
		h.idle = nil
	}
	hs.mu.Unlock()
	select {
	case <-h.started:
	case <-ctx.Done():
		h.release()
		return nil, ctx.Err()
	}
	if h.err != nil {
		h.release()
		return nil, &retryError{wire.Unavailable, retryAfter1}
	}
	return h, nil
}

// ready fails while draining.
func (hs *hubs) ready() error {
	if hs.draining.Load() {
		return fmt.Errorf("gateway: draining")
	}
	return nil
}

// close ends every session and room at once; nobody may use them afterwards.
func (hs *hubs) close() {
	hs.cancel()
	hs.mu.Lock()
	for s := range hs.sessions {
		s.shut(websocket.CloseGoingAway, "")
	}
	rooms := hs.rooms
	hs.rooms = map[string]*hub{}
	hs.mu.Unlock()
	for _, h := range rooms {
		<-h.started
		h.close()
	}
}

// hub is the room of one board: its view, who watches it, and the mutations
// that wait for their verdict here.
type hub struct {
	hs    *hubs
	board string

	// Under hubs.mu.
	refs int
	idle *time.Timer // runs while refs is 0

	started chan struct{} // closed when feed or err is set
	err     error
	feed    *projector.Feed
	cancel  context.CancelFunc
	ctx     context.Context // ends with the room

	// archive is held, before mu, by the one session that looks through what is
	// archived: what the board does then waits for one of them, not for all.
	archive sync.Mutex

	mu       sync.Mutex
	view     *projector.View
	rev      uint64 // of the view when it was last sound; all of it has been queued to every session
	sessions []*session
	opens    int // of sessions that watch the open part
	owned    map[mutationKey]*owned
	chase    *time.Timer // runs h.look; nil: it never did
	looking  bool        // it runs, or h.look does
	answers  []answer    // room for those of the record at hand
	images   [2]*image   // of view and of its open part, while people join
	round    round
	moved    chan struct{} // closed when the view moves; nil: nobody waits
	afresh   bool          // what the sessions have may be wrong: the next view is told from the first rev on
	presence map[string]*shown
}

func newHub(hs *hubs, board string) *hub {
	h := &hub{hs: hs, board: board, refs: 1, started: make(chan struct{}),
		owned: map[mutationKey]*owned{}}
	h.ctx, h.cancel = context.WithCancel(hs.ctx)
	return h
}

// start loads the board; it holds a reference of its own while it does.
func (h *hub) start() {
	ctx, cancel := context.WithTimeout(h.ctx, loadTimeout)
	defer cancel()
	h.feed, h.err = projector.Open(ctx, h.hs.log, h.board, h, h.hs.logger)
	if h.err != nil {
		h.hs.logger.Warn("board not loaded", "board", h.board, "error", h.err)
		h.cancel()
		h.hs.mu.Lock()
		if h.hs.rooms[h.board] == h {
			delete(h.hs.rooms, h.board)
		}
		h.hs.mu.Unlock()
	}
	close(h.started)
	h.release()
}

// release ends the caller's use of the hub. A room that nobody uses goes after
// Config.IdleBoard, at once if its board does not exist: one that is being
// imported does, to the importer who comes again with the next part.
func (h *hub) release() {
	wait := h.hs.cfg.IdleBoard
	h.mu.Lock()
	if h.view == nil || h.view.Board().Rev() == 0 || h.hs.draining.Load() {
		wait = 0
	}
	h.mu.Unlock()
	h.hs.mu.Lock()
	defer h.hs.mu.Unlock()
	if h.refs--; h.refs == 0 {
		h.idle = time.AfterFunc(wait, h.reap)
	}
}

func (h *hub) reap() {
	h.hs.mu.Lock()
	unused := h.refs == 0 && h.hs.rooms[h.board] == h
	if unused {
		delete(h.hs.rooms, h.board)
	}
	h.hs.mu.Unlock()
	if unused {
		h.close()
	}
}

func (h *hub) close() {
	h.cancel()
	if h.feed != nil {
		h.feed.Close()
	}
}

// read calls fn under the hub's lock: fn must not block, nor keep the view.
// What it takes from the board (entities) may be kept.
func (h *hub) read(fn func(*projector.View)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fn(h.view)
}

// waitRev returns when the view has reached rev, or with ctx's error.
func (h *hub) waitRev(ctx context.Context, rev uint64) error {
	for asked := false; ; asked = true {
		h.mu.Lock()
		if h.moved == nil {
			h.moved = make(chan struct{})
		}
		have, moved := h.view.Rev(), h.moved
		h.mu.Unlock()
		if have >= rev {
			return nil
		}
		if !asked { // the news of it may be lost
			if err := h.feed.Current(ctx); err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
