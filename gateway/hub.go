package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/snapback-io/snapback/domain"
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

// hubs holds the rooms of the boards that are watched on this node. Safe for
// concurrent use.
type hubs struct{ cfg Config }

func newHubs(cfg Config) *hubs { return &hubs{cfg: cfg} }

// open gives the room of a board, loaded, subscribed and current. A board that
// does not exist has a room too, whose view says so (View.Board().Exists()).
// The caller must call release once.
func (hs *hubs) open(ctx context.Context, board string) (*hub, error) { panic("todo") }

// serve upgrades the request and runs the session until it ends. id.user ""
// with auth on means: the token comes as bearer subprotocol or auth frame.
// authenticate is nil in open mode.
func (hs *hubs) serve(w http.ResponseWriter, r *http.Request, board string, id identity, authenticate func(token string) (identity, error)) {
	panic("todo")
}

// drain refuses what is new, sends goaway to every session, lets what is in
// flight get its verdict and closes 1012. It returns when no session is left
// or, with ctx's error, when ctx ends.
func (hs *hubs) drain(ctx context.Context, spread time.Duration) error { panic("todo") }

// ready fails while draining or when a room cannot follow its board.
func (hs *hubs) ready() error { panic("todo") }

// counters are totals since start, but for Boards, Sessions and InFlight.
type counters struct {
	Boards, Sessions, InFlight                  int64
	Mutations, Acks, Nacks, Retryable, Lags     int64
	Republished, Syncs, Presences, BrokenFrames int64
}

// counters is for metrics.
func (hs *hubs) counters() counters { panic("todo") }

// hub is the room of one board.
type hub struct{}

// release ends the caller's use of the hub.
func (h *hub) release() { panic("todo") }

// read calls fn under the hub's lock: fn must not block, nor keep the view.
func (h *hub) read(fn func(*projector.View)) { panic("todo") }

// submit owns cmd until its verdict, by the same rules as a socket's mutate:
// it publishes, looks, publishes again. ID, Op, User, Grant and what is asked
// are the caller's to set; ReceivedAt and Deadline (receipt + ttl) are set here
// when zero. After an ack it gives the current entities of cmd's changes,
// tombstones of deleted ones included. Another content under a known id is a
// verdict id_reused. Errors: *retryError, before anything was published;
// ctx's, when there is no verdict in time (undecided: ask again).
func (h *hub) submit(ctx context.Context, cmd domain.Command, ttl time.Duration) (domain.Verdict, []*domain.Entity, error) {
	panic("todo")
}

// lookup gives the stored verdict of a mutation of user, for as long as law 3
// says; ok is false when the log has none now.
func (h *hub) lookup(ctx context.Context, user, id string) (v domain.Verdict, ok bool, err error) {
	panic("todo")
}

// waitRev returns when the view has reached rev, or with ctx's error.
func (h *hub) waitRev(ctx context.Context, rev uint64) error { panic("todo") }

// entityJSON is the entity as user sees it: a card with liked and likes, a
// file without its object.
func entityJSON(e *domain.Entity, user string) ([]byte, error) { panic("todo") }

// verdictFrame is the ack or nack frame (wire.Ack, wire.Nack) of v as its user
// sees it. It does not judge id_reused.
func verdictFrame(v domain.Verdict) any { panic("todo") }
