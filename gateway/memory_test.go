package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/natsd"
	"github.com/snapback-io/snapback/projector"
)

// memory is a log and the rooms of its boards without a NATS server: it
// decides at once, one command per commit, and fails when it is told to.
type memory struct {
	mu       sync.Mutex
	boards   map[string]*memoryRoom
	contents map[string][]byte
	opened   []int64 // offsets at which contents were opened
	down     error   // what open answers
}

func newMemory() *memory {
	return &memory{boards: map[string]*memoryRoom{}, contents: map[string][]byte{}}
}

// memoryRoom is a board of memory. It is a room.
type memoryRoom struct {
	m       *memory
	view    *projector.View
	records []eventlog.Record
	moved   chan struct{} // closed with the next record; nil: nobody waits
	used    int           // rooms held
	refuse  error         // what submit answers
	silent  bool          // submit decides nothing
	voice   chan struct{} // closed: submit decides again
}

func (m *memory) room(board string) *memoryRoom {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.boards[board]
	if r == nil {
		r = &memoryRoom{m: m, view: projector.NewView(domain.NewBoard(board))}
		m.boards[board] = r
	}
	return r
}

func (m *memory) open(_ context.Context, board string) (room, error) {
	if m.down != nil {
		return nil, m.down
	}
	r := m.room(board)
	m.mu.Lock()
	defer m.mu.Unlock()
	r.used++
	return r, nil
}

func (r *memoryRoom) release() {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	r.used--
}

func (r *memoryRoom) read(fn func(*projector.View)) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	fn(r.view)
}

func (r *memoryRoom) submit(ctx context.Context, cmd domain.Command, ttl time.Duration) (domain.Verdict, []*domain.Entity, error) {
	r.m.mu.Lock()
	refuse, silent, voice := r.refuse, r.silent, r.voice
	r.m.mu.Unlock()
	if refuse != nil {
		return domain.Verdict{}, nil, refuse
	}
	if silent {
		select {
		case <-ctx.Done():
			return domain.Verdict{}, nil, ctx.Err()
		case <-voice:
		}
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	return r.decide(cmd, ttl)
}

func (r *memoryRoom) decide(cmd domain.Command, ttl time.Duration) (domain.Verdict, []*domain.Entity, error) {
	if cmd.ReceivedAt.IsZero() {
		cmd.ReceivedAt = time.Now().UTC()
		cmd.Deadline = cmd.ReceivedAt.Add(ttl)
	}
	v, ok := r.find(cmd.User, cmd.ID)
	if ok && !v.Fits(cmd.ContentHash()) {
		v.Rejection = &domain.Rejection{Code: domain.IDReused, Reason: "another mutation has this id"}
	}
	if !ok {
		var err error
		if v, err = r.commit(cmd); err != nil {
			return v, nil, err
		}
	}
	var entities []*domain.Entity
	for _, c := range cmd.Changes {
		if e := r.view.Board().Get(c.EntityID); e != nil {
			entities = append(entities, e)
		}
	}
	return v, entities, nil
}

// commit decides cmds into one record and gives the verdict of the first.
func (r *memoryRoom) commit(cmds ...domain.Command) (domain.Verdict, error) {
	b := r.view.Board()
	state, err := b.Snapshot()
	if err != nil {
		return domain.Verdict{}, err
	}
	ahead, err := domain.LoadSnapshot(state)
	if err != nil {
		return domain.Verdict{}, err
	}
	seq, prev, last := b.Head()
	at := time.Now().UTC()
	if at.Before(last) {
		at = last
	}
	c := &domain.Commit{V: domain.CommitVersion, Board: b.ID(), Prev: prev}
	for i := range cmds {
		d := domain.Decide(ahead, &cmds[i], at.Truncate(time.Millisecond).Add(time.Millisecond))
		if err := ahead.Fold(&d); err != nil {
			return domain.Verdict{}, err
		}
		c.At, c.Decisions = d.At, append(c.Decisions, d)
	}
	data, hash, err := c.Encode()
	if err != nil {
		return domain.Verdict{}, err
	}
	if c, _, err = domain.DecodeCommit(data); err != nil {
		return domain.Verdict{}, err
	}
	rec := eventlog.Record{Board: b.ID(), Seq: seq + 1, Prev: seq, Time: c.At, Data: data, Hash: hash, Commit: c}
	outs, err := r.view.Apply(rec)
	if err != nil {
		return domain.Verdict{}, err
	}
	r.records = append(r.records, rec)
	if r.moved != nil {
		close(r.moved)
		r.moved = nil
	}
	return outs[0].Verdict, nil
}

func (r *memoryRoom) watch(fn func(*projector.View)) <-chan struct{} {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if r.moved == nil {
		r.moved = make(chan struct{})
	}
	fn(r.view)
	return r.moved
}

func (r *memoryRoom) current(context.Context) error { return nil }

func (r *memoryRoom) find(user, id string) (domain.Verdict, bool) {
	for _, rec := range r.records {
		if v, ok := verdictIn(rec, user, id); ok {
			return v, true
		}
	}
	return domain.Verdict{}, false
}

func (r *memoryRoom) lookup(_ context.Context, user, id string) (domain.Verdict, bool, error) {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	v, ok := r.find(user, id)
	return v, ok, nil
}

func (r *memoryRoom) waitRev(ctx context.Context, rev uint64) error {
	for have := uint64(0); have < rev; r.read(func(v *projector.View) { have = v.Rev() }) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (m *memory) Epoch() string                 { return "epoch" }
func (m *memory) MaxRecord() int                { return 4 << 20 }
func (m *memory) Healthy(context.Context) error { return m.down }

func (m *memory) Get(_ context.Context, board string, seq uint64) (eventlog.Record, error) {
	r := m.room(board)
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq < 1 || seq > uint64(len(r.records)) {
		return eventlog.Record{}, eventlog.ErrNotFound
	}
	return r.records[seq-1], nil
}

func (m *memory) Read(ctx context.Context, board string, from, to uint64) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		for seq := from; seq <= to; seq++ {
			if rec, err := m.Get(ctx, board, seq); !yield(rec, err) {
				return
			}
		}
	}
}

func (m *memory) Listings(_ context.Context, user string, match func(string) bool, after string, limit int) ([]eventlog.Listing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []eventlog.Listing
	for id, r := range m.boards {
		l := eventlog.Listing{Board: id, Members: map[string]domain.Role{}}
		for e := range r.view.Board().All() {
			if e.Kind == domain.KindBoard {
				l.Title = e.Fields.String("title")
			}
			if name, ok := domain.IsMemberID(e.ID); ok {
				l.Members[name] = domain.Role(e.Fields.String("role"))
			}
		}
		if id > after && r.view.Board().Exists() && (l.Members[user] != "" || match(id)) {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b eventlog.Listing) int { return strings.Compare(a.Board, b.Board) })
	return list[:min(limit, len(list))], nil
}

func (m *memory) PutContent(_ context.Context, object string, r io.Reader, limit int64) (int64, string, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if int64(len(data)) > limit {
		return 0, "", eventlog.ErrTooLarge
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contents[object] = data
	if err != nil {
		return 0, "", err // and what came so far lies about
	}
	sum := sha256.Sum256(data)
	return int64(len(data)), hex.EncodeToString(sum[:]), nil
}

func (m *memory) OpenContent(_ context.Context, object string, offset int64) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.contents[object]
	if !ok {
		return nil, eventlog.ErrNotFound
	}
	m.opened = append(m.opened, offset)
	return io.NopCloser(bytes.NewReader(data[offset:])), nil
}

func (m *memory) DeleteContent(_ context.Context, object string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.contents, object)
	return nil
}

// objects is how many contents are stored.
func (m *memory) objects() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.contents)
}

// site is a server over memory.
type site struct {
	t   *testing.T
	m   *memory
	s   *Server
	url string
}

func newSite(t *testing.T, cfg Config) *site {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	if cfg.MaxContent == 0 {
		cfg.MaxContent = defaultMaxContent
	}
	m := newMemory()
	s, err := newServer(cfg, m)
	if err != nil {
		t.Fatal(err)
	}
	s.open = m.open
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		srv.Close()
		s.chores.end()
		for id, r := range m.boards {
			if r.used != 0 {
				t.Errorf("room of %s: %d uses were never released", id, r.used)
			}
		}
	})
	return &site{t, m, s, srv.URL}
}

// newRealSite is a server over an embedded NATS server and a domain service.
func newRealSite(t *testing.T, cfg Config) *site {
	t.Helper()
	nats, err := natsd.Start(natsd.Config{StoreDir: t.TempDir(), SyncAlways: true, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nats.Shutdown)
	log, err := eventlog.Open(t.Context(), eventlog.Config{InProcess: nats, Shards: 2, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	w := &world{t: t, log: log}
	w.serveLog(log)
	cfg.Log, cfg.Logger = log, quiet
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(func() { srv.Close(); s.Close() })
	return &site{t, nil, s, srv.URL}
}

// onEachSite runs a test over memory and over the real parts.
func onEachSite(t *testing.T, cfg Config, test func(t *testing.T, s *site)) {
	t.Run("memory", func(t *testing.T) { t.Parallel(); test(t, newSite(t, cfg)) })
	t.Run("nats", func(t *testing.T) { t.Parallel(); test(t, newRealSite(t, cfg)) })
}

// reply is an answer read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// json reads the body into v.
func (r reply) json(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Fatalf("%v in %d %s", err, r.status, r.body)
	}
}

func (r reply) code(t *testing.T) domain.Code {
	t.Helper()
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("%d is %q, not a problem: %s", r.status, got, r.body)
	}
	var p struct {
		Status int
		Code   domain.Code
	}
	r.json(t, &p)
	if p.Status != r.status {
		t.Errorf("status %d of a problem that says %d", r.status, p.Status)
	}
	return p.Code
}

// do sends one request; header is name, value, name, value.
func (s *site) do(method, path, body string, header ...string) reply {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body == "" {
		req.Body = http.NoBody
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(raw)}
}

// must is do that expects a status.
func (s *site) must(status int, method, path, body string, header ...string) reply {
	s.t.Helper()
	r := s.do(method, path, body, header...)
	if r.status != status {
		s.t.Fatalf("%s %s: %d %s, want %d", method, path, r.status, r.body, status)
	}
	return r
}

// demo makes a board with a column, a card and a full column.
func (s *site) demo() {
	s.t.Helper()
	s.must(201, "POST", "/v1/boards?user=ann", `{"id":"demo","title":"Demo"}`)
	s.must(200, "POST", "/v1/boards/demo/mutations?user=ann", `{"clientMutationId":"demo","changes":[
		{"entityId":"todo","patch":{"kind":"column","title":"To do"}},
		{"entityId":"full","patch":{"kind":"column","title":"Full","wipLimit":1}},
		{"entityId":"c1","patch":{"kind":"card","columnId":"todo","title":"One"}},
		{"entityId":"c2","patch":{"kind":"card","columnId":"full","title":"Two"}}]}`)
}
