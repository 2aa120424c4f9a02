package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/snapback-io/snapback/domain"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
)

// world is a log, services on it, and gateways that own their mutations.
type world struct {
	t   testing.TB
	log *logtest.Log
	rng *rand.Rand

	mu       sync.Mutex
	sendings []*sending
	wrong    []string // what must never happen and did
	news     int      // announcements seen
	scripts  []*script
}

// sending is one sending of a mutate or cancel that waits for its verdict.
type sending struct {
	cmd     domain.Command
	n       int // within its session
	sent    time.Time
	verdict *domain.Verdict // guarded by world.mu
	decided chan struct{}   // closed with the verdict
}

func newWorld(t testing.TB, seed uint64, faults logtest.Faults) *world {
	return &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)),
		log: logtest.New(logtest.Config{Seed: seed, Faults: faults}),
	}
}

// serve runs a service until the returned stop is called.
func (w *world) serve(change func(*Config)) (s *Service, stop func()) {
	w.t.Helper()
	cfg := Config{Log: w.log, Logger: quiet}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	return s, func() { cancel(); <-done }
}

func (w *world) violation(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// gateway is one node's view of a board: it hears announcements and reads the tail.
type gateway struct {
	w     *world
	board string

	mu   sync.Mutex
	seen uint64
	open map[key][]*sending
	stop func()
}

func (w *world) gateway(board string) *gateway {
	g := &gateway{w: w, board: board, open: make(map[key][]*sending)}
	stop, err := w.log.Subscribe(board, g.heard)
	if err != nil {
		w.t.Fatal(err)
	}
	g.stop = stop
	return g
}

// heard checks an announcement against what is stored and gives the verdicts in it.
func (g *gateway) heard(a eventlog.Announcement) {
	g.w.mu.Lock()
	g.w.news++
	g.w.mu.Unlock()
	switch {
	case a.Record != nil:
		stored := g.w.log.Stored(g.board)
		i := slices.IndexFunc(stored, func(s logtest.Stored) bool { return s.Seq == a.Record.Seq })
		if i < 0 || stored[i].Hash != a.Record.Hash || stored[i].Prev != a.Record.Prev {
			g.w.violation("announced record %d %v is not the stored one", a.Record.Seq, a.Record.Hash)
			return
		}
		if a.Record.Commit.VoidAt(stored[i].At) {
			g.w.violation("announced record %d is void", a.Record.Seq)
		}
		g.learn(a.Record)
	case a.Verdict != nil:
		stored := g.w.log.Stored(g.board)
		i := slices.IndexFunc(stored, func(s logtest.Stored) bool { return s.Seq == a.Verdict.Seq })
		if i < 0 {
			g.w.violation("announced verdict %s of record %d, which is not stored", a.Verdict.ID, a.Verdict.Seq)
			return
		}
		g.decide(key{a.Verdict.User, a.Verdict.ID}, *a.Verdict)
	}
}

// learn gives the verdicts of a stored record that is not void.
func (g *gateway) learn(rec *eventlog.Record) {
	for i := range rec.Commit.Decisions {
		v := rec.Commit.Decisions[i].Verdict()
		v.Seq = rec.Seq
		g.decide(key{v.User, v.ID}, v)
	}
}

func (g *gateway) decide(k key, v domain.Verdict) {
	g.mu.Lock()
	waiting := g.open[k]
	delete(g.open, k)
	g.mu.Unlock()
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	for _, s := range waiting {
		s.verdict = &v
		close(s.decided)
	}
}

// tail reads what the gateway has not read yet.
func (g *gateway) tail(ctx context.Context) {
	g.mu.Lock()
	from := g.seen + 1
	g.mu.Unlock()
	for rec, err := range g.w.log.Read(ctx, g.board, from, 0) {
		if err != nil {
			return
		}
		if !rec.Commit.VoidAt(rec.Time) {
			g.learn(&rec)
		}
		g.mu.Lock()
		g.seen = max(g.seen, rec.Seq)
		g.mu.Unlock()
	}
}

// send publishes a command and owns it until its verdict, as a gateway does.
// after says what is the newest undecided one before it, whenever it is asked.
func (g *gateway) send(ctx context.Context, cmd domain.Command, n int, after func() string) *sending {
	s := &sending{cmd: cmd, n: n, sent: time.Now(), decided: make(chan struct{})}
	g.w.mu.Lock()
	g.w.sendings = append(g.w.sendings, s)
	g.w.mu.Unlock()
	k := key{cmd.User, cmd.ID}
	g.mu.Lock()
	g.open[k] = append(g.open[k], s)
	g.mu.Unlock()
	publish := func() {
		c := cmd
		c.After = after()
		ttl := max(time.Until(c.Deadline), 0)
		if err := g.w.log.PublishCommand(&c, ttl); err != nil {
			g.w.t.Error(err)
		}
	}
	publish()
	go func() {
		for wait := 500 * time.Millisecond; ; wait = time.Second {
			t := time.NewTimer(wait)
			select {
			case <-s.decided:
				t.Stop()
				return
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			if wait == 500*time.Millisecond {
				g.tail(ctx)
			}
			publish()
		}
	}()
	return s
}

// session sends one user's commands over one gateway, in order.
type session struct {
	g    *gateway
	user string
	name string
	ctx  context.Context
	sent []*sending

	behind time.Duration // of its clock, which mints the ids
}

// undecided is the id of the newest undecided mutate in list. A mutation sent
// again stands where it was sent first.
func undecided(list []*sending) string {
	for i := len(list) - 1; i >= 0; i-- {
		select {
		case <-list[i].decided:
		default:
			if list[i].cmd.Op == domain.OpMutate && list[i].n == i {
				return list[i].cmd.ID
			}
		}
	}
	return ""
}

func (s *session) command(id string, ttl time.Duration, changes ...domain.Change) domain.Command {
	now := time.Now().UTC()
	return domain.Command{
		ID: id, Board: s.g.board, Op: domain.OpMutate, User: s.user, Session: s.name, Grant: domain.GrantOpen,
		ReceivedAt: now, Deadline: now.Add(ttl), Changes: changes,
	}
}

func (s *session) mutate(id string, ttl time.Duration, changes ...domain.Change) *sending {
	return s.send(s.command(id, ttl, changes...))
}

func (s *session) cancel(id string) *sending {
	cmd := s.command(id, 4*time.Second)
	cmd.Op = domain.OpCancel
	return s.send(cmd)
}

// send sends a command. Sent again it keeps its place among the others.
func (s *session) send(cmd domain.Command) *sending {
	n := slices.IndexFunc(s.sent, func(o *sending) bool { return o.cmd.ID == cmd.ID && o.cmd.Op == cmd.Op })
	if n < 0 {
		n = len(s.sent)
	}
	before := s.sent[:n:n]
	x := s.g.send(s.ctx, cmd, n, func() string { return undecided(before) })
	s.sent = append(s.sent, x)
	return x
}

// newID gives a ULID of the time that differs from all others of rng.
func newID(rng *rand.Rand, at time.Time) string {
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(at)); err != nil {
		panic(err)
	}
	for i := 6; i < 16; i++ {
		id[i] = byte(rng.UintN(256))
	}
	return id.String()
}

func create(id string, patch domain.Patch) domain.Change {
	return domain.Change{EntityID: id, Patch: patch}
}

func boardChange(board string) domain.Change {
	return create(board, domain.Patch{"kind": "board", "title": "Board"})
}

func columnChange(id string, limit int64) domain.Change {
	p := domain.Patch{"kind": "column", "title": "Column " + id}
	if limit > 0 {
		p["wipLimit"] = limit
	}
	return create(id, p)
}

func cardChange(id, column string) domain.Change {
	return create(id, domain.Patch{"kind": "card", "title": "Card " + id, "columnId": column})
}

// await fails the test unless s is decided within d.
func (s *sending) await(t testing.TB, d time.Duration) *domain.Verdict {
	t.Helper()
	timeout := time.NewTimer(d)
	defer timeout.Stop()
	select {
	case <-s.decided:
		return s.verdict
	case <-timeout.C:
		t.Fatalf("%s %s: no verdict within %v", s.cmd.Op, s.cmd.ID, d)
		return nil
	}
}

func (s *sending) accepted(t testing.TB) *domain.Verdict {
	t.Helper()
	v := s.await(t, time.Minute)
	if v.Rejection != nil {
		t.Fatalf("%s %s: %v", s.cmd.Op, s.cmd.ID, v.Rejection)
	}
	return v
}

func (s *sending) refused(t testing.TB, code domain.Code) {
	t.Helper()
	if v := s.await(t, time.Minute); v.Rejection == nil || v.Rejection.Code != code {
		t.Fatalf("%s %s: verdict %+v, want %s", s.cmd.Op, s.cmd.ID, v, code)
	}
}
