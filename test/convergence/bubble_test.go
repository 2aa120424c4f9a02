package convergence

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/snapback-io/snapback/domain/service"
	"github.com/snapback-io/snapback/eventlog"
	"github.com/snapback-io/snapback/eventlog/logtest"
	"github.com/snapback-io/snapback/gateway"
	"github.com/snapback-io/snapback/test/crowd"
	"github.com/snapback-io/snapback/test/cutter"
	"github.com/snapback-io/snapback/test/naive"
)

var schedules = flag.Int("schedules", 30, "how many seeds to run in virtual time")

// memory is a log in memory as a gateway wants it; nobody uploads files here.
type memory struct{ *logtest.Log }

func (memory) PutContent(context.Context, string, io.Reader, int64) (int64, string, error) {
	return 0, "", eventlog.ErrNotFound
}
func (memory) OpenContent(context.Context, string, int64) (io.ReadCloser, error) {
	return nil, eventlog.ErrNotFound
}
func (memory) DeleteContent(context.Context, string) error { return nil }

// member is a node in the bubble: a gateway and a service on the common log.
type member struct {
	log *logtest.Log

	mu   sync.Mutex
	pipe *cutter.Pipe
	stop func()
}

func (m *member) start() error {
	quiet := slog.New(slog.DiscardHandler)
	s, err := service.New(service.Config{Log: m.log, Logger: quiet, SnapshotEvery: 20, BatchSize: 20})
	if err != nil {
		return err
	}
	g, err := gateway.New(gateway.Config{Log: memory{m.log}, Logger: quiet, IdleBoard: 5 * time.Second})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	pipe, server := cutter.NewPipe(), &http.Server{Handler: g.Handler()}
	var both sync.WaitGroup
	both.Go(func() { _ = s.Run(ctx) })
	both.Go(func() { _ = server.Serve(pipe) })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pipe = pipe
	m.stop = func() {
		cancel()
		server.Close()
		now, done := context.WithCancel(context.Background())
		done()
		_ = g.Drain(now, 0)
		both.Wait()
		g.Close()
	}
	return nil
}

func (m *member) end() {
	m.mu.Lock()
	stop := m.stop
	m.mu.Unlock()
	stop()
}

func (m *member) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	m.mu.Lock()
	pipe := m.pipe
	m.mu.Unlock()
	return pipe.Dial(ctx, network, addr)
}

func (m *member) connect() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return m.dial(ctx, "", "")
}

func (m *member) host() host {
	return host{addr: "localhost:80", dial: m.dial, proxy: func(tap *cutter.Recorder) (*cutter.Proxy, string, func(context.Context, string, string) (net.Conn, error), error) {
		pipe := cutter.NewPipe()
		return cutter.NewOn(pipe, m.connect, tap), "localhost:80", pipe.Dial, nil
	}}
}

// inBubble is a world of one process in virtual time.
type inBubble struct {
	*world
	log     *logtest.Log
	members []*member
}

func newBubble(t *testing.T, seed uint64) *inBubble {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	p := plan{seed: seed, clients: 2 + r.IntN(4), activity: 4 * time.Second, uplink: 30 * time.Second, stall: 10 * time.Second}
	t.Cleanup(func() { time.Sleep(time.Minute) }) // the last: what the log still holds back
	b := &inBubble{log: logtest.New(logtest.Config{Seed: seed})}
	b.world = &world{t: t, plan: p, cast: (*world).usual, tap: &cutter.Recorder{}, virtual: true, pool: crowd.NewPool(), counts: map[string]int{}}
	for range 1 + r.IntN(2) {
		m := &member{log: b.log}
		if err := m.start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.end)
		b.members, b.hosts = append(b.members, m), append(b.hosts, m.host())
	}
	b.furnish()
	b.people()
	return b
}

// logFaults is what goes wrong inside the log.
func logFaults(r *rand.Rand) logtest.Faults {
	some := func(p float64) float64 {
		if r.IntN(2) == 0 {
			return 0
		}
		return p * r.Float64()
	}
	return logtest.Faults{
		Latency:    time.Duration(r.IntN(30)) * time.Millisecond,
		LoseAppend: some(0.1), LoseAnswer: some(0.1), FailRead: some(0.1),
		Stall: some(0.1), StallFor: time.Duration(r.IntN(6000)) * time.Millisecond,
		LoseCommand: some(0.2), RepeatCommand: some(0.3), CommandDelay: time.Duration(r.IntN(500)) * time.Millisecond,
		Redeliver: time.Duration(r.IntN(2)) * 2 * time.Second,
		LoseNews:  some(0.3), RepeatNews: some(0.3), NewsDelay: time.Duration(r.IntN(200)) * time.Millisecond,
	}
}

func (b *inBubble) faults(ctx context.Context, r *rand.Rand) {
	b.log.SetFaults(logFaults(r))
	for _, p := range b.proxies {
		p.CutAfter(cuts(rand.New(rand.NewPCG(r.Uint64(), 0)), b.world))
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(100+r.IntN(900)) * time.Millisecond):
		}
		p := b.proxies[r.IntN(len(b.proxies))]
		switch r.IntN(8) {
		case 0, 1:
			b.count("cuts", p.CutAll())
		case 2, 3:
			b.delay(r)
		case 4:
			b.count("long uplink delays", 1)
			p.Set(cutter.Faults{Delay: [2]time.Duration{cutter.Up: time.Duration(r.Int64N(int64(b.plan.uplink)))}})
		case 5:
			b.count("stalls", 1)
			b.log.SetFaults(logtest.Faults{Stall: 1, StallFor: b.plan.stall})
			time.Sleep(time.Duration(r.IntN(3)) * time.Second)
			b.log.SetFaults(logFaults(r))
		case 6:
			b.count("restarts", 1)
			m := b.members[r.IntN(len(b.members))]
			m.end()
			if err := m.start(); err != nil {
				b.t.Error(err)
			}
		case 7:
			p.RetargetTo(b.members[r.IntN(len(b.members))].connect)
		}
	}
	b.log.SetFaults(logtest.Faults{})
}

func (b *inBubble) judge() {
	conns, rest := b.tap.Conns(), b.rest()
	var records []naive.Record
	for _, s := range b.log.Stored(board) {
		r, err := naive.Decode(s.Seq, s.Time, s.Data)
		if err != nil {
			b.t.Fatal(err)
		}
		records = append(records, r)
	}
	b.hold(records, conns, rest)
}

// TestSchedules runs the whole way of a mutation, on a log in memory that loses,
// doubles, delays and stalls, in virtual time: what takes minutes takes none.
func TestSchedules(t *testing.T) {
	t.Parallel()
	sum := &total{counts: map[string]int{}}
	from, to := uint64(1), uint64(*schedules)
	if *oneSeed > 0 {
		from, to = *oneSeed, *oneSeed
	}
	t.Run("seeds", func(t *testing.T) {
		const lanes = 2
		for lane := range uint64(lanes) {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				for seed := from + lane; seed <= to && !t.Failed(); seed += lanes {
					runSchedule(t, seed, sum)
				}
			})
		}
	})
	t.Logf("%d schedules: %s", sum.ran, summary(sum.counts))
	if sum.ran < 100 || t.Failed() {
		return
	}
	for _, what := range []string{"cuts", "delays", "long uplink delays", "stalls", "restarts", "voids", "resumed", "acked", "nack expired", "nack withdrawn", "nack wip_limit", "nack id_reused"} {
		if sum.counts[what] == 0 {
			t.Errorf("no %q in %d schedules", what, sum.ran)
		}
	}
}

func runSchedule(t *testing.T, seed uint64, sum *total) {
	slow := time.AfterFunc(10*time.Minute, func() { panic(fmt.Sprintf("seed %d does not end", seed)) }) // real time
	defer slow.Stop()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t, seed)
		b.run(b.faults)
		b.judge()
		sum.add(b.counts)
	})
	if t.Failed() {
		t.Logf("to run it again: go test -race ./test/convergence -run TestSchedules -seed %d", seed)
	}
}
