// Package gateway is the edge: HTTP and WebSocket, who somebody is and how
// much he may send, and the ownership of every mutation until its verdict. It
// knows no rule of a board.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/gateway/web"
	"github.com/snapback-io/snapback/gateway/wire"
	"github.com/snapback-io/snapback/projector"
	"github.com/snapback-io/snapback/projector/notary"
	"github.com/snapback-io/snapback/projector/rebuild"
)

// Config of a Server. Zero values are the defaults named.
type Config struct {
	Log    Log          // required
	Logger *slog.Logger // default slog.Default()

	// Auth checks tokens; nil is open mode: whoever connects is who he says.
	Auth *Auth
	// Origins allowed besides the page's own, exact ("https://app.example"); "*" allows all.
	Origins []string
	// Hosts are names that open mode answers to besides those of the loopback
	// interface, lower case, without port; "*" allows all. Not read with Auth.
	Hosts []string
	// MaxContent is how large a file may be, bytes. Default 100 MiB.
	MaxContent int64
	// BoardIDs lets clients choose ids of new boards with auth on.
	BoardIDs bool
	// Lab lets sessions ask for delays, refusals and losses of their own
	// mutations: for demonstrations, never for real work.
	Lab bool
	// Sync is what /readyz says of the log's durability: "always", "interval"
	// or "unverified". Default "unverified".
	Sync string
	// Notary signs checkpoints and heads of the same log; nil: nobody does.
	Notary *notary.Notary
	// Rebuild is the same log, for POST /rebuild of the admin listener, and Workers
	// who decides on it in this process; nil: there is none.
	Rebuild rebuild.Log
	Workers rebuild.Memory
	// Shards is the same log, for POST /shards and /move of the admin listener; nil:
	// there are none.
	Shards Shards
	// Archive is what bundles are made of and restored into, the same log; nil:
	// there are no bundles.
	Archive Archive
	// Members knows which nodes are there, an [eventlog.Members]; nil: this one only.
	Members Members
	// Now is the clock that commands are stamped with and clients set theirs by.
	// Default time.Now.
	Now func() time.Time
	// Collectors are what others show at /metrics beside this Server.
	Collectors []prometheus.Collector
	// Tracer records the way of mutations; nil: nobody does.
	Tracer trace.Tracer

	// QueueBytes is how much may wait for one slow connection. Default 1 MiB.
	QueueBytes int
	// PongTimeout is for how long a silent connection lives. Default 15 s.
	PongTimeout time.Duration
	// IdleBoard is for how long a board that nobody watches stays in memory. Default 1 min.
	IdleBoard time.Duration
}

const defaultMaxContent = 100 << 20

func (c *Config) validate() error {
	if c.Log == nil {
		return errors.New("gateway: no log")
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MaxContent == 0 {
		c.MaxContent = defaultMaxContent
	}
	if c.MaxContent < 0 {
		return fmt.Errorf("gateway: MaxContent is %d", c.MaxContent)
	}
	if c.Sync == "" {
		c.Sync = "unverified"
	}
	return nil
}

// room is what a request needs of a board's hub; a test has one without a log.
type room interface {
	read(fn func(*projector.View))
	submit(ctx context.Context, cmd domain.Command, ttl time.Duration) (domain.Verdict, []*domain.Entity, error)
	lookup(ctx context.Context, user, id string) (v domain.Verdict, ok bool, err error)
	waitRev(ctx context.Context, rev uint64) error
	current(ctx context.Context) error
	watch(fn func(*projector.View)) (moved <-chan struct{})
	release()
}

// store is what a request needs of the log itself; the methods are documented there.
type store interface {
	eventlog.PastSource // Head, Read, GetSnapshot, Pasts, Past
	Epoch() string
	MaxRecord() int
	Healthy(ctx context.Context) error
	Get(ctx context.Context, board string, seq uint64) (eventlog.Record, error)
	Listings(ctx context.Context, user string, match func(board string) bool, after string, limit int) ([]eventlog.Listing, error)
	PutContent(ctx context.Context, object string, r io.Reader, limit int64) (size int64, sha256 string, err error)
	OpenContent(ctx context.Context, object string, offset int64) (io.ReadCloser, error)
	DeleteContent(ctx context.Context, object string) error
}

// Log is what a Server needs of an [eventlog.Log]; the methods are documented
// there. eventlog/logtest has most of one that misbehaves.
type Log interface {
	boardLog
	store
}

// Server serves one node's clients. Safe for concurrent use.
type Server struct {
	cfg     Config
	log     *slog.Logger
	origins origins
	store   store
	hubs    *hubs
	open    func(ctx context.Context, board string) (room, error)
	page    http.Handler
	metrics *metrics

	draining   atomic.Bool
	rebuilding atomic.Bool
	flights    flights
	readers    flights       // who reads logs
	tickets    chan struct{} // a token per reader that reads just now
	lookups    chan struct{} // a token per search of the log for an old verdict
	fresh      freshness
	held       atomic.Int64 // bytes of answers about the past that are being sent
	chores     chores
}

// maxLookups is how many searches of the log run at a time: one may read all
// of a board's records.
const maxLookups = 16

// chores outlive their request: uploads whose verdict is still to come. They
// end when the server does.
type chores struct {
	life context.Context
	stop context.CancelFunc

	mu    sync.Mutex
	ended bool
	wg    sync.WaitGroup
}

// start runs fn beside; false if the server is stopping.
func (c *chores) start(fn func(life context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	c.wg.Go(func() { fn(c.life) })
	return true
}

// end stops all of them and waits until they have ended.
func (c *chores) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.stop()
	c.wg.Wait()
}

// New makes a Server; it opens nothing yet.
//
//	public listener ─ Handler: host ─ origin ─ routes ─┬─ /v1 /api ── identify ─ room of the board ─┐
//	                                                   ├─ .../ws ──── hubs.serve ───────────────────┤
//	                                                   └─ / ───────── page, client.js               ├─ eventlog
//	admin listener ── AdminHandler: /healthz /readyz /metrics /rebuild ─────────────────────────────┘
func New(cfg Config) (*Server, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s, err := newServer(cfg, cfg.Log)
	if err != nil {
		return nil, err
	}
	s.hubs = newHubs(cfg)
	s.open = func(ctx context.Context, board string) (room, error) {
		h, err := s.hubs.open(ctx, board)
		if err != nil {
			return nil, err // not h: a nil *hub is no nil room
		}
		return h, nil
	}
	s.metrics = newMetrics(s.hubs.counters)
	s.hubs.counts.observe = s.metrics.socketVerdict
	s.hubs.counts.told = func(stored time.Time) { s.metrics.recordTold(stored, s.hubs.now()) }
	s.metrics.registry.MustRegister(cfg.Collectors...)
	if cfg.Members != nil {
		s.metrics.registry.MustRegister(memberMetrics{cfg.Members})
	}
	if cfg.Notary != nil {
		s.metrics.registry.MustRegister(newContradicted(cfg.Notary), newUnreadable(cfg.Notary), newCheckpointAge(cfg.Notary))
	}
	return s, nil
}

// newServer makes all of a Server that needs no hub.
func newServer(cfg Config, st store) (*Server, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	o, err := newOrigins(cfg.Origins)
	if err != nil {
		return nil, err
	}
	page, err := newPage(web.FS)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Logger, origins: o, store: st, page: page, metrics: newMetrics(nil),
		flights: flights{most: wire.InFlight}, readers: flights{most: maxReaders}, tickets: make(chan struct{}, maxTickets()), lookups: make(chan struct{}, maxLookups)}
	s.chores.life, s.chores.stop = context.WithCancel(context.Background())
	return s, nil
}

// Handler serves everything of the public listener: /v1, /api, the page at /.
func (s *Server) Handler() http.Handler {
	h := s.origins.guard(s.routes())
	if s.cfg.Auth == nil {
		h = guardHost(s.cfg.Hosts, h)
	}
	return h
}

// Drain ends service in order: not ready, goaway to every connection with
// times to go elsewhere spread over spread or less; who has not gone a second
// after his gets the verdicts under way and is closed 1012. It returns when no
// connection is left or ctx ends.
func (s *Server) Drain(ctx context.Context, spread time.Duration) error {
	s.draining.Store(true)
	defer s.chores.end()
	return s.hubs.drain(ctx, spread)
}

// Close ends everything at once, what is in flight included. Nothing may be
// served afterwards; call it after Drain and when the listeners are closed.
func (s *Server) Close() {
	s.draining.Store(true)
	s.chores.end()
	s.hubs.close()
}
