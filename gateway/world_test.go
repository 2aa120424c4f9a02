package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/test/cutter"
)

// world is hubs with a log and a service behind them and sockets before them.
type world struct {
	t        *testing.T
	hubs     *hubs
	log      boardLog
	fake     *logtest.Log // nil on a real log
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	url      string
	tokens   map[string]identity // with auth on
	listener *cutter.Pipe        // nil on TCP
	mu       sync.Mutex          // guards tokens
}

const board = "b1"

var quiet = testLogger()

func testLogger() *slog.Logger {
	if os.Getenv("SNAPBACK_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

type options struct {
	cfg       Config
	faults    logtest.Faults
	auth      bool // tokens are names of world.tokens
	noService bool
}

// newWorld is on a log in memory and connections in memory: for synctest too.
func newWorld(t *testing.T, o options) *world {
	fake := logtest.New(logtest.Config{Seed: 1, Faults: o.faults})
	w := &world{t: t, log: fake, fake: fake}
	if !o.noService {
		w.serveLog(fake)
	}
	l := cutter.NewPipe()
	w.dial, w.listener = l.Dial, l
	w.start(l, o)
	return w
}

// newRealWorld is on an embedded NATS server and TCP.
func newRealWorld(t *testing.T, o options) *world {
	server, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: server, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	w := &world{t: t, log: log}
	w.serveLog(log)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.dial = (&net.Dialer{}).DialContext
	w.start(l, o)
	return w
}

// onBoth runs a test on either world.
func onBoth(t *testing.T, o options, test func(t *testing.T, w *world)) {
	t.Run("memory", func(t *testing.T) { t.Parallel(); test(t, newWorld(t, o)) })
	t.Run("nats", func(t *testing.T) { t.Parallel(); test(t, newRealWorld(t, o)) })
}

// serveLog runs a service until the test ends or stop is called.
func (w *world) serveLog(log service.Log) (stop func()) {
	s, err := service.New(service.Config{Log: log, Logger: quiet})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

// serveFor is serveLog on the log in memory.
func (w *world) serveFor() (stop func()) { return w.serveLog(w.fake) }

func (w *world) start(l net.Listener, o options) {
	o.cfg.Logger = quiet
	w.hubs = newHubsOn(w.log, o.cfg)
	w.tokens = map[string]identity{}
	w.url = "ws://" + l.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		id, auth := identity{}, w.authenticate
		if !o.auth {
			id, auth = identity{user: r.URL.Query().Get("user"), open: true}, nil
		} else if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
			id, _ = w.authenticate(token)
		}
		w.hubs.serve(rw, r, r.URL.Path[1:], id, auth)
	})}
	go server.Serve(l)
	w.t.Cleanup(func() { l.Close(); server.Close(); w.hubs.close() })
}

func (w *world) authenticate(token string) (identity, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, ok := w.tokens[token]
	if !ok {
		return identity{}, errBadToken
	}
	if !id.expires.IsZero() && !id.expires.After(time.Now()) {
		return identity{}, errTokenExpired
	}
	return id, nil
}

// do submits a command as ada, who makes the board, and wants an ack.
func (w *world) do(changes ...domain.Change) domain.Verdict {
	w.t.Helper()
	v := w.try(ulid.Make().String(), "ada", changes...)
	if v.Rejection != nil {
		w.t.Fatalf("refused: %v %v", v.Rejection, v.Rejection.Details)
	}
	return v
}

func (w *world) try(id, user string, changes ...domain.Change) domain.Verdict {
	w.t.Helper()
	h, err := w.hubs.open(w.t.Context(), board)
	if err != nil {
		w.t.Fatal(err)
	}
	defer h.release()
	ctx, cancel := context.WithTimeout(w.t.Context(), 60*time.Second)
	defer cancel()
	ttl := 4 * time.Second
	if w.fake == nil { // a machine may be slow, virtual time is not
		ttl = time.Minute
	}
	v, _, err := h.submit(ctx, domain.Command{ID: id, Op: domain.OpMutate, User: user, Changes: changes}, ttl)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// demo makes the board: two columns, three cards, ada its admin, bob an editor.
func (w *world) demo() {
	w.t.Helper()
	w.do(put(board, "board", "title", "Demo"))
	w.do(put("member:bob", "member", "user", "bob", "role", "editor"))
	w.do(put("todo", "column", "title", "To do"), put("doing", "column", "title", "Doing"))
	for _, id := range []string{"c1", "c2", "c3"} {
		w.do(put(id, "card", "title", "Card "+id, "columnId", "todo"))
	}
}

// put is a change; the patch has kind unless it is "" and the pairs.
func put(id, kind string, pairs ...any) domain.Change {
	p := domain.Patch{}
	if kind != "" {
		p["kind"] = kind
	}
	for i := 0; i < len(pairs); i += 2 {
		p[pairs[i].(string)] = pairs[i+1]
	}
	return domain.Change{EntityID: id, Patch: p}
}
