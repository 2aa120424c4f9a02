package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
	"github.com/snapback-io/snapback/eventlog/natsd"
)

// world is hubs with a log and a service behind them and sockets before them.
type world struct {
	t      *testing.T
	hubs   *hubs
	log    boardLog
	fake   *logtest.Log // nil on a real log
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	url    string
	tokens map[string]identity // with auth on
	mu     sync.Mutex          // guards tokens
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
	l := newPipes()
	w.dial = l.dial
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
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	v, _, err := h.submit(ctx, domain.Command{ID: id, Op: domain.OpMutate, User: user, Changes: changes}, 4*time.Second)
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

// pipes is a listener whose connections lie in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe.test:80" }
func (p *pipes) Addr() net.Addr  { return pipeAddr{} }
func (p *pipes) Close() error    { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// frame is any frame from the server.
type frame struct {
	Type      string          `json:"type"`
	ID        string          `json:"clientMutationId"`
	Rev       uint64          `json:"rev"`
	Entity    map[string]any  `json:"entity"`
	By, Event string          `json:",omitempty"`
	More      bool            `json:"more"`
	Events    int             `json:"events"`
	Code      string          `json:"code"`
	Reason    string          `json:"reason"`
	Retryable bool            `json:"retryable"`
	Details   map[string]any  `json:"details"`
	Session   string          `json:"session"`
	User      string          `json:"user"`
	Name      string          `json:"name"`
	Role      string          `json:"role"`
	Epoch     string          `json:"epoch"`
	Resumed   bool            `json:"resumed"`
	Data      json.RawMessage `json:"data"`
	After     int64           `json:"reconnectAfterMs"`
	Time      string          `json:"serverTime"`
	Limits    map[string]any  `json:"limits"`

	raw    string
	closed int // the close code, Type ""
}

func (f frame) String() string {
	if f.Type == "" {
		return fmt.Sprintf("closed %d %s", f.closed, f.Reason)
	}
	return f.raw
}

// socket is one client connection.
type socket struct {
	t        *testing.T
	ws       *websocket.Conn
	frames   chan frame
	rev      uint64 // law 1: of the last live sync
	live     bool
	session  string
	epoch    string
	patience time.Duration
	kept     map[string][]frame // verdicts nobody has asked for yet
}

// connect dials as user (a token with auth on), and reads on from then on.
func (w *world) connect(user string, query ...string) *socket {
	w.t.Helper()
	s := w.connectRaw("/"+board+"?user="+user+"&"+strings.Join(query, "&"), http.Header{"Authorization": {"Bearer " + user}})
	go s.readAll()
	return s
}

func (w *world) connectRaw(path string, header http.Header, protocols ...string) *socket {
	w.t.Helper()
	d := websocket.Dialer{NetDialContext: w.dial, Subprotocols: protocols, HandshakeTimeout: 10 * time.Second}
	ws, resp, err := d.DialContext(w.t.Context(), w.url+path, header)
	if err != nil {
		w.t.Fatalf("dial: %v %+v", err, resp)
	}
	w.t.Cleanup(func() { ws.Close() })
	patience := 20 * time.Second
	if w.fake != nil {
		patience = 2 * time.Minute
	}
	return &socket{t: w.t, ws: ws, frames: make(chan frame, 100_000), patience: patience, kept: map[string][]frame{}}
}

func (s *socket) readAll() {
	defer close(s.frames)
	for {
		_, data, err := s.ws.ReadMessage()
		if err != nil {
			f := frame{closed: -1, Reason: err.Error()}
			if c, ok := err.(*websocket.CloseError); ok {
				f.closed, f.Reason = c.Code, c.Text
			}
			s.frames <- f
			return
		}
		f := frame{raw: string(data)}
		if err := json.Unmarshal(data, &f); err != nil {
			s.t.Errorf("not JSON: %s", data)
		}
		s.frames <- f
	}
}

// next is the next frame; it holds law 1 on the way.
func (s *socket) next() frame {
	s.t.Helper()
	timeout := time.NewTimer(s.patience)
	defer timeout.Stop()
	select {
	case f := <-s.frames:
		s.law1(f)
		return f
	case <-timeout.C:
		s.t.Fatal("no frame in time")
		return frame{}
	}
}

func (s *socket) law1(f frame) {
	s.t.Helper()
	switch f.Type {
	case "hello":
		s.session, s.epoch = f.Session, f.Epoch
	case "lag":
		if f.Rev != s.rev {
			s.t.Fatalf("lag says rev %d, the last sync was %d", f.Rev, s.rev)
		}
		s.live = false
	case "ready":
		s.live, s.rev = true, f.Rev
	case "sync":
		if s.live && f.Rev != s.rev+1 && !(f.Rev == s.rev && f.Event == "list.respaced") {
			s.t.Fatalf("law 1: sync %d after %d: %s", f.Rev, s.rev, f)
		}
		if s.live {
			s.rev = f.Rev
		}
	case "ack":
		if s.live && f.Rev > s.rev {
			s.t.Fatalf("law 2: ack with rev %d, but syncs only up to %d", f.Rev, s.rev)
		}
	}
}

// until reads up to the first frame of the type, which it gives last.
func (s *socket) until(typ string) []frame {
	s.t.Helper()
	var list []frame
	for {
		f := s.next()
		list = append(list, f)
		if f.Type == typ {
			return list
		}
		if f.Type == "" {
			s.t.Fatalf("%s before %s", f, typ)
		}
	}
}

// skip gives the first frame of the type.
func (s *socket) skip(typ string) frame {
	s.t.Helper()
	list := s.until(typ)
	return list[len(list)-1]
}

// verdict gives the next ack or nack of the mutation. Those of others that come
// before are kept: verdicts of repeats are in no order.
func (s *socket) verdict(id string) frame {
	s.t.Helper()
	for len(s.kept[id]) == 0 {
		f := s.next()
		switch f.Type {
		case "ack", "nack":
			s.kept[f.ID] = append(s.kept[f.ID], f)
		case "":
			s.t.Fatalf("%s before the verdict of %s", f, id)
		}
	}
	f := s.kept[id][0]
	s.kept[id] = s.kept[id][1:]
	return f
}

// closed reads up to the close and wants this code.
func (s *socket) closed(code int) {
	s.t.Helper()
	for {
		if f := s.next(); f.Type == "" {
			if f.closed != code {
				s.t.Fatalf("closed %d (%s), want %d", f.closed, f.Reason, code)
			}
			return
		}
	}
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// mutate sends a mutate and gives its id.
func (s *socket) mutate(entity, patch string, more ...string) string {
	s.t.Helper()
	id := ulid.Make().String()
	s.mutateAs(id, entity, patch, more...)
	return id
}

func (s *socket) mutateAs(id, entity, patch string, more ...string) {
	s.t.Helper()
	s.send(fmt.Sprintf(`{"type":"mutate","clientMutationId":%q,"entityId":%q,"patch":%s%s}`, id, entity, patch, strings.Join(append([]string{""}, more...), ",")))
}
